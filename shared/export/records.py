"""The record's events in their order, each with its place in the chain."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

import msgspec

from shared.audit.chain import Tip, parse
from shared.audit.formats import Entry
from shared.codec import decode
from shared.errors import GoneError, MalformedError
from shared.model import AuditEvent
from shared.storage.audit_reader import AuditReader, Place
from shared.storage.audit_rows import Reference

LATEST = timedelta(days=2)
_EVENT = msgspec.json.Decoder(AuditEvent)
_TIME = re.compile(rb'"time":"([0-9T:.+Z-]+)"')


class BrokenRecordError(MalformedError):
    """The chain does not hold here, so nothing behind it is exported; verify says more."""


@dataclass(frozen=True, slots=True)
class Records:
    """What was recorded, from a place of the log on."""

    reader: AuditReader

    async def after(self, start: Place) -> AsyncIterator[tuple[Entry | None, Place]]:
        """Each record behind ``start`` and the place behind it; None for the chain's own notes.

        Raises:
            BrokenRecordError: a record does not follow from the one before.
            GoneError: an event that is kept aside is not there any more.
        """
        tip = start.tip
        async for piece, at in self.reader.pieces(start):
            offset = at.offset
            for line in piece.splitlines(keepends=True):
                record = parse(line)
                if record is None or record.prev != tip.hash or not line.endswith(b"\n"):
                    message = f"the record breaks after {tip.count}: run sekisho audit verify"
                    raise BrokenRecordError(message)
                offset += len(line)
                tip = Tip(record.seq, record.hash)
                event = await self._event(bytes(record.event))
                entry = Entry(record.seq, record.hash, event) if event else None
                yield entry, replace(at, offset=offset, tip=tip)

    async def since(self, moment: datetime) -> AsyncIterator[tuple[Entry | None, Place]]:
        """What was recorded since ``moment`` (and perhaps a little before), without reading all.

        An event is recorded within two days of its own time: what takes longer is a dead letter.
        The blob to begin with is found by the time of each blob's first event.
        """
        names = [name async for name in self.reader.blobs.names("chain/")]
        low, high = 0, len(names)
        while high - low > 1:
            middle = (low + high) // 2
            first = await self._first_time(names[middle])
            before = first is not None and first < moment - LATEST
            low, high = (middle, high) if before else (low, middle)
        start = await self._beginning(names[low]) if low else Place()
        async for each in self.after(start):
            yield each

    async def _first_time(self, name: str) -> datetime | None:
        """The time of a blob's first event, where it stands in it."""
        found = _TIME.search(await self.reader.blobs.read_range(name, 0, 1024))
        try:
            return datetime.fromisoformat(found[1].decode()) if found else None
        except ValueError:
            return None

    async def _beginning(self, name: str) -> Place:
        """The place before a blob's first record, as that record says."""
        async for piece, at in self.reader.pieces(Place(name)):
            record = parse(piece.splitlines(keepends=True)[0])
            if record is not None and at.name == name:
                return Place(name, 0, Tip(record.seq - 1, record.prev))
            break
        message = f"{name} does not begin with a record: run sekisho audit verify"
        raise BrokenRecordError(message)

    async def _event(self, raw: bytes) -> AuditEvent | None:
        try:
            return _EVENT.decode(raw)
        except msgspec.DecodeError:
            pass
        try:
            reference = decode(raw, Reference)
        except MalformedError:
            return None  # a note of the chain's own: where it goes on
        try:
            return decode((await self.reader.blobs.get(reference.ref)).data, AuditEvent)
        except GoneError:
            message = f"{reference.ref} is missing: run sekisho audit verify"
            raise BrokenRecordError(message) from None
