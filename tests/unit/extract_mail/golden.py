"""The golden set of Japanese mails: every charset and header damage that was met, made here.

Each case is a mail and what a person reads in it. Written by the standard library's codecs and by
``writers``, which share no code with the readers. ``subject``, ``body`` and ``names`` are what must
be read exactly; with ``either`` the recipients' programs disagree and any reading may carry it.
"""

from __future__ import annotations

import base64
import binascii
import uuid
from dataclasses import dataclass, field
from urllib.parse import quote_from_bytes

from tests.unit.extract_mail.writers import (
    CRLF,
    b64_word,
    euc_windows,
    iso2022jp,
    mail,
    q_word,
    typed,
    with_attachment,
)

PLAIN = "住民の皆様へ。個人番号は０１２３です。手続は市民課まで。\r\n二行目の能力表示ソ\r\n"
WINDOWS = "①㈱髙﨑様、№３の件です。確認をお願いいたします。\r\n"
KANA = "ﾏｲﾅﾝﾊﾞｰ ﾀﾅｶﾊﾅｺ 様の届出\r\n"
SHORT = "住所変更"
FIRST_LINE = PLAIN.partition("\r")[0]
NAME = "個人番号表.xlsx"
TRICKY = "ソ表予能.xlsx"  # each has a backslash as its second byte in Shift_JIS


@dataclass(frozen=True)
class Case:
    name: str
    data: bytes = field(repr=False)
    body: str = ""
    subject: str = ""
    names: tuple[str, ...] = ()
    either: bool = False


CODECS = {
    "utf-8": str.encode,
    "shift_jis": lambda text: text.encode("cp932"),
    "euc-jp": euc_windows,
    "iso-2022-jp": iso2022jp,
}
LABELS = {
    "utf-8": ("utf-8", "UTF-8", '"utf-8"', "utf8"),
    "shift_jis": ("shift_jis", "Shift-JIS", "x-sjis", "windows-31j", "ms932", "cp932"),
    "euc-jp": ("euc-jp", "x-euc-jp", "eucJP-ms", "cp51932"),
    "iso-2022-jp": (
        "iso-2022-jp",
        "ISO-2022-JP-MS",
        "cp50220",
        "cp50221",
        "csISO2022JP",
        "x-iso-2022-jp",
    ),
}


def cases() -> list[Case]:
    """All of them; the names are unique."""
    return [
        *labelled_bodies(),
        *mislabelled_bodies(),
        *odd_bodies(),
        *subjects(),
        *file_names(),
        *structures(),
    ]


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


