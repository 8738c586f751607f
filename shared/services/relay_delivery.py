"""Mail handed to the relay, which delivers it by SMTP from inside the government's network.

The relay is never called: it reads the queue ``relay-deliver`` from inside (outbound only) and says
on ``relay-results`` what became of each order. Container ``relay`` holds a copy of what is to be
delivered until then: ``{key}.eml`` the bytes, ``{key}.json`` the order. Names are in the order
alone; a queue message holds the key, which is also what makes the relay deliver once.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime

from shared.audit.event import UNJUDGED, build
from shared.codec import decode, encode
from shared.errors import GoneError, MalformedError, StorageConflictError, UnavailableError
from shared.model import AuditEvent, Claim, Envelope, Item, Outcome, OutcomeState, Step
from shared.policy.exemption import Kind
from shared.ports import Blobs, Clock, Queue
from shared.services.common import decision_of
from shared.services.sidecar import Sidecar
from shared.storage.claimcheck import ClaimCheck
from shared.storage.dead_letters import DeadLetters
from shared.storage.exceptions import LONGEST, Exceptions, Request
from shared.storage.exceptions import event as recorded

CONTAINER, ORDERS, RESULTS = "relay", "relay-deliver", "relay-results"
DELIVERED, FAILED = "delivered", "failed"
RELEASED = "released"
RELEASE, DELETE = "release", "delete"
HELD = "relay/"
"""The start of the id of an item that lies in the relay's own spool."""

_KEY = re.compile(r"[0-9a-f]{64}")
_SPOOLED = re.compile(r"[0-9a-z]{8,64}")
_CODE = re.compile(r"[245][0-9]{2}( [245]\.[0-9]{1,3}\.[0-9]{1,3})?")


@dataclass(frozen=True, slots=True)
class Order:
    """One mail to one recipient; the options are ESMTP's, as the mail came in (RFC 1870, 3461).

    ``changed`` says that the bytes are not those that came in (sanitised, masked, tagged).
    """

    key: str
    sender: str = field(repr=False)
    recipient: str = field(repr=False)
    disposition: str
    item: Item
    first_seen: datetime
    received_at: datetime | None = None
    mail_options: tuple[str, ...] = field(default=(), repr=False)
    recipient_options: tuple[str, ...] = field(default=(), repr=False)
    changed: bool = False
    trace: str = ""
    v: int = 1


def copy_name(key: str) -> str:
    """Where the bytes of an order are."""
    return f"{key}.eml"


def order_name(key: str) -> str:
    """Where an order is."""
    return f"{key}.json"


