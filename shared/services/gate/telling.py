"""Who is told that the gate stopped something: the recipient, and a sender where that is allowed.

A sender's address is whatever the mail says: telling everybody would send our mail to people who
never wrote to us (backscatter, RFC 3834). So outsiders are told only where a setting says so, and
never an automatic mail or a null sender.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace

from shared.audit.event import build
from shared.model import (
    AuditEvent,
    Claim,
    Context,
    Decision,
    Disposition,
    Gap,
    GapCode,
    Intent,
    Item,
    Mode,
    Outcome,
    OutcomeState,
)
from shared.policy import Policy
from shared.ports import Clock
from shared.services.common import decision_of
from shared.services.gate.landed import Landed
from shared.services.gate.outcomes import HOLD
from shared.services.outbox import Address, Outbox
from shared.services.senders import within
from shared.services.telling import kinds

RECIPIENT, SENDER, EXPIRED = "gate_recipient", "gate_sender", "gate_expired"
STOPPED = frozenset({HOLD, "quarantine"})
_AUTOMATIC = re.compile(
    rb"^(?:Auto-Submitted:[ \t]*(?!no\b)|Precedence:[ \t]*(?:bulk|list|junk)|List-Id:)",
    re.IGNORECASE | re.MULTILINE,
)
_HEAD = 65_536


@dataclass(frozen=True, slots=True)
class GateNotices:
    """``senders``: ``none``, ``inside`` (of our own domains), ``all``. Nothing without ``mail``."""

    outbox: Outbox
    policy: Policy
    clock: Clock
    mail: bool
    senders: str = "inside"
    inside: Sequence[str] = ()

    async def told(self, claim: Claim, outcome: Outcome, landed: Landed) -> None:
        """After the outcome is written; may run twice. Durable when it returns."""
        if outcome.action not in STOPPED or not self.mail:
            return
        event = self._event(claim, outcome)
        if "owner" not in kinds(self.policy, event):  # a rule that tells the owner tells enough
            await self.outbox.put(RECIPIENT, Address("mail", landed.user), event)
        for sender in self._senders(landed):
            await self.outbox.put(SENDER, Address("mail", sender), event)

    async def expired(self, item: Item, recipient: str) -> None:
        """Nobody typed the password in its time: the recipient hears what becomes of it now."""
        if not self.mail:
            return
        decision = Decision(
            Disposition.REVIEW, Disposition.REVIEW, Mode.ENFORCE, self.policy.version,
            gaps=(Gap(GapCode.ENCRYPTED, ""),),
        )  # fmt: skip
        intent = Intent(decision, Context(item.source, "landing", owner=recipient), "", "")
        key, now = item.key(self.policy.version), self.clock()
        claim = Claim(item, key, "gate", 0, "", now, intent=intent)
        event = self._event(claim, Outcome(HOLD, OutcomeState.APPLIED))
        await self.outbox.put(EXPIRED, Address("mail", recipient), event)

    def _event(self, claim: Claim, outcome: Outcome) -> AuditEvent:
        version = decision_of(claim).policy_version
        event = build(claim, outcome, time=self.clock(), policy_version=version)
        if decision_of(claim).disposition < Disposition.REVIEW:  # held, though it was not judged so
            return replace(event, disposition="review")
        return event

    def _senders(self, landed: Landed) -> tuple[str, ...]:
        """The envelope's sender: bounces go there and nowhere else (RFC 3834, 4)."""
        address = landed.sidecar.sender.strip()
        automatic = _AUTOMATIC.search(landed.data[:_HEAD].partition(b"\r\n\r\n")[0])
        if not landed.is_mail or "@" not in address or automatic or self.senders == "none":
            return ()
        if self.senders == "inside" and not within((address.casefold(),), self.inside):
            return ()
        return (address,)
