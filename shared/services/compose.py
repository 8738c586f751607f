"""An item that is no mail, written down as one: what the mail reader then calls 件名, 本文, 添付n.

The bytes depend on what is given alone (the keyed digest of what was read identifies the content),
so nothing in them is a date or a random boundary. Text goes as base64, whatever is in it.
"""

from __future__ import annotations

import base64
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from urllib.parse import quote

_BOUNDARY = "sekisho-part"
_TYPE = re.compile(r"[A-Za-z0-9!#$&^_.+\-]{1,64}/[A-Za-z0-9!#$&^_.+\-]{1,64}")
_UNNAMED = "application/octet-stream"


@dataclass(frozen=True, slots=True)
class Part:
    """An attachment: bytes, and what its source calls it."""

    data: bytes = field(repr=False)
    name: str = field(default="", repr=False)
    media_type: str = field(default="", repr=False)


@dataclass(frozen=True, slots=True)
class Text:
    """A body; ``kind`` is ``text`` or ``html``, as Graph's ``body.contentType`` says it."""

    content: str = field(repr=False)
    kind: str = "text"


def compose(
    subject: str,
    bodies: Sequence[Text],
    parts: Iterable[Part] = (),
    headers: Iterable[tuple[str, str]] = (),
) -> bytes:
    """MIME of a subject, bodies, attachments and other named texts (``headers``; blank ones go)."""
    lines = [
        f"{name}: {_word(text)}\r\n" for name, text in (("Subject", subject), *headers) if text
    ]
    kind = f'Content-Type: multipart/mixed; boundary="{_BOUNDARY}"'
    head = f"{''.join(lines)}MIME-Version: 1.0\r\n{kind}\r\n"
    pieces = [_body(each) for each in bodies if each.content]
    pieces += [_part(each) for each in parts]
    joined = b"".join(f"\r\n--{_BOUNDARY}\r\n".encode() + each for each in pieces)
    return head.encode() + joined + f"\r\n--{_BOUNDARY}--\r\n".encode()


def _word(text: str) -> str:
    """One encoded word (RFC 2047; our reader does not mind that it may be long)."""
    return f"=?utf-8?B?{_base64(_bytes(text))}?="


def _body(text: Text) -> bytes:
    kind = "html" if text.kind.casefold() == "html" else "plain"
    head = f"Content-Type: text/{kind}; charset=utf-8\r\nContent-Transfer-Encoding: base64\r\n\r\n"
    return (head + _lines(_bytes(text.content))).encode()


def _part(part: Part) -> bytes:
    kind = part.media_type if _TYPE.fullmatch(part.media_type) else _UNNAMED
    if kind.casefold().startswith(("multipart/", "message/")):
        kind = _UNNAMED  # a file of that kind: read by what is in it
    name = quote(_bytes(part.name), safe="")
    named = f"; filename*=utf-8''{name}" if name else ""
    head = (
        f"Content-Type: {kind}\r\nContent-Disposition: attachment{named}\r\n"
        "Content-Transfer-Encoding: base64\r\n\r\n"
    )
    return (head + _lines(part.data)).encode()


def _bytes(text: str) -> bytes:
    return text.encode(errors="replace")


def _base64(data: bytes) -> str:
    return base64.b64encode(data).decode()


def _lines(data: bytes) -> str:
    text = _base64(data)
    return "\r\n".join(text[start : start + 76] for start in range(0, len(text), 76))
