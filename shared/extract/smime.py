"""S/MIME: what is signed is read, what is enveloped is a gap.

Reads just enough BER (X.690) of CMS (RFC 5652) to reach the content: definite and indefinite
lengths, octet strings in one piece or many.
"""

from __future__ import annotations

import re
import zlib
from collections.abc import Iterator
from dataclasses import dataclass, field

from shared.extract import transfer
from shared.extract.job import Document, Job, LimitError
from shared.model import GapCode

_OID = b"\x2a\x86\x48\x86\xf7\x0d\x01\x07"
SIGNED = _OID + b"\x02"
HIDDEN = {_OID + b"\x03", _OID + b"\x04", _OID + b"\x06"}
SECRET_PREFIX = b"\x2a\x86\x48\x86\xf7\x0d\x01\x09\x10\x01"  # id-smime-ct
AUTH_ENVELOPED = SECRET_PREFIX + b"\x17"
COMPRESSED = SECRET_PREFIX + b"\x09"
DEPTH = 16
_PEM = re.compile(rb"-----BEGIN [A-Z0-9 ]{3,20}-----([^-]+)")

OCTETS = 0x04
OBJECT = 0x06
SEQUENCE = 0x30
OCTETS_IN_PIECES = 0x24
CONTENT = 0xA0  # [0] explicit
CONSTRUCTED = 0x20
INDEFINITE = 0x80


class BerError(Exception):
    """The bytes are not BER, or nested deeper than any CMS."""


@dataclass(frozen=True, slots=True)
class Node:
    """One element: its tag byte, and where its content begins and ends."""

    tag: int
    start: int
    end: int
    after: int


@dataclass(frozen=True, slots=True)
class Ber:
    """Elements of a byte string, found without recursion deeper than DEPTH."""

    data: bytes = field(repr=False)

    def node(self, at: int, limit: int, depth: int = 0) -> Node:
        """The element at ``at``; BerError if it reaches beyond ``limit``."""
        if depth > DEPTH or at + 2 > limit:
            raise BerError
        tag, first = self.data[at], self.data[at + 1]
        start = at + 2
        if first == INDEFINITE:
            end = start
            while self.data[end : end + 2] != b"\0\0":
                end = self.node(end, limit, depth + 1).after
            return Node(tag, start, end, end + 2)
        length = first
        if first > INDEFINITE:
            start += first & 0x7F
            length = int.from_bytes(self.data[at + 2 : start])
        if start + length > limit:
            raise BerError
        return Node(tag, start, start + length, start + length)

    def children(self, node: Node) -> Iterator[Node]:
        """The elements in a constructed one."""
        at = node.start
        while at < node.end:
            child = self.node(at, node.end + 2 if node.after > node.end else node.end)
            yield child
            at = child.after

    def octets(self, node: Node, depth: int = 0) -> bytes:
        """An octet string, put together if it comes in pieces."""
        if depth > DEPTH:
            raise BerError
        if not node.tag & CONSTRUCTED:
            return self.data[node.start : node.end]
        return b"".join(self.octets(child, depth + 1) for child in self.children(node))


def read(document: Document, job: Job) -> None:
    """Read the signed content as a mail part; a detached signature holds no text."""
    data = document.data
    pem = _PEM.search(data) if data.startswith(b"-----") else None
    ber = Ber(transfer.base64(pem[1]) if pem else data)
    try:
        kind, body = _content_info(ber, ber.node(0, len(ber.data)))
        if kind in HIDDEN or kind == AUTH_ENVELOPED:
            job.gap(GapCode.ENCRYPTED, document.location)
        elif kind in {SIGNED, COMPRESSED} and body:
            content = _encapsulated(ber, body)
            if content and kind == COMPRESSED:
                content = _inflate(content, job)
            if content:
                job.child(
                    document, content, "", label="署名された内容", media_type="message/rfc822"
                )
        else:
            job.gap(GapCode.UNSUPPORTED, document.location)
    except BerError:
        job.gap(GapCode.MALFORMED, document.location)


def _content_info(ber: Ber, node: Node) -> tuple[bytes, Node | None]:
    """The object identifier and the element of a ContentInfo."""
    kind, body = b"", None
    for child in ber.children(node):
        if child.tag == OBJECT:
            kind = ber.data[child.start : child.end]
        elif child.tag == CONTENT:
            body = next(ber.children(child), None)
    return kind, body


def _encapsulated(ber: Ber, body: Node) -> bytes:
    """The encapsulated content of SignedData or CompressedData; empty if it is detached."""
    for child in ber.children(body):
        if child.tag == SEQUENCE:
            _, content = _content_info(ber, child)
            if content and content.tag in {OCTETS, OCTETS_IN_PIECES}:
                return ber.octets(content)
    return b""


def _inflate(content: bytes, job: Job) -> bytes:
    """Decompress within the budget."""
    engine = zlib.decompressobj()
    out = engine.decompress(content, job.limits.expanded)
    job.spend(len(out), len(content))
    if engine.unconsumed_tail:
        raise LimitError(GapCode.TOO_LARGE)
    return out
