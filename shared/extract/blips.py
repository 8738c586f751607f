"""Pictures in the older Office formats: the drawing records of .doc, .xls and .ppt.

All three keep a picture in an OfficeArtBlip record ([MS-ODRAW] 2.2.23 to 2.2.31): in ``Data`` and
``WordDocument``, in the workbook's drawing group, in ``Pictures``. The records are looked for by
their heads, so that no path to a picture is overlooked and none must be whole.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterator

from shared.extract.job import Document, Job
from shared.model import GapCode

HEAD, HIGH, HIGH_AT = 8, b"\xf0", 3  # bytes of a head; the high byte of its type, and its place
EMF, WMF, PICT, JPEG, PNG, DIB, TIFF, CMYK = (
    0xF01A,
    0xF01B,
    0xF01C,
    0xF01D,
    0xF01E,
    0xF01F,
    0xF029,
    0xF02A,
)
# Record type → instances with one identifier before the picture; the next odd number has two.
KINDS = {
    EMF: (0x3D4,),
    WMF: (0x216,),
    PICT: (0x542,),
    JPEG: (0x46A, 0x6E2),
    PNG: (0x6E0,),
    DIB: (0x7A8,),
    TIFF: (0x6E4,),
    CMYK: (0x46A, 0x6E2),
}
METAFILES = frozenset({EMF, WMF, PICT})
IDENTIFIER, TAG, METAFILE_HEAD = 16, 1, 34  # bytes
DEFLATED = 0
FILE_HEAD = 14  # bytes of a .bmp before the bitmap's own


def read_pictures(data: bytes, document: Document, job: Job, *, before: int = 0) -> int:
    """Read the pictures in a stream as children, numbered after ``before``; how many there are."""
    found = 0
    for kind, body in _blips(data):
        found += 1
        label = f"画像{before + found}"
        drawn = _file(kind, body, document.inside(label), job)
        if drawn is not None:
            job.child(document, drawn, "", label=label)
    return found


def _file(kind: int, body: bytes, location: str, job: Job) -> bytes | None:
    """A record's picture as the file it was; None, with the gap named, if it cannot be had."""
    if kind == PICT:
        job.gap(GapCode.UNSUPPORTED, location)
        return None
    if kind in METAFILES:
        return _metafile(body, location, job)
    return bitmap_file(body) if kind == DIB else body


def _blips(data: bytes) -> Iterator[tuple[int, bytes]]:
    """Type and picture of each record; one inside another's bytes is not looked for."""
    at = HIGH_AT
    while (high := data.find(HIGH, at)) >= 0:  # the high byte of the type: fast over large streams
        at = high + 1
        start = high - HIGH_AT
        if start + HEAD > len(data) or HIGH[0] << 8 | data[high - 1] not in KINDS:
            continue
        version, kind, size = struct.unpack_from("<HHI", data, start)
        instance = version >> 4
        if version & 0xF or instance & ~1 not in KINDS[kind]:
            continue
        skip = IDENTIFIER * (1 + (instance & 1)) + (0 if kind in METAFILES else TAG)
        body = data[start + HEAD + skip : start + HEAD + size]
        if body:
            at = start + HEAD + size + HIGH_AT
            yield kind, body


def _metafile(body: bytes, location: str, job: Job) -> bytes | None:
    """The metafile of a record, unpacked; None if it cannot be."""
    if len(body) <= METAFILE_HEAD:
        job.gap(GapCode.MALFORMED, location)
        return None
    packed = body[METAFILE_HEAD:]
    if body[METAFILE_HEAD - 2] != DEFLATED:
        return packed
    unpacker = zlib.decompressobj()
    try:
        data = unpacker.decompress(packed, job.limits.expanded)
    except zlib.error:
        job.gap(GapCode.MALFORMED, location)
        return None
    job.spend(len(data), len(packed))
    return data


def bitmap_file(bitmap: bytes) -> bytes:
    """A device-independent bitmap as a .bmp file, with the head that says where its pixels are."""
    size, colours = len(bitmap), 0
    (own,) = struct.unpack_from("<I", bitmap) if size >= 4 else (0,)  # noqa: PLR2004 - one number
    if own >= 40 and size >= 36:  # noqa: PLR2004 - BITMAPINFOHEADER
        depth, packing = struct.unpack_from("<HI", bitmap, 14)
        (used,) = struct.unpack_from("<I", bitmap, 32)
        colours = 4 * (used or (1 << depth if depth <= 8 else 0))  # noqa: PLR2004 - bits with a palette
        colours += 12 if packing == 3 and own == 40 else 0  # noqa: PLR2004 - masks of the colours
    elif own == 12 and size >= 12:  # noqa: PLR2004 - BITMAPCOREHEADER
        (depth,) = struct.unpack_from("<H", bitmap, 10)
        colours = 3 << depth if depth <= 8 else 0  # noqa: PLR2004 - as above
    head = struct.pack("<IHHI", FILE_HEAD + size, 0, 0, min(FILE_HEAD + own + colours, 0xFFFFFFFF))
    return b"BM" + head + bitmap
