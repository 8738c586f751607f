"""Pictures: what they say of themselves is read; what they show is a gap until OCR reads it.

A picture of fewer than 64 pixels a side (bullets, icons, the spies of newsletters) can show no
number that a person could read, so it is no gap.
"""

from __future__ import annotations

import re
import struct

from shared.extract.job import Document, Job
from shared.model import GapCode

READABLE = 64  # pixels
_PNG_TEXT = re.compile(rb"(?:tEXt|iTXt)([\x20-\xff]{1,79}\x00[^\x00]{0,65535})")
_XMP = re.compile(rb"<x:xmpmeta.*?</x:xmpmeta>", re.DOTALL)
_TAG = re.compile(r"<[^>]*>")
JPEG_SIZES = frozenset(
    (*range(0xC0, 0xC4), *range(0xC5, 0xC8), *range(0xC9, 0xCC), *range(0xCD, 0xD0))
)
COMMENT, START_OF_SCAN = 0xFE, 0xDA


def read(document: Document, job: Job) -> None:
    """Read a picture's own words, and name it as unread unless it is tiny."""
    data = document.data
    words = [
        found[1].replace(b"\0", b" ").decode("utf-8", "replace")
        for found in _PNG_TEXT.finditer(data)
    ]
    words += [_TAG.sub(" ", found[0].decode("utf-8", "replace")) for found in _XMP.finditer(data)]
    width, height, comments = _measure(data)
    job.text(document.inside("画像の情報"), "\n".join((*words, *comments)))
    if not (0 < width < READABLE and 0 < height < READABLE):
        job.gap(GapCode.IMAGE_ONLY, document.location)


def _measure(data: bytes) -> tuple[int, int, list[str]]:
    """Width and height in pixels (0: unknown), and comments."""
    try:
        if data.startswith(b"\x89PNG"):
            return (*struct.unpack_from(">II", data, 16), [])
        if data.startswith(b"GIF8"):
            return (*struct.unpack_from("<HH", data, 6), [])
        if data.startswith(b"BM"):
            width, height = struct.unpack_from("<ii", data, 18)
            return width, abs(height), []
        if data.startswith(b"\xff\xd8"):
            return _measure_jpeg(data)
    except struct.error:
        pass
    return 0, 0, []


def _measure_jpeg(data: bytes) -> tuple[int, int, list[str]]:
    at, width, height = 2, 0, 0
    comments: list[str] = []
    while at + 4 <= len(data) and data[at] == 0xFF:  # noqa: PLR2004 - every marker begins so
        marker = data[at + 1]
        (size,) = struct.unpack_from(">H", data, at + 2)
        if marker in JPEG_SIZES:
            height, width = struct.unpack_from(">HH", data, at + 5)
        elif marker == COMMENT:
            comments.append(data[at + 4 : at + 2 + size].decode("utf-8", "replace"))
        elif marker == START_OF_SCAN:
            break
        at += 2 + size
    return width, height, comments
