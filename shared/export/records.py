"""The record's events in their order, each with its place in the chain."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass, replace

import msgspec

from shared.audit.chain import Tip, parse
from shared.audit.formats import Entry
from shared.codec import decode
from shared.errors import GoneError, MalformedError
from shared.model import AuditEvent
from shared.storage.audit_reader import AuditReader, Place
from shared.storage.audit_rows import Reference

_EVENT = msgspec.json.Decoder(AuditEvent)


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
