"""Archives and packed files other than ZIP: tar, gzip, bzip2, xz, Zstandard, 7z, LZH.

Every byte that comes out is spent from the item's budget as it comes; a packed file that is a tar
inside is read as its child.
"""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
import tarfile
import zlib
from collections.abc import Callable

import pylhasa
import unpackio

from shared.extract.job import Document, Job, LimitError, with_extension
from shared.extract.ziptools import Source, drain
from shared.japanese import decoded
from shared.model import GapCode

MEMORY = 256_000_000  # bytes that a decoder may use for its dictionary
CONTENT = "中身"
GZIP_HEAD, GZIP_EXTRA, GZIP_NAME, GZIP_REMARK = 10, 4, 8, 16
HEADER = 512  # bytes: more than an LZH header has, so that only a lost member exceeds it


def read_tar(document: Document, job: Job) -> None:
    """A tar archive; links and devices have only names."""
    with tarfile.open(
        fileobj=io.BytesIO(document.data), mode="r:", errors="surrogateescape"
    ) as archive:
        for number, member in enumerate(archive, start=1):
            shown = f"メンバー{number}"
            name = decoded(member.name.encode("utf-8", "surrogateescape"))
            stream = archive.extractfile(member) if member.isfile() else None
            if stream is None:
                job.member()
                link = decoded(member.linkname.encode("utf-8", "surrogateescape"))
                job.text(document.inside(f"{shown} › 名前"), f"{name}\n{link}")
                continue
            try:
                data = drain(stream, job, 0)
            except tarfile.TarError:
                job.gap(GapCode.MALFORMED, document.inside(with_extension(shown, name)))
                continue
            job.child(document, data, name, label=shown)
        # tarfile ends in silence at a damaged header and at the end of the first of several.
        if document.data[archive.offset :].strip(b"\0"):
            job.gap(GapCode.PARTIAL, document.location)


def _unpack(document: Document, job: Job, stream: Source) -> None:
    """The one file in a packed stream."""
    name = document.name.rpartition(".")[0]
    pieces: list[bytes] = []
    try:
        drain(stream, job, len(document.data), pieces)
    except (OSError, EOFError, lzma.LZMAError, zlib.error):
        job.gap(GapCode.MALFORMED, document.location)
    except LimitError as limit:
        job.gap(limit.code, document.location)
        return
    if pieces:
        job.child(document, b"".join(pieces), name, label=CONTENT)


def read_gzip(document: Document, job: Job) -> None:
    """One or more gzip members; the first one's head may name the file, and say more."""
    job.text(document.inside("元の名前"), "\n".join(map(decoded, _gzip_words(document.data))))
    _unpack(document, job, gzip.GzipFile(fileobj=io.BytesIO(document.data)))


def _gzip_words(data: bytes) -> list[bytes]:
    """The file's name and the remark in the head (RFC 1952 2.3)."""
    flags, at = data[3] if len(data) > GZIP_HEAD else 0, GZIP_HEAD
    if flags & GZIP_EXTRA:
        at += 2 + int.from_bytes(data[at : at + 2], "little")
    words = []
    for flag in (GZIP_NAME, GZIP_REMARK):
        end = data.find(b"\0", at)
        if flags & flag and end >= 0:
            words.append(data[at:end])
            at = end + 1
    return words


def read_bzip2(document: Document, job: Job) -> None:
    """One or more bzip2 streams."""
    _unpack(document, job, bz2.BZ2File(io.BytesIO(document.data)))


class _Xz(io.RawIOBase):
    """lzma with a limit of memory, which LZMAFile has not."""

    def __init__(self, data: bytes) -> None:
        self._data = data
        self._decoder = lzma.LZMADecompressor(memlimit=MEMORY)

    def read(self, size: int = -1) -> bytes:
        """The next bytes, none at the end."""
        while not self._decoder.eof:
            piece = self._decoder.decompress(self._data, size)
            self._data = b""
            if piece:
                return piece
            if self._decoder.needs_input:
                raise EOFError
        rest = self._decoder.unused_data
        if rest.startswith(b"\xfd7zXZ"):
            self._data, self._decoder = rest, lzma.LZMADecompressor(memlimit=MEMORY)
            return self.read(size)
        return b""


def read_xz(document: Document, job: Job) -> None:
    """One or more xz streams."""
    _unpack(document, job, _Xz(document.data))


def read_zstd(document: Document, job: Job) -> None:
    """Zstandard frames."""
    pieces: list[bytes] = []
    try:
        stream = unpackio.open_stream_bytes(document.data, limits=_limits(job))
        stream.stream(_collector(pieces, job))
    except unpackio.UnpackioError as error:
        job.gap(_code(error), document.location)
        return
    name = document.name.rpartition(".")[0]
    job.child(document, b"".join(pieces), name, label=CONTENT)


def _collector(pieces: list[bytes], job: Job) -> Callable[[bytes], None]:
    def take(piece: bytes) -> None:
        job.spend(len(piece))
        pieces.append(bytes(piece))

    return take


