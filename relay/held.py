"""What was stopped: kept in the spool, recorded, told of, and let go or removed by people.

A held mail has a sealed note beside it that says what was decided and which of the steps are done;
each step may run twice (the record inserts an event once, a notice's key is sent once), so a crash
between any two of them is made good by the next look.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime

from relay.cloud import Cloud
from relay.journal import NOTICE
from relay.mails import Post, automatic, first_headers
from relay.notes import Note, event_of
from relay.outbox import Outbox
from relay.releasing import Releasing
from relay.requests import CLOUD, RETRY, Request, take_requests
from relay.routes import find
from relay.settings import Settings
from relay.spool import DEAD, HELD, INCOMING, Letter, Spool
from shared.errors import GoneError, MalformedError, TransientError
from shared.model import AuditEvent, Intent, Outcome, OutcomeState, Step
from shared.policy import Policy
from shared.policy.notices import Notices
from shared.ports import Clock

log = logging.getLogger("sekisho.relay")


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
        releasing: Releasing,
    ) -> None:
        self._settings = settings
        self._spool = spool
        self._outbox = outbox
        self._cloud = cloud
        self._policy = policy
        self._notices = notices
        self._post = post
        self._clock = clock
        self._releasing = releasing
        self._originals: dict[str, datetime] = {}
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
        self._open |= {name for name, end in self._originals.items() if end <= self._clock()}
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
            except Exception as error:  # noqa: BLE001 - one mail must not stop the others
                there = False
                log.error("held mail %s: %s", name, type(error).__name__)  # noqa: TRY400 - the same
        return there

    async def _attend(self, name: str) -> bool:
        note = await asyncio.to_thread(self._spool.noted, name, Note)
        if note is None:
            return True
        if not self._spool.has(HELD, name):
            self._originals.pop(name, None)
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
            left = await self._releasing.carry_out(name, note)
            if left is None:
                self._originals.pop(name, None)
                return True
            note = await self._noted(name, left)
        if note.until is not None:
            await self._original(name, note, note.until)
        return True

    async def _original(self, name: str, note: Note, end: datetime) -> None:
        """What stays beside a sanitised copy that was delivered, until its end."""
        if end > self._clock():
            self._originals[name] = end
            return
        await self._releasing.expire(name, note)
        self._originals.pop(name, None)

    async def _noted(self, name: str, note: Note) -> Note:
        await asyncio.to_thread(self._spool.note, name, note)
        return note

    # ---- the record

    def _event(self, name: str, note: Note, outcome: Outcome) -> AuditEvent:
        return event_of(name, note, outcome, self._clock())

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
            if request.channel == CLOUD:
                await self._releasing.gone(request.name, request.action)
            return "unknown"
        if not note.decided:
            note = self._agreed(note, request)
            await asyncio.to_thread(self._spool.note, request.name, note)
            if request.channel == CLOUD and not note.decided:
                await self._releasing.waits(request.name, note, request, self._needed(note))
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

    def _needed(self, note: Note) -> int:
        return self._policy.people_for(note.intent.decision.rule_ids)

    def _agreed(self, note: Note, request: Request) -> Note:
        """Names count within one channel: one person may be known by two names in two channels."""
        at = f"{request.action}/{request.channel}"
        people = tuple(dict.fromkeys((*note.approvals.get(at, ()), *request.people)))
        approvals = {**note.approvals, at: people}
        if len(people) < self._needed(note):
            return replace(note, approvals=approvals)
        return replace(
            note,
            approvals=approvals,
            decided=request.action,
            by=people,
            channel=request.channel,
        )


def _nobody(name: str) -> None:
    del name
