"""7z, RAR and LZH archives: rebuilt as ZIP from sanitised members; encrypted ones are held."""

from __future__ import annotations

import io
import zipfile
from dataclasses import replace

from shared.model import GapCode
from shared.sanitize.archive import EXTENSION, safe_name, write_member
from shared.sanitize.packed import READERS, Member
from shared.sanitize.work import HoldError, Part, Work

_TIME = (1980, 1, 1, 0, 0, 0)


def clean(part: Part, work: Work) -> Part:
    """A ZIP of the clean members. Raises HoldError where one cannot be cleaned or is closed."""
    (kind, *_) = work.tools.sniff(part.data, part.name, part.media_type)
    members = READERS[kind](part.data, (), work)
    if not members:
        raise HoldError(GapCode.MALFORMED)
    out = io.BytesIO()
    taken: set[str] = set()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as target:
        for number, member in enumerate(members, 1):
            _copy(member, number, target, taken, part, work)
    work.removed("archive_rebuilt", part.location)
    name = f"{part.name.rpartition('.')[0] or part.name or 'file'}.zip"
    return replace(part, data=out.getvalue(), name=name, media_type="application/zip")


def _copy(
    member: Member, number: int, target: zipfile.ZipFile, taken: set[str], part: Part, work: Work
) -> None:
    raw = member.name.replace("\\", "/")
    name = safe_name(raw)
    if name != raw:
        work.removed("name_cleaned", part.location)
    base = name.rpartition("/")[2]
    found = EXTENSION.search(base)
    label = f"メンバー{number}" + (f".{found[1].lower()}" if found else "")
    clean_member = work.child(part, member.data, base, label)
    folder = name[: len(name) - len(base)]
    write_member(target, folder + clean_member.name, _TIME, clean_member.data, taken)
