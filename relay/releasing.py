"""What people decided on a held mail, carried out: delivered from here, or removed.

It never goes by way of the cloud's containers. A mail from outside is sanitised first, as the gate
would: its original stays in the spool for some days, and another release is of that original. What
cannot be sanitised stays, says why, and goes as it came if people release it knowing that. Recorded
before it is done; each step may run twice.
"""

from __future__ import annotations

import asyncio
import hashlib
import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from datetime import timedelta

from relay.cleaning import Cleaned
from relay.cloud import Cloud
from relay.journal import RELEASED
from relay.notes import SENT, UNCLEAN, Note, claim_of, event_of
from relay.outbox import Outbox
from relay.requests import LOCAL, Request
from relay.spool import HELD, Letter, Spool
from shared.audit.event import UNJUDGED, build
from shared.model import AuditEvent, Claim, Item, Outcome, OutcomeState, Step
from shared.ports import Clock
from shared.services.gate.clean import CLEAN, SAME
from shared.services.gate.clean import HELD as NOT_CLEAN
from shared.services.gate.letters import original_letter
from shared.services.relay_delivery import DELETE, RELEASE, Order
from shared.services.relay_delivery import HELD as PREFIX
from shared.services.release_header import ReleaseHeader, message_id

log = logging.getLogger("sekisho.relay")

type Clean = Callable[[str, str], Awaitable[Cleaned]]
"""State and name of a spooled mail → the mail as it may be opened."""


