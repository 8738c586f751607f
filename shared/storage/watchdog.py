"""Looks now and then at what raises no error of its own: age, lapse, loss, standstill."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol

from shared.errors import SekishoError
from shared.ports import Clock, Table
from shared.storage.alerts import Alerts
from shared.storage.audit_state import CHAIN, CHECKPOINT
from shared.storage.chain_watch import VERIFIED
from shared.storage.index_counts import Counts, day_of

QUEUES = (
    "graph-hints",
    "graph-jobs",
    "landing-events",
    "scan-items",
    "scan-results",
    "relay-deliver",
    "relay-results",
)  # fmt: skip - scan-bulk may take its time
SOURCES = ("mail", "drive", "library", "teams", "chats", "calendar")
LATE = timedelta(hours=1)  # an export that is so far behind does not come on by itself
UNSEEN = timedelta(days=1)  # without a verification
GRACE = timedelta(minutes=10)  # a renewal may be under way
MOST = 200_000  # accounts of one source


class Front(Protocol):
    """A queue whose first message can be looked at."""

    async def oldest(self) -> datetime | None:
        """When the first visible message was put there; None where nothing waits."""


@dataclass(frozen=True, slots=True)
class Limits:
    """From when on something is an alert; the settings SEKISHO_ALERT_… say so."""

    sweep_items: int = 20
    queue_minutes: int = 15
    lapsed: int = 5


@dataclass(frozen=True, slots=True)
class Watchdog:
    """``chain`` is the table ``auditevents``, ``accounts`` is ``subscriptions``."""

    queues: Mapping[str, Front]
    accounts: Table
    counts: Counts
    chain: Table
    exports: tuple[str, ...]
    alerts: Alerts
    clock: Clock
    limits: Limits

    async def look(self) -> list[tuple[str, str]]:
        """Kind and reference of what is wrong now; each an alert, once a day.

        What cannot be looked at hides nothing else: its error is raised at the end.
        """
        found: list[tuple[str, str]] = []
        failed: list[SekishoError] = []
        for part in (self._queues, self._sweep, self._lapsed, self._chain):
            try:
                found += await part()
            except SekishoError as error:
                failed.append(error)
        for kind, ref in found:
            await self.alerts.once(kind, ref)
        if failed:
            raise failed[0]
        return found

    def _day(self) -> str:
        return day_of(self.clock()).isoformat()

    async def _queues(self) -> list[tuple[str, str]]:
        longest = timedelta(minutes=self.limits.queue_minutes)
        found = []
        for name, queue in self.queues.items():
            oldest = await queue.oldest()
            if oldest is not None and self.clock() - oldest > longest:
                found.append(("queue_age", f"{name}/{self._day()}"))
        return found

    async def _sweep(self) -> list[tuple[str, str]]:
        sums = await self.counts.sums(f"d|{self._day()}")
        many = sums.get("found|sweep", 0) >= self.limits.sweep_items
        return [("sweep_found", self._day())] if many else []

    async def _lapsed(self) -> list[tuple[str, str]]:
        found = []
        now = self.clock()
        for source in SOURCES:
            lapsed = 0
            async for row in self.accounts.query(source, limit=MOST):
                expires = row.values.get("expires")
                made = row.values.get("subscription")
                lapsed += bool(made) and isinstance(expires, datetime) and expires + GRACE < now
            if lapsed >= self.limits.lapsed:
                found.append(("subscriptions_lapsed", f"{source}/{self._day()}"))
        return found

    async def _chain(self) -> list[tuple[str, str]]:
        """Is the record verified, and exported, as far as it goes?"""
        end = await self.chain.get(CHAIN, CHECKPOINT)
        if end is None:
            return []
        found = []
        now, count, written = self.clock(), end.values["seq"], end.values.get("written")
        seen = await self.chain.get(CHAIN, VERIFIED)
        if _older(seen.values.get("time") if seen else written, now - UNSEEN):
            found.append(("chain_unverified", self._day()))
        for name in self.exports:
            row = await self.chain.get(CHAIN, f"export-{name}")
            if row is None or row.values.get("up_to") == count:
                continue
            if _older(row.values.get("time"), now - LATE) and _older(written, now - LATE):
                found.append(("export_behind", f"{name}/{self._day()}"))
        return found


def _older(time: object, than: datetime) -> bool:
    return isinstance(time, datetime) and time < than
