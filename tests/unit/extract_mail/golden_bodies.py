"""The golden set of Japanese mails: bodies, labelled rightly, wrongly and damaged."""

from __future__ import annotations

import base64
import binascii

from tests.unit.extract_mail.case import (
    CODECS,
    FIRST_LINE,
    KANA,
    LABELS,
    PLAIN,
    SHORT,
    WINDOWS,
    Case,
)
from tests.unit.extract_mail.writers import (
    CRLF,
    iso2022jp,
    mail,
    typed,
)


def labelled_bodies() -> list[Case]:
    found = []
    for codec, encode in CODECS.items():
        found += [
            Case(f"body {codec} as {label}", typed(encode(WINDOWS), label), WINDOWS)
            for label in LABELS[codec]
        ]
        for transfer in ("base64", "quoted-printable"):
            for title, text in (("plain", PLAIN), ("kana", KANA)):
                data = typed(encode(text), codec, transfer)
                found.append(Case(f"body {codec} {title} {transfer}", data, text))
        found.append(
            Case(
                f"body {codec} html",
                typed(b"<p>" + encode(PLAIN) + b"</p>", codec, kind="text/html"),
                FIRST_LINE,
            )
        )
    return found


def mislabelled_bodies() -> list[Case]:
    found = []
    for codec, encode in CODECS.items():
        labels = (None, "us-ascii", "iso-8859-1", "unknown-8bit", "x-user-defined", *CODECS)
        found += [
            Case(f"body {codec} labelled {label}", typed(encode(PLAIN), label), PLAIN, either=True)
            for label in labels
            if label != codec
        ]
    meta = (
        b'<html><head><meta charset="Shift_JIS"></head><body>'
        + PLAIN.encode("cp932")
        + b"</body></html>"
    )
    found.append(
        Case(
            "html charset in meta only",
            typed(meta, None, kind="text/html"),
            FIRST_LINE,
        )
    )
    found.append(
        Case(
            "html meta contradicts label",
            typed(meta, "iso-8859-1", kind="text/html"),
            FIRST_LINE,
            either=True,
        )
    )
    return found


