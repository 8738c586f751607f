"""Windows metafiles (.wmf), the looks of older objects: their words, and the bitmaps in them.

Format: [MS-WMF] 2.3.1 (bitmaps), 2.3.3 (text), with or without the placeable head.
"""

from __future__ import annotations

import struct

from shared.extract.blips import bitmap_file
from shared.extract.job import Document, Job
from shared.model import GapCode

PLACEABLE = b"\xd7\xcd\xc6\x9a"
PLACEABLE_HEAD, HEAD = 22, 18  # bytes
TEXT, TEXT_IN_BOX = 0x0521, 0x0A32  # META_TEXTOUT, META_EXTTEXTOUT
IN_BOX = 0x0006  # the options that are followed by a rectangle
# Function → bytes of parameters before a device-independent bitmap.
BITMAPS = {0x0940: 16, 0x0B41: 20, 0x0F43: 22, 0x0D33: 18}
DEVICE_BITMAPS = frozenset({0x0922, 0x0B23})  # META_BITBLT, META_STRETCHBLT
LEAST_BITMAP = 40  # bytes


def read(document: Document, job: Job) -> None:
    """Read the strings in order, those of one line joined, a line each; bitmaps as children."""
    data = document.data
    at = HEAD + (PLACEABLE_HEAD if data.startswith(PLACEABLE) else 0)
    lines: list[list[str]] = []
    last: int | None = None
    pictures = 0
    while at + 6 <= len(data):
        job.tick()
        size, function = struct.unpack_from("<IH", data, at)
        if size < 3 or not function:  # noqa: PLR2004 - words of the record's own head
            break
        body = data[at + 6 : at + 2 * size]
        at += 2 * size
        if function in {TEXT, TEXT_IN_BOX}:
            height, words = _text(body, boxed=function == TEXT_IN_BOX)
            if height != last:
                lines.append([])
            last = height
            lines[-1].append(words)
        elif function in BITMAPS and len(body) > BITMAPS[function] + LEAST_BITMAP:
            pictures += 1
            drawn = bitmap_file(body[BITMAPS[function] :])
            job.child(document, drawn, "", label=f"画像{pictures}")
        elif function in DEVICE_BITMAPS:
            job.gap(GapCode.IMAGE_ONLY, document.location)
    job.text(document.inside("文字"), "\n".join("".join(line) for line in lines))


def _text(body: bytes, *, boxed: bool) -> tuple[int, str]:
    """The string's height on the page, and the string."""
    if boxed:
        height, _, count, options = struct.unpack_from("<hhhH", body)
        raw = body[8 + (8 if options & IN_BOX else 0) :][: max(0, count)]
    else:
        (count,) = struct.unpack_from("<h", body)
        raw = body[2 : 2 + max(0, count)]
        height = struct.unpack_from("<h", body, 2 + len(raw) + len(raw) % 2)[0]
    return height, raw.decode("cp932", "replace")
