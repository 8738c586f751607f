"""Counters as rows, so that the overview adds up a few numbers and reads no items.

Table ``incidentindex``: partition ``d|{day in Japan}`` counts what passed, ``g`` how many
incidents are in which state. A counter is split into shards by the event's id. Each shard remembers
the last tokens it counted, in the same conditional write: a message that comes twice is counted
once (as long as fewer than ``REMEMBERED`` others came between).
"""

from __future__ import annotations

import asyncio
import hashlib
import time
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta, timezone

from shared.codec import decode, encode
from shared.errors import BusyError, StorageConflictError
from shared.model import AuditEvent
from shared.ports import Row, Table

JAPAN = timezone(timedelta(hours=9), "JST")  # no summer time since 1951
SHARDS = 4
REMEMBERED = 500
TOKEN = 16  # hex digits of a token's hash
ATTEMPTS = 12
KEPT = 300.0  # seconds for which a day that is over is not read again


def day_of(moment: datetime) -> date:
    """The official's day."""
    return moment.astimezone(JAPAN).date()


def change_of(event: AuditEvent) -> Counter[str]:
    """What one judged item adds to the counters of its day."""
    change = Counter({"all": 1, f"disposition|{event.disposition}": 1})
    change[f"source|{event.item.source}"] = 1
    if event.found:
        change[f"found|{event.found}"] = 1
    if event.context is not None:
        change[f"cohort|{event.context.cohort}"] = 1
    for entity in {finding.entity for finding in event.findings}:
        change[f"entity|{entity}"] = 1
    return change


@dataclass(slots=True)
class _Pending:
    token: str
    change: Mapping[str, int]
    done: asyncio.Future[None]


@dataclass(slots=True)
class Counts:
    """Counters of one table. Concurrent additions of one process share a write."""

    table: Table
    _pending: dict[tuple[str, str], list[_Pending]] = field(default_factory=dict)
    _locks: dict[tuple[str, str], asyncio.Lock] = field(default_factory=dict)
    _days: dict[date, tuple[float, dict[str, int]]] = field(default_factory=dict)

    async def passed(self, event: AuditEvent) -> None:
        """Count one judged item on its day: by disposition, source, entity, how it was found."""
        await self.add(f"d|{day_of(event.time)}", event.id, change_of(event))

    async def moved(self, token: str, before: str, after: str) -> None:
        """One incident went from a facet to another (empty: it is new)."""
        change = Counter({after: 1})
        if before:
            change[before] = -1
        await self.add("g", token, change)

    async def add(self, partition: str, token: str, change: Mapping[str, int]) -> None:
        """Add ``change`` once a ``token``; BusyError if the row keeps changing."""
        short = hashlib.sha256(token.encode()).hexdigest()[:TOKEN]
        # All moves of one incident may fall into different shards: only their sum means anything.
        place = (partition, str(int(short[:4], 16) % SHARDS))
        mine = _Pending(short, change, asyncio.get_running_loop().create_future())
        self._pending.setdefault(place, []).append(mine)
        async with self._locks.setdefault(place, asyncio.Lock()):
            if not mine.done.done():  # nobody wrote it along with his own
                await self._flush(place)
        await mine.done

    async def _flush(self, place: tuple[str, str]) -> None:
        batch = self._pending.pop(place, [])
        try:
            await self._write(place, batch)
        except BaseException as error:
            failed = BusyError("counters: not written")  # each caller's message comes again
            for each in batch:
                each.done.set_exception(failed)
                each.done.exception()  # seen: whoever was cancelled will not look
            if not isinstance(error, Exception):
                raise
            raise failed from error
        for each in batch:
            each.done.set_result(None)

    async def _write(self, place: tuple[str, str], batch: list[_Pending]) -> None:
        for attempt in range(ATTEMPTS):
            row = await self.table.get(*place)
            sums = Counter(decode(str(row.values["sums"]), dict[str, int]) if row else {})
            recent = str(row.values["recent"]).split(",") if row else []
            for each in batch:
                if each.token not in recent:
                    recent.append(each.token)
                    sums.update(each.change)
            values = {"sums": encode(dict(sums)).decode(), "recent": ",".join(recent[-REMEMBERED:])}
            new = Row(*place, values)
            try:
                await (self.table.replace(new, row.etag) if row else self.table.insert(new))
            except StorageConflictError:
                await asyncio.sleep(0.005 * attempt)
                continue
            return
        message = "counters: the row keeps changing"
        raise BusyError(message)

    async def sums(self, partition: str) -> dict[str, int]:
        """The sums of all shards."""
        rows = await asyncio.gather(
            *(self.table.get(partition, str(shard)) for shard in range(SHARDS))
        )
        total: Counter[str] = Counter()
        for row in rows:
            if row is not None:
                total.update(decode(str(row.values["sums"]), dict[str, int]))
        return dict(total)

    async def days(self, last: date, count: int) -> list[tuple[date, dict[str, int]]]:
        """The sums of ``count`` days up to ``last``, oldest first.

        A day that is over by more than one changes with latecomers alone: it is read every five
        minutes and not with each page.
        """
        days = [last - timedelta(days=back) for back in reversed(range(count))]
        found = await asyncio.gather(*(self._day(day, last) for day in days))
        return list(zip(days, found, strict=True))

    async def _day(self, day: date, last: date) -> dict[str, int]:
        kept = self._days.get(day)
        if kept and last - day > timedelta(days=1) and time.monotonic() - kept[0] < KEPT:
            return kept[1]
        sums = await self.sums(f"d|{day}")
        self._days[day] = (time.monotonic(), sums)
        while len(self._days) > REMEMBERED:
            self._days.pop(next(iter(self._days)))
        return sums

    async def states(self) -> dict[str, int]:
        """How many incidents are in each facet ``f|state|source|disposition``."""
        return {name: count for name, count in (await self.sums("g")).items() if count}
