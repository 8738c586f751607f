"""The baseline crawl: what was there before it was watched, behind what is fresh and at its pace.

The first round of each delta enumerates what exists. What changed lately goes on as fresh (people
are at it, and a notification may have been lost); the rest goes on the queue ``scan-bulk``, each
item at a time of its own: the times are taken from one row for the whole tenant, so that however
many mailboxes are enumerated at once, no more than ``per_minute`` come due in a minute. A round is
resumed where it was (see ``Rounds``), so the crawl is too. Its progress is in the rounds' rows.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from shared.codec import encode
from shared.errors import StorageConflictError, UnavailableError
from shared.graph.answers import Json
from shared.model import Envelope, Item
from shared.ports import Clock, Queue, Row, Table
from shared.services.common import Sends

RECENT = timedelta(days=1)
QUEUE = "scan-bulk"
_RESERVED = 50  # times that one worker takes from the row at once
_ATTEMPTS = 8
_PLACE = ("pace", "pace")
PARTITIONS = ("mail", "drive", "calendar", "teams")


@dataclass(slots=True)
class Baseline:
    """Puts items on ``scan-bulk``, each when its time has come. One a process."""

    queue: Queue
    table: Table
    clock: Clock
    per_minute: int
    _times: deque[datetime] = field(default_factory=deque)
    _lock: asyncio.Lock = field(default_factory=asyncio.Lock)

    async def put(self, item: Item, *, trace: str = "") -> None:
        """Durable when it returns. Its age counts from its time, not from now."""
        async with self._lock:
            if not self._times:
                await self._reserve()
            due = self._times.popleft()
        now = self.clock()
        envelope = Envelope(
            "item", first_seen=max(due, now), item=item, body={"found": "baseline"}, trace=trace,
            not_before=due,
        )  # fmt: skip
        await self.queue.put(encode(envelope), delay=max((due - now).total_seconds(), 0.0))

    async def _reserve(self) -> None:
        """Take the next times; UnavailableError where others always come first."""
        step = timedelta(minutes=1) / self.per_minute
        for _ in range(_ATTEMPTS):
            row = await self.table.get(*_PLACE)
            start = max(self.clock(), next_due(row) or self.clock())
            values = {"next": start + _RESERVED * step}
            try:
                if row is None:
                    await self.table.insert(Row(*_PLACE, values))
                else:
                    await self.table.replace(Row(*_PLACE, values), row.etag)
            except StorageConflictError:
                continue
            self._times.extend(start + number * step for number in range(_RESERVED))
            return
        message = "the baseline's times are taken by too many at once"
        raise UnavailableError(message)


@dataclass(frozen=True, slots=True)
class Routes:
    """Where what a delta tells goes on to.

    ``changed`` takes what is told of in any round but the first. The first enumerates what was
    there: what changed lately goes on at once, by ``recent``; the rest behind it, by ``bulk``.
    """

    changed: Sends
    recent: Sends
    bulk: Sends
    clock: Clock

    def of(self, entity: Json, *, first: bool) -> Sends:
        """By the round, and when it was last changed; what does not say when is recent."""
        if not first:
            return self.changed
        try:
            changed = datetime.fromisoformat(str(entity.get("lastModifiedDateTime")))
            old = changed < self.clock() - RECENT
        except (ValueError, TypeError):
            return self.recent
        return self.bulk if old else self.recent


@dataclass(slots=True)
class Progress:
    """How far the crawl of one source is. ``found`` counts what was enumerated."""

    accounts: int = 0
    begun: int = 0
    finished: int = 0
    found: int = 0


@dataclass(frozen=True, slots=True)
class Status:
    """``due``: when the last item that was found comes due; ``waiting``: those still to come."""

    sources: Mapping[str, Progress]
    waiting: int
    due: datetime | None


async def status(
    watched: Mapping[str, int], drives: Table, pace: Table, clock: Clock, per_minute: int
) -> Status:
    """From the tables alone; ``watched`` is how many accounts each source has.

    How many teams there are is known when they are begun, and counted then.
    """
    found: dict[str, Progress] = {}
    for source in PARTITIONS:
        progress = found[source] = Progress(accounts=watched.get(source, 0))
        begun: dict[str, bool] = {}
        async for row in _rows(drives, source):
            account = str(row.values.get("account") or row.key)
            count = row.values.get("found")
            progress.found += count if isinstance(count, int) else 0
            begun[account] = begun.get(account, True) and "enumerated" in row.values
        progress.begun, progress.finished = len(begun), sum(begun.values())
        progress.accounts = max(progress.accounts, progress.begun)
    due, now = next_due(await pace.get(*_PLACE)), clock()
    if due is None or due <= now:
        return Status(found, 0, None)
    return Status(found, round((due - now).total_seconds() * per_minute / 60), due)


def next_due(row: Row | None) -> datetime | None:
    """The first time that nobody has taken."""
    value = row.values.get("next") if row else None
    return value if isinstance(value, datetime) else None


async def count(table: Table, partition: str) -> int:
    """How many rows a partition has."""
    return len([row async for row in _rows(table, partition)])


async def _rows(table: Table, partition: str) -> AsyncIterator[Row]:
    start = ""
    while True:
        last = ""
        async for row in table.query(partition, start=start):
            last = row.key
            yield row
        if not last:
            return
        start = f"{last}!"  # the first key that may follow
