"""The read side of the audit: which events are of a day, a disposition, an item.

Table ``incidentindex``: partitions ``a|{day in Japan}|{disposition}`` and ``i|{hash of the
item's id}``, keys newest first. Items are found by the source's own opaque id.
"""

from __future__ import annotations

import asyncio
import hashlib
import heapq
from dataclasses import dataclass
from datetime import date

from shared.model import AuditEvent
from shared.ports import Row, Table, Value
from shared.storage.index import LAST_MOMENT
from shared.storage.index_counts import day_of

DISPOSITIONS = ("allow", "tag", "review", "block", "none")
LIMIT = 100  # events on a page


def item_partition(item: str) -> str:
    """The partition of everything that was ever decided of an item id."""
    return f"i|{hashlib.sha256(item.encode()).hexdigest()[:32]}"


@dataclass(frozen=True, slots=True)
class AuditIndex:
    """Finds audit events; the events themselves are in ``auditevents``."""

    table: Table

    async def enter(self, event: AuditEvent) -> None:
        """Make an event findable; idempotent."""
        moment = LAST_MOMENT - int(event.time.timestamp() * 1000)
        key = f"{moment:013d}-{event.id[:32]}"
        values: dict[str, Value] = {
            "time": event.time,
            "event": event.id,
            "source": event.item.source,
            "item": event.item.id,
            "disposition": event.disposition,
            "action": event.action,
            "action_state": event.action_state,
            "owner": event.owner,
        }
        day = Row(f"a|{day_of(event.time)}|{event.disposition}", key, values)
        item = Row(item_partition(event.item.id), key, values)
        await asyncio.gather(self.table.put(day), self.table.put(item))

    async def of_day(self, day: date, disposition: str = "", after: str = "") -> list[Row]:
        """Events of a day, newest first, at most LIMIT behind the key ``after``."""
        wanted = (disposition,) if disposition else DISPOSITIONS
        found = await asyncio.gather(*(self._some(f"a|{day}|{each}", after) for each in wanted))
        return list(heapq.merge(*found, key=lambda row: row.key))[:LIMIT]

    async def of_item(self, item: str, after: str = "") -> list[Row]:
        """Events of one item, newest first, at most LIMIT behind the key ``after``."""
        return await self._some(item_partition(item), after)

    async def _some(self, partition: str, after: str) -> list[Row]:
        start = f"{after}!" if after else ""
        return [row async for row in self.table.query(partition, start=start, limit=LIMIT)]
