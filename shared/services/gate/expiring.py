"""What nobody opened in its time: the lock and its link go, the mail waits on for an official.

Nothing of the mail is lost: it stays held, and is released or stopped like anything else that waits
for a person. Its recipient is told once, and it is on the record. Each step may run twice.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from shared.codec import decode
from shared.errors import GoneError
from shared.model import Item, Outcome, OutcomeState, Step
from shared.ports import Blobs
from shared.services.gate.locked import Lock
from shared.services.gate.outcomes import HOLD, Outcomes
from shared.services.gate.waiting import Waiting

ACTION = "lock_expired"


@dataclass(frozen=True, slots=True)
class Expiring:
    """``record`` puts it on the record, ``tell`` the recipient (item, address)."""

    envelopes: Blobs
    outcomes: Outcomes
    waiting: Waiting
    record: Callable[[Item, Outcome], Awaitable[None]]
    tell: Callable[[Item, str], Awaitable[None]]

    async def run(self) -> int:
        """Every lock whose time is over; how many were still waiting."""
        count = 0
        for row, name in await self.waiting.locks_ended():
            count += await self._end(name)
            await self.waiting.unlocked(row)
        return count

    async def _end(self, name: str) -> bool:
        try:
            lock = decode((await self.envelopes.get(name)).data, Lock)
        except GoneError:  # opened, released or removed in its time
            return False
        outcome = await self.outcomes.read(lock.item)
        waits = outcome is not None and outcome.action == HOLD
        if waits:
            steps = (Step("password", "expired"), Step("landing", "kept"))
            await self.record(lock.item, Outcome(ACTION, OutcomeState.APPLIED, steps))
            await self.tell(lock.item, lock.recipient)
        await self.envelopes.delete(name)
        return waits
