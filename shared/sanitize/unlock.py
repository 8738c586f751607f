"""What passwords open: the same item with the plain content in place of what was encrypted.

ZIP (ZipCrypto, WinZip AES) and 7z become a ZIP without encryption, Office files and PDFs the same
file without it; in a mail, in place. A password counts only if what it gives verifies (a CRC, an
authentication code, a verifier). It is in no message, name or result.
"""

from __future__ import annotations

import io
import zipfile
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace

import msoffcrypto
import pikepdf
import unpackio

from shared.japanese import encodings
from shared.model import Content, Gap, GapCode
from shared.sanitize.archive import member_name, safe_name
from shared.sanitize.leaves import Leaf, rewritten
from shared.sanitize.package import BROKEN, unpacked
from shared.sanitize.values import Budget, Options, Tools
from shared.sanitize.work import HoldError, Part, Work

_ENCRYPTED = 0x1
_WINDOW = 256_000_000  # bytes a decoder may ask for as its dictionary
_MOST = 64  # passwords that are tried on one item


@dataclass(frozen=True, slots=True)
class Opened:
    """``content`` is None where something stayed closed; ``count`` parts were opened."""

    content: Content | None = field(repr=False)
    gaps: tuple[Gap, ...] = ()
    count: int = 0


def unlock(
    content: Content,
    passwords: Sequence[str],
    tools: Tools,
    clock: Callable[[], float],
    limits: Budget,
) -> Opened:
    """Open everything in the item that is encrypted, all of it or nothing.

    Never raises for what the bytes hold. ``gaps`` name what stayed closed (``encrypted``) or
    cannot be read at all.
    """
    work = Work(tools=tools, options=Options(), limits=limits, clock=clock, dispatch=_as_it_is)
    keys = _Keys(list(dict.fromkeys(filter(None, passwords)))[:_MOST], work)
    try:
        part = keys.part(Part(content.data, content.name, content.media_type))
    except HoldError as hold:
        return Opened(None, (Gap(hold.code, hold.location),), keys.count)
    except (MemoryError, RecursionError):
        return Opened(None, (Gap(GapCode.TOO_LARGE, ""),), keys.count)
    except Exception:  # noqa: BLE001 - hostile input may raise anything; the item then stays held
        return Opened(None, (Gap(GapCode.MALFORMED, ""),), keys.count)
    return Opened(Content(part.data, part.name, part.media_type), (), keys.count)


def _as_it_is(part: Part, work: Work) -> tuple[str, Part]:
    del work
    return "", part


