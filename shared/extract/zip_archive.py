"""ZIP archives: Japanese names, nested archives, passwords, and the bombs.

A member's name is CP932 unless flagged UTF-8. A password counts as right only if the member then
unpacks with its CRC or authentication code verified: ZipCrypto's own check accepts one wrong
password in 256. Format: PKWARE APPNOTE 6.3.10; AES: WinZip AE-1 and AE-2.
"""

from __future__ import annotations

import zipfile

import unpackio

from shared.extract.job import Document, Job, LimitError, with_extension
from shared.extract.ziptools import BROKEN, ENCRYPTED, member_name, open_zip, read_member, salvage
from shared.japanese import encodings
from shared.model import GapCode

WINDOW = 64_000_000  # bytes a decoder may ask for as its dictionary


def read(document: Document, job: Job) -> None:
    """Read an archive; each member that cannot be read is a gap of its own."""
    archive = open_zip(document, job)
    if archive.comment:
        job.text(document.inside("コメント"), archive.comment.decode("cp932", "replace"))
    opened: dict[bytes, unpackio.ZipArchive] = {}
    for number, info in enumerate(archive.infolist(), start=1):
        name = member_name(info)
        if info.is_dir():
            job.member()
            job.text(document.inside(f"メンバー{number} › 名前"), name)
            continue
        _member(document, job, archive, info, name, number, opened)


def _member(
    document: Document,
    job: Job,
    archive: zipfile.ZipFile,
    info: zipfile.ZipInfo,
    name: str,
    number: int,
    opened: dict[bytes, unpackio.ZipArchive],
) -> None:
    """Read one member, or name its gap; its name is scanned either way."""
    shown = f"メンバー{number}"
    location = document.inside(with_extension(shown, name))
    if info.comment:
        job.text(f"{location}(コメント)", info.comment.decode("cp932", "replace"))
    try:
        if info.flag_bits & ENCRYPTED:
            data = _decrypted(document, job, info, number - 1, opened)
        else:
            data = read_member(archive, info, job)
    except BROKEN:
        data = salvage(archive, info, job) or None
        job.gap(GapCode.MALFORMED, location)
    except LimitError as limit:
        job.text(f"{location} › 名前", name)
        job.gap(limit.code, location)
        if limit.code != GapCode.BOMB:
            raise
        return
    if data is None:
        job.text(f"{location} › 名前", name)
        if info.flag_bits & ENCRYPTED:
            job.gap(GapCode.ENCRYPTED, location)
        return
    job.child(document, data, name, label=shown)


def _decrypted(
    document: Document,
    job: Job,
    info: zipfile.ZipInfo,
    index: int,
    opened: dict[bytes, unpackio.ZipArchive],
) -> bytes | None:
    """The member through the first password that opens and verifies it, or None."""
    for password in encodings(job.passwords):
        pieces: list[bytes] = []

        def take(piece: bytes, pieces: list[bytes] = pieces) -> None:
            pieces.append(bytes(piece))

        try:
            if password not in opened:
                opened[password] = unpackio.open_zip_bytes(
                    document.data, password=password, limits=_limits(job)
                )
            opened[password].stream_entry(index, take)
        except unpackio.LimitExceededError:
            raise LimitError(GapCode.TOO_LARGE) from None
        except unpackio.UnpackioError:
            job.tick()
            continue
        data = b"".join(pieces)
        job.spend(len(data), info.compress_size)
        return data
    return None


def _limits(job: Job) -> unpackio.Limits:
    return unpackio.Limits(
        max_files=job.limits.members,
        max_entry_output_bytes=job.limits.expanded,
        max_total_output_bytes=job.limits.expanded,
        max_dictionary_bytes=WINDOW,
    )