def subjects() -> list[Case]:
    long = "令和八年度の個人番号カード交付申請書の送付について"
    wide = WINDOWS.strip()
    found = []
    for codec, encode in CODECS.items():
        for word, style in ((b64_word, "B"), (q_word, "Q")):
            found.append(
                Case(
                    f"subject {codec} {style}",
                    mail(b"", subject=word(codec, encode(wide))),
                    subject=wide,
                )
            )
        found.append(Case(f"subject {codec} raw", mail(b"", subject=encode(long)), subject=long))
        cut = encode(long)
        # one byte more than a character and its escape, so that the cut falls inside
        words = b"\r\n ".join(b64_word(codec, cut[at : at + 20]) for at in range(0, len(cut), 20))
        found.append(
            Case(f"subject {codec} cut inside characters", mail(b"", subject=words), subject=long)
        )
        halves = b64_word(codec, encode(long[:9])) + b" \r\n\t" + q_word(codec, encode(long[9:]))
        found.append(
            Case(f"subject {codec} folded, B then Q", mail(b"", subject=halves), subject=long)
        )
    inside = iso2022jp("番号") + iso2022jp("変更")
    kana = iso2022jp("ﾀﾅｶ様①")
    return [
        *found,
        Case(
            "subject kana by escape in a word",
            mail(b"", subject=b64_word("ISO-2022-JP", kana)),
            subject="ﾀﾅｶ様①",
        ),
        Case(
            "subject kana by shift out in a word",
            mail(b"", subject=b64_word("ISO-2022-JP", iso2022jp("ﾀﾅｶ様", kana="so"))),
            subject="ﾀﾅｶ様",
        ),
        Case(
            "subject cut inside an escape",
            mail(
                b"",
                subject=b64_word("iso-2022-jp", inside[:8])
                + b" "
                + b64_word("iso-2022-jp", inside[8:]),
            ),
            subject="番号変更",
        ),
        Case(
            "subject word mislabelled",
            mail(b"", subject=b64_word("us-ascii", SHORT.encode("cp932"))),
            subject=SHORT,
        ),
        Case(
            "subject word with unknown charset",
            mail(b"", subject=b64_word("x-unknown", SHORT.encode())),
            subject=SHORT,
        ),
        Case(
            "subject word with language (RFC 2231)",
            mail(b"", subject=b64_word("utf-8*ja", SHORT.encode())),
            subject=SHORT,
        ),
        Case(
            "subject word unterminated",
            mail(b"", subject=b64_word("utf-8", SHORT.encode())[:-2]),
            subject=SHORT,
        ),
        Case(
            "subject words without space between",
            mail(
                b"", subject=b64_word("utf-8", "住所".encode()) + b64_word("utf-8", "変更".encode())
            ),
            subject=SHORT,
        ),
        Case(
            "subject word glued to text",
            mail(b"", subject=b"Re:" + b64_word("utf-8", SHORT.encode()) + b"(2)"),
            subject=f"Re:{SHORT}(2)",
        ),
        Case(
            "subject word with a space in Q",
            mail(b"", subject=b"=?utf-8?Q?=E4=BD=8F =E6=89=80?="),
            subject="住 所",
        ),
        Case(
            "subject word with underscores",
            mail(b"", subject=b"=?utf-8?q?No_1_=E4=BD=8F?="),
            subject="No 1 住",
        ),
        Case(
            "subject word in quotes",
            mail(b"", subject=b'"' + b64_word("utf-8", SHORT.encode()) + b'"'),
            subject=f'"{SHORT}"',
        ),
        Case(
            "subject word base64 without padding",
            mail(b"", subject=b64_word("utf-8", "住民".encode() + b"1").replace(b"==?=", b"?=")),
            subject="住民1",
        ),
        Case(
            "subject two charsets",
            mail(
                b"",
                subject=b64_word("utf-8", "住所".encode())
                + b" "
                + b64_word("iso-2022-jp", iso2022jp("変更")),
            ),
            subject=SHORT,
        ),
        Case(
            "subject utf-16 word",
            mail(b"", subject=b64_word("utf-16be", SHORT.encode("utf-16-be"))),
            subject=SHORT,
        ),
        Case(
            "subject raw UTF-8 folded inside",
            mail(b"", subject="住所".encode() + b"\r\n " + "変更".encode()),
            subject="住所 変更",
        ),
        Case(
            "display name in JIS",
            mail(b"", b"Cc: " + b64_word("iso-2022-jp", iso2022jp("髙橋")) + b" <c@example.jp>"),
            "髙橋 <c@example.jp>",
            either=True,
        ),
        Case(
            "header of its own, raw SJIS",
            mail(b"", b"X-Memo: " + "個人番号".encode("cp932")),
            "個人番号",
            either=True,
        ),
    ]