class _Keys:
    """The passwords of one item at work."""

    def __init__(self, passwords: Sequence[str], work: Work) -> None:
        self._passwords = passwords
        self._work = work
        self.count = 0

    def part(self, part: Part) -> Part:
        """A part of any kind; HoldError ``encrypted`` where no password opens it."""
        work = self._work
        work.member()
        if part.depth > work.limits.depth:
            raise HoldError(GapCode.TOO_DEEP, part.location)
        kinds = work.tools.sniff(part.data, part.name, part.media_type)
        kind = kinds[0] if kinds else ""
        if kind == "mail":
            return part.with_data(rewritten(part.data, self._leaf_of(part), part.location))
        if kind == "zip":
            return self._zip(part)
        if kind == "7z":
            return self._seven(part)
        if kind in {"ooxml-encrypted", "doc", "xls", "ppt"}:
            return self._office(part)
        if kind == "pdf":
            return self._pdf(part)
        return part

    def _leaf_of(self, part: Part) -> Callable[[Leaf], Leaf]:
        def change(leaf: Leaf) -> Leaf:
            if not leaf.attached or not leaf.data:
                return leaf
            inner = Part(leaf.data, leaf.name, leaf.kind, leaf.location, part.depth + 1)
            opened = self.part(inner)
            if opened == inner:
                return leaf
            same = opened.media_type == leaf.kind
            kind = leaf.kind if same else opened.media_type or "application/octet-stream"
            return replace(leaf, data=opened.data, name=opened.name, kind=kind)

        return change

    def _zip(self, part: Part) -> Part:
        """Members in their order, each opened; the archive as it is if nothing was closed."""
        members: list[tuple[str, bytes]] = []
        changed = False
        try:
            with zipfile.ZipFile(io.BytesIO(part.data)) as archive:
                for index, info in enumerate(archive.infolist()):
                    if info.is_dir():
                        continue
                    closed = bool(info.flag_bits & _ENCRYPTED)
                    if closed:
                        data = self._member(part, index)
                    else:
                        data = unpacked(archive, info, self._work)
                    name = safe_name(member_name(info))
                    inner = Part(
                        data,
                        name.rpartition("/")[2],
                        "",
                        part.inside(f"メンバー{index + 1}"),
                        part.depth + 1,
                    )
                    opened = self.part(inner)
                    changed = changed or closed or opened != inner
                    folder = name[: len(name) - len(inner.name)]
                    members.append((folder + opened.name, opened.data))
        except BROKEN:
            raise HoldError(GapCode.MALFORMED, part.location) from None
        return self._archived(part, members) if changed else part

    def _member(self, part: Part, index: int) -> bytes:
        for password in encodings(self._passwords):
            pieces: list[bytes] = []
            try:
                archive = unpackio.open_zip_bytes(
                    part.data, password=password, limits=self._limits()
                )
                archive.stream_entry(index, pieces.append)
            except unpackio.LimitExceededError:
                raise HoldError(GapCode.TOO_LARGE, part.location) from None
            except unpackio.UnpackioError:
                self._work.tick()
                continue
            data = b"".join(pieces)
            self._work.spend(len(data))
            self.count += 1
            return data
        raise HoldError(GapCode.ENCRYPTED, part.location)

    def _seven(self, part: Part) -> Part:
        """As it is if it is open; else a ZIP of what a password opens."""
        for password in (None, *self._passwords):
            members = _Members(self._work)
            try:
                archive = unpackio.open_bytes(part.data, password=password, limits=self._limits())
                archive.extract_entries_to(members)
            except unpackio.LimitExceededError:
                raise HoldError(GapCode.TOO_LARGE, part.location) from None
            except (unpackio.PasswordRequiredError, unpackio.WrongPasswordOrCorruptError):
                self._work.tick()
                continue
            except unpackio.UnpackioError:
                raise HoldError(GapCode.MALFORMED, part.location) from None
            if password is None:
                return part
            self.count += 1
            made = [(safe_name(name.replace("\\", "/")), data) for name, data in members.found]
            return self._archived(part, made)
        raise HoldError(GapCode.ENCRYPTED, part.location)

    def _office(self, part: Part) -> Part:
        try:
            if not msoffcrypto.OfficeFile(io.BytesIO(part.data)).is_encrypted():
                return part
        except Exception:  # noqa: BLE001 - not a file that the library knows: not encrypted in its way
            return part
        for password in self._passwords:
            out = io.BytesIO()
            self._work.tick()
            try:
                office = msoffcrypto.OfficeFile(io.BytesIO(part.data))
                try:
                    office.load_key(password=password, verify_password=True)
                except TypeError:  # the older formats verify by themselves
                    office.load_key(password=password)
                office.decrypt(out)
            except Exception:  # noqa: BLE001, S112 - a wrong password raises many kinds of errors
                continue
            self.count += 1
            return part.with_data(out.getvalue())
        raise HoldError(GapCode.ENCRYPTED, part.location)

    def _pdf(self, part: Part) -> Part:
        for password in (b"", *encodings(self._passwords)):
            try:
                with pikepdf.open(io.BytesIO(part.data), password=password) as document:
                    if not password:
                        return part
                    out = io.BytesIO()
                    document.save(out, encryption=False)
            except pikepdf.PasswordError:
                self._work.tick()
                continue
            except pikepdf.PdfError:
                return part  # damaged, not closed: others say so
            self.count += 1
            return part.with_data(out.getvalue())
        raise HoldError(GapCode.ENCRYPTED, part.location)

    def _archived(self, part: Part, members: Iterable[tuple[str, bytes]]) -> Part:
        out = io.BytesIO()
        with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
            for name, data in _numbered(members):
                archive.writestr(zipfile.ZipInfo(name), data, zipfile.ZIP_DEFLATED)
        name = part.name
        if not name.casefold().endswith(".zip"):
            name = f"{name.rpartition('.')[0] or name or 'file'}.zip"
        return replace(part, data=out.getvalue(), name=name, media_type="application/zip")

    def _limits(self) -> unpackio.Limits:
        limits = self._work.limits
        return unpackio.Limits(
            max_files=limits.members,
            max_entry_output_bytes=limits.expanded,
            max_total_output_bytes=limits.expanded,
            max_dictionary_bytes=_WINDOW,
        )


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


def _numbered(members: Iterable[tuple[str, bytes]]) -> Iterator[tuple[str, bytes]]:
    """Two members never have one name."""
    taken: set[str] = set()
    for name, data in members:
        stem, dot, extension = name.rpartition(".")
        free, count = name, 2
        while free.casefold() in taken:
            free = f"{stem or extension}({count}){dot}{extension if stem else ''}"
            count += 1
        taken.add(free.casefold())
        yield free, data
