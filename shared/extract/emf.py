"""Enhanced metafiles (.emf), which Office keeps as the looks of objects: their text records.

Pictures drawn inside one are not read, so a metafile with any is a gap. Format: [MS-EMF] 2.3.5.
"""

from __future__ import annotations

import struct

from shared.extract.job import Document, Job
from shared.model import GapCode

TEXT_WIDE, TEXT_BYTES = 84, 83  # EMR_EXTTEXTOUTW, EMR_EXTTEXTOUTA
PICTURES = frozenset({76, 77, 78, 79, 80, 81, 114, 115, 116, 118})  # the bitmap records
END = 14


def read(document: Document, job: Job) -> None:
    """Read the strings in order, those of one line joined, a line each."""
    data = document.data
    lines: list[list[str]] = []
    last_height: int | None = None
    at = 0
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
        elif kind in PICTURES:
            job.gap(GapCode.IMAGE_ONLY, document.location)
        at += size
    job.text(document.inside("文字"), "\n".join("".join(line) for line in lines))


def _text(record: bytes, *, wide: bool) -> tuple[int, str]:
    """The string's height on the page, and the string."""
    _, height, count, place = struct.unpack_from("<iiII", record, 36)
    size = 2 * count if wide else count
    raw = record[place : place + size]
    return height, raw.decode("utf-16-le" if wide else "cp932", "replace")
