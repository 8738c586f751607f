"""What is not kept for ever: copies, incidents and the search of long ago; and what holds them.

The chain itself and its events are kept by the container's immutability policy, and nothing here
touches them. A legal hold, of everything (SEKISHO_LEGAL_HOLD) or of one incident, stops it. An
incident that a person has not closed is never touched.
"""

from __future__ import annotations

import hashlib
from collections.abc import AsyncIterator, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass
from datetime import date, datetime, timedelta

from shared.audit.event import UNJUDGED
from shared.codec import encode
from shared.errors import StorageConflictError
from shared.model import AuditEvent, Envelope, Item, Step
from shared.ports import Clock, Queue, Row, Table
from shared.storage.causes import parts
from shared.storage.disposal import Disposals
from shared.storage.incidents import Incidents
from shared.storage.index_audit import DISPOSITIONS, item_partition
from shared.storage.index_counts import day_of

BIRTH = date(2026, 1, 1)  # no record is older than the product
CURSOR = "retention"  # partition of ``incidentindex``: how far the search was cleared
AT_ONCE = 2_000  # incidents a run
DAYS_AT_ONCE = 100  # days of the search a run
PAGE = 1_000
GONE = ("ordered", "deleted")


@dataclass(frozen=True, slots=True)
class Periods:
    """Days that something is kept after its event; 0: for ever. ``hold``: nothing is deleted."""

    copies: int = 0
    incidents: int = 0
    search: int = 0
    hold: bool = False


@dataclass(frozen=True, slots=True)
class Cleared:
    """What a run did."""

    copies: int = 0
    incidents: int = 0
    search: int = 0


@dataclass(frozen=True, slots=True)
class Retention:
    """``index`` is the table ``incidentindex``."""

    incidents: Incidents
    index: Table
    disposals: Disposals
    clock: Clock
    periods: Periods
    results: Queue | None = None

    async def run(self) -> Cleared:
        """Order, delete and clear what is over its time; may be cut off anywhere."""
        if self.periods.hold:
            return Cleared()
        copies = await self._copies() if self.periods.copies else 0
        incidents = await self._incidents() if self.periods.incidents else 0
        search = await self._search() if self.periods.search else 0
        cleared = Cleared(copies, incidents, search)
        if self.results is not None and cleared != Cleared():
            now = self.clock()
            steps = [Step(name, str(n)) for name, n in asdict(cleared).items()]
            event = deed("retention", "cleared", now.isoformat(), steps, now)
            await self.results.put(encode(Envelope("result", first_seen=now, event=event)))
        return cleared

    async def _copies(self) -> int:
        """Copies of closed incidents are ordered to be deleted, as a person's order would be."""
        count = 0
        async for row in self._closed(self.periods.copies):
            refs = copies(row)
            if not refs or row.values.get("copy") in GONE:
                continue
            with suppress(StorageConflictError):  # somebody is at it: the next run sees it again
                await self.incidents.expired(row, self.clock())
                await self.disposals.order(f"{row.partition}/{row.key}", refs, ["retention"])
                count += 1
        return count

    async def _incidents(self) -> int:
        """Closed incidents whose copies are gone, with the rows that find and count them."""
        count = 0
        async for row in self._closed(self.periods.incidents):
            if copies(row) and row.values.get("copy") not in GONE:
                continue
            await self.incidents.forget(row)
            count += 1
        return count

    async def _closed(self, days: int) -> AsyncIterator[Row]:
        """Closed incidents without a hold that were opened more than ``days`` ago."""
        limit = self.clock() - timedelta(days=days)
        seen = 0
        for month in _months(limit):
            rows = [row async for row in self.incidents.table.query(month, limit=100 * AT_ONCE)]
            for row in rows:
                opened = row.values.get("opened")
                old = isinstance(opened, datetime) and opened < limit
                if old and row.values["state"] == "closed" and not row.values.get("hold"):
                    seen += 1
                    yield row
                if seen >= AT_ONCE:
                    return

    async def _search(self) -> int:
        """Rows that find events of a day or an item, and the day's counters."""
        last = day_of(self.clock() - timedelta(days=self.periods.search))
        row = await self.index.get(CURSOR, "search")
        day = date.fromisoformat(str(row.values["day"])) if row else BIRTH
        count = days = 0
        while day < last and days < DAYS_AT_ONCE:
            for disposition in DISPOSITIONS:
                count += await self._clear(f"a|{day}|{disposition}")
            count += await self._clear(f"d|{day}", items=False)
            day += timedelta(days=1)
            days += 1
            await self.index.put(Row(CURSOR, "search", {"day": day.isoformat()}))
        return count

    async def _clear(self, partition: str, *, items: bool = True) -> int:
        count = 0
        while rows := [row async for row in self.index.query(partition, limit=PAGE)]:
            for row in rows:
                if items:
                    await self.index.delete(item_partition(str(row.values["item"])), row.key)
                await self.index.delete(row.partition, row.key)
            count += len(rows)
        return count


def deed(source: str, action: str, ref: str, steps: Sequence[Step], now: datetime) -> AuditEvent:
    """What was done by no person's hand in the console, as the record keeps it."""
    said = "".join(f"{len(each)}:{each}" for each in (source, action, ref, now.isoformat()))
    return AuditEvent(
        id=hashlib.sha256(said.encode()).hexdigest(),
        time=now,
        item=Item(source, ref, "", ""),
        disposition=UNJUDGED,
        would_be=UNJUDGED,
        mode=UNJUDGED,
        policy_version="",
        rule_ids=(),
        action=action,
        action_state="recorded",
        steps=tuple(steps),
        findings=(),
        gaps=(),
        place=source,
        owner="",
        seconds=0.0,
        trace="",
    )


def copies(row: Row) -> list[str]:
    """References to every copy that an incident's events kept, each once."""
    found = [str(row.values.get("evidence_ref") or ""), *(each.copy for each in parts(row.values))]
    return list(dict.fromkeys(filter(None, found)))


def _months(limit: datetime) -> list[str]:
    """Partitions of ``incidents`` from the beginning up to a moment's."""
    found, day = [], BIRTH
    while day <= limit.date():
        found.append(f"{day:%Y-%m}")
        day = (day + timedelta(days=32)).replace(day=1)
    return found