@dataclass(frozen=True, slots=True)
class Releasing:
    """``header`` says to the watch what was released; ``keep`` is how long originals stay."""

    spool: Spool
    outbox: Outbox
    cloud: Cloud
    clock: Clock
    clean: Clean | None = None
    header: ReleaseHeader | None = None
    keep: timedelta = timedelta(days=30)

    async def carry_out(self, name: str, note: Note) -> Note | None:
        """The note of what stays, None where the mail has left. TransientError: again."""
        if note.decided != RELEASE:
            await self._record(name, note, _by(note))
            await self._leave(name, "deleted")
            return None
        letter, data = await asyncio.to_thread(self.spool.read, HELD, name, Letter)
        cleaned = Cleaned(SAME, data)
        if self.clean is not None and not note.clean:
            cleaned = await self.clean(HELD, name)
        if cleaned.state == NOT_CLEAN:
            return await self._unclean(name, note, cleaned)
        changed = cleaned.state == CLEAN
        event = await self._record(name, note, (*_by(note), *_steps(note, changed=changed)))
        if note.channel == LOCAL:  # what people granted in the cloud is known there
            await self.cloud.released(event, note.first_seen, note.trace)
        for order in self._orders(name, note, letter, changed=changed):
            await self.outbox.put(RELEASED, order, self._made(note, order, cleaned.data))
        if not changed:
            await self._leave(name, "released")
            return None
        log.info("%s: a sanitised copy is released, the original stays", name)
        return replace(_undecided(note), clean=SENT, until=self.clock() + self.keep)

    async def expire(self, name: str, note: Note) -> None:
        """Nobody asked for the original in time: it goes, and that is on the record."""
        gone = replace(note, decided=DELETE, by=())
        await self._record(name, gone, (Step("original", "expired"),))
        await self._leave(name, "the original is removed at its end")

    async def waits(self, name: str, note: Note, request: Request, needed: int) -> None:
        """The cloud asked with fewer people than this machine's policy wants: it is told so."""
        step = Step("people", f"{len(set(request.people))}/{needed}")
        made = event_of(
            name, note, Outcome(request.action, OutcomeState.UNCHANGED, (step,)), self.clock()
        )
        said = _derived(f"{made.id}:{request.action}:{step.result}")
        event = replace(made, id=said, disposition=UNJUDGED, would_be=UNJUDGED)
        await self.cloud.record(event, note.first_seen, note.trace)

    async def gone(self, name: str, action: str) -> None:
        """The cloud asked for what is not held here any more: it is told so."""
        now, item = self.clock(), Item("gate", f"{PREFIX}{name}", "0", "")
        claim = Claim(item, _derived(f"{name}:{action}"), "relay", 0, "", now)
        outcome = Outcome(action, OutcomeState.GONE, (Step("spool", "gone"),))
        event = build(claim, outcome, time=now, policy_version=UNJUDGED)
        await self.cloud.record(event, now, "")

    async def _leave(self, name: str, what: str) -> None:
        await asyncio.to_thread(self.spool.remove, HELD, name)
        await asyncio.to_thread(self.spool.forget, name)
        log.info("%s: %s", name, what)

    async def _record(self, name: str, note: Note, steps: tuple[Step, ...]) -> AuditEvent:
        made = event_of(
            name, note, Outcome(note.decided, OutcomeState.APPLIED, steps), self.clock()
        )
        event = replace(
            made,
            id=_derived(":".join(filter(None, (made.id, note.decided, note.clean)))),
            disposition=UNJUDGED,
            would_be=UNJUDGED,
            gaps=(*made.gaps, *note.gaps),
        )
        await self.cloud.record(event, note.first_seen, note.trace)
        return event

    async def _unclean(self, name: str, note: Note, cleaned: Cleaned) -> Note:
        """It stays: a person must know that it would go as it came."""
        why = tuple(Step("sanitise", each.code.value) for each in cleaned.gaps)
        made = event_of(name, note, Outcome("hold", OutcomeState.APPLIED, why), self.clock())
        event = replace(made, id=_derived(f"{made.id}:sanitise"), gaps=(*made.gaps, *cleaned.gaps))
        await self.cloud.record(event, note.first_seen, note.trace)
        log.warning("%s: released, but it cannot be sanitised: it stays", name)
        return replace(_undecided(note), clean=UNCLEAN, gaps=cleaned.gaps)

    def _made(self, note: Note, order: Order, data: bytes) -> bytes:
        """What is sent; an original of a delivered copy goes inside a mail of its own."""
        if note.clean == SENT:
            at = order.received_at or order.first_seen
            data = original_letter(order.recipient, data, at=at, key=order.key)
        if self.header is None:
            return data
        item = replace(order.item, recipient="0")  # the record knows one item, whoever it is for
        bound = message_id(data, order.key)
        return self.header.stamp(data, item.place_key(), order.key, bound)

    def _orders(self, name: str, note: Note, letter: Letter, *, changed: bool) -> list[Order]:
        claim = claim_of(name, note)
        what = f"{RELEASE}:{note.clean}" if note.clean else RELEASE
        ours = note.clean == SENT  # our mail answers to nobody: the null sender (RFC 3834, 3.3)
        options = () if ours else letter.recipient_options
        return [
            Order(
                key=_derived(f"{claim.key}:{what}:{index}"),
                sender="" if ours else letter.sender,
                recipient=recipient,
                disposition=RELEASE,
                item=replace(claim.item, recipient=str(index)),
                first_seen=note.first_seen,
                received_at=letter.received_at,
                mail_options=() if ours else letter.mail_options,
                recipient_options=options[index] if index < len(options) else (),
                changed=changed or ours,
                trace=note.trace,
            )
            for index, recipient in enumerate(letter.recipients)
        ]


def _by(note: Note) -> tuple[Step, ...]:
    return tuple(Step("by", each) for each in note.by)


def _steps(note: Note, *, changed: bool) -> tuple[Step, ...]:
    if changed:
        return (Step("sanitised", "clean"), Step("original", "kept"))
    if note.clean == SENT:
        return (Step("original", "delivered"),)
    return tuple(Step("sanitise", each.code.value) for each in note.gaps)


def _undecided(note: Note) -> Note:
    return replace(note, decided="", by=(), approvals={}, channel="")


def _derived(said: str) -> str:
    return hashlib.sha256(said.encode()).hexdigest()
