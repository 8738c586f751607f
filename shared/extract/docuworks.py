"""DocuWorks (.xdw, .xbd), experimental: attached originals, JPEG pages, words in the properties.

Written from public notes of the format (Mokuichi147/xdw-salvage, Unlicense): elements of tag,
length and value; ``60`` header, ``61`` body, ``64`` pages, ``63`` properties (packed by ``-lh5-``);
a trailer tells the sizes. Other pages are drawn in a coding that is not read, and no file
of the maker's program has been read yet: a document is a gap ``unsupported`` besides.
"""

from __future__ import annotations

import re
import struct
from collections.abc import Iterator
from dataclasses import dataclass

import pylhasa

from shared.extract.job import Document, Job, LimitError
from shared.extract.ooxml import printable
from shared.model import GapCode

BODY, PROPERTIES, PAGE = 0x61, 0x63, 0x64
PAGE_BODY, PICTURE = 0x82, 0x86
EXPANDED, STORED = 0x83, 0x84  # of the properties, in the trailer
TRAILER_END = b"\x86\x04"  # tag and length of the trailer's own length, six bytes before the end
JPEG = b"\xff\xd8\xff"
JPEG_HEAD = 16  # bytes before the picture in the older shape of a page
ORIGINALS = re.compile(rb"PK\x03\x04|\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1|%PDF-")
ZIP_END = b"PK\x05\x06"
_NARROW = re.compile(rb"(?:[\x20-\x7e]|[\x81-\x9f\xe0-\xfc][\x40-\x7e\x80-\xfc]|[\xa1-\xdf]){4,}")


@dataclass(frozen=True, slots=True)
class Element:
    """Tag, and where the value stands in the file."""

    tag: int
    start: int
    end: int


def read(document: Document, job: Job) -> None:
    """Read what can be reached; what cannot is ``unsupported``."""
    data = document.data
    job.gap(GapCode.UNSUPPORTED, document.location)
    _properties(data, document, job)
    for number, page in enumerate(_pages(data), start=1):
        picture = _picture(data, page)
        if picture:
            job.child(document, picture, "", label=f"{number}ページ.jpg")
    for number, original in enumerate(_originals(data), start=1):
        job.child(document, original, "", label=f"添付{number}")


def _elements(data: bytes, at: int, end: int) -> Iterator[Element]:
    """The elements between two places, as far as their lengths hold."""
    while at + 2 <= end:
        tag, size = data[at], data[at + 1]
        start = at + 2
        if size >= 0x80:  # noqa: PLR2004 - the long form of X.690 8.1.3.5
            count = size & 0x7F
            size = int.from_bytes(data[start : start + count])
            start += count
            if not 0 < count <= 4:  # noqa: PLR2004 - a file has no longer lengths
                return
        if start + size > end:
            return
        yield Element(tag, start, start + size)
        at = start + size


def _pages(data: bytes) -> Iterator[Element]:
    for outer in _elements(data, 0, len(data)):
        if outer.tag == PAGE:
            yield outer
        elif outer.tag == BODY:
            yield from (e for e in _elements(data, outer.start, outer.end) if e.tag == PAGE)


def _picture(data: bytes, page: Element) -> bytes:
    """The JPEG of a page, in either of its shapes; empty if it has none."""
    for body in _elements(data, page.start, page.end):
        if body.tag != PAGE_BODY:
            continue
        if data.startswith(JPEG, body.start + JPEG_HEAD):
            return data[body.start + JPEG_HEAD : body.end]
        for inner in _elements(data, body.start, body.end):
            if inner.tag == PICTURE and data.startswith(JPEG, inner.start):
                return data[inner.start : inner.end]
    return b""


def _originals(data: bytes) -> Iterator[bytes]:
    """Files attached as they were: from their signature to their own end or the next one's."""
    at = 0
    while found := ORIGINALS.search(data, at):
        start = found.start()
        if found[0].startswith(b"PK"):
            end = data.find(ZIP_END, start)
            at = end + 22 + struct.unpack_from("<H", data.ljust(end + 22, b"\0"), end + 20)[0]
            at = len(data) if end < 0 else at
        elif found[0] == b"%PDF-":
            following = ORIGINALS.search(data, start + 5)
            limit = following.start() if following else len(data)
            end = data.rfind(b"%%EOF", start, limit)
            at = limit if end < 0 else end + 5
        else:
            at = len(data)  # a compound file holds files of these kinds itself
        yield data[start:at]


def _properties(data: bytes, document: Document, job: Job) -> None:
    """The words in the properties: annotations and names, in CP932 or UTF-16."""
    sizes = _trailer(data)
    stored, expanded = sizes.get(STORED, 0), sizes.get(EXPANDED, 0)
    if not stored:
        return
    if expanded > job.limits.expanded:
        raise LimitError(GapCode.TOO_LARGE)
    for outer in _elements(data, 0, len(data)):
        inner = _elements(data, outer.start, outer.end) if outer.tag == BODY else iter((outer,))
        for element in inner:
            if element.tag == PROPERTIES and element.end - element.start == stored:
                job.spend(expanded, stored)
                plain = _unpacked(data[element.start : element.end], expanded)
                narrow = (run.decode("cp932", "replace") for run in _NARROW.findall(plain))
                words = "\n".join((*narrow, printable(plain)))
                job.text(document.inside("プロパティ"), words)


def _trailer(data: bytes) -> dict[int, int]:
    """The numbers in the last element, whose length is told by the file's last four bytes."""
    if data[-6:-4] != TRAILER_END:
        return {}
    (size,) = struct.unpack("<I", data[-4:])
    return {
        one.tag: int.from_bytes(data[one.start : one.end])
        for one in _elements(data, max(0, len(data) - size), len(data))
        if one.end - one.start <= 4  # noqa: PLR2004 - a size
    }


def _unpacked(packed: bytes, size: int) -> bytes:
    """``-lh5-`` data without a header: given one, whose checksum of the content cannot be known."""
    head = b"-lh5-" + struct.pack("<IIIBB", len(packed), size, 0, 0x20, 0) + b"\x01a\0\0"
    lead = bytes((len(head), sum(head) & 0xFF))
    entries = list(pylhasa.from_bytes(b"".join((lead, head, packed, b"\0"))))
    try:
        return bytes(entries[0].read()) if entries else b""
    except pylhasa.PylhasaError:
        return b""
