"""What waits in the relay's spool, inside the government's network: what it said of it so far.

The relay is never called. A release that people granted here is an order that it fetches; what it
did with it comes back as events of the same item.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from shared.console.desk import Desk
from shared.model import AuditEvent, OutcomeState, Step
from shared.policy.exemption import Kind
from shared.ports import Row
from shared.services.relay_delivery import DELETE, HELD, RELEASE
from shared.storage.exceptions import Request

ORIGINAL = Step("original", "kept")
"""The step that says: a clean copy was delivered, the original still waits in the spool."""
_DONE = frozenset({RELEASE, DELETE, "deliver", "hold"})
_SHOWN = 20


@dataclass(frozen=True, slots=True)
class Told:
    """``rows`` are the relay's events of the item, the newest first; ``original`` still waits."""

    rows: tuple[Row, ...] = ()
    ordered: bool = False
    original: bool = False


async def told(desk: Desk, events: Sequence[AuditEvent], requests: Sequence[Request]) -> Told:
    """What the relay told of an incident's items; nothing where none of them lies there."""
    there = [each for each in events if each.item.id.startswith(HELD)]
    if not there:
        return Told()
    found = [row for each in there for row in await desk.pages.audit.of_item(each.item.id)]
    rows = [row for row in found if row.values["action"] in _DONE]
    places = {each.item.place_key() for each in there}
    granted = [
        each.granted_at
        for each in requests
        if each.kind is Kind.RELEASE and each.granted_at and each.scope in places
    ]
    said = [row for row in rows if row.values["action"] in {RELEASE, DELETE}]
    done = [row for row in said if row.values["action_state"] == OutcomeState.APPLIED]
    open_now = bool(granted) and not any(_after(row, max(granted)) for row in said)
    last = await desk.event(str(done[0].values["event"])) if done else None
    original = last is not None and ORIGINAL in last.steps
    return Told(tuple(rows[:_SHOWN]), ordered=open_now, original=original)


def covers(request: Request, event: AuditEvent) -> bool:
    """Whether a release is of all that stopped the item this time."""
    values = {each.fingerprint for each in event.findings}
    gaps = {each.code.value for each in event.gaps}
    return values <= set(request.fingerprints) and gaps <= set(request.gaps)


def _after(row: Row, moment: datetime) -> bool:
    time = row.values["time"]
    return isinstance(time, datetime) and time >= moment
