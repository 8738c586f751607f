"""The outbox: whom to tell of what, durable beside the record, until it was sent or given up.

Table ``outbox``: partitions ``pending``, ``sent``, ``failed`` (a row an event and addressee), and
``day:{date}`` with what a day's digest is made of.
"""

from __future__ import annotations

import hashlib
from collections.abc import AsyncIterator
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta

from shared.codec import decode, encode
from shared.errors import StorageConflictError
from shared.model import AuditEvent
from shared.policy.rule import JST
from shared.ports import Clock, Row, Table, Value

PAUSE, LONGEST = timedelta(minutes=1), timedelta(hours=6)
KEPT = 100  # findings of one event that a notice counts; the record has them all
BATCH = 200
MANY = 50_000  # events of a day that a digest counts
DAYS = 7  # days for which they are kept
KEPT_FOR = timedelta(days=92)  # how long it is known what was sent, and what could not be
ALL = 10_000_000  # rows
PENDING, SENT, FAILED = "pending", "sent", "failed"


@dataclass(frozen=True, slots=True)
class Address:
    """Where a notice goes.

    ``mail`` to an address, ``owner`` or ``manager`` of an account (looked up when it is sent),
    ``card`` to a webhook by its name (the URL is a secret, and is in no table).
    """

    channel: str
    to: str


@dataclass(frozen=True, slots=True)
class Entry:
    """One event that somebody is to be told of; or, with a ``day``, the whole day."""

    kind: str
    address: Address
    event: AuditEvent | None = None
    attempts: int = 0
    day: str = ""


@dataclass(frozen=True, slots=True)
class Outbox:
    """Nothing here is sent: see ``shared.services.notices.Sender``."""

    table: Table
    clock: Clock

    async def put(self, kind: str, address: Address, event: AuditEvent) -> None:
        """Durable when it returns; once for the same event, kind and address."""
        await self._put(Entry(kind, address, _slim(event)), event.id)

    async def put_day(self, address: Address, day: date) -> None:
        """The digest of a day, once an address."""
        await self._put(Entry("digest", address, day=day.isoformat()), day.isoformat())

    async def count(self, event: AuditEvent) -> None:
        """Into the digest of the event's day in Japan, once."""
        day = event.time.astimezone(JST).date()
        entry = encode(_slim(event))
        await self.table.put(Row(f"day:{day.isoformat()}", event.id, {"event": entry}))

    async def of_day(self, day: str) -> list[AuditEvent]:
        """What a day's digest is made of."""
        rows = self.table.query(f"day:{day}", limit=MANY)
        return [decode(_bytes(row, "event"), AuditEvent) async for row in rows]

    async def forget_day(self, day: date) -> None:
        """Remove a day that was told of long ago."""
        rows = [row async for row in self.table.query(f"day:{day.isoformat()}", limit=MANY)]
        for row in rows:
            await self.table.delete(row.partition, row.key)

    async def forget(self, before: datetime) -> None:
        """Remove what was sent or given up before then; an event that comes again is long past."""
        for partition in (SENT, FAILED):
            rows = [row async for row in self.table.query(partition, limit=ALL)]
            for row in rows:
                if _time(row, "time") < before:
                    await self.table.delete(row.partition, row.key)

    async def due(self) -> list[tuple[Row, Entry]]:
        """What is to be sent now."""
        now = self.clock()
        return [
            (row, decode(_bytes(row, "entry"), Entry))
            async for row in self.table.query(PENDING, limit=BATCH)
            if _time(row, "due") <= now
        ]

    async def take(self, row: Row, entry: Entry) -> Row | None:
        """Ours for this attempt (None: another worker's); it comes back after a pause."""
        pause = min(PAUSE * 2**entry.attempts, LONGEST)
        more = replace(entry, attempts=entry.attempts + 1)
        taken = _row(row.key, more, self.clock() + pause)
        try:
            return replace(taken, etag=await self.table.replace(taken, row.etag))
        except StorageConflictError:
            return None

    async def settle(self, row: Row, partition: str, why: str = "", kind: str = "") -> None:
        """Move it to where it ends; the event's findings are not kept there."""
        values: dict[str, Value] = {
            "time": self.clock(), "why": why, "reference": row.key[:12], "kind": kind,
        }  # fmt: skip
        await self.table.put(Row(partition, row.key, values))
        await self.table.delete(PENDING, row.key)

    async def waiting(self) -> int:
        """How many wait to be sent (a thousand stands for as many or more)."""
        return len([row async for row in self.table.query(PENDING)])

    async def given_up(self) -> AsyncIterator[Row]:
        """What could not be sent, for a person to look at."""
        async for row in self.table.query(FAILED):
            yield row

    async def _put(self, entry: Entry, about: str) -> None:
        said = f"{entry.kind}\0{entry.address.channel}\0{entry.address.to}\0{about}"
        key = hashlib.sha256(said.encode()).hexdigest()
        if await self.table.get(SENT, key) or await self.table.get(FAILED, key):
            return
        with suppress(StorageConflictError):  # it waits already
            await self.table.insert(_row(key, entry, self.clock()))


def _slim(event: AuditEvent) -> AuditEvent:
    found = tuple(replace(each, evidence=()) for each in event.findings[:KEPT])
    return replace(event, findings=found, context=None)


def _row(key: str, entry: Entry, due: datetime) -> Row:
    return Row(PENDING, key, {"due": due, "entry": encode(entry)})


def _bytes(row: Row, name: str) -> bytes:
    value = row.values[name]
    assert isinstance(value, bytes)
    return value


def _time(row: Row, name: str) -> datetime:
    value = row.values[name]
    assert isinstance(value, datetime)
    return value
