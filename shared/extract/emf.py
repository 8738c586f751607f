"""Enhanced metafiles (.emf), which Office keeps as the looks of objects: their text records.

Bitmaps drawn inside one are read as pictures, those masked or turned are a gap. Format: [MS-EMF]
2.3.1 (bitmaps), 2.3.5 (text).
"""

from __future__ import annotations

import struct

from shared.extract.blips import bitmap_file
from shared.extract.job import Document, Job
from shared.model import GapCode

TEXT_WIDE, TEXT_BYTES = 84, 83  # EMR_EXTTEXTOUTW, EMR_EXTTEXTOUTA
PICTURES = frozenset({78, 79, 114, 115, 116, 118})  # bitmap records that are not read
# Bitmap records → where they say the place and size of the bitmap's head, then of its pixels.
BITMAPS = {76: 84, 77: 84, 80: 48, 81: 48}
FILLS = frozenset({76, 77})  # without a bitmap these paint a plain area
LEAST_HEAD = 12  # bytes of a bitmap
END = 14


def read(document: Document, job: Job) -> None:
    """Read the strings in order, those of one line joined, a line each."""
    data = document.data
    lines: list[list[str]] = []
    last_height: int | None = None
    at = pictures = 0
    while at + 8 <= len(data):
        job.tick()
        kind, size = struct.unpack_from("<II", data, at)
        if size < 8 or kind == END:  # noqa: PLR2004 - the record's own head
            break
        if kind in {TEXT_WIDE, TEXT_BYTES} and size >= 76:  # noqa: PLR2004 - up to the string's place
            height, text = _text(data[at : at + size], wide=kind == TEXT_WIDE)
            if height != last_height:
                lines.append([])
            last_height = height
            lines[-1].append(text)
        elif kind in BITMAPS:
            bitmap = _bitmap(data[at : at + size], BITMAPS[kind])
            if bitmap:
                pictures += 1
                job.child(document, bitmap, "", label=f"画像{pictures}")
            elif kind not in FILLS:
                job.gap(GapCode.IMAGE_ONLY, document.location)
        elif kind in PICTURES:
            job.gap(GapCode.IMAGE_ONLY, document.location)
        at += size
    job.text(document.inside("文字"), "\n".join("".join(line) for line in lines))


def _bitmap(record: bytes, at: int) -> bytes:
    """The bitmap as a file, empty if there is none."""
    if len(record) < at + 16:
        return b""
    head, head_size, pixels, size = struct.unpack_from("<IIII", record, at)
    drawn = record[head : head + head_size]
    return bitmap_file(drawn + record[pixels : pixels + size]) if len(drawn) >= LEAST_HEAD else b""


def _text(record: bytes, *, wide: bool) -> tuple[int, str]:
    """The string's height on the page, and the string."""
    _, height, count, place = struct.unpack_from("<iiII", record, 36)
    size = 2 * count if wide else count
    raw = record[place : place + size]
    return height, raw.decode("utf-16-le" if wide else "cp932", "replace")
