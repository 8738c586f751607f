"""What was stopped: kept in the spool, recorded, told of, and let go or removed by people.

A held mail has a sealed note beside it that says what was decided and which of the steps are done;
each step may run twice (the record inserts an event once, a notice's key is sent once), so a crash
between any two of them is made good by the next look.
"""

from __future__ import annotations

import asyncio
import hashlib
import logging
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import datetime

from relay.cloud import Cloud
from relay.journal import NOTICE, RELEASED
from relay.mails import Post, automatic, first_headers
from relay.outbox import Outbox
from relay.requests import RETRY, Request, take_requests
from relay.routes import find
from relay.settings import Settings
from relay.spool import DEAD, HELD, INCOMING, Letter, Spool
from shared.audit.event import UNJUDGED, build
from shared.errors import GoneError, MalformedError, TransientError
from shared.model import AuditEvent, Claim, Intent, Item, Outcome, OutcomeState, Step
from shared.policy import Policy
from shared.policy.notices import Notices
from shared.ports import Clock
from shared.services.relay_delivery import HELD as PREFIX
from shared.services.relay_delivery import RELEASE, Order

log = logging.getLogger("sekisho.relay")


@dataclass(frozen=True, slots=True)
class Note:
    """What is known of a held mail. ``approvals``: ``{action}/{channel}`` → who agreed there."""

    intent: Intent
    first_seen: datetime
    trace: str
    recorded: bool = False
    told: bool = False
    approvals: dict[str, tuple[str, ...]] = field(default_factory=dict)
    decided: str = ""
    by: tuple[str, ...] = ()


