"""RAR archives of every generation (1.5 to 7), by a Rust library that owes nothing to unRAR.

What comes out is limited by the library before it is written and spent from the item's budget. A
member that continues in another volume is a gap: the other volume is not here.
"""

from __future__ import annotations

import rars

from shared.extract.job import Document, Job, LimitError, with_extension
from shared.japanese import decoded
from shared.model import GapCode

DICTIONARY = 256_000_000  # bytes: RAR 7 allows terabytes
HEADERS = 16_000_000  # bytes of headers


def read(document: Document, job: Job) -> None:
    """Read every member through no password or the first of the job's that opens it."""
    archive = _open(document, job)
    if archive is None:
        return
    members = archive.infolist()
    if len(members) > job.limits.members:
        raise LimitError(GapCode.TOO_MANY)
    job.text(document.inside("コメント"), _comment(archive, job))
    contents = _all_at_once(archive, members, job)
    for number, member in enumerate(members, start=1):
        _member(archive, member, contents.get(number), document, job, number)


def _open(document: Document, job: Job) -> rars.RarFile | None:
    """The archive; a gap and None if its headers cannot be read."""
    code = GapCode.MALFORMED
    for password in (None, *job.passwords):
        try:
            return rars.RarFile.from_bytes(document.data, password, options=_options(job))
        except rars.Error as error:
            code = _code(error, password)
            if code != GapCode.ENCRYPTED:
                break
    job.gap(code, document.location)
    return None


def _options(job: Job) -> rars.ReadOptions:
    return rars.ReadOptions(
        max_member_output_bytes=job.limits.expanded,
        max_total_output_bytes=job.limits.expanded,
        max_reader_workspace_bytes=2 * DICTIONARY,
        rar50_dictionary_size_limit=DICTIONARY,
        max_header_count=4 * job.limits.members,
        max_header_bytes=HEADERS,
    )


def _code(error: rars.Error, password: str | None) -> GapCode:
    """The gap for one of the library's errors.

    Through a password, damage is taken for a wrong one: generations before 5 cannot tell.
    """
    if isinstance(error, (rars.PasswordRequired, rars.BadPassword)):
        return GapCode.ENCRYPTED
    if isinstance(error, rars.UnsupportedRarFeature):
        return GapCode.UNSUPPORTED
    return GapCode.MALFORMED if password is None else GapCode.ENCRYPTED


def _comment(archive: rars.RarFile, job: Job) -> str:
    try:
        return _text(archive.read_comment(options=_options(job)))
    except rars.Error:
        return ""


def _text(comment: object) -> str:
    return decoded(comment) if isinstance(comment, bytes) else str(comment or "")


def _all_at_once(archive: rars.RarFile, members: list[rars.RarInfo], job: Job) -> dict[int, bytes]:
    """The members of a solid archive: each needs all before it, so one by one would be quadratic.

    Nothing if it is not solid, or not all can be read (they are then tried one by one).
    """
    numbers = [n for n, one in enumerate(members, start=1) if _has_content(one)]
    if not any(one.is_solid for one in members):
        return {}
    wanted = [members[number - 1] for number in numbers]
    for password in (None, *job.passwords):
        try:
            contents = archive.read_many(wanted, password, options=_options(job))
        except (rars.Error, MemoryError) as error:
            if isinstance(error, MemoryError) or _code(error, password) != GapCode.ENCRYPTED:
                return {}
            continue
        return dict(zip(numbers, contents, strict=True))
    return {}


def _has_content(member: rars.RarInfo) -> bool:
    return not (member.is_dir() or member.is_split_before or member.is_split_after)


def _name(member: rars.RarInfo) -> str:
    """Unicode where the archive has it, else as Japanese tools wrote it."""
    name: str = member.filename
    return decoded(bytes(member.orig_filename_bytes)) if "\ufffd" in name else name


def _member(
    archive: rars.RarFile,
    member: rars.RarInfo,
    content: bytes | None,
    document: Document,
    job: Job,
    number: int,
) -> None:
    label, name = f"メンバー{number}", _name(member)
    location = document.inside(with_extension(label, name))
    data = content if content is not None else _content(archive, member, location, job)
    if data is None:
        job.member()
        job.text(f"{location} › 名前", name)
        return
    job.spend(len(data), member.compress_size if content is None else 0)
    job.child(document, data, name, label=label)


def _content(archive: rars.RarFile, member: rars.RarInfo, location: str, job: Job) -> bytes | None:
    """A member's bytes; None for a folder and, with a gap, for what cannot be read."""
    if member.is_dir():
        return None
    if member.is_split_before or member.is_split_after:
        job.gap(GapCode.PARTIAL, location)
        return None
    code = GapCode.MALFORMED
    for password in (None, *job.passwords) if member.is_encrypted else (None,):
        job.tick()
        try:
            return bytes(archive.read(member, password, options=_options(job)))
        except MemoryError:  # the library's word for a limit
            code = GapCode.TOO_LARGE
            break
        except rars.Error as error:
            code = _code(error, password)
            if code != GapCode.ENCRYPTED:
                break
    job.gap(code, location)
    return None
