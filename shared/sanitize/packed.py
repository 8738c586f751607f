"""What is in a 7z, RAR or LZH archive, through no password or the first that opens it.

LZH has no encryption of its own; it is read for what is encrypted in it. Sizes are limited before
anything is unpacked.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field

import pylhasa
import rars
import unpackio

from shared.japanese import decoded
from shared.model import GapCode
from shared.sanitize.values import Budget
from shared.sanitize.work import HoldError, Work

WINDOW = 256_000_000  # bytes a decoder may ask for as its dictionary
_HEADER = 512  # bytes: more than an LZH header has, so that only a lost member exceeds it


@dataclass(frozen=True, slots=True)
class Member:
    """``password`` is what opened it; empty where it was open."""

    name: str = field(repr=False)
    data: bytes = field(repr=False)
    password: str = field(default="", repr=False)


def limits_of(budget: Budget) -> unpackio.Limits:
    """The item's budget in the library's words."""
    return unpackio.Limits(
        max_files=budget.members,
        max_entry_output_bytes=budget.expanded,
        max_total_output_bytes=budget.expanded,
        max_dictionary_bytes=WINDOW,
    )


def seven(data: bytes, passwords: Sequence[str], work: Work) -> list[Member]:
    """The members of a 7z archive. Raises HoldError, like all of this module."""
    for password in ("", *passwords):
        members = _Members(work)
        try:
            archive = unpackio.open_bytes(
                data, password=password or None, limits=limits_of(work.limits)
            )
            archive.extract_entries_to(members)
        except unpackio.LimitExceededError:
            raise HoldError(GapCode.TOO_LARGE) from None
        except (unpackio.PasswordRequiredError, unpackio.WrongPasswordOrCorruptError):
            work.tick()
            continue
        except unpackio.UnpackioError:
            raise HoldError(GapCode.MALFORMED) from None
        found = [Member(name, content, password) for name, content in members.found]
        # Empty files have no stream, so that they are never extracted.
        empty = (each.name or "" for each in archive.entries() if each.is_empty_file)
        return [*found, *(Member(name, b"", password) for name in empty)]
    raise HoldError(GapCode.ENCRYPTED)


class _Members:
    """Receives a 7z archive's members."""

    def __init__(self, work: Work) -> None:
        self._work = work
        self._name = ""
        self._pieces: list[bytes] = []
        self.found: list[tuple[str, bytes]] = []

    def begin_entry(self, entry: unpackio.Entry, size: int, /) -> bool:
        del size
        self._name, self._pieces = entry.name or "", []
        self._work.member()
        return True

    def write_entry(self, index: int, data: bytes, /) -> bool:
        del index
        self._work.spend(len(data))
        self._pieces.append(bytes(data))
        return True

    def finish_entry(self, index: int, /) -> bool:
        del index
        self.found.append((self._name, b"".join(self._pieces)))
        return True


def rar(data: bytes, passwords: Sequence[str], work: Work) -> list[Member]:
    """The members of a RAR archive of any generation; ``partial`` where a volume is missing."""
    options = _rar_options(work.limits)
    archive, opener = _rar_open(data, passwords, work, options)
    infos = [one for one in archive.infolist() if not one.is_dir()]
    if len(infos) > work.limits.members:
        raise HoldError(GapCode.TOO_MANY)
    if any(one.is_split_before or one.is_split_after for one in infos):
        raise HoldError(GapCode.PARTIAL)
    keys = list(dict.fromkeys((opener, *passwords))) if opener else ["", *passwords]
    members: list[Member] = []
    # A member of a solid archive needs all before it: one by one would be quadratic.
    solid = any(one.is_solid for one in infos)
    for group in [infos] if solid and infos else [[one] for one in infos]:
        key, contents = _rar_read(archive, group, keys, work, options)
        if key:  # most archives have one password, and each guess costs a key derivation
            keys.remove(key)
            keys.insert(0, key)
        for one, content in zip(group, contents, strict=True):
            work.member()
            work.spend(len(content))
            members.append(Member(_rar_name(one), content, key if one.is_encrypted else ""))
    return members


def _rar_open(
    data: bytes, passwords: Sequence[str], work: Work, options: rars.ReadOptions
) -> tuple[rars.RarFile, str]:
    """The archive, and the password that its headers need (none: empty)."""
    for password in ("", *passwords):
        try:
            return rars.RarFile.from_bytes(data, password or None, options=options), password
        except (rars.PasswordRequired, rars.BadPassword):
            work.tick()
        except rars.UnsupportedRarFeature:
            raise HoldError(GapCode.UNSUPPORTED) from None
        except rars.Error:
            if not password:
                raise HoldError(GapCode.MALFORMED) from None
            work.tick()  # generations before 5 cannot tell a wrong password from damage
    raise HoldError(GapCode.ENCRYPTED)


def _rar_read(
    archive: rars.RarFile,
    group: list[rars.RarInfo],
    passwords: Sequence[str],
    work: Work,
    options: rars.ReadOptions,
) -> tuple[str, list[bytes]]:
    closed = any(one.is_encrypted for one in group)
    for password in filter(None, passwords) if closed else ("",):
        try:
            contents = archive.read_many(group, password or None, options=options)
            return password, [bytes(each) for each in contents]
        except MemoryError:  # the library's word for a limit
            raise HoldError(GapCode.TOO_LARGE) from None
        except rars.UnsupportedRarFeature:
            raise HoldError(GapCode.UNSUPPORTED) from None
        except rars.Error:  # as above
            work.tick()
    raise HoldError(GapCode.ENCRYPTED if closed else GapCode.MALFORMED)


def _rar_options(budget: Budget) -> rars.ReadOptions:
    return rars.ReadOptions(
        max_member_output_bytes=budget.expanded,
        max_total_output_bytes=budget.expanded,
        max_reader_workspace_bytes=2 * WINDOW,
        rar50_dictionary_size_limit=WINDOW,
        max_header_count=4 * budget.members,
    )


def _rar_name(member: rars.RarInfo) -> str:
    name: str = member.filename
    return decoded(bytes(member.orig_filename_bytes)) if "\ufffd" in name else name


def lzh(data: bytes, passwords: Sequence[str], work: Work) -> list[Member]:
    """The members of an LZH archive; a false size makes the library hang, so it is looked at."""
    del passwords
    return list(_lzh(data, work))


def _lzh(data: bytes, work: Work) -> Iterator[Member]:
    entries = list(pylhasa.from_bytes(data))
    told = sum(entry.compressed_size + _HEADER for entry in entries)
    if not entries or told < len(data):  # the library ends in silence at a damaged header
        raise HoldError(GapCode.PARTIAL)
    for entry in entries:
        if entry.is_dir or entry.is_symlink:
            continue
        work.member()
        work.spend(entry.size, entry.compressed_size)
        try:
            content = entry.read()
        except pylhasa.PylhasaError:
            raise HoldError(GapCode.MALFORMED) from None
        if len(content) != entry.size:
            raise HoldError(GapCode.PARTIAL)
        yield Member(decoded(entry.raw_path_bytes), bytes(content))


READERS: dict[str, Callable[[bytes, Sequence[str], Work], list[Member]]] = {
    "7z": seven,
    "rar": rar,
    "lzh": lzh,
}
"""By the names of ``Tools.sniff``."""
