"""Out of the spool by SMTP: each recipient once, the oldest mail first, again where it must wait.

The order of the writes is the promise: ``sending`` is on the disk before the data goes out, the
answer is on the disk before anybody is told of it, and the mail leaves the spool last.
"""

from __future__ import annotations

import asyncio
import logging
import re
from collections.abc import Mapping
from dataclasses import dataclass

from relay.client import Answer, Hops
from relay.cloud import Cloud
from relay.journal import DELIVERED, FAILED, ORDER, RELEASED, REPORT, Entry, Journal
from relay.mails import DELAYED, RELAYED, Post, report_order, wanted
from relay.mails import FAILED as NOT_DELIVERED
from relay.outbox import Outbox, Outgoing
from relay.routes import Route, find
from relay.spool import OUTGOING, Spool
from shared.audit.event import UNJUDGED, build
from shared.errors import GoneError, MalformedError, TransientError
from shared.model import Claim, Outcome, OutcomeState, Step
from shared.ports import Clock
from shared.services.relay_delivery import Order

HEADER = b"X-Sekisho-Id"
LATE = 4 * 3600.0  # seconds after which a sender who wants to know is told of the delay
IDLE = 1.0
LONGEST = 60.0
_MESSAGE_ID = re.compile(rb"^Message-ID:", re.IGNORECASE | re.MULTILINE)
log = logging.getLogger("sekisho.relay")


@dataclass(frozen=True, slots=True)
class Patience:
    """Pauses and the end of trying, in seconds."""

    first: float
    longest: float
    give_up: float

    def pause(self, attempts: int) -> float:
        """After so many attempts."""
        return min(self.first * float(2 ** min(attempts, 20)), self.longest)


