"""The audit event of one decision: what was decided and what became of it. Pure."""

from __future__ import annotations

import hashlib
from datetime import datetime

from shared.model import AuditEvent, Claim, Outcome

# What is said of an item that was gone, or had moved on, before anyone could read it: it was not
# judged, so it has no disposition. Never "allow".
UNJUDGED = "none"


def build(claim: Claim, outcome: Outcome, *, time: datetime, policy_version: str) -> AuditEvent:
    """The event of a claim; ``seconds`` run from when the item was first seen to ``time``.

    Without an intent (gone or superseded before it was read) the disposition is ``none`` and the
    id another one: should the item come back, its decision is an event of its own.
    """
    intent = claim.intent
    decision = intent.decision if intent else None
    context = intent.context if intent else None
    return AuditEvent(
        id=claim.key if intent else _unjudged(claim.key, outcome),
        time=time,
        item=claim.item,
        disposition=decision.disposition.name.lower() if decision else UNJUDGED,
        would_be=decision.would_be.name.lower() if decision else UNJUDGED,
        mode=decision.mode.value if decision else UNJUDGED,
        policy_version=decision.policy_version if decision else policy_version,
        rule_ids=decision.rule_ids if decision else (),
        action=outcome.action,
        action_state=outcome.state.value,
        steps=outcome.steps,
        findings=decision.findings if decision else (),
        gaps=decision.gaps if decision else (),
        place=context.place if context else "",
        owner=context.owner if context else "",
        seconds=round(max((time - claim.first_seen).total_seconds(), 0.0), 3),
        trace=claim.trace,
        evidence_ref=outcome.evidence_ref,
        context=context,
        found=claim.found,
    )


def _unjudged(key: str, outcome: Outcome) -> str:
    return hashlib.sha256(f"{key}:{outcome.state.value}".encode()).hexdigest()
