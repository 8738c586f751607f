"""What the ZIP reader and the Office readers share: names, limits, streamed and checked members."""

from __future__ import annotations

import copy
import io
import zipfile
import zlib
from collections import Counter
from typing import Protocol

from shared.extract.job import SMALL, Document, Job, LimitError
from shared.model import GapCode

CHUNK = 1 << 16  # bytes: so much is lost of a stream that breaks off
SMALL_CHUNK = 1 << 10  # bytes: as above, of a member that is known to break off
LOCAL_HEADER = b"PK\x03\x04"
UTF8_NAMES = 0x800
ENCRYPTED = 0x1
# What hostile or damaged members raise; the member is then malformed, the others are still read.
BROKEN = (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, OSError, ValueError)


class Source(Protocol):
    """What bytes are read from."""

    def read(self, size: int, /) -> bytes:
        """At most ``size`` bytes, none at the end."""


def member_name(info: zipfile.ZipInfo) -> str:
    """The name as Japanese tools write it: UTF-8 if flagged or valid, else CP932, else as it is."""
    if info.flag_bits & UTF8_NAMES or info.orig_filename.isascii():
        return info.orig_filename
    try:
        raw = info.orig_filename.encode("cp437")
    except UnicodeEncodeError:
        return info.orig_filename
    for encoding in ("utf-8", "cp932", "euc_jp"):
        try:
            return raw.decode(encoding)
        except UnicodeDecodeError:
            continue
    return info.orig_filename


def open_zip(document: Document, job: Job) -> zipfile.ZipFile:
    """The archive; ``ambiguous`` if other programs may see members that we do not.

    That is so where a name occurs twice, or a member is there that the directory does not list.

    Raises zipfile.BadZipFile for what is none, LimitError for too many members.
    """
    archive = zipfile.ZipFile(io.BytesIO(document.data))
    if len(archive.filelist) > job.limits.members:
        raise LimitError(GapCode.TOO_MANY)
    names = Counter(info.orig_filename.casefold() for info in archive.filelist)
    if any(count > 1 for count in names.values()) or _has_unlisted(document.data, archive):
        job.gap(GapCode.AMBIGUOUS, document.location)
    return archive


def _has_unlisted(data: bytes, archive: zipfile.ZipFile) -> bool:
    """Whether a local header stands where the directory lists no member."""
    at = 0
    for info in sorted(archive.filelist, key=lambda one: one.header_offset):
        if data.find(LOCAL_HEADER, at, info.header_offset) >= 0:
            return True
        at = info.header_offset + len(LOCAL_HEADER) + info.compress_size
    return data.find(LOCAL_HEADER, at, archive.start_dir) >= 0


def drain(
    stream: Source,
    job: Job,
    packed: int,
    pieces: list[bytes] | None = None,
    *,
    chunk: int = CHUNK,
) -> bytes:
    """All of a stream, spending the budget as it comes; LimitError over bytes, ratio or time.

    ``packed`` is the stream's packed size in bytes (0: unknown, no ratio); ``pieces`` keeps what
    came before the stream broke off.
    """
    pieces = [] if pieces is None else pieces
    total = 0
    while piece := stream.read(chunk):
        total += len(piece)
        job.spend(len(piece))
        if packed and total > SMALL and total > packed * job.limits.ratio:
            raise LimitError(GapCode.BOMB)
        pieces.append(piece)
    return b"".join(pieces)


def read_member(archive: zipfile.ZipFile, info: zipfile.ZipInfo, job: Job) -> bytes:
    """A plain member's bytes, CRC verified. Raises one of BROKEN, or LimitError."""
    with archive.open(info) as stream:
        return drain(stream, job, info.compress_size)


def salvage(archive: zipfile.ZipFile, info: zipfile.ZipInfo, job: Job) -> bytes:
    """What can be had of a broken member without its CRC, for there may be a number in it."""
    unchecked = copy.copy(info)
    unchecked.CRC = None  # type: ignore[assignment]  # the library's way to check none
    pieces: list[bytes] = []
    try:
        with archive.open(unchecked) as stream:
            drain(stream, job, info.compress_size, pieces, chunk=SMALL_CHUNK)
    except BROKEN:
        pass
    return b"".join(pieces)
