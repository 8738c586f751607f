"""Who sent a mail, by all that it says of itself; none of it is proof."""

from __future__ import annotations

import re
from collections.abc import Sequence
from email.header import decode_header
from email.parser import BytesHeaderParser
from email.utils import getaddresses

_HEAD = 1 << 20  # bytes of a mail in which its headers end
_END = re.compile(rb"\r?\n\r?\n")


def senders(envelope: str, data: bytes) -> tuple[str, ...]:
    """The envelope's sender and every address in ``From`` and ``Sender``, folded, once each."""
    found = [envelope.strip().casefold()] if envelope.strip() else []
    head = data[:_HEAD]
    end = _END.search(head)
    message = BytesHeaderParser().parsebytes(head[: end.start()] if end else head)
    for name in ("From", "Sender"):
        values = [str(each) for each in message.get_all(name, [])]
        found += [address.casefold() for _, address in getaddresses(values) if "@" in address]
    return tuple(dict.fromkeys(found))


def within(addresses: Sequence[str], domains: Sequence[str]) -> bool:
    """Whether there is a sender and all of them are of these domains or below."""
    said = [each.rpartition("@")[2] for each in addresses]
    return bool(said) and all(
        any(domain == each or domain.endswith(f".{each}") for each in domains) for domain in said
    )


def subject_of(data: bytes) -> str:
    """The decoded subject, for a mail to the same recipient alone."""
    head = data[:_HEAD]
    end = _END.search(head)
    message = BytesHeaderParser().parsebytes(head[: end.start()] if end else head)
    pieces = []
    for piece, charset in decode_header(str(message.get("Subject", ""))):
        if isinstance(piece, str):
            pieces.append(piece)
        else:
            try:
                pieces.append(piece.decode(charset or "utf-8", "replace"))
            except LookupError:
                pieces.append(piece.decode("utf-8", "replace"))
    return "".join(pieces)
