"""What passwords open: the same item with the plain content in place of what was encrypted.

ZIP (ZipCrypto, WinZip AES), 7z and RAR become a ZIP without encryption, Office files and PDFs the
same file without it; in a mail or an archive, in place. An LZH archive has no encryption, but may
hold what has. A password counts only if what it gives verifies (a CRC, an
authentication code, a verifier). It is in no message, name or result.
"""

from __future__ import annotations

import io
import zipfile
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace

import pikepdf
import unpackio

from shared.compound.encryption import decrypted, is_encrypted
from shared.errors import MalformedError
from shared.japanese import encodings
from shared.model import Content, Gap, GapCode
from shared.sanitize.archive import member_name, safe_name
from shared.sanitize.leaves import Leaf, rewritten
from shared.sanitize.package import BROKEN, unpacked
from shared.sanitize.packed import READERS, Member, limits_of
from shared.sanitize.values import Budget, Options, Tools
from shared.sanitize.work import HoldError, Part, Work

_ENCRYPTED = 0x1
_DAMAGED = frozenset({GapCode.MALFORMED, GapCode.PARTIAL, GapCode.UNSUPPORTED})
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
        self._passwords = list(passwords)
        self._work = work
        self.count = 0

    def _opened(self, password: str) -> None:
        """It opened something: it is tried first on the rest (an Office file costs 0.2 s a try)."""
        self.count += 1
        self._passwords.remove(password)
        self._passwords.insert(0, password)

    def _encoded(self) -> Iterator[tuple[str, bytes]]:
        """Each password with the bytes that Japanese tools make of it."""
        for password in self._passwords:
            for raw in encodings([password]):
                yield password, raw

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
        if kind in READERS:
            return self._packed(part, kind)
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
        """The members of a ZIP, each through no password or the first that opens it."""
        members: list[Member] = []
        try:
            with zipfile.ZipFile(io.BytesIO(part.data)) as archive:
                for index, info in enumerate(archive.infolist()):
                    if info.is_dir():
                        continue
                    name = member_name(info)
                    if info.flag_bits & _ENCRYPTED:
                        members.append(self._member(part, index, name))
                    else:
                        members.append(Member(name, unpacked(archive, info, self._work)))
        except BROKEN:
            raise HoldError(GapCode.MALFORMED, part.location) from None
        return self._rebuilt(part, members)

    def _member(self, part: Part, index: int, name: str) -> Member:
        for password, raw in self._encoded():
            pieces: list[bytes] = []
            try:
                archive = unpackio.open_zip_bytes(
                    part.data, password=raw, limits=limits_of(self._work.limits)
                )
                archive.stream_entry(index, pieces.append)
            except unpackio.LimitExceededError:
                raise HoldError(GapCode.TOO_LARGE, part.location) from None
            except unpackio.UnpackioError:
                self._work.tick()
                continue
            data = b"".join(pieces)
            self._work.spend(len(data))
            return Member(name, data, password)
        raise HoldError(GapCode.ENCRYPTED, part.location)

    def _packed(self, part: Part, kind: str) -> Part:
        """Archives of other kinds; as they are if they are open and all in them is."""
        try:
            members = READERS[kind](part.data, self._passwords, self._work)
        except HoldError as hold:
            if hold.code in _DAMAGED:
                return part  # not closed: others say so
            raise HoldError(hold.code, hold.location or part.location) from None
        return self._rebuilt(part, members)

    def _rebuilt(self, part: Part, members: Iterable[Member]) -> Part:
        """A ZIP of the members, each opened in its turn; the part itself if nothing was closed."""
        made: list[tuple[str, bytes]] = []
        changed = False
        for number, member in enumerate(members, 1):
            if member.password:
                self._opened(member.password)
            name = safe_name(member.name.replace("\\", "/"))
            base = name.rpartition("/")[2]
            inner = Part(member.data, base, "", part.inside(f"メンバー{number}"), part.depth + 1)
            opened = self.part(inner)
            changed = changed or bool(member.password) or opened != inner
            made.append((name[: len(name) - len(base)] + opened.name, opened.data))
        return self._archived(part, made) if changed else part

    def _office(self, part: Part) -> Part:
        try:
            if not is_encrypted(part.data):
                return part
        except MalformedError:
            raise HoldError(GapCode.MALFORMED, part.location) from None
        for password in self._passwords:
            self._work.tick()
            data = decrypted(part.data, password)
            if data:
                self._opened(password)
                return part.with_data(data)
        raise HoldError(GapCode.ENCRYPTED, part.location)

    def _pdf(self, part: Part) -> Part:
        for password, raw in (("", b""), *self._encoded()):
            try:
                with pikepdf.open(io.BytesIO(part.data), password=raw) as document:
                    if not raw:
                        return part
                    out = io.BytesIO()
                    document.save(out, encryption=False)
            except pikepdf.PasswordError:
                self._work.tick()
                continue
            except pikepdf.PdfError:
                return part  # damaged, not closed: others say so
            self._opened(password)
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
