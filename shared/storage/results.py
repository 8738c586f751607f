"""ports.Results: outcomes become audit events on the queue that feeds the audit."""

from __future__ import annotations

from dataclasses import dataclass

from shared.audit.event import build
from shared.model import Claim, Envelope, Outcome
from shared.ports import Clock, Queue
from shared.storage.claimcheck import ClaimCheck


@dataclass(frozen=True, slots=True)
class QueueResults:
    """Puts one ``result`` envelope a call; the event's id is the ledger's key."""

    queue: Queue
    checks: ClaimCheck
    clock: Clock
    policy_version: str

    async def put(self, claim: Claim, outcome: Outcome) -> None:
        """Durable when it returns; twice for one claim is fine (the audit inserts once)."""
        event = build(claim, outcome, time=self.clock(), policy_version=self.policy_version)
        envelope = Envelope("result", first_seen=claim.first_seen, event=event, trace=claim.trace)
        await self.queue.put(await self.checks.pack(envelope))
