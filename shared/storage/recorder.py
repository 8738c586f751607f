"""What becomes of a result: the audit log first, then the incident that follows from it."""

from __future__ import annotations

from dataclasses import dataclass

from shared.model import Envelope
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

    async def record(self, envelope: Envelope) -> None:
        """Carry one result to the record; MalformedError, TransientError, ChainBrokenError."""
        event = await self.checks.event(envelope)
        try:
            kept = await self.log.record(event)
        except ChainBrokenError as error:
            await self.alerts.once("chain_break", str(error))
            raise
        await self.incidents.open(kept)
