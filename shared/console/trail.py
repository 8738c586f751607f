"""Who looked at what and who did what: events of their own kind in the audit log.

They go by the queue of results, like every other event: the console cannot write the record.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import datetime

from shared.audit.event import UNJUDGED
from shared.codec import encode
from shared.console.session import User
from shared.model import AuditEvent, Envelope, Item, Step
from shared.ports import Clock, Queue

SOURCE = "console"


@dataclass(frozen=True, slots=True)
class Trail:
    """``results`` is the queue ``scan-results``."""

    results: Queue
    clock: Clock

    async def note(self, user: User, action: str, ref: str, version: str = "") -> None:
        """Durable when it returns.

        ``version`` makes an action one event however often it is told; without one (a view) each
        time is an event.
        """
        now = self.clock()
        event = deed(user, action, ref, version or f"{now.isoformat()} {user.session}", now)
        await self.results.put(encode(Envelope("result", first_seen=now, event=event)))


def deed(user: User, action: str, ref: str, version: str, now: datetime) -> AuditEvent:
    """The event; ``ref`` is an opaque id (an incident, a dead letter, a page), never content."""
    parts = (SOURCE, action, ref, version, user.id)
    joined = "".join(f"{len(part)}:{part}" for part in parts)
    return AuditEvent(
        id=hashlib.sha256(joined.encode()).hexdigest(),
        time=now,
        item=Item(SOURCE, ref, user.id, version),
        disposition=UNJUDGED,
        would_be=UNJUDGED,
        mode=UNJUDGED,
        policy_version="",
        rule_ids=(),
        action=f"console.{action}",
        action_state="recorded",
        steps=(Step("role", ",".join(user.roles)),),
        findings=(),
        gaps=(),
        place=SOURCE,
        owner=user.id,
        seconds=0.0,
        trace="",
    )