class Keeper:
    """Looks after ``held``; ``arrived`` is told of a mail that is to be judged again."""

    def __init__(
        self,
        *,
        settings: Settings,
        spool: Spool,
        outbox: Outbox,
        cloud: Cloud,
        policy: Policy,
        notices: Notices,
        post: Post,
        clock: Clock,
    ) -> None:
        self._settings = settings
        self._spool = spool
        self._outbox = outbox
        self._cloud = cloud
        self._policy = policy
        self._notices = notices
        self._post = post
        self._clock = clock
        self._open: set[str] = set()
        self.arrived: Callable[[str], None] = _nobody
        self.changed = asyncio.Event()

    def recover(self) -> None:
        """After a start: every note is looked at once. Blocking."""
        self._open = set(self._spool.noted_names())

    async def keep(self, name: str, intent: Intent, first_seen: datetime, trace: str) -> None:
        """Stopped: out of ``incoming`` for good. Durable when it returns."""
        note = Note(intent, first_seen, trace)
        await asyncio.to_thread(self._spool.note, name, note)
        await asyncio.to_thread(self._spool.move, name, INCOMING, HELD)
        self._open.add(name)
        self.changed.set()

    async def attend(self) -> bool:
        """Do what is open; False where the cloud is away, so that it is tried again later."""
        for request in await asyncio.to_thread(take_requests, self._spool.folder):
            await self.decide(request)
        there = True
        for name in sorted(self._open):
            try:
                if await self._attend(name):
                    self._open.discard(name)
            except TransientError:
                there = False
            except MalformedError:
                log.error("held mail %s cannot be opened", name)  # noqa: TRY400 - no traceback needed
                self._open.discard(name)
        return there

    async def _attend(self, name: str) -> bool:
        note = await asyncio.to_thread(self._spool.noted, name, Note)
        if note is None:
            return True
        if not self._spool.has(HELD, name):
            if not self._spool.has(INCOMING, name):  # else it is judged again and comes back
                await asyncio.to_thread(self._spool.forget, name)
            return True
        if not note.told:
            await self._tell(name, note)
            note = await self._noted(name, replace(note, told=True))
        if not note.recorded:
            steps = (Step("spool", "kept"), Step("landing", "not_sent"))
            outcome = Outcome("hold", OutcomeState.APPLIED, steps)
            await self._cloud.record(self._event(name, note, outcome), note.first_seen, note.trace)
            note = await self._noted(name, replace(note, recorded=True))
        if note.decided:
            await self._carry_out(name, note)
        return True

    async def _noted(self, name: str, note: Note) -> Note:
        await asyncio.to_thread(self._spool.note, name, note)
        return note

    # ---- the record

    def _event(self, name: str, note: Note, outcome: Outcome) -> AuditEvent:
        return build(
            self._claim(name, note),
            outcome,
            time=self._clock(),
            policy_version=note.intent.decision.policy_version,
        )

    def _claim(self, name: str, note: Note) -> Claim:
        item = item_of(name, note.intent)
        key = item.key(note.intent.decision.policy_version)
        return Claim(
            item, key, "relay", 0, "", note.first_seen, intent=note.intent, trace=note.trace
        )

    # ---- notices

    async def _tell(self, name: str, note: Note) -> None:
        if self._settings.notices == "off":
            return
        letter, data = await asyncio.to_thread(self._spool.read, HELD, name, Letter)
        event = self._event(name, note, Outcome("hold", OutcomeState.APPLIED))
        silent = automatic(first_headers(data))
        whom = [("sender", letter.sender)] if letter.sender and not silent else []
        whom += [("recipient", each) for each in dict.fromkeys(letter.recipients)]
        for kind, address in whom:
            if self._may_be_told(address):
                order, mail = self._post.notice(self._notices, kind, event, address)
                await self._outbox.put(NOTICE, order, mail)

    def _may_be_told(self, address: str) -> bool:
        domain = address.rpartition("@")[2].casefold()
        inside = self._settings.notices == "all" or domain in self._settings.inside_domains
        return inside and find(self._settings.routes, address) is not None

    # ---- people's decisions

    async def decide(self, request: Request) -> str:
        """Take in who asks for what; carry it out where enough people have. What it came to."""
        if request.action == RETRY:
            return await self._retry(request.name)
        note = await asyncio.to_thread(self._spool.noted, request.name, Note)
        if note is None or not self._spool.has(HELD, request.name):
            log.warning("%s of %s: no such held mail", request.action, request.name)
            return "unknown"
        if not note.decided:
            note = self._agreed(note, request)
            await asyncio.to_thread(self._spool.note, request.name, note)
        self._open.add(request.name)
        self.changed.set()
        return note.decided or "waits"

    async def _retry(self, name: str) -> str:
        """What lies with the dead goes on where it stopped."""
        if await self._outbox.retry(name):
            return RETRY
        try:
            await asyncio.to_thread(self._spool.move, name, DEAD, INCOMING)
        except GoneError:
            return "unknown"
        self.arrived(name)
        return RETRY

    def _agreed(self, note: Note, request: Request) -> Note:
        """Names count within one channel: one person may be known by two names in two channels."""
        at = f"{request.action}/{request.channel}"
        people = tuple(dict.fromkeys((*note.approvals.get(at, ()), *request.people)))
        approvals = {**note.approvals, at: people}
        needed = self._policy.people_for(note.intent.decision.rule_ids)
        if len(people) < needed:
            return replace(note, approvals=approvals)
        return replace(note, approvals=approvals, decided=request.action, by=people)

    async def _carry_out(self, name: str, note: Note) -> None:
        """Delivered from here, not by way of the cloud's containers; or removed. Recorded first."""
        outcome = Outcome(
            note.decided, OutcomeState.APPLIED, tuple(Step("by", each) for each in note.by)
        )
        event = replace(self._event(name, note, outcome), disposition=UNJUDGED, would_be=UNJUDGED)
        said = hashlib.sha256(f"{event.id}:{note.decided}".encode()).hexdigest()
        await self._cloud.record(replace(event, id=said), note.first_seen, note.trace)
        if note.decided == RELEASE:
            letter, data = await asyncio.to_thread(self._spool.read, HELD, name, Letter)
            for order in self._orders(name, note, letter):
                await self._outbox.put(RELEASED, order, data)
        await asyncio.to_thread(self._spool.remove, HELD, name)
        await asyncio.to_thread(self._spool.forget, name)
        log.info("%s: %s", name, "released" if note.decided == RELEASE else "deleted")

    def _orders(self, name: str, note: Note, letter: Letter) -> list[Order]:
        claim = self._claim(name, note)
        return [
            Order(
                key=hashlib.sha256(f"{claim.key}:{RELEASE}:{index}".encode()).hexdigest(),
                sender=letter.sender,
                recipient=recipient,
                disposition=RELEASE,
                item=replace(claim.item, recipient=str(index)),
                first_seen=note.first_seen,
                received_at=letter.received_at,
                mail_options=letter.mail_options,
                recipient_options=letter.recipient_options[index]
                if index < len(letter.recipient_options)
                else (),
                trace=note.trace,
            )
            for index, recipient in enumerate(letter.recipients)
        ]


def _nobody(name: str) -> None:
    del name


def item_of(name: str, intent: Intent) -> Item:
    """A held mail as the record knows it: one item, whoever it was for."""
    return Item("gate", f"{PREFIX}{name}", "0", intent.content_digest)
