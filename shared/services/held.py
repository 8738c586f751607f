"""What is held: the copy of an item that was stopped, judged anew and put back.

``Item.content_version`` is ``held:{key}`` for the copy that the action of the ledger key ``key``
kept as evidence: the source has the item no more, or has a notice in its place. Such an item comes
up when an exception about it begins or ends. Its service reads copy and context from the evidence,
``apply`` of a lower disposition puts it back, and of the same one leaves everything as it is.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

import msgspec

from shared.codec import decode, encode
from shared.model import AuditEvent, Claim, Context, Disposition, Item, Outcome, OutcomeState, Step
from shared.services.common import decision_of, intent_of, keep
from shared.storage.evidence import Evidence

HELD = "held:"


@dataclass(frozen=True, slots=True)
class Described:
    """What a release needs to know, kept beside the copy and nowhere else (it holds names).

    ``more`` is the service's own: a name and a folder, an event's texts.
    """

    item: Item
    context: Context
    more: Mapping[str, object] = field(default_factory=dict, repr=False)


def stopped(event: AuditEvent) -> Item:
    """The item of an event, as it is to be judged anew: its kept copy if there is one."""
    if not event.evidence_ref:
        return event.item
    return replace(event.item, content_version=f"{HELD}{event.id}")


def key_of(item: Item) -> str:
    """The ledger key of the action that kept this copy; empty for an item at its source."""
    version = item.content_version
    return version.removeprefix(HELD) if version.startswith(HELD) else ""


async def describe(evidence: Evidence, claim: Claim, more: Mapping[str, object]) -> None:
    """Write the description, once; before the copy, so that no copy is without one."""
    told = Described(claim.item, intent_of(claim).context, more)
    await keep(evidence, f"{claim.key}.json", encode(told))


async def described(evidence: Evidence, key: str) -> Described:
    """What stands beside a copy; GoneError if it was disposed of."""
    return decode((await evidence.blobs.get(f"{key}.json")).data, Described)


def goes_back(claim: Claim) -> bool:
    """Whether what is held is to be put back: what waits for a review goes on waiting."""
    return decision_of(claim).disposition < Disposition.REVIEW


def stays(claim: Claim, ref: str) -> Outcome:
    """Nothing is done: it is held already."""
    action = "block" if decision_of(claim).disposition is Disposition.BLOCK else "hold"
    return Outcome(action, OutcomeState.UNCHANGED, (Step("evidence", "kept"),), evidence_ref=ref)


def text_of(more: Mapping[str, object], name: str) -> str:
    """A text of a description, or empty."""
    value = more.get(name)
    return value if isinstance(value, str) else ""


def plain(value: object) -> object:
    """JSON values out of an answer of Graph's, so that a description can hold them."""
    return msgspec.to_builtins(value)
