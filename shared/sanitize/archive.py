"""ZIP archives, rebuilt from sanitised members; names stay, what climbs out of a folder goes."""

from __future__ import annotations

import io
import re
import stat
import zipfile

from shared.model import GapCode
from shared.sanitize.package import BROKEN, unpacked
from shared.sanitize.work import HoldError, Part, Work

_ENCRYPTED = 0x1
_UTF8 = 0x800
_CONTROL = re.compile(r"[\x00-\x1f\x7f\u200e\u200f\u202a-\u202e\u2066-\u2069]")
_RESERVED = re.compile(r"(?:con|prn|aux|nul|com\d|lpt\d)(?:\.|$)", re.IGNORECASE)
_COMMENT = re.compile(rb"[^\x00-\x08\x0b\x0c\x0e-\x1f]{1,4000}")
EXTENSION = re.compile(r"\.([A-Za-z0-9]{1,5})$")

type Time = tuple[int, int, int, int, int, int]


def clean(part: Part, work: Work) -> Part:
    """The archive of clean members. Raises HoldError where a member cannot be cleaned."""
    out = io.BytesIO()
    taken: set[str] = set()
    try:
        with (
            zipfile.ZipFile(io.BytesIO(part.data)) as archive,
            zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as clean_archive,
        ):
            for number, info in enumerate(archive.infolist(), 1):
                _copy(archive, info, number, clean_archive, taken, part, work)
            if archive.comment and _COMMENT.fullmatch(archive.comment):
                clean_archive.comment = archive.comment
            else:
                work.removed("metadata", part.location, int(bool(archive.comment)))
    except BROKEN:
        raise HoldError(GapCode.MALFORMED) from None
    return part.with_data(out.getvalue())


def _copy(
    archive: zipfile.ZipFile,
    info: zipfile.ZipInfo,
    number: int,
    target: zipfile.ZipFile,
    taken: set[str],
    part: Part,
    work: Work,
) -> None:
    """One member, cleaned, under a safe name of its own."""
    if info.flag_bits & _ENCRYPTED:
        raise HoldError(GapCode.ENCRYPTED, part.location)
    raw = member_name(info)
    if stat.S_ISLNK(info.external_attr >> 16):
        work.removed("symbolic_link", part.location)
        return
    name = safe_name(raw)
    if name.rstrip("/") != raw.replace("\\", "/").rstrip("/"):
        work.removed("name_cleaned", part.location)
    if info.is_dir():
        work.member()
        if name:
            write_member(target, f"{name}/", info.date_time, b"", taken)
        return
    data = unpacked(archive, info, work)
    base = name.rpartition("/")[2]
    found = EXTENSION.search(base)
    label = f"メンバー{number}" + (f".{found[1].lower()}" if found else "")
    member = work.child(part, data, base, label)
    folder = name[: len(name) - len(base)]
    write_member(target, folder + member.name, info.date_time, member.data, taken)


def write_member(
    target: zipfile.ZipFile, name: str, when: Time, data: bytes, taken: set[str]
) -> None:
    """One file or folder under a name that is in ``taken`` from then on and was not before."""
    stem, dot, extension = name.rpartition(".")
    count = 2
    while name.casefold() in taken:
        name = f"{stem or extension}({count}){dot}{extension if stem else ''}"
        count += 1
    taken.add(name.casefold())
    fresh = zipfile.ZipInfo(name, when)
    fresh.compress_type = zipfile.ZIP_DEFLATED
    fresh.external_attr = 0o755 << 16 | 0x10 if name.endswith("/") else 0o644 << 16
    fresh.create_system = 3
    target.writestr(fresh, data)


def member_name(info: zipfile.ZipInfo) -> str:
    """The name as Japanese tools write it: UTF-8 if flagged or valid, else CP932, else as it is."""
    name = info.orig_filename
    if info.flag_bits & _UTF8 or name.isascii():
        return name
    try:
        raw = name.encode("cp437")
    except UnicodeEncodeError:
        return name
    for encoding in ("utf-8", "cp932", "euc_jp"):
        try:
            return raw.decode(encoding)
        except UnicodeDecodeError:
            continue
    return name


def safe_name(name: str) -> str:
    """A relative path without drive, parents, control characters and device names."""
    pieces = []
    for piece in _CONTROL.sub("", name).replace("\\", "/").split("/"):
        plain = re.sub(r"^[A-Za-z]:", "", piece).replace(":", "_").rstrip(". ")
        if plain:
            pieces.append(f"_{plain}" if _RESERVED.match(plain) else plain)
    return "/".join(pieces) or "file"
