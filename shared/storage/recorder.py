"""What becomes of a result: the audit log, then the incident, then whom it obliges to tell."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from shared.model import AuditEvent, Envelope
from shared.storage.alerts import Alerts
from shared.storage.audit_log import AuditLog
from shared.storage.audit_state import ChainBrokenError
from shared.storage.claimcheck import ClaimCheck
from shared.storage.incidents import Incidents


@dataclass(frozen=True, slots=True)
class Recorder:
    """The work of the queue scan-results. Everything in it happens once, however often it runs."""

    log: AuditLog
    incidents: Incidents
    alerts: Alerts
    checks: ClaimCheck
    tell: Callable[[AuditEvent], Awaitable[None]] | None = None
    alarming: Callable[[AuditEvent], bool] | None = None

    async def record(self, envelope: Envelope) -> None:
        """Carry one result to the record; MalformedError, TransientError, ChainBrokenError."""
        event = await self.checks.event(envelope)
        try:
            kept = await self.log.record(event)
        except ChainBrokenError as error:
            await self.alerts.once("chain_break", str(error))
            raise
        await self.incidents.open(kept)
        if self.alarming is not None and self.alarming(kept):
            await self.alerts.once("blocked", kept.id)
        if self.tell is not None:
            await self.tell(kept)


_NOT_DONE = frozenset({"superseded", "gone", "unchanged"})


def alarm(rules: frozenset[str] | None) -> Callable[[AuditEvent], bool]:
    """Whether an event is a block (of one of these rules; None: of any) that was carried out."""

    def alarming(event: AuditEvent) -> bool:
        strict = rules is None or not rules.isdisjoint(event.rule_ids)
        return event.disposition == "block" and event.action_state not in _NOT_DONE and strict

    return alarming
