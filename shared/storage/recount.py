"""Counting anew: what the counters and the index say, held against the incidents and the record.

Counters are added to as things happen, and remember only so many tokens; a restored table, or a
repetition that comes very late, makes them drift. Nothing here stops the work: a difference is
written as one more addition, and only if nothing was counted meanwhile.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta

from shared.audit.event import UNJUDGED
from shared.model import AuditEvent
from shared.ports import Clock, Row, Table
from shared.storage.index import ALL, WAITING, Index, ascending, facet
from shared.storage.index_counts import Counts, change_of, day_of
from shared.storage.retention import BIRTH

MOST = 10_000_000
ATTEMPTS = 3


@dataclass(slots=True)
class Drift:
    """What was wrong: counter → by how much it was too low; ``missing`` and ``stale`` index rows.

    ``settled`` is False where incidents kept changing: their counters were left as they are.
    """

    counters: dict[str, int] = field(default_factory=dict)
    days: dict[date, dict[str, int]] = field(default_factory=dict)
    incidents: int = 0
    missing: int = 0
    stale: int = 0
    settled: bool = True

    def __bool__(self) -> bool:
        return bool(self.counters or self.days or self.missing or self.stale)


@dataclass(frozen=True, slots=True)
class Recount:
    """``incidents`` and ``index`` are the tables ``incidents`` and ``incidentindex``."""

    incidents: Table
    index: Table
    counts: Counts
    clock: Clock

    async def run(self, *, fix: bool) -> Drift:
        """Count incidents by state, source and disposition, and look for their index rows."""
        for _ in range(ATTEMPTS):
            before = await self.counts.states()
            drift, sums = await self._incidents(fix=fix)
            drift.counters = _difference(sums, before)
            if await self.counts.states() == before:
                break
            drift.settled = False
        else:
            return drift
        drift.settled = True
        if fix and drift.counters:
            token = f"recount:{self.clock().isoformat()}"
            await self.counts.add("g", token, drift.counters)
        return drift

    async def days(
        self, events: AsyncIterator[AuditEvent], first: date, last: date, *, fix: bool
    ) -> dict[date, dict[str, int]]:
        """Count the judged items of some days that are over, from the record's events."""
        sums: dict[date, Counter[str]] = {
            first + timedelta(days=n): Counter() for n in range((last - first).days + 1)
        }
        async for event in events:
            day = day_of(event.time)
            if day in sums and event.disposition != UNJUDGED:
                sums[day].update(change_of(event))
        found = {}
        for day, wanted in sums.items():
            difference = _difference(wanted, await self.counts.sums(f"d|{day}"))
            if difference:
                found[day] = difference
                if fix:
                    token = f"recount:{self.clock().isoformat()}"
                    await self.counts.add(f"d|{day}", token, difference)
        return found

    async def _incidents(self, *, fix: bool) -> tuple[Drift, Counter[str]]:
        drift, sums = Drift(), Counter[str]()
        index = Index(self.index)
        listed = {row.key async for row in self.index.query(ALL, limit=MOST)}
        waiting = {row.key async for row in self.index.query("w", limit=MOST)}
        faceted: dict[str, set[str]] = {}
        async for row in self._every():
            drift.incidents += 1
            name = facet(row.values)
            sums[name] += 1
            if name not in faceted:
                faceted[name] = {each.key async for each in self.index.query(name, limit=MOST)}
            waits = row.values["state"] in WAITING
            there = row.key in listed and row.key in faceted[name]
            if not there or (waits and ascending(row.key) not in waiting):
                drift.missing += 1
                if fix:
                    await index.enter(row)
            listed.discard(row.key)
            if waits:
                waiting.discard(ascending(row.key))
        drift.stale = await self._stale(listed, waiting, fix=fix)
        return drift, sums

    async def _stale(self, listed: set[str], waiting: set[str], *, fix: bool) -> int:
        """Rows that lead to no incident (``waiting``: to none that waits)."""
        if fix:
            for key in listed:
                await self.index.delete(ALL, key)
            for key in waiting:
                await self.index.delete("w", key)
        return len(listed) + len(waiting)

    async def _every(self) -> AsyncIterator[Row]:
        day, today = BIRTH, self.clock().date()
        while day <= today:
            async for row in self.incidents.query(f"{day:%Y-%m}", limit=MOST):
                yield row
            day = (day + timedelta(days=32)).replace(day=1)


def _difference(wanted: Mapping[str, int], found: Mapping[str, int]) -> dict[str, int]:
    names = sorted({*wanted, *found})
    every = {name: wanted.get(name, 0) - found.get(name, 0) for name in names}
    return {name: count for name, count in every.items() if count}
