"""What is known of a held mail, sealed beside it; and how the record names it."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime

from shared.audit.event import build
from shared.model import AuditEvent, Claim, Gap, Intent, Item, Outcome
from shared.services.relay_delivery import HELD as PREFIX

SENT, UNCLEAN = "sent", "unclean"


@dataclass(frozen=True, slots=True)
class Note:
    """``approvals``: ``{action}/{channel}`` → who agreed there; ``channel``: where it was decided.

    ``clean`` is ``sent`` where a sanitised copy was delivered and the original stays until
    ``until``, ``unclean`` where the mail cannot be sanitised (``gaps`` say why); in both cases the
    next release is of the mail as it came.
    """

    intent: Intent
    first_seen: datetime
    trace: str
    recorded: bool = False
    told: bool = False
    approvals: dict[str, tuple[str, ...]] = field(default_factory=dict)
    decided: str = ""
    by: tuple[str, ...] = ()
    channel: str = ""
    clean: str = ""
    gaps: tuple[Gap, ...] = ()
    until: datetime | None = None


def item_of(name: str, intent: Intent) -> Item:
    """A held mail as the record knows it: one item, whoever it was for."""
    return Item("gate", f"{PREFIX}{name}", "0", intent.content_digest)


def claim_of(name: str, note: Note) -> Claim:
    """The claim that its events are built from."""
    item = item_of(name, note.intent)
    key = item.key(note.intent.decision.policy_version)
    return Claim(item, key, "relay", 0, "", note.first_seen, intent=note.intent, trace=note.trace)


def event_of(name: str, note: Note, outcome: Outcome, now: datetime) -> AuditEvent:
    """The event of a held mail; its id is always the same."""
    version = note.intent.decision.policy_version
    return build(claim_of(name, note), outcome, time=now, policy_version=version)