def odd_bodies() -> list[Case]:
    x0212 = (
        b"\x1b$(D"
        + "丂丄".encode("euc_jp")
        .replace(b"\x8f", b"")
        .translate(bytes(b & 0x7F for b in range(256)))
        + b"\x1b(B"
    )
    dirty = base64.b64encode(PLAIN.encode())
    dirty = dirty[:40] + b" \r\n!*-\x00" + dirty[40:80] + b"\r\n\r\n" + dirty[80:]
    unpadded = base64.b64encode(PLAIN.encode()).rstrip(b"=")
    two_runs = (
        base64.b64encode("一つ目".encode()) + b"\r\n" + base64.b64encode("二つ目の文".encode())
    )
    flowed = "番号は 0123 \r\n4567 です。\r\n".encode()
    stripped = iso2022jp(PLAIN).replace(b"\x1b", b"")
    return [
        Case("kana by escape", typed(iso2022jp(KANA), "iso-2022-jp"), KANA),
        Case("kana by shift out", typed(iso2022jp(KANA, kana="so"), "iso-2022-jp"), KANA),
        Case(
            "kana by shift out, label cp50222", typed(iso2022jp(KANA, kana="so"), "cp50222"), KANA
        ),
        Case(
            "JIS C 6226 and JIS Roman",
            typed(iso2022jp(PLAIN, start=b"\x1b$@", end=b"\x1b(J"), "iso-2022-jp"),
            PLAIN,
        ),
        Case("JIS X 0212", typed(x0212, "iso-2022-jp-1"), "丂丄"),
        Case("JIS X 0212 under the plain label", typed(x0212, "iso-2022-jp"), "丂丄"),
        Case(
            "JIS, escapes stripped by a gateway", typed(stripped, "iso-2022-jp"), PLAIN, either=True
        ),
        Case(
            "JIS, a line ends inside, digits follow",
            typed(b"\x1b$B" + jis("番号") + b"\r\n0123 4567\r\n", "iso-2022-jp"),
            "番号\r\n0123 4567",
            either=True,
        ),
        Case(
            "JIS in 8 bit mixed with SJIS",
            typed(iso2022jp("前半") + "後半".encode("cp932"), "iso-2022-jp"),
            "前半後半",
        ),
        Case("UTF-16 with mark", typed(PLAIN.encode("utf-16"), "utf-16", "base64"), PLAIN),
        Case("UTF-16LE", typed(PLAIN.encode("utf-16-le"), "utf-16le", "base64"), PLAIN),
        Case("UTF-16BE", typed(PLAIN.encode("utf-16-be"), "utf-16be", "base64"), PLAIN),
        Case(
            "UTF-16LE without label or mark",
            typed(PLAIN.encode("utf-16-le"), None, "base64"),
            PLAIN,
            either=True,
        ),
        Case(
            "UTF-16BE without label or mark",
            typed(PLAIN.encode("utf-16-be"), None, "base64"),
            PLAIN,
            either=True,
        ),
        Case("UTF-32", typed(PLAIN.encode("utf-32"), "utf-32", "base64"), PLAIN),
        Case("UTF-7", typed(PLAIN.encode("utf-7"), "utf-7"), PLAIN),
        Case(
            "UTF-7, upper case and prefix",
            typed(PLAIN.encode("utf-7"), "UNICODE-1-1-UTF-7"),
            PLAIN,
            either=True,
        ),
        Case("UTF-8 with mark", typed(b"\xef\xbb\xbf" + PLAIN.encode(), "utf-8"), PLAIN),
        Case(
            "UTF-8, one byte damaged",
            typed(PLAIN.encode() * 4 + b"\xe3\x81", "utf-8"),
            PLAIN,
            either=True,
        ),
        Case("GB18030", typed("个人编号".encode("gb18030"), "gb18030"), "个人编号"),
        Case("EUC-KR", typed("주민등록번호".encode("euc_kr"), "euc-kr"), "주민등록번호"),
        Case("windows-1252", typed("Müller café".encode("cp1252"), "windows-1252"), "Müller café"),
        Case(
            "dirty base64",
            mail(
                dirty,
                b"Content-Type: text/plain; charset=utf-8",
                b"Content-Transfer-Encoding: base64",
            ),
            PLAIN,
        ),
        Case(
            "base64 without padding",
            mail(
                unpadded,
                b"Content-Type: text/plain; charset=utf-8",
                b"Content-Transfer-Encoding: base64",
            ),
            PLAIN,
        ),
        Case(
            "base64 in two padded runs",
            mail(
                two_runs,
                b"Content-Type: text/plain; charset=utf-8",
                b"Content-Transfer-Encoding: base64",
            ),
            "一つ目二つ目の文",
        ),
        Case(
            "base64 named in capitals with a comment",
            mail(
                base64.b64encode(PLAIN.encode()),
                b"Content-Type: text/plain; charset=utf-8",
                b"Content-Transfer-Encoding: BASE64 ;",
            ),
            PLAIN,
        ),
        Case(
            "base64 and a list's footer",
            mail(
                base64.b64encode(PLAIN.encode()) + b"\r\n_______\r\n" + "一覧の案内".encode(),
                b"Content-Type: text/plain; charset=utf-8",
                b"Content-Transfer-Encoding: base64",
            ),
            "一覧の案内",
            either=True,
        ),
        Case(
            "quoted-printable, spaces behind soft breaks",
            mail(
                "番号 0123=  \r\n4567".encode(),
                b"Content-Type: text/plain; charset=utf-8",
                b"Content-Transfer-Encoding: quoted-printable",
            ),
            "番号 01234567",
        ),
        Case(
            "quoted-printable in lower case",
            mail(
                b"=e7=95=aa=e5=8f=b7",
                b"Content-Type: text/plain; charset=utf-8",
                b"Content-Transfer-Encoding: quoted-printable",
            ),
            "番号",
        ),
        Case(
            "quoted-printable with broken escapes",
            mail(
                b"=ZZ 100=\x25 =e7=95=aa",
                b"Content-Type: text/plain; charset=utf-8",
                b"Content-Transfer-Encoding: quoted-printable",
            ),
            "番",
            either=True,
        ),
        Case(
            "flowed",
            mail(flowed, b"Content-Type: text/plain; charset=utf-8; format=flowed"),
            "番号は 0123 4567 です。",
        ),
        Case(
            "flowed, delsp",
            mail(flowed, b"Content-Type: text/plain; charset=utf-8; format=flowed; delsp=yes"),
            "番号は 01234567 です。",
        ),
        Case(
            "uuencode in the body",
            mail(
                "前書き\r\n".encode() + uu("表.txt".encode("cp932"), "個人番号の表".encode()),
                b"Content-Type: text/plain",
            ),
            "個人番号の表",
            names=("表.txt",),
            either=True,
        ),
        Case(
            "uuencode as transfer encoding",
            mail(
                uu(b"a.txt", PLAIN.encode()),
                b"Content-Type: text/plain; charset=utf-8",
                b"Content-Transfer-Encoding: x-uuencode",
            ),
            PLAIN,
        ),
        Case(
            "old mail without MIME, JIS",
            mail(iso2022jp(PLAIN), subject=iso2022jp(SHORT)),
            PLAIN,
            SHORT,
        ),
        Case(
            "old mail without MIME, SJIS",
            mail(PLAIN.encode("cp932"), subject=SHORT.encode("cp932")),
            PLAIN,
            SHORT,
        ),
        Case(
            "line ends LF only",
            typed(iso2022jp(PLAIN), "iso-2022-jp").replace(b"\r\n", b"\n"),
            PLAIN.replace("\r\n", "\n"),
        ),
        Case(
            "line ends CR only",
            typed(iso2022jp(PLAIN), "iso-2022-jp").replace(b"\r\n", b"\r"),
            "住民の皆様へ",
        ),
        Case(
            "html number cut by tags",
            typed("<p>番号 01<b>23</b><!-- x -->45</p>".encode(), "utf-8", kind="text/html"),
            "番号 012345",
        ),
        Case(
            "enriched text",
            typed("番号 01<bold>23</bold>".encode(), "utf-8", kind="text/enriched"),
            "番号 0123",
            either=True,
        ),
        Case(
            "html references",
            typed(b"<p>&#20491;&#x4eba;&#xFF10;</p>", "utf-8", kind="text/html"),
            "個人０",
        ),
        Case(
            "html in JIS with kana",
            typed(b"<p>" + iso2022jp("ﾀﾅｶ①") + b"</p>", "iso-2022-jp", kind="text/html"),
            "ﾀﾅｶ①",
        ),
    ]


def jis(text: str) -> bytes:
    return iso2022jp(text)[3:-3]


def uu(name: bytes, data: bytes) -> bytes:
    lines = [binascii.b2a_uu(data[at : at + 45]) for at in range(0, len(data), 45)]
    return b"begin 644 " + name + b"\r\n" + b"".join(lines).replace(b"\n", CRLF) + b"`\r\nend\r\n"