class Delivery:
    """Two tasks: ``work`` sends, ``tell`` says what became of it."""

    def __init__(
        self,
        *,
        spool: Spool,
        journal: Journal,
        outbox: Outbox,
        hops: Hops,
        cloud: Cloud,
        post: Post,
        routes: Mapping[str, Route],
        patience: Patience,
        at_a_time: int,
        clock: Clock,
    ) -> None:
        self._spool = spool
        self._journal = journal
        self._outbox = outbox
        self._hops = hops
        self._cloud = cloud
        self._post = post
        self._routes = routes
        self._patience = patience
        self._at_a_time = at_a_time
        self._clock = clock
        self._busy: dict[str, asyncio.Task[None]] = {}
        self._settled = asyncio.Event()
        self.delivered = 0

    async def work(self) -> None:
        """Until cancelled; then what is being sent is finished first (see ``finish``)."""
        while True:
            self._outbox.more.clear()
            free = self._at_a_time - len(self._busy)
            due = await asyncio.to_thread(self._journal.due, self._now(), self._at_a_time * 2)
            fresh = [each for each in due if each.key not in self._busy][: max(free, 0)]
            for entry in fresh:
                task = asyncio.create_task(self._attempt(entry))
                self._busy[entry.key] = task
                task.add_done_callback(lambda _, key=entry.key: self._over(key))  # type: ignore[misc]
            if not fresh or free <= len(fresh):
                await self._something()

    def _over(self, key: str) -> None:
        del self._busy[key]
        self._outbox.more.set()

    async def _something(self) -> None:
        """A mail came, an attempt ended, or a pause may be over."""
        try:
            await asyncio.wait_for(self._outbox.more.wait(), IDLE)
        except TimeoutError:
            return

    async def finish(self) -> None:
        """Wait for what is being sent now."""
        await asyncio.gather(*list(self._busy.values()), return_exceptions=True)
        await self._hops.close()

    async def _attempt(self, entry: Entry) -> None:
        try:
            await self.attempt(entry)
        except Exception as error:  # noqa: BLE001 - one mail must not stop the others
            log.error("%s could not be sent: %s", entry.key[:16], type(error).__name__)  # noqa: TRY400
            at = self._now() + LONGEST
            await asyncio.to_thread(self._journal.later, entry.key, self._now(), at, "451 4.3.0")

    async def attempt(self, entry: Entry) -> None:
        """One mail to its next hop."""
        try:
            out, data = await asyncio.to_thread(self._spool.read, OUTGOING, entry.key, Outgoing)
        except (GoneError, MalformedError) as error:
            log.error("%s is %s", entry.key[:16], type(error).__name__)  # noqa: TRY400
            await self._done(entry, FAILED, "554 5.3.0")
            return
        route = find(self._routes, out.order.recipient)
        if route is None:
            answer = Answer("451 4.4.4", delivered=False, final=False)
        else:
            answer = await self._hops.send(
                route, out.order, stamped(out.order, data), lambda: self._sending(entry.key)
            )
        await self._answered(entry, out, data, answer)

    async def _sending(self, key: str) -> None:
        await asyncio.to_thread(self._journal.sending, key, self._now())

    async def _answered(self, entry: Entry, out: Outgoing, data: bytes, answer: Answer) -> None:
        age = self._now() - entry.first_seen
        if answer.delivered:
            if not answer.tracked:
                await self._report(RELAYED, out, answer.code, data)
            await self._done(entry, DELIVERED, answer.code)
            self.delivered += 1
            return
        if answer.final or age > self._patience.give_up:
            await self._report(NOT_DELIVERED, out, answer.code, data)
            log.error("%s was refused for good: %s", entry.key[:16], answer.code)
            await self._done(entry, FAILED, answer.code)
            return
        if age > LATE:
            await self._report(DELAYED, out, answer.code, data)
        at = self._now() + self._patience.pause(entry.attempts)
        await asyncio.to_thread(self._journal.later, entry.key, self._now(), at, answer.code)

    async def _report(self, action: str, out: Outgoing, code: str, data: bytes) -> None:
        order = out.order
        if not wanted(action, order) or find(self._routes, order.sender) is None:
            return
        report = report_order(action, order, self._clock())
        mail = self._post.report(action, order, code, data, self._clock())
        await self._outbox.put(REPORT, report, mail)

    async def _done(self, entry: Entry, state: str, code: str) -> None:
        await asyncio.to_thread(self._journal.done, entry.key, self._now(), state, code)
        self._settled.set()

    def _now(self) -> float:
        return self._clock().timestamp()

    # ---- what became of it

    async def tell(self) -> None:
        """Until cancelled: the cloud is told, then the mail leaves the spool."""
        pause = IDLE
        while True:
            self._settled.clear()
            try:
                told = await self.tell_all()
                pause = IDLE
            except TransientError as error:
                told = 0
                pause = min(pause * 2, LONGEST)
                log.warning("the cloud is away (%s): it is told later", error)
            if not told:
                try:
                    await asyncio.wait_for(self._settled.wait(), pause)
                except TimeoutError:
                    continue

    async def tell_all(self) -> int:
        """One batch; how many. TransientError while the cloud is away."""
        entries = await asyncio.to_thread(self._journal.untold, 50)
        for entry in entries:
            if entry.kind == ORDER:
                await self._cloud.tell(entry.key, entry.state, entry.code)
            elif entry.kind == RELEASED:
                await self._record(entry)
            await asyncio.to_thread(self._journal.told, entry.key, self._now())
            await asyncio.to_thread(self._outbox.leave, entry)
        return len(entries)

    async def _record(self, entry: Entry) -> None:
        """What became of a released mail, which the cloud never had."""
        try:
            out = await asyncio.to_thread(self._spool.meta, OUTGOING, entry.key, Outgoing)
        except (GoneError, MalformedError):
            return
        order = out.order
        claim = Claim(order.item, order.key, "relay", 0, "", order.first_seen, trace=order.trace)
        state = OutcomeState.APPLIED if entry.state == DELIVERED else OutcomeState.PARTIAL
        outcome = Outcome("deliver", state, (Step("smtp", entry.code),))
        event = build(claim, outcome, time=self._clock(), policy_version=UNJUDGED)
        await self._cloud.record(event, order.first_seen, order.trace)


def stamped(order: Order, data: bytes) -> bytes:
    """The mail as it goes out: our header above, a Message-ID if it has none, nothing else.

    Line ends that are not CRLF (a sanitised mail may have such) are made so by the client.
    """
    lines = HEADER + b": " + order.key.encode() + b"\r\n"
    head = re.split(rb"\r?\n\r?\n", data, maxsplit=1)[0]
    if not _MESSAGE_ID.search(head):
        lines += f"Message-ID: <{order.key}@sekisho.invalid>\r\n".encode()
    return lines + data