def file_names() -> list[Case]:
    def attached(
        title: str, disposition: bytes, name: str = NAME, kind: bytes = b"application/octet-stream"
    ) -> Case:
        return Case(f"name {title}", with_attachment(disposition, kind), names=(name,))

    found = []
    for codec, encode in CODECS.items():
        raw = encode(NAME)
        found += [
            attached(f"{codec} raw", b'attachment; filename="' + raw + b'"'),
            attached(
                f"{codec} word in quotes", b'attachment; filename="' + b64_word(codec, raw) + b'"'
            ),
            attached(f"{codec} word bare", b"attachment; filename=" + q_word(codec, raw)),
            attached(
                f"{codec} RFC 2231",
                b"attachment; filename*=" + codec.encode() + b"''" + quote_from_bytes(raw).encode(),
            ),
            attached(f"{codec} RFC 2231 continued", continued(codec, raw)),
            attached(
                f"{codec} in the content type only",
                b"",
                kind=b'application/octet-stream; name="' + b64_word(codec, raw) + b'"',
            ),
        ]
        found.append(
            Case(
                f"name {codec} RFC 2231 without charset",
                with_attachment(b"attachment; filename*=''" + quote_from_bytes(raw).encode()),
                names=(NAME,),
            )
        )
    utf8 = NAME.encode()
    percent = quote_from_bytes(utf8).encode()
    return [
        *found,
        attached(
            "SJIS with backslash bytes",
            b'attachment; filename="' + TRICKY.encode("cp932") + b'"',
            TRICKY,
        ),
        attached(
            "SJIS ending in a backslash byte",
            b'attachment; filename="' + "一覧表".encode("cp932") + b'"; size=3',
            "一覧表",
        ),
        attached(
            "JIS raw with quotes inside",
            b'attachment; filename="' + iso2022jp("見積＝表") + b'.pdf"',
            "見積＝表.pdf",
        ),
        attached(
            "continuations out of order",
            b"attachment; filename*1*=" + percent[9:] + b"; filename*0*=utf-8''" + percent[:9],
        ),
        attached(
            "continuations mixed with plain",
            b"attachment; filename*0*=utf-8''" + percent[:-5] + b'; filename*1=".xlsx"',
        ),
        attached("extended in quotes", b"attachment; filename*=\"utf-8''" + percent + b'"'),
        attached("percent without a star", b"attachment; filename=" + percent),
        attached(
            "percent in quotes with charset",
            b"attachment; filename=\"utf-8''" + percent + b'"',
            f"utf-8''{NAME}",
        ),
        attached(
            "word cut over continuations",
            b'attachment; filename*0="'
            + b64_word("utf-8", utf8)[:14]
            + b'"; filename*1="'
            + b64_word("utf-8", utf8)[14:]
            + b'"',
        ),
        attached(
            "folded between parameters",
            b'attachment;\r\n\tfilename="' + b64_word("utf-8", utf8) + b'"',
        ),
        attached(
            "folded words",
            b'attachment; filename="'
            + b64_word("utf-8", utf8[:8])
            + b"\r\n "
            + b64_word("utf-8", utf8[8:])
            + b'"',
        ),
        attached(
            "spaces around the equals sign",
            b'attachment ; filename = "' + b64_word("utf-8", utf8) + b'"',
        ),
        attached("quote never closed", b'attachment; filename="' + utf8),
        attached("in capitals", b'ATTACHMENT; FILENAME="' + utf8 + b'"'),
        attached("no disposition token", b'filename="' + utf8 + b'"'),
        Case(
            "name two that differ",
            with_attachment(
                b'attachment; filename="' + utf8 + b'"',
                b'application/octet-stream; name="' + TRICKY.encode() + b'"',
            ),
            names=(NAME, TRICKY),
        ),
        Case(
            "name both plain and extended",
            with_attachment(
                b'attachment; filename="' + TRICKY.encode() + b"\"; filename*=utf-8''" + percent
            ),
            names=(NAME, TRICKY),
        ),
    ]


def continued(codec: str, raw: bytes) -> bytes:
    """A name in pieces of twelve characters, cut inside escapes and characters alike."""
    percent = quote_from_bytes(raw).encode()
    cuts = [percent[at : at + 12] for at in range(0, len(percent), 12)]
    cuts = _whole(cuts)
    pieces = [
        b"filename*%d*=%s" % (number, (codec.encode() + b"''" if not number else b"") + cut)
        for number, cut in enumerate(cuts)
    ]
    return b"attachment;\r\n " + b";\r\n ".join(pieces)


def _whole(cuts: list[bytes]) -> list[bytes]:
    """Move a percent sign that a cut parted from its digits to the next piece."""
    for at in range(len(cuts) - 1):
        for tail in (1, 2):
            if cuts[at][-tail:].startswith(b"%"):
                cuts[at], cuts[at + 1] = cuts[at][:-tail], cuts[at][-tail:] + cuts[at + 1]
                break
    return cuts


