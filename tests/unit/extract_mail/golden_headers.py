"""The golden set of Japanese mails: subjects, other headers and file names."""

from __future__ import annotations

from urllib.parse import quote_from_bytes

from tests.unit.extract_mail.case import (
    CODECS,
    NAME,
    SHORT,
    TRICKY,
    WINDOWS,
    Case,
)
from tests.unit.extract_mail.writers import (
    b64_word,
    iso2022jp,
    mail,
    q_word,
    with_attachment,
)


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
