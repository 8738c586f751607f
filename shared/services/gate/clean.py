"""Sanitising (無害化) at the gate: which items, the clean copy until it is delivered, its lineage.

The clean copy is made once, before the item is judged: what is judged is what is delivered. It is
written down with its digest before anything is decided, so that a crash at any point delivers the
bytes that were judged. What cannot be sanitised is judged as it came, with the reason as a gap, and
is held; only an exception that people granted lets it pass, as it came.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace

from shared.codec import decode, encode
from shared.errors import GoneError, StorageConflictError, UnavailableError
from shared.model import Content, Gap, GapCode, Item
from shared.sandbox.tasks import Done
from shared.sanitize import Lineage, Options, PartHash
from shared.services.common import keep
from shared.services.gate.landed import Landed, Shelf
from shared.services.gate.outcomes import clean_names
from shared.services.senders import within
from shared.storage.evidence import Evidence

EXTERNAL, MAIL, FILES = "external", "mail", "files"
CLEAN, SAME, HELD = "clean", "same", "held"
WHERE = "無害化"
"""The location of a gap that sanitising names; behind it where in the item."""

type Sanitise = Callable[[Content, Options], Awaitable[Done]]


@dataclass(frozen=True, slots=True)
class Record:
    """What came of sanitising one upload. ``state``: ``clean``, ``same`` (nothing to do), ``held``.

    ``original`` and ``clean`` are keyed digests; ``name`` and type are those of the clean copy.
    Beside a kept original, ``item`` says of which upload it is (of its first recipient).
    """

    state: str
    original: str
    clean: str = ""
    gaps: tuple[Gap, ...] = ()
    lineage: Lineage | None = None
    name: str = field(default="", repr=False)
    media_type: str = field(default="", repr=False)
    v: int = 1
    item: Item | None = None


@dataclass(frozen=True, slots=True)
class Prepared:
    """The bytes to judge and deliver, and what became of them."""

    content: Content
    record: Record | None = None

    @property
    def gaps(self) -> tuple[Gap, ...]:
        """Why it could not be sanitised."""
        return self.record.gaps if self.record and self.record.state == HELD else ()

    @property
    def changed(self) -> bool:
        """Whether the bytes are not those that came."""
        return self.record is not None and self.record.state == CLEAN


def _nowhere(landed: Landed) -> str:
    del landed
    return ""


@dataclass(frozen=True, slots=True)
class Cleaning:
    """``which`` names what is sanitised (``external``, ``mail``, ``files``); ``digest`` is keyed.

    A mail is internal where the envelope's sender and everyone in ``From`` and ``Sender`` are of
    ``inside``: all of them, because each can be forged by itself. ``link`` is where its recipient
    asks for the original.
    """

    shelf: Shelf
    sanitise: Sanitise
    digest: Callable[[bytes], str]
    which: Sequence[str] = (EXTERNAL,)
    inside: Sequence[str] = ()
    options: Options = field(default_factory=Options)
    limit: int = 150_000_000
    link: Callable[[Landed], str] = _nowhere

    def wanted(self, landed: Landed) -> bool:
        """Whether policy sends this through sanitising."""
        if not landed.is_mail:
            return FILES in self.which
        if MAIL in self.which:
            return True
        return EXTERNAL in self.which and not within(landed.senders, self.inside)

    async def prepare(self, landed: Landed) -> Prepared:
        """The clean copy, made now or by an earlier attempt."""
        given = Content(landed.data, landed.sidecar.name, landed.media_type)
        if not self.wanted(landed):
            return Prepared(given)
        there = await self._read(landed)
        if there is None:
            there = await self._make(landed, given)
        if there.state != CLEAN:
            return Prepared(given, there)
        data = await self._clean_data(landed, there)
        return Prepared(Content(data, there.name, there.media_type), there)

    async def keep_original(self, landed: Landed, record: Record) -> str:
        """The original and its lineage in quarantine; the original's reference."""
        quarantine: Evidence = self.shelf.quarantine
        name = f"{landed.key}.original.bin"
        told = replace(record, item=replace(landed.base, recipient="0", generation=0))
        await keep(quarantine, f"{landed.key}.lineage.json", encode(told))
        await keep(quarantine, name, landed.data)
        return f"{quarantine.container}/{name}"

    async def _make(self, landed: Landed, given: Content) -> Record:
        record, data = await self._cleaned(given, self.link(landed))
        bytes_name, record_name = clean_names(landed)
        if record.state == CLEAN:
            with suppress(StorageConflictError):  # another recipient's scan made it meanwhile
                await self.shelf.envelopes.put(bytes_name, data, only_new=True)
            if self.digest((await self.shelf.envelopes.get(bytes_name)).data) != record.clean:
                # Two runs over one item may differ (a time limit): the first one's bytes stand.
                there = await self._read(landed)
                if there is not None:
                    return there
                await self.shelf.envelopes.put(bytes_name, data)
        with suppress(StorageConflictError):
            await self.shelf.envelopes.put(record_name, encode(record), only_new=True)
        return await self._read(landed) or record

    async def _cleaned(self, given: Content, link: str) -> tuple[Record, bytes]:
        original = self.digest(given.data)
        if len(given.data) > self.limit:
            gap = Gap(GapCode.TOO_LARGE, WHERE)
            return Record(HELD, original, gaps=(gap,)), b""
        state, done = judged(given, await self.sanitise(given, replace(self.options, link=link)))
        lineage = self._keyed(done.lineage) if done.lineage else None
        made = done.content
        if state == HELD or made is None:
            return Record(HELD, original, gaps=done.gaps, lineage=lineage), b""
        if state == SAME:
            return Record(SAME, original, original, lineage=lineage), b""
        clean = Record(
            CLEAN, original, self.digest(made.data), done.gaps, lineage, made.name, made.media_type
        )
        return clean, made.data

    async def _read(self, landed: Landed) -> Record | None:
        try:
            found = await self.shelf.envelopes.get(clean_names(landed)[1])
        except GoneError:
            return None
        record = decode(found.data, Record)
        # A released copy of what was blocked: the clean copy went with the landing blob.
        if record.state == CLEAN and await self._gone(landed):
            return None
        return record

    async def _gone(self, landed: Landed) -> bool:
        return await self.shelf.envelopes.properties(clean_names(landed)[0]) is None

    async def _clean_data(self, landed: Landed, record: Record) -> bytes:
        try:
            data = (await self.shelf.envelopes.get(clean_names(landed)[0])).data
        except GoneError:
            data = b""
        if self.digest(data) != record.clean:
            message = "the clean copy read back is not what was made"
            raise UnavailableError(message)
        return data

    def _keyed(self, lineage: Lineage) -> Lineage:
        """The child's plain hashes under our key: the plain hash of a tiny file gives it away."""

        def keyed(plain: str) -> str:
            return self.digest(plain.encode()) if plain else ""

        parts = tuple(
            PartHash(each.location, each.kind, keyed(each.original), keyed(each.clean))
            for each in lineage.parts
        )
        return replace(
            lineage, original=keyed(lineage.original), clean=keyed(lineage.clean), parts=parts
        )


def judged(given: Content, done: Done) -> tuple[str, Done]:
    """``clean``, ``same`` or ``held``, and what was done with its gaps where they belong.

    What lost visible words is held, and what nothing came of.
    """
    gaps = tuple(Gap(gap.code, _inside(gap.location)) for gap in done.gaps)
    if done.content is None:
        return HELD, replace(done, gaps=gaps or (Gap(GapCode.CRASHED, WHERE),))
    if done.content.data == given.data and done.content.name == given.name:
        return SAME, replace(done, gaps=gaps)
    if done.lineage is None or done.lineage.text_kept is not True:
        return HELD, replace(done, content=None, gaps=(Gap(GapCode.PARTIAL, WHERE),))
    return CLEAN, replace(done, gaps=gaps)


def _inside(location: str) -> str:
    return f"{WHERE} › {location}" if location else WHERE
