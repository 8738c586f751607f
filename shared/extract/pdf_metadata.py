"""A PDF's metadata packets (XMP, ISO 32000-2 section 14.3.2), which PDFium does not give.

A packet is a stream of its own, never inside an object stream, so it is found in the file's bytes.
"""

from __future__ import annotations

import re
import zlib

from shared.extract.image import xmp_words
from shared.extract.job import Document, Job
from shared.model import GapCode

LIMIT = 4_000_000  # bytes of one packet, unpacked
# The dictionary of a stream whose type is Metadata, and where the stream begins.
_PACKED = re.compile(
    rb"<<(?=[^<>]{0,600}/Type\s*/Metadata\b)(?=[^<>]{0,600}/Filter\b)([^<>]{0,1200})>>\s*stream\r?\n"
)
_FLATE = re.compile(rb"/Filter\s*\[?\s*/FlateDecode\s*\]?\s*(?:/|$)")


def read(document: Document, job: Job) -> None:
    """Give the words of every packet; one that cannot be unpacked is a gap ``partial``."""
    location = document.inside("メタデータ")
    words = xmp_words(document.data)
    for found in _PACKED.finditer(document.data):
        packet = _unpacked(document.data, found)
        if packet is None:
            job.gap(GapCode.PARTIAL, location)
            continue
        job.spend(len(packet))
        words += xmp_words(packet)
    job.text(location, "\n".join(words))


def _unpacked(data: bytes, found: re.Match[bytes]) -> bytes | None:
    """The packet, or None: another filter, encrypted, damaged, too large."""
    if not _FLATE.search(found[1] + b"/"):
        return None
    unpacker = zlib.decompressobj()
    try:
        packet = unpacker.decompress(data[found.end() :], LIMIT)
    except zlib.error:
        return None
    return packet if unpacker.eof else None