@dataclass(frozen=True, slots=True)
class RelayDelivery:
    """The cloud's end. ``results`` is the queue that feeds the audit."""

    copies: Blobs
    orders: Queue
    results: Queue
    checks: ClaimCheck
    dead: DeadLetters
    clock: Clock
    exceptions: Exceptions | None = None

    async def hand_over(
        self, claim: Claim, sidecar: Sidecar, data: bytes, *, changed: bool = False
    ) -> Outcome:
        """The copy read back, then the order; may run twice (the relay knows the key).

        The outcome says ``handed_over``: that it was delivered is an event of its own, by
        ``settle``.
        """
        order = _order(claim, sidecar, changed=changed)
        step = await self._copy(order.key, data)
        await self.copies.put(order_name(order.key), encode(order))
        await self.orders.put(encode(_message(order)))
        return Outcome("deliver", OutcomeState.HANDED_OVER, (step, Step("relay_order", "put")))

    async def _copy(self, key: str, data: bytes) -> Step:
        with suppress(StorageConflictError):  # an earlier attempt's copy stands
            await self.copies.put(copy_name(key), data, only_new=True)
        try:
            there = (await self.copies.get(copy_name(key))).data
        except GoneError:  # delivered between the two lines: an earlier attempt's order
            return Step("relay_copy", "read_back_gone")
        if not there:
            message = "the copy for the relay read back is empty"
            raise UnavailableError(message)
        return Step("relay_copy", "read_back")

    async def ask(self, action: str, item: Item, people: Sequence[str]) -> None:
        """Tell the relay that ``people`` decided to ``release`` or ``delete`` what it holds.

        MalformedError where the item is none of the relay's spool. Durable when it returns; the
        relay records what it did, and refuses where policy asks for more people.
        """
        spooled = item.id.removeprefix(HELD)
        if not item.id.startswith(HELD) or not _SPOOLED.fullmatch(spooled):
            message = "the item does not lie in the relay's spool"
            raise MalformedError(message)
        if action not in {RELEASE, DELETE} or not people or any("\n" in each for each in people):
            message = "an order to the relay needs an action and the people who decided"
            raise MalformedError(message)
        body = {"id": spooled, "by": "\n".join(dict.fromkeys(people))}
        await self.orders.put(encode(Envelope(action, first_seen=self.clock(), body=body)))

    async def turned(self, request: Request, *, ended: bool) -> bool:
        """Whether this exception's item lies in the relay's spool, where nothing of ours can scan.

        The relay is asked to let it go when the exception begins. Durable when it returns; twice
        is fine. Its end concerns the delivered copies alone, which rest on it in the mailboxes.
        """
        item = request.item
        if item is None or not item.id.startswith(HELD):
            return False
        if not ended and request.kind is not Kind.SUPPRESSION:
            await self.ask(RELEASE, item, request.people)
        return True

    async def settle(self, envelope: Envelope) -> None:
        """What the relay says became of an order: into the record, and the copy goes.

        What it could not deliver for good is a dead letter of ``relay-deliver``, with its copy, so
        that a person can put it back. What people released at the relay itself (kind ``released``)
        becomes an exception, so that the watch does not stop it again. May run twice.
        """
        if envelope.kind == RELEASED:
            await self._released(await self.checks.event(envelope))
            return
        key, state, code = (envelope.body.get(each, "") for each in ("key", "state", "code"))
        if not _KEY.fullmatch(key) or state not in {DELIVERED, FAILED} or not _CODE.fullmatch(code):
            message = "a result of the relay without a key, a state or a code"
            raise MalformedError(message)
        try:
            order = decode((await self.copies.get(order_name(key))).data, Order)
        except GoneError:  # settled already
            return
        done = OutcomeState.APPLIED if state == DELIVERED else OutcomeState.PARTIAL
        await self._record(order, Outcome("deliver", done, (Step("smtp", code),)))
        if state == FAILED:
            await self.dead.bury(ORDERS, encode(_message(order)), f"smtp {code}")
            return
        await self.copies.delete(copy_name(key))
        await self.copies.delete(order_name(key))

    async def _released(self, event: AuditEvent) -> None:
        people = tuple(step.result for step in event.steps if step.name == "by")
        if self.exceptions is None or not event.item.id.startswith(HELD) or not people:
            message = "a release at the relay without its item or its people"
            raise MalformedError(message)
        kept = await self.exceptions.granted_elsewhere(_granted(event, people, self.clock()))
        told = recorded(kept, self.clock(), event.policy_version)
        await self.results.put(encode(Envelope("result", first_seen=told.time, event=told)))

    async def _record(self, order: Order, outcome: Outcome) -> None:
        """An event of its own that judges nothing again; its id is the order's and the state's."""
        claim = Claim(order.item, order.key, "relay", 0, "", order.first_seen, trace=order.trace)
        event = build(claim, outcome, time=self.clock(), policy_version=UNJUDGED)
        envelope = Envelope("result", first_seen=order.first_seen, event=event, trace=order.trace)
        await self.results.put(await self.checks.pack(envelope))


def _order(claim: Claim, sidecar: Sidecar, *, changed: bool) -> Order:
    index = int(claim.item.recipient)
    options = sidecar.recipient_options
    return Order(
        key=claim.key,
        sender=sidecar.sender,
        recipient=sidecar.recipients[index],
        disposition=decision_of(claim).disposition.name.lower(),
        item=claim.item,
        first_seen=claim.first_seen,
        received_at=sidecar.received_at,
        mail_options=sidecar.mail_options,
        recipient_options=options[index] if index < len(options) else (),
        changed=changed,
        trace=claim.trace,
    )


def _granted(event: AuditEvent, people: tuple[str, ...], now: datetime) -> Request:
    """The exception that follows from what users of the relay's machine decided there."""
    return Request(
        id=hashlib.sha256(f"{event.id}:{RELEASED}".encode()).hexdigest()[:32],
        kind=Kind.RELEASE,
        scope=event.item.place_key(),
        rules=event.rule_ids,
        fingerprints=tuple(dict.fromkeys(each.fingerprint for each in event.findings)),
        gaps=tuple(dict.fromkeys(each.code.value for each in event.gaps)),
        reason="中継サーバで解放 / released at the relay",
        owner=event.owner,
        people=tuple(f"relay:{each}" for each in people),
        needed=len(people),
        asked_at=now,
        expires_at=now + LONGEST,
        place=event.place,
    )


def _message(order: Order) -> Envelope:
    """The message on ``relay-deliver``: no names in it."""
    return Envelope(
        "deliver",
        first_seen=order.first_seen,
        body={"key": order.key},
        ref=copy_name(order.key),
        trace=order.trace,
    )
