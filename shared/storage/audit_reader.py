"""Reading the audit log back: its lines, its signed heads, and whether all of it holds."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import AsyncIterator, Callable, Iterable
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from typing import Protocol

from shared.audit.chain import Break, Kind, Tip, Verdict, Walk, parse
from shared.audit.head import SignedHead, Verify, holds
from shared.codec import decode
from shared.errors import GoneError, MalformedError
from shared.ports import Blob
from shared.storage.audit_rows import Reference
from shared.storage.audit_state import blob_name

PIECE = 8 * 1024 * 1024  # bytes read at once
AT_ONCE = 16  # heads fetched at once
_ASIDE = b'","ref":"events/'


class Source(Protocol):
    """Where the log lies: the container ``audit``, or a copy of it in a folder."""

    async def get(self, name: str) -> Blob:
        """The whole blob; GoneError."""

    async def read_range(self, name: str, start: int, length: int | None = None) -> bytes:
        """The bytes from ``start``, at most ``length``; empty if the blob is missing or shorter."""

    def names(self, prefix: str = "") -> AsyncIterator[str]:
        """Names in order."""


@dataclass(frozen=True, slots=True)
class Place:
    """A position in the log: the blob, the bytes of it that are behind, and the tip there."""

    name: str = field(default_factory=lambda: blob_name(1))
    offset: int = 0
    tip: Tip = field(default_factory=Tip)


@dataclass(frozen=True, slots=True)
class Checked:
    """What a verification found.

    ``place`` is where the next one may go on: a little before the end, so that the end is looked at
    again. ``ended``: it came to the log's end (a budget may stop it before). ``heads``: with how
    many signed heads it was compared.
    """

    verdict: Verdict
    place: Place
    size: int = 0
    ended: bool = True
    heads: int = 0


@dataclass(frozen=True, slots=True)
class AuditReader:
    """The container ``audit``."""

    blobs: Source

    async def blocks(self) -> AsyncIterator[bytes]:
        """The chain's blobs, in order, one at a time (each ends with a whole line)."""
        names = [name async for name in self.blobs.names("chain/")]
        for name in names:
            yield await self.blobs.read_range(name, 0)

    async def lines(self) -> list[bytes]:
        """Every line of the chain."""
        return [line async for block in self.blocks() for line in block.splitlines(keepends=True)]

    async def pieces(self, start: Place) -> AsyncIterator[tuple[bytes, Place]]:
        """Whole lines from a place on, some megabytes at a time, and the place of the first.

        The tip of a place is not set. A blob's last line may lack its end.
        """
        async for name in self.blobs.names("chain/"):
            if name < start.name:
                continue
            offset = start.offset if name == start.name else 0
            rest = b""
            while True:
                piece = await self.blobs.read_range(name, offset + len(rest), PIECE)
                whole, rest = _whole_lines(rest + piece)
                if whole:
                    yield whole, Place(name, offset)
                    offset += len(whole)
                if len(piece) < PIECE:
                    break
            if rest:
                yield rest, Place(name, offset)

    async def heads(self, days: Iterable[date] | None = None) -> list[SignedHead]:
        """Every signed head (of some days alone), by count; BadHeadError."""
        prefixes = ["heads/"] if days is None else [f"heads/{day:%Y/%m/%d}/" for day in days]
        names = [name for prefix in prefixes async for name in self.blobs.names(prefix)]
        found: list[SignedHead] = []
        for first in range(0, len(names), AT_ONCE):
            some = names[first : first + AT_ONCE]
            blobs = await asyncio.gather(*(self.blobs.get(name) for name in some))
            found += [_head(name, blob.data) for name, blob in zip(some, blobs, strict=True)]
        return sorted(found, key=lambda signed: signed.head.count)

    async def expected(self) -> int:
        """How many records the newest head counts, by its name alone; 0 without one."""
        newest = 0
        async for name in self.blobs.names("heads/"):
            newest = max(newest, _count(name))
        return newest

    async def verify(
        self, verifier: Verify | None = None, progress: Callable[[int], None] | None = None
    ) -> Verdict:
        """Check the whole log; with ``verifier`` also against the signed heads.

        ``progress`` is told the count of records now and then.
        """
        return (await self.check(verifier=verifier, progress=progress)).verdict

    async def check(
        self,
        start: Place | None = None,
        *,
        verifier: Verify | None = None,
        days: Iterable[date] | None = None,
        known: Iterable[Tip] = (),
        budget: int | None = None,
        progress: Callable[[int], None] | None = None,
    ) -> Checked:
        """Check the log from ``start`` on, about ``budget`` bytes of it.

        ``days`` names the days whose heads are wanted (None: all); ``known`` are tips that were
        found before and must be found again. The events that are kept aside of the chain are
        compared with their digests too.
        """
        start = start or Place()
        heads: list[Tip] = []
        if verifier:
            try:
                heads = _signed(await self.heads(days), verifier)
            except BadHeadError as error:
                return Checked(Verdict(start.tip, error.broken), start)
        tips = sorted({*heads, *known}, key=lambda tip: tip.count)
        checked = await self._check(start, tips, budget, progress)
        return replace(checked, heads=sum(tip.count >= max(start.tip.count, 1) for tip in heads))

    async def _check(
        self,
        start: Place,
        tips: list[Tip],
        budget: int | None,
        progress: Callable[[int], None] | None,
    ) -> Checked:
        walk, place, size, rest = Walk(start.tip, tips), start, 0, b""
        async for piece, at in self.pieces(start):
            size += len(piece)
            if rest:  # a cut line, and yet the log goes on
                walk.feed([rest])
            if walk.broken is None:
                place = replace(at, tip=walk.tip)
            if budget is not None and size > budget and walk.broken is None:
                return Checked(Verdict(walk.tip), place, size - len(piece), ended=False)
            whole, rest = (piece, b"") if piece.endswith(b"\n") else (b"", piece)
            await self._feed(walk, whole)
            if walk.broken and not walk.missing:
                break
            if progress:
                progress(walk.tip.count)
        return Checked(walk.finish(rest), place, size)

    async def _feed(self, walk: Walk, whole: bytes) -> None:
        """Lines of the chain, and what of them lies aside."""
        lines, sound = whole.splitlines(keepends=True), walk.broken is None
        walk.feed(lines)
        aside = await self._aside(lines, whole) if sound else None
        if aside and (walk.broken is None or aside.seq < walk.broken.seq):
            walk.broken, walk.missing = aside, 0

    async def _aside(self, lines: list[bytes], whole: bytes) -> Break | None:
        """Events that are too large for the chain: is what lies aside what the chain names?"""
        if _ASIDE not in whole:
            return None
        for line in lines:
            record = parse(line) if _ASIDE in line else None
            try:
                reference = decode(bytes(record.event), Reference) if record else None
            except MalformedError:
                continue  # an event in which these letters stand
            if record is None or reference is None:
                continue
            try:
                data = (await self.blobs.get(reference.ref)).data
            except GoneError:
                return Break(record.seq, Kind.DELETE, f"{reference.ref} is missing")
            if reference.ref != f"events/{hashlib.sha256(data).hexdigest()}":
                words = f"{reference.ref} does not hold what its name says"
                return Break(record.seq, Kind.EDIT, words)
        return None

    async def before(self, seq: int) -> Place | None:
        """The place right before record ``seq``, as the log itself says; None if there is none."""
        if seq == 1:
            return Place()
        names = [name async for name in self.blobs.names("chain/")]
        low, high = 0, len(names)
        while high - low > 1:  # the last blob that begins at or before the record that is wanted
            middle = (low + high) // 2
            first = await self._first(names[middle])
            low, high = (middle, high) if 0 < first < seq else (low, middle)
        async for piece, at in self.pieces(Place(names[low] if names else "")):
            offset = at.offset
            for line in piece.splitlines(keepends=True):
                offset += len(line)
                record = parse(line)
                if record is not None and record.seq == seq - 1:
                    return Place(at.name, offset, Tip(record.seq, record.hash))
            if at.name != names[low]:
                break
        return None

    async def _first(self, name: str) -> int:
        """The number of a blob's first record; 0 where it does not begin like one."""
        begin = await self.blobs.read_range(name, 0, 32)
        digits = begin.removeprefix(b'{"seq":').split(b",")[0]
        return int(digits) if digits.isdigit() else 0


class BadHeadError(MalformedError):
    """A head is none, or not signed by any of the keys; ``broken`` says which."""

    def __init__(self, broken: Break) -> None:
        super().__init__(broken.words)
        self.broken = broken


def _signed(heads: list[SignedHead], verifier: Verify) -> list[Tip]:
    for each in heads:
        if not holds(each, verifier):
            raise BadHeadError(Break(each.head.count, Kind.FORK, "a head's signature is not good"))
    return [each.head.tip() for each in heads]


def _head(name: str, data: bytes) -> SignedHead:
    try:
        return decode(data, SignedHead)
    except MalformedError:
        raise BadHeadError(Break(_count(name), Kind.FORK, "a head cannot be read")) from None


def _count(name: str) -> int:
    """How many records a head counts, by its name; 0 where it does not say so."""
    digits = name.rpartition("/")[2].removesuffix(".json")
    return int(digits) if digits.isdigit() else 0


def _whole_lines(data: bytes) -> tuple[bytes, bytes]:
    end = data.rfind(b"\n") + 1
    return data[:end], data[end:]


def days_between(first: date, last: date) -> list[date]:
    """Both included."""
    return [first + timedelta(days=n) for n in range((last - first).days + 1)]
