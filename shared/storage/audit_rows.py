"""Rows of the table ``auditevents``: one an event, key = its id, marked once it is in the chain."""

from __future__ import annotations

from dataclasses import dataclass, replace

import msgspec

from shared.audit.chain import Tip
from shared.codec import decode, encode
from shared.errors import BusyError, MalformedError, StorageConflictError
from shared.model import AuditEvent
from shared.ports import Blobs, Row, Table, Value
from shared.storage.claimcheck import LIMIT, ClaimCheck

ATTEMPTS = 5


class Reference(msgspec.Struct, frozen=True):
    """What stands in the chain for an event that is too large: its blob is named by its digest."""

    id: str
    ref: str
    bytes: int


@dataclass(frozen=True, slots=True)
class Kept:
    """An event's row and its bytes; ``seq`` is 0 until it is marked."""

    row: Row
    data: bytes

    @property
    def tip(self) -> Tip | None:
        """Where the event stands in the chain, if the row says so already."""
        seq = self.row.values["seq"]
        assert isinstance(seq, int)
        return Tip(seq, str(self.row.values["hash"])) if seq else None


class Rows:
    """Inserts, finds and marks; large events are put aside in the container ``audit``."""

    def __init__(self, table: Table, blobs: Blobs) -> None:
        self._table = table
        self._checks = ClaimCheck(blobs)

    async def insert(self, event: AuditEvent) -> Kept:
        """The event as it was first kept, now or earlier."""
        data = encode(event)
        row = await self._row(event, data, None)
        try:
            return Kept(replace(row, etag=await self._table.insert(row)), data)
        except StorageConflictError:
            kept = await self.find(event.id)
            if kept is None:
                message = f"audit: event {event.id} is changing"
                raise BusyError(message) from None
            return kept

    async def find(self, event: str) -> Kept | None:
        """The row and bytes of an event id, or None."""
        row = await self._table.get(event[:2], event)
        if row is None:
            return None
        data = row.values.get("event")
        if isinstance(data, bytes):
            return Kept(row, data)
        return Kept(row, await self._checks.get(str(row.values["ref"])))

    async def mark(self, row: Row, tip: Tip) -> None:
        """Write the number and hash on a row that was read; BusyError if it keeps changing."""
        for _ in range(ATTEMPTS):
            if row.values["seq"] == tip.count:
                return
            values = {**row.values, "seq": tip.count, "hash": tip.hash}
            try:
                await self._table.replace(Row(row.partition, row.key, values), row.etag)
            except StorageConflictError:
                found = await self._table.get(row.partition, row.key)
                if found is not None:
                    row = found
                    continue
            return
        message = f"audit: event {row.key} is changing"
        raise BusyError(message)

    async def mark_found(self, event: str, data: bytes, tip: Tip) -> None:
        """Mark an event that was found in the chain, making its row anew if somebody removed it."""
        row = await self._table.get(event[:2], event)
        if row is None:
            row = await self._restored(data, tip)
            await self._table.put(row)
            return
        await self.mark(row, tip)

    async def _restored(self, data: bytes, tip: Tip) -> Row:
        try:
            event = decode(data, AuditEvent)
        except MalformedError:
            data = await self._checks.get(decode(data, Reference).ref)
            event = decode(data, AuditEvent)
        return await self._row(event, data, tip)

    async def _row(self, event: AuditEvent, data: bytes, tip: Tip | None) -> Row:
        values: dict[str, Value] = {
            "seq": tip.count if tip else 0,
            "hash": tip.hash if tip else "",
            "time": event.time,
            "source": event.item.source,
            "place": event.place,
            "owner": event.owner,
            "disposition": event.disposition,
            "action": event.action,
            "action_state": event.action_state,
            "seconds": event.seconds,
            "trace": event.trace,
        }
        if len(data) <= LIMIT:
            values["event"] = data
        else:
            values["ref"] = await self._checks.put("events", data)
        return Row(event.id[:2], event.id, values)


def inline(kept: Kept, limit: int) -> bytes:
    """What stands in the chain: the event itself, or a Reference if it is over ``limit`` bytes."""
    if len(kept.data) <= limit:
        return kept.data
    return encode(Reference(kept.row.key, str(kept.row.values["ref"]), len(kept.data)))