def structures() -> list[Case]:
    inner = typed(iso2022jp(WINDOWS), "iso-2022-jp").replace(
        b"Subject: test", b"Subject: " + b64_word("iso-2022-jp", iso2022jp(SHORT))
    )
    boundary = uuid.UUID(int=1).hex.encode()

    def multipart(
        kind: bytes, *parts: bytes, boundary: bytes = boundary, declared: bytes | None = None
    ) -> bytes:
        body = (
            b"".join(b"--" + boundary + CRLF + part + CRLF for part in parts)
            + b"--"
            + boundary
            + b"--\r\n"
        )
        shown = (
            b'; boundary="' + (boundary if declared is None else declared) + b'"'
            if declared != b""
            else b""
        )
        return mail(body, b"MIME-Version: 1.0", b"Content-Type: " + kind + shown)

    part = b"Content-Type: text/plain; charset=iso-2022-jp\r\n\r\n" + iso2022jp(PLAIN)
    forwarded = b"Content-Type: message/rfc822\r\n\r\n" + inner
    packed = (
        b"Content-Type: message/rfc822\r\nContent-Transfer-Encoding: base64\r\n\r\n"
        + base64.encodebytes(inner)
    )
    two_boundaries = mail(
        b"--p\r\n\r\nx\r\n--q\r\nContent-Transfer-Encoding: base64\r\n\r\n"
        + base64.b64encode(PLAIN.encode())
        + b"\r\n--q--\r\n--p--",
        b"Content-Type: multipart/mixed; boundary=p; boundary=q",
    )
    commented = mail(
        base64.b64encode(PLAIN.encode("cp932")),
        b"Content-Type: (a) text / plain (b); charset=shift_jis",
        b"Content-Transfer-Encoding: (c) base64 (d)",
    )
    mailbox = b"From x\r\n" + typed(b"x", "utf-8") + b"\r\n\r\nFrom y\r\n" + inner
    duplicate = mail(
        base64.b64encode(PLAIN.encode()),
        b"Content-Type: text/plain; charset=utf-8",
        b"Content-Transfer-Encoding: 7bit",
        b"Content-Transfer-Encoding: base64",
    )
    two_types = mail(
        b"--q\r\n\r\n" + PLAIN.encode() + b"\r\n--q--",
        b"Content-Type: application/pdf",
        b"Content-Type: multipart/mixed; boundary=q",
    )
    open_end = multipart(b"multipart/mixed", part).removesuffix(b"--" + boundary + b"--\r\n")
    return [
        Case(
            "mail in mail",
            multipart(b"multipart/mixed", part, forwarded),
            WINDOWS,
            SHORT,
            either=True,
        ),
        Case(
            "mail in mail, base64",
            multipart(b"multipart/mixed", packed),
            WINDOWS,
            SHORT,
            either=True,
        ),
        Case(
            "mail in mail as a file",
            with_attachment(b'attachment; filename="a.eml"', data=inner),
            WINDOWS,
            SHORT,
            either=True,
        ),
        Case("digest", multipart(b"multipart/digest", CRLF + inner), WINDOWS, SHORT, either=True),
        Case("boundary not declared", multipart(b"multipart/mixed", part, declared=b""), PLAIN),
        Case(
            "boundary declared wrong", multipart(b"multipart/mixed", part, declared=b"other"), PLAIN
        ),
        Case("multipart never closed", open_end, PLAIN),
        Case(
            "part behind the end",
            multipart(b"multipart/mixed", b"\r\nx") + b"--" + boundary + CRLF + part,
            PLAIN,
            either=True,
        ),
        Case(
            "text before the parts",
            multipart(b"multipart/mixed", part).replace(
                b"\r\n\r\n--", b"\r\n\r\n" + iso2022jp("前の文") + b"\r\n--", 1
            ),
            "前の文",
            either=True,
        ),
        Case("encoding stands twice", duplicate, PLAIN, either=True),
        Case("type stands twice", two_types, PLAIN, either=True),
        Case(
            "no blank line before the body",
            b"Subject: x\r\nFrom: a@b\r\n" + "本文がすぐ始まる".encode() + b"\r\nnext",
            "本文がすぐ始まる",
            either=True,
        ),
        Case(
            "junk among the headers",
            b"Subject: x\r\njunk line\r\nContent-Type: text/plain; charset=iso-2022-jp\r\n\r\n"
            + iso2022jp(PLAIN),
            PLAIN,
        ),
        Case(
            "mailbox line before the headers",
            b"From x Mon Jan 1\r\n" + typed(iso2022jp(PLAIN), "iso-2022-jp"),
            PLAIN,
        ),
        Case(
            "alternative",
            multipart(
                b"multipart/alternative",
                part,
                b"Content-Type: text/html; charset=utf-8\r\n\r\n<p>" + "別の文".encode(),
            ),
            PLAIN,
        ),
        Case(
            "multipart encoded as a whole",
            mail(
                base64.b64encode(b"--z\r\n" + part + b"\r\n--z--"),
                b"Content-Type: multipart/mixed; boundary=z",
                b"Content-Transfer-Encoding: base64",
            ),
            PLAIN,
        ),
        Case("boundary twice", two_boundaries, PLAIN, either=True),
        Case("type and encoding with comments", commented, PLAIN),
        Case("mailbox of two", mailbox, WINDOWS, SHORT, either=True),
        Case("type is nonsense", mail(iso2022jp(PLAIN), b"Content-Type: text"), PLAIN),
    ]
