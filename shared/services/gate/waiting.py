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
SCAN, PERSON, LOCK = "scan", "person", "lock"
MOST = 1_000
"""Rows that a count looks at: a pile of more is one of so many at least."""
_NEVER = 0


@dataclass(frozen=True, slots=True)
class Pile:
    """How much waits (at most MOST is counted), and since when the oldest; None: nothing waits."""

    count: int = 0
    since: datetime | None = None


@dataclass(frozen=True, slots=True)
class Waiting:
    """The table ``gatewaiting``: partition ``scan`` or ``person``, key = when it came and which.

    Partition ``lock`` lists what waits for a password by the end of its time.
    """

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

    async def pile(self, partition: str) -> Pile:
        """What waits there now."""
        times = [row.values["since"] async for row in self.table.query(partition, limit=MOST)]
        known = [each for each in times if isinstance(each, datetime)]
        return Pile(len(times), min(known, default=None))

    async def locked(self, name: str, until: datetime) -> None:
        """It waits for a password, until then; the same row however often this is said."""
        key = _key(name, until)
        if await self.table.get(LOCK, key) is None:
            await self.table.put(Row(LOCK, key, {"since": self.clock(), "name": name}))

    async def locks_ended(self) -> list[tuple[str, str]]:
        """The rows of locks whose time is over, and where each lock is."""
        end = f"{int(self.clock().timestamp() * 1000) + 1:013d}"
        rows = self.table.query(LOCK, end=end, limit=MOST)
        return [(row.key, str(row.values["name"])) async for row in rows]

    async def unlocked(self, key: str) -> None:
        """Its lock is gone."""
        await self.table.delete(LOCK, key)

    async def opened(self, name: str, until: datetime) -> None:
        """The same, by what ``locked`` was told."""
        await self.unlocked(_key(name, until))

    async def _put(self, partition: str, key: str, received: datetime | None) -> None:
        if await self.table.get(partition, key) is None:
            await self.table.put(Row(partition, key, {"since": received or self.clock()}))


def _key(name: str, received: datetime | None) -> str:
    """In the order of arrival; what has no time of its own is looked at first."""
    moment = int(received.timestamp() * 1000) if received else _NEVER
    return f"{moment:013d}-{hashlib.sha256(name.encode()).hexdigest()[:32]}"
