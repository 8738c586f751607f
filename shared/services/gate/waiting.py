"""How long things have waited at the gate: one row a landed blob, the oldest first.

The rows are a view, not a record: nothing is decided by them. What waits for the pipeline and what
waits for a person are counted apart, because a backlog and a pile of reviews have other cures.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import datetime

from shared.ports import Clock, Row, Table

TABLE = "gatewaiting"
SCAN, PERSON = "scan", "person"
_NEVER = 0


@dataclass(frozen=True, slots=True)
class Waiting:
    """The table ``gatewaiting``: partition ``scan`` or ``person``, key = when it came and which."""

    table: Table
    clock: Clock

    async def arrived(self, name: str, received: datetime | None) -> None:
        """It has landed; the same row however often this is said."""
        key = _key(name, received)
        if await self.table.get(PERSON, key) is None:
            await self._put(SCAN, key, received)

    async def held(self, name: str, received: datetime | None) -> None:
        """It waits for a person now."""
        key = _key(name, received)
        await self._put(PERSON, key, received)
        await self.table.delete(SCAN, key)

    async def gone(self, name: str, received: datetime | None) -> None:
        """It is delivered, or in quarantine."""
        key = _key(name, received)
        await self.table.delete(SCAN, key)
        await self.table.delete(PERSON, key)

    async def oldest(self, partition: str = SCAN) -> float:
        """Seconds since the oldest that still waits came; 0.0 where nothing does."""
        async for row in self.table.query(partition, limit=1):
            since = row.values["since"]
            assert isinstance(since, datetime)
            return max((self.clock() - since).total_seconds(), 0.0)
        return 0.0

    async def _put(self, partition: str, key: str, received: datetime | None) -> None:
        if await self.table.get(partition, key) is None:
            await self.table.put(Row(partition, key, {"since": received or self.clock()}))


def _key(name: str, received: datetime | None) -> str:
    """In the order of arrival; what has no time of its own is looked at first."""
    moment = int(received.timestamp() * 1000) if received else _NEVER
    return f"{moment:013d}-{hashlib.sha256(name.encode()).hexdigest()[:32]}"
