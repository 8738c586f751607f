"""The golden set of Japanese mails: parts, mails in mails, broken structure."""

from __future__ import annotations

import base64
import uuid

from tests.unit.extract_mail.case import (
    PLAIN,
    SHORT,
    WINDOWS,
    Case,
)
from tests.unit.extract_mail.writers import (
    CRLF,
    b64_word,
    iso2022jp,
    mail,
    typed,
    with_attachment,
)


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
