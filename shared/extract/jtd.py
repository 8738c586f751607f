"""Ichitaro (.jtd, .jtt, .jtdc, .jttc), experimental: no real sample has been read yet.

Written from published notes of the format (OpenJTD's RFCs, Apache-2.0; the ezpzfile specification).
A text stream is a store of blocks (``SsmgV.01``) that must be put together by its directory before
the text (``TextV.01``, or the pieces of a ``QLSTV.01`` list) can be read as UTF-16BE.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from io import BytesIO

import pylhasa

from shared.extract.dispatch import read as read_any
from shared.extract.job import Document, LimitError
from shared.extract.oleparts import Storage
from shared.model import GapCode

BLOCKS, TEXT, PIECES = b"SsmgV.01", b"TextV.01", b"QLSTV.01"
STREAMS = {
    "documenttext": "本文",
    "header": "ヘッダー",
    "footnote": "脚注",
    "endnote": "文末脚注",
    "layoutboxtext": "テキストボックス",
    "frame": "枠",
    "referenceinfo": "参照",
}
MAX_PIECES = 100_000
METHOD = b"-lh5-"
RECORD, RECORD_INLINE, RECORD_CELL = 0x1C, 1, 0x30
INLINE_END, RUBY = 0x1E, 0x82
LINE_ENDS = frozenset({0x0A, 0x0C, 0x0D, 0x0E})


def read_storage(storage: Storage, name: str) -> None:
    """Read the storage whose ``DocumentText`` stream is ``name``, with its side streams."""
    del name
    found = False
    for stream in storage.names:
        label = STREAMS.get(stream.lower())
        if label is None:
            continue
        texts = [plain_text(units) for units in text_units(storage.data(stream))]
        storage.job.text(storage.document.inside(label), "\n".join(texts))
        found = found or any(text.strip() for text in texts)
    if not found:
        storage.job.gap(GapCode.UNSUPPORTED, storage.document.location)


def read_compressed(storage: Storage, name: str) -> None:
    """Unpack ``JSCompDocument`` (an ``-lh5-`` member behind a header) and read what it holds."""
    job, document = storage.job, storage.document
    data = storage.data(name)
    at = data.find(METHOD) - 2
    entries = list(pylhasa.from_bytes(_named_member(data, at))) if at >= 0 else []
    if not entries:
        job.gap(GapCode.UNSUPPORTED, document.location)
    for entry in entries[:1]:
        if entry.size > job.limits.expanded:
            raise LimitError(GapCode.TOO_LARGE)
        job.spend(entry.size, entry.compressed_size)
        inner = Document(entry.read(), "", "", document.location, document.depth + 1)
        if inner.depth > job.limits.depth:
            job.gap(GapCode.TOO_DEEP, document.location)
        else:
            read_any(inner, job)


def _named_member(data: bytes, at: int) -> bytes:
    """The LHA member at ``at`` with a level-0 header and a name, without which it is not read."""
    packed, size, _ = struct.unpack_from("<III", data, at + 7)
    level, length = data[at + 20], data[at + 21]
    (crc,) = struct.unpack_from("<H", data, at + 22 + length)
    start = at + 2 + data[at]
    if level == 1:  # extended headers stand before the data and are counted with it
        (more,) = struct.unpack_from("<H", data, start - 2)
        while 2 < more <= packed:  # noqa: PLR2004 - the length itself
            start, packed = start + more, packed - more
            (more,) = struct.unpack_from("<H", data, start - 2)
    head = (
        METHOD
        + struct.pack("<IIIBB", packed, size, 0, 0x20, 0)
        + b"\x01a"
        + crc.to_bytes(2, "little")
    )
    lead = bytes((len(head), sum(head) & 0xFF))
    return b"".join((lead, head, data[start : start + packed], b"\0"))


def blocks(stream: bytes) -> dict[int, bytes]:
    """The substreams of a block store by index; a stream that is none is its own substream 0."""
    if not stream.startswith(BLOCKS):
        return {0: stream}
    _, size, count = struct.unpack_from(">III", stream, 8)
    first = 20
    at = first + count * size
    found: dict[int, bytes] = {}
    while size >= 16 and at + 20 <= len(stream):  # noqa: PLR2004 - a directory entry
        index, _, length, ids, again = struct.unpack_from(">IIIII", stream, at)
        if not 0 < ids == again <= count or at + 20 + 4 * ids > len(stream):
            break
        places = struct.unpack_from(f">{ids}I", stream, at + 20)
        if max(places) >= count:
            places = tuple(place - 1 for place in places)
        at += 20 + 4 * ids
        pieces = (stream[first + p * size : first + (p + 1) * size] for p in places if p >= 0)
        found[index] = b"".join(pieces)[:length]
    return found or {0: stream[first:]}


def text_units(stream: bytes) -> list[bytes]:
    """The UTF-16BE texts of a stream."""
    parts = blocks(stream)
    head = parts[min(parts)]
    if head.startswith(PIECES):
        return [b"".join(_piece_list(head, parts))]
    return [text for part in parts.values() for text in _spans(part)]


def _piece_list(head: bytes, parts: dict[int, bytes]) -> Iterator[bytes]:
    (count,) = struct.unpack_from(">I", head, 8)
    for number in range(min(count, MAX_PIECES)):
        if 20 + 8 * number > len(head):
            return
        length, index = struct.unpack_from(">II", head, 12 + 8 * number)
        part = parts.get(index, b"")
        start = 12 if part.startswith(TEXT) else 0
        yield part[start : start + 2 * length]


def _spans(part: bytes) -> Iterator[bytes]:
    """Every counted text in a substream."""
    at = part.find(TEXT)
    while at >= 0 and at + 12 <= len(part):
        (count,) = struct.unpack_from(">I", part, at + 8)
        end = min(at + 12 + 2 * count, len(part))
        yield part[at + 12 : end]
        at = part.find(TEXT, max(end, at + 12))


def plain_text(units: bytes) -> str:
    """Text without its records; hidden text and ruby are kept, paragraphs and rows are lines."""
    words = struct.unpack(f">{len(units) // 2}H", units[: len(units) // 2 * 2])
    out = BytesIO()
    at = 0
    while at < len(words):
        word = words[at]
        if word == RECORD and at + 2 < len(words) and 3 <= words[at + 2] <= len(words) - at:  # noqa: PLR2004 - mark, class, length
            kind, at = words[at + 1], at + words[at + 2]
            if kind == RECORD_INLINE and words[at - 2] == RUBY:
                out.write(b" \0")
            elif kind == RECORD_CELL:
                out.write(b"\t\0")
            continue
        if word in LINE_ENDS:
            out.write(b"\n\0")
        elif word == 9 or (word >= 0x20 and not 0x80 <= word < 0xA0):  # noqa: PLR2004 - tab, no controls
            out.write(struct.pack("<H", word))
        elif word == INLINE_END and at + 5 <= len(words) and words[at + 1] == 5:  # noqa: PLR2004 - its tail record
            at += 4
        at += 1
    return out.getvalue().decode("utf-16-le", "replace")
