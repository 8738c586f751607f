"""Hints and jobs become items: what changed is looked up, and each version is enqueued.

A hint is not an item: a drive's notification names none. Mail, events and Teams messages are
resolved by id, drives by one delta at a time under a lease; the sweep asks the same deltas without
a hint, so that nothing depends on a notification's arrival. A delta's link is saved only after
everything that it told of is on a queue, so a crash repeats work and loses none (the ledger knows
what is done already).
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Coroutine
from dataclasses import dataclass, replace
from typing import Any

from shared.codec import encode
from shared.errors import GoneError, MalformedError, PermanentError
from shared.graph import calls
from shared.graph.client import Graph
from shared.graph.subscriptions import Account, Subscriptions
from shared.graph.webhook import job
from shared.model import Envelope, Item
from shared.ports import Clock, Ledger, Queue
from shared.services.cohorts import members
from shared.services.common import Onward
from shared.services.deltas import DriveDelta, MailDelta
from shared.services.event_delta import EventDelta
from shared.services.replays import Replays
from shared.services.sites import Sites
from shared.services.teams_hints import TeamsHints

# Graph's delta may lag behind its own notification: when a hint's delta shows nothing, look again.
_LAG = 60.0
_AT_ONCE = 25  # enrolments a second
# Sources whose notifications name an item, how it is asked for, and its parameter's name.
_BY_ID = {"mail": (calls.MESSAGE_GET, "message"), "calendar": (calls.EVENT_GET, "event")}

type Refresh = Callable[[], Awaitable[object]]
"""Has the cohorts be what their groups are now."""


@dataclass(frozen=True, slots=True)
class Resolver:
    """``hint`` and ``job`` take one envelope each and return how many items they enqueued.

    BusyError while another worker holds the drive, TransientError where Graph is not there: to be
    re-enqueued with a delay. PermanentError: a dead letter.
    """

    graph: Graph
    subscriptions: Subscriptions
    drives: DriveDelta
    mails: MailDelta
    onward: Onward
    jobs: Queue
    ledger: Ledger
    clock: Clock
    events: EventDelta | None = None
    teams: TeamsHints | None = None
    watch: tuple[str, ...] = ()
    sources: tuple[str, ...] = ()
    replays: Replays | None = None
    refresh: Refresh | None = None
    sites: Sites | None = None

    async def hint(self, envelope: Envelope) -> int:
        """Something changed: mail, an event or a message by its id, a drive by its delta.

        What was told before asks for nothing (see ``Replays``).
        """
        told = envelope.body.get("told", "")
        if self.replays is not None and await self.replays.seen(told):
            return 0
        count = await self._hint(envelope)
        if self.replays is not None:
            self.replays.note(told)
        return count

    async def _hint(self, envelope: Envelope) -> int:
        body = envelope.body
        account = await self.subscriptions.account(_text(body, "source"), _text(body, "account"))
        if account.source in _BY_ID:
            return await self._one(account, envelope)
        if account.source == "teams":
            return await _part(self.teams).hint(envelope)
        if not account.drive:
            account = await self.subscriptions.enrol(account.source, account.ref)
        result = await self.drives.run(
            account.drive, since=envelope.first_seen, trace=envelope.trace
        )
        if result.ran and not result.seen:
            await self._again(account)
        return result.enqueued

    async def job(self, envelope: Envelope) -> int:
        """A timer's work for one account: ``enrol``, ``renew``, ``sweep`` or ``end``.

        Without an account: ``enrol_all``, ``enrol_sites`` and ``cohorts``.
        """
        name = _text(envelope.body, "job")
        if name == "enrol_all":
            return await self._enrol_all()
        if name == "enrol_sites":
            return await _part(self.sites).enrol_all()
        if name == "cohorts":
            await _part(self.refresh)()
            return 0
        work = self._jobs().get(name)
        if work is None:
            message = "a job of an unknown kind"
            raise MalformedError(message)
        source, ref = _text(envelope.body, "source"), _text(envelope.body, "account")
        return await work(source, ref, envelope)

    def _jobs(self) -> dict[str, Callable[[str, str, Envelope], Coroutine[Any, Any, int]]]:
        return {
            "enrol": self._enrol,
            "renew": self._renew,
            "sweep": self._sweep,
            "end": self._end,
        }

    async def _enrol_all(self) -> int:
        """Ask the named groups who is in them; a job each for who is new, due or gone.

        Graph takes 1,000 subscriptions in 20 seconds, so the jobs are spread over time.
        """
        users = await members(self.graph, self.watch)
        count = 0
        async for each in self.subscriptions.jobs(dict.fromkeys(self.sources, users)):
            await self.jobs.put(encode(each), delay=count // _AT_ONCE)
            count += 1
        return 0

    async def _enrol(self, source: str, ref: str, envelope: Envelope) -> int:
        """Subscribe, then look once: what came between is in the first delta."""
        del envelope
        await self.subscriptions.enrol(source, ref)
        await self.jobs.put(encode(job("sweep", source, ref, self.clock())))
        return 0

    async def _renew(self, source: str, ref: str, envelope: Envelope) -> int:
        del envelope
        await self.subscriptions.renew(source, ref)
        return 0

    async def _end(self, source: str, ref: str, envelope: Envelope) -> int:
        del envelope
        if source == "site":
            await _part(self.sites).end(ref)
        await self.subscriptions.end(source, ref)
        return 0

    async def _sweep(self, source: str, ref: str, envelope: Envelope) -> int:
        count = await self._swept(source, ref, envelope)
        await self.subscriptions.swept(source)
        return count

    async def _swept(self, source: str, ref: str, envelope: Envelope) -> int:
        account = await self.subscriptions.account(source, ref)
        if source == "mail":
            return await self.mails.run(account.user)
        if source == "calendar":
            return await _part(self.events).run(account.user)
        if source in {"teams", "chats"}:
            return await _part(self.teams).swept(source, account.user)
        if source == "site":
            return await _part(self.sites).look(account)
        if not account.drive:
            account = await self.subscriptions.enrol(source, ref)
        try:
            return (await self.drives.run(account.drive, since=envelope.first_seen)).enqueued
        except GoneError:
            if source != "library":
                raise
        await self.subscriptions.end(source, ref)  # a library that was deleted with its site
        return 0

    async def _one(self, account: Account, envelope: Envelope) -> int:
        body = envelope.body
        call, name = _BY_ID[account.source]
        item = Item(account.source, _text(body, "id"), account.user, body.get("version", ""))
        if not item.content_version:
            params = {"user": item.recipient, name: item.id}
            try:
                answer = await self.graph.send(call, params, query={"select": "id,changeKey"})
            except GoneError:
                return 0
            item = replace(item, content_version=str(answer.json()["changeKey"]))
        if await self.ledger.is_own_write(item):
            return 0
        await self.onward.put(item, trace=envelope.trace)
        return 1

    async def _again(self, account: Account) -> None:
        later = job("sweep", account.source, account.ref, self.clock())
        await self.jobs.put(encode(later), delay=_LAG)


def _part[T](part: T | None) -> T:
    """A source that this deployment does not watch has no hints; one from before it stopped may."""
    if part is None:
        message = "a message of a source that is not watched"
        raise PermanentError(message)
    return part


def _text(body: dict[str, str], name: str) -> str:
    value = body.get(name, "")
    if not value:
        message = f"a message without {name}"
        raise MalformedError(message)
    return value