def _limits(job: Job) -> unpackio.Limits:
    return unpackio.Limits(
        max_files=job.limits.members,
        max_entry_output_bytes=job.limits.expanded,
        max_total_output_bytes=job.limits.expanded,
        max_dictionary_bytes=MEMORY,
    )


def _code(error: unpackio.UnpackioError) -> GapCode:
    kinds: tuple[tuple[type[Exception], GapCode], ...] = (
        (unpackio.LimitExceededError, GapCode.TOO_LARGE),
        (unpackio.PasswordRequiredError, GapCode.ENCRYPTED),
        (unpackio.WrongPasswordOrCorruptError, GapCode.ENCRYPTED),
        (unpackio.UnsupportedMethodError, GapCode.UNSUPPORTED),
        (unpackio.UnsupportedFeatureError, GapCode.UNSUPPORTED),
    )
    return next((code for kind, code in kinds if isinstance(error, kind)), GapCode.MALFORMED)


class _Members:
    """Receives a 7z archive's members in order; each is read when it is complete."""

    def __init__(self, document: Document, job: Job) -> None:
        self._document = document
        self._job = job
        self._pieces: list[bytes] = []
        self._name = ""
        self.count = 0

    def begin_entry(self, entry: unpackio.Entry, size: int, /) -> bool:
        del size
        self._name, self._pieces = entry.name or "", []
        self.count += 1
        return True

    def write_entry(self, index: int, data: bytes, /) -> bool:
        del index
        self._job.spend(len(data))
        self._pieces.append(bytes(data))
        return True

    def finish_entry(self, index: int, /) -> bool:
        data = b"".join(self._pieces)
        self._job.child(self._document, data, self._name, label=f"メンバー{index + 1}")
        return True


def read_7z(document: Document, job: Job) -> None:
    """A 7z archive through no password or the first of the job's that opens it."""
    code = GapCode.MALFORMED
    for password in (None, *job.passwords):
        members = _Members(document, job)
        try:
            archive = unpackio.open_bytes(document.data, password=password, limits=_limits(job))
            archive.extract_entries_to(members)
        except unpackio.UnpackioError as error:
            code = _code(error)
            if code != GapCode.ENCRYPTED or members.count > 1:
                break
            continue
        _empty_names(document, job, archive)
        return
    _names(document, job)
    job.gap(code, document.location)


def _names(document: Document, job: Job) -> None:
    """The names of an archive whose members stay closed, if its header is open."""
    try:
        archive = unpackio.open_bytes(document.data, limits=_limits(job))
    except unpackio.UnpackioError:
        return
    names = "\n".join(entry.name or "" for entry in archive.entries())
    job.text(document.inside("メンバー名"), names)


def _empty_names(document: Document, job: Job, archive: unpackio.Archive) -> None:
    """Folders and empty files are not extracted, but have names."""
    names = (entry.name or "" for entry in archive.entries() if not entry.has_stream)
    job.text(document.inside("フォルダー名"), "\n".join(names))


def read_lzh(document: Document, job: Job) -> None:
    """An LZH archive. Sizes are checked before unpacking: a false one makes the library hang."""
    entries = list(pylhasa.from_bytes(document.data))
    told = sum(entry.compressed_size + HEADER for entry in entries)
    if not entries or told < len(document.data):  # the library ends in silence at a damaged header
        job.gap(GapCode.PARTIAL, document.location)
    for number, entry in enumerate(entries, start=1):
        name = decoded(entry.raw_path_bytes)
        location = document.inside(with_extension(f"メンバー{number}", name))
        if entry.is_dir or entry.is_symlink:
            job.member()
            job.text(f"{location} › 名前", name)
            continue
        if entry.size > job.limits.expanded:
            job.text(f"{location} › 名前", name)
            job.gap(GapCode.TOO_LARGE, location)
            continue
        job.spend(entry.size, entry.compressed_size)
        try:
            data = entry.read()
        except pylhasa.PylhasaError:
            job.text(f"{location} › 名前", name)
            job.gap(GapCode.MALFORMED, location)
            continue
        if len(data) != entry.size:
            job.gap(GapCode.PARTIAL, location)
        job.child(document, data, name, label=f"メンバー{number}")


# Signature at the beginning → reader; an LZH archive has its method at offset 2, a tar none.
SIGNATURES: tuple[tuple[bytes, Callable[[Document, Job], None]], ...] = (
    (b"\x1f\x8b", read_gzip),
    (b"BZh", read_bzip2),
    (b"\xfd7zXZ\x00", read_xz),
    (b"\x28\xb5\x2f\xfd", read_zstd),
    (b"7z\xbc\xaf\x27\x1c", read_7z),
)


def read(document: Document, job: Job) -> None:
    """Read any of the module's formats."""
    for signature, reader in SIGNATURES:
        if document.data.startswith(signature):
            reader(document, job)
            return
    if document.data[2:4] == b"-l" and document.data[6:7] == b"-":
        read_lzh(document, job)
    else:
        read_tar(document, job)
