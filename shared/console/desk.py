"""What the views read and do, put together by ``bootstrap``."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from shared.codec import decode
from shared.console.releases import Releases
from shared.console.trail import Trail
from shared.model import AuditEvent
from shared.ports import Clock, Row, Table
from shared.services.gate.waiting import LOCK, PERSON, SCAN, Pile, Waiting
from shared.services.outbox import Outbox
from shared.storage.audit_rows import Rows
from shared.storage.audit_state import CHAIN, CHECKPOINT
from shared.storage.chain_watch import VERIFIED
from shared.storage.dead_letters import DeadLetters
from shared.storage.disposal import Disposals
from shared.storage.exceptions import Exceptions
from shared.storage.incidents import Incidents, Pages

if TYPE_CHECKING:
    from shared.policy import Policy

SUBSCRIPTION_SOURCES = ("mail", "drive", "library", "teams", "calendar")
SWEPT = "swept"  # the partition of ``subscriptions`` that says when each source was swept last
COUNTED = 200_000  # accounts of one source
RECOUNTED = timedelta(minutes=1)  # ten thousand rows are not read with each overview
SHOWN = 500  # accounts and dead letters on a page


@dataclass(frozen=True, slots=True)
class Desk:
    """``events`` and ``chain`` are the table ``auditevents``, ``accounts`` is ``subscriptions``.

    ``hold``: everything is under a legal hold (SEKISHO_LEGAL_HOLD), so that nothing is deleted.
    """

    incidents: Incidents
    events: Rows
    chain: Table
    letters: DeadLetters
    accounts: Table
    policy: Policy
    trail: Trail
    clock: Clock
    granted: Exceptions | None = None
    notices: Table | None = None
    disposals: Disposals | None = None
    hold: bool = False
    gate: Waiting | None = None
    pages: Pages = field(init=False)
    _health: list[tuple[datetime, dict[str, int]]] = field(default_factory=list, init=False)

    def __post_init__(self) -> None:
        assert self.incidents.pages is not None
        object.__setattr__(self, "pages", self.incidents.pages)

    @property
    def outbox(self) -> Outbox:
        """Whom to tell of what."""
        assert self.notices is not None, "a desk with an outbox"
        return Outbox(self.notices, self.clock)

    @property
    def releases(self) -> Releases:
        """Letting go what was stopped."""
        assert self.granted is not None, "a desk with exceptions"
        return Releases(self.granted, self.incidents, self.policy, self.trail.results, self.clock)

    async def event(self, event: str) -> AuditEvent | None:
        """One audit event with everything that is in it."""
        kept = await self.events.find(event) if event else None
        return decode(kept.data, AuditEvent) if kept else None

    async def checkpoint(self) -> Mapping[str, object]:
        """The chain's end as the sequencer last wrote it down; empty before the first record."""
        row = await self.chain.get(CHAIN, CHECKPOINT)
        return row.values if row else {}

    async def verified(self) -> Mapping[str, object]:
        """What came of the chain's last verification; empty before the first."""
        row = await self.chain.get(CHAIN, VERIFIED)
        return row.values if row else {}

    async def swept(self) -> datetime | None:
        """When an account was last swept."""
        rows = [row async for row in self.accounts.query(SWEPT)]
        times = [row.values.get("time") for row in rows]
        return max((each for each in times if isinstance(each, datetime)), default=None)

    async def subscriptions(self) -> list[Row]:
        """The watched accounts, at most SHOWN a source."""
        return [
            row
            for source in SUBSCRIPTION_SOURCES
            async for row in self.accounts.query(source, limit=SHOWN)
        ]

    async def at_the_gate(self) -> dict[str, Pile]:
        """What waits at the gate: for the pipeline, for a person, for a password."""
        if self.gate is None:
            return {}
        piles = await asyncio.gather(*(self.gate.pile(each) for each in (SCAN, PERSON, LOCK)))
        return dict(zip((SCAN, PERSON, LOCK), piles, strict=True))

    async def health(self) -> dict[str, int]:
        """How many subscriptions are alive, lapsed, or not made."""
        now = self.clock()
        if self._health and now - self._health[0][0] < RECOUNTED:
            return self._health[0][1]
        found = {"alive": 0, "lapsed": 0, "sweep_only": 0}
        for source in SUBSCRIPTION_SOURCES:
            async for row in self.accounts.query(source, limit=COUNTED):
                found[condition(row, now)] += 1
        self._health[:] = [(now, found)]
        return found


def condition(row: Row, now: datetime) -> str:
    """``alive``, ``lapsed`` or ``sweep_only`` (no subscription, the sweep alone watches)."""
    expires = row.values.get("expires")
    if not row.values.get("subscription"):
        return "sweep_only"
    return "alive" if isinstance(expires, datetime) and expires > now else "lapsed"
