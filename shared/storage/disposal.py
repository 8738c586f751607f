"""The end of a kept copy: asked for by one person, ordered by as many as policy says, carried out.

The console may not touch the evidence. What was decided there is an order in the table
``exceptions`` (partition ``disposals``), which the role that keeps the evidence carries out; it
reads back that the copy is gone before it says so, and the record has an event of it.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime

from shared.audit.event import UNJUDGED
from shared.codec import decode, encode
from shared.errors import RefusedError, StorageConflictError
from shared.model import AuditEvent, Envelope, Item, Step
from shared.ports import Blobs, Clock, Queue, Row, Table, Value

PARTITION, DONE = "disposals", "disposals-done"
CONTAINERS = ("quarantine", "evidence")
SOURCE = "evidence"  # of the event that says that a copy is gone
STATES = ("", "asked", "ordered", "deleted")
BEYOND_REVIEW = ("confirmed", "released", "closed")


def people(values: Mapping[str, Value]) -> list[str]:
    """Who has asked for the end of an incident's copy so far."""
    return decode(str(values.get("copy_people") or "[]"), list[str])


def asked(values: Mapping[str, Value], action: str, who: str, needed: int) -> dict[str, Value]:
    """The values after ``ask_delete``, ``delete`` or ``keep``; RefusedError where it does not fit.

    ``needed`` is how many different people policy wants; an identity counts once however it asks.
    """
    state, before = str(values.get("copy") or ""), people(values)
    identity = who.strip().casefold()
    needed = max(needed, _whole(values.get("copy_needed", 1)))
    if action == "keep" and state == "asked":
        return {**values, "copy": "", "copy_people": "[]", "copy_needed": 1}
    first = action == "ask_delete" and state == "" and bool(values["evidence_ref"])
    second = action == "delete" and state == "asked" and identity not in before
    if not identity or not (first or second):
        message = f"{action} does not fit what is asked for the copy"
        raise RefusedError(message)
    every = [*before, identity]
    now = "ordered" if len(every) >= needed else "asked"
    told = encode(every).decode()
    return {**values, "copy": now, "copy_people": told, "copy_needed": needed}


def _whole(value: Value) -> int:
    assert isinstance(value, int)
    return value


@dataclass(frozen=True, slots=True)
class Order:
    """What is to be deleted: references to copies, of which incident, and who wanted it."""

    incident: str
    refs: tuple[str, ...]
    people: tuple[str, ...]
    time: datetime


@dataclass(frozen=True, slots=True)
class Disposals:
    """The orders; ``table`` is ``exceptions``."""

    table: Table
    clock: Clock

    async def order(self, incident: str, refs: list[str], who: list[str]) -> str:
        """Order once; ``ordered`` until it is done, then ``deleted``. Idempotent."""
        key = _key(incident)
        if await self.table.get(DONE, key) is not None:
            return "deleted"
        order = Order(incident, tuple(refs), tuple(who), self.clock())
        with suppress(StorageConflictError):  # ordered already
            await self.table.insert(Row(PARTITION, key, {"order": encode(order).decode()}))
        return "ordered"

    async def due(self, limit: int = 100) -> list[Order]:
        """Orders that nobody has carried out."""
        rows = [row async for row in self.table.query(PARTITION, limit=limit)]
        return [decode(str(row.values["order"]), Order) for row in rows]

    async def done(self, order: Order) -> None:
        """It is carried out."""
        key = _key(order.incident)
        await self.table.put(Row(DONE, key, {"time": self.clock()}))
        await self.table.delete(PARTITION, key)


@dataclass(frozen=True, slots=True)
class Disposer:
    """Carries orders out. ``blobs`` gives a container of the evidence's account by its name."""

    disposals: Disposals
    blobs: Callable[[str], Blobs]
    results: Queue
    clock: Clock

    async def run(self) -> int:
        """Every order that is due; how many. May be cut off anywhere: each step is idempotent."""
        orders = await self.disposals.due()
        for order in orders:
            steps = [await self._delete(ref) for ref in order.refs]
            event = _event(order, tuple(steps), self.clock())
            await self.results.put(encode(Envelope("result", first_seen=event.time, event=event)))
            await self.disposals.done(order)
        return len(orders)

    async def _delete(self, ref: str) -> Step:
        """The copy, and the description beside it, in no other container than the two."""
        container, _, name = ref.partition("/")
        if container not in CONTAINERS or not name:
            return Step("copy", "not a copy of ours")
        blobs, stem = self.blobs(container), name.rpartition(".")[0] or name
        for each in dict.fromkeys((name, f"{stem}.json")):
            await blobs.delete(each)
        gone = await blobs.properties(name) is None
        return Step("copy", "404 on read-back" if gone else "still there")


def _event(order: Order, steps: tuple[Step, ...], now: datetime) -> AuditEvent:
    gone = all(step.result.startswith("404") for step in steps)
    said = f"dispose:{order.incident}"
    return AuditEvent(
        id=hashlib.sha256(said.encode()).hexdigest(),
        time=now,
        item=Item(SOURCE, order.incident, "", ""),
        disposition=UNJUDGED,
        would_be=UNJUDGED,
        mode=UNJUDGED,
        policy_version="",
        rule_ids=(),
        action="dispose",
        action_state="applied" if gone else "partial",
        steps=(*steps, *(Step("person", each) for each in order.people)),
        findings=(),
        gaps=(),
        place=SOURCE,
        owner="",
        seconds=0.0,
        trace="",
    )


def _key(incident: str) -> str:
    return hashlib.sha256(incident.encode()).hexdigest()
