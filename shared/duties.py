"""What each function does with its event: one small class a duty, over ports alone."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Mapping, Sequence
from contextlib import nullcontext
from dataclasses import dataclass, field, replace

from shared import telemetry
from shared.codec import decode, encode, joined, parted
from shared.errors import MalformedError, PermanentError, TransientError
from shared.graph.webhook import handshake, job, parse
from shared.model import Envelope, Item
from shared.pipeline import scan
from shared.ports import App, Clock, Queue
from shared.storage.alerts import Alerts
from shared.storage.claimcheck import LIMIT, ClaimCheck
from shared.storage.dead_letters import DeadLetters
from shared.storage.delivery import deliver
from shared.storage.landed import STRANDED, envelope_of, names_of, stranded_name

IN_HAND = 60.0  # seconds until poison that was in a dying worker's hand is seen again
AT_ONCE = 8  # of a batch, so that a drive with much news does not hold up the mails behind it
FORGED = 100  # parts of one request that are told of; Graph itself sends fewer in one
REVIVE = (5.0, 60.0, 600.0)  # seconds until a poisoned message is tried again

ROUNDS = 100  # of 32 messages: what a timer's run of ten minutes can do

type Work = Callable[[Envelope], Awaitable[object]]


@dataclass(frozen=True, slots=True)
class Intake:
    """The webhooks: on a queue before Graph is answered. ``keys`` verify the clientState."""

    hints: Queue
    jobs: Queue
    alerts: Alerts
    clock: Clock
    keys: Sequence[bytes] = field(repr=False)
    trace: Callable[[], str]
    aside: ClaimCheck | None = None

    def handshake(self, query: Mapping[str, str]) -> str | None:
        """The text of a validation's answer, or None; a malformed token is no handshake."""
        try:
            return handshake(query)
        except MalformedError:
            return None

    async def receive(self, body: bytes) -> None:
        """Hints and jobs are durable when this returns; forged parts are security events.

        Raises TransientError where the queue is away (Graph then tries again). What is forged or
        malformed raises nothing, so that the answer tells nobody which it was.
        """
        try:
            intake = parse(body, self.keys, self.clock())
        except MalformedError:
            await self._refused(body)
            return
        await self._keep(self.hints, intake.hints, "notification")
        await self._keep(self.jobs, intake.jobs, "lifecycle")
        if intake.refused:
            await self._refused(body, len(intake.refused))

    async def _keep(self, queue: Queue, envelopes: Sequence[Envelope], kind: str) -> None:
        """As few messages as will do: Graph asks again, for all of it, where the answer is late."""
        traced = [_traced(each, self.trace()) for each in envelopes]
        for message in joined([await self._message(each) for each in traced], LIMIT):
            await queue.put(message)
        for each in traced:
            telemetry.born(each.trace, kind)

    async def _message(self, envelope: Envelope) -> bytes:
        """A hint's message; what is sealed in it goes aside where it is too large for one."""
        raw = encode(envelope)
        if len(raw) <= LIMIT or self.aside is None:
            return raw
        body = dict(envelope.body)
        ref = await self.aside.put("hints", body.pop("sealed", "").encode())
        return encode(replace(envelope, body=body, ref=ref))

    async def _refused(self, body: bytes, count: int = 1) -> None:
        """An alert for each forged part, the same body's once a day.

        So the flood of one forgery is one row, and one that goes on for days is not silent. Of one
        request at most ``FORGED`` are told: whoever sends one must not have us write thousands.
        """
        ref = f"notification/{self.clock().date()}/{hashlib.sha256(body).hexdigest()[:32]}"
        numbers = range(min(count, FORGED))
        await asyncio.gather(*(self.alerts.once("refused", f"{ref}/{n}") for n in numbers))


def _traced(envelope: Envelope, trace: str) -> Envelope:
    return replace(envelope, trace=envelope.trace or trace)


@dataclass(frozen=True, slots=True)
class Timers:
    """Timers make jobs, one an account and source; over ``small`` of them spread over ``spread`` s.

    How many there are is counted: a setting may name one group of thousands.
    """

    jobs: Queue
    due: Callable[[], AsyncIterator[Envelope]]
    accounts: Callable[[], AsyncIterator[tuple[str, str]]]
    clock: Clock
    spread: float
    small: int = 0

    async def renew(self) -> None:
        """Subscriptions that are new or due."""
        async for envelope in self.due():
            await self.jobs.put(encode(envelope))

    async def sweep(self) -> None:
        """Every watched account: look for what notifications lost."""
        found = [each async for each in self.accounts()]
        for index, (source, ref) in enumerate(found):
            delay = self.spread * index / len(found) if len(found) > self.small else 0.0
            await self.jobs.put(encode(job("sweep", source, ref, self.clock())), delay=delay)


@dataclass(frozen=True, slots=True)
class Reader:
    """Carries messages of one queue to their end: done, again later, or a dead letter.

    ``places`` bounds how many of them are in hand at once in this process, beside those of others.
    """

    name: str
    queue: Queue
    dead: DeadLetters
    clock: Clock
    work: Work
    trace: Callable[[], str] = str
    places: asyncio.Semaphore | None = None

    async def handle(self, raw: bytes) -> None:
        """One message, or each of a batch: one that fails goes its own way (``deliver``)."""
        at_once = asyncio.Semaphore(AT_ONCE)

        async def one(part: bytes) -> None:
            async with at_once, self.places or nullcontext():
                await self._handle(part)

        ends = await asyncio.gather(*map(one, parted(raw)), return_exceptions=True)
        for end in ends:
            if end is not None:
                raise end

    async def _handle(self, raw: bytes) -> None:
        async def work(envelope: Envelope) -> None:
            traced = _traced(envelope, self.trace())  # a timer's jobs begin here
            with telemetry.message(self.name, traced, self.clock()):
                await self.work(traced)

        await deliver(raw, work, name=self.name, queue=self.queue, dead=self.dead, clock=self.clock)


@dataclass(frozen=True, slots=True)
class Undertaker:
    """Takes the poison of one queue: revived a few times, then kept as a dead letter.

    Poison is a message whose function died five times under it: most often it was in hand while
    the platform killed workers (a deployment, a scale-in), which says nothing of the message. What
    fails for good by its own nature never comes here, ``deliver`` keeps it at once.

    A poison queue has no poison queue of its own: a trigger on it would never again run a message
    whose function died five times, and it would expire unseen. So a timer takes what waits there.
    """

    name: str
    queue: Queue
    poison: Queue
    dead: DeadLetters
    read: Callable[[bytes], Envelope] = lambda raw: decode(raw, Envelope)
    parts: Callable[[bytes], Sequence[bytes]] = parted

    async def bury(self, raw: bytes) -> None:
        """Back on its queue, or a durable dead letter and an alert.

        Each of a batch by itself, so that none holds up the others a second time. Raises
        TransientError while storage is away.
        """
        telemetry.poisoned(self.name)
        for each in self.parts(raw):
            if not await self._revived(each):
                await self.dead.bury(self.name, each)

    async def settle(self) -> None:
        """Everything that waits on the poison queue, to its end."""
        await emptied(self.poison, self.bury)

    async def _revived(self, raw: bytes) -> bool:
        try:
            envelope = self.read(raw)
        except MalformedError:
            return False
        if envelope.revived >= len(REVIVE):
            return False
        again = replace(envelope, revived=envelope.revived + 1, not_before=None)
        await self.queue.put(encode(again), delay=REVIVE[envelope.revived])
        return True


@dataclass(frozen=True, slots=True)
class Scanner:
    """The work of scan-items and scan-bulk; ``aside`` does that of other kinds than ``item``."""

    app: App
    aside: Mapping[str, Work] = field(default_factory=dict)

    async def scan(self, envelope: Envelope) -> None:
        """Take the envelope's item through the pipeline."""
        if envelope.kind in self.aside:
            await self.aside[envelope.kind](envelope)
            return
        if envelope.item is None:
            message = f"an envelope of kind {envelope.kind!r} without an item"
            raise MalformedError(message)
        await scan(
            envelope.item,
            self.app,
            first_seen=envelope.first_seen,
            trace=envelope.trace,
            found=envelope.body.get("found", ""),
        )


@dataclass(frozen=True, slots=True)
class Gate:
    """A landed blob becomes one item a recipient."""

    items_for: Callable[[str], Awaitable[tuple[Item, ...]]]
    queue: Queue
    clock: Clock
    trace: Callable[[], str]

    async def landed(self, name: str) -> None:
        """Durable when it returns; may run twice (the ledger knows the item)."""
        for item in await self.items_for(name):
            envelope = Envelope("item", first_seen=self.clock(), item=item, trace=self.trace())
            await self.queue.put(encode(envelope))
            telemetry.born(envelope.trace, "upload")


@dataclass(frozen=True, slots=True)
class Stranded:
    """Uploads that the platform gave up on: most often it was killed while they were in hand."""

    gate: Gate
    queue: Queue
    dead: DeadLetters

    async def handle(self, raw: bytes) -> None:
        """Land it again; a dead letter if it names no upload.

        Raises TransientError while storage is away.
        """
        telemetry.poisoned("landing")
        try:
            await self.gate.landed(stranded_name(raw))
        except PermanentError as error:
            await self.dead.bury(STRANDED, raw, type(error).__name__)

    async def settle(self) -> None:
        """Everything that waits there, to its end."""
        await emptied(self.queue, self.handle)


@dataclass(frozen=True, slots=True)
class Arrivals:
    """The gate in a private network: Event Grid's events come by queue and yield the same items.

    ``reader`` is that of the queue ``landing-events``, whose work is ``arrive``.
    """

    reader: Reader

    async def handle(self, raw: bytes) -> None:
        """One message to its end; what is no event of a landed blob is a dead letter."""
        try:
            envelope = envelope_of(raw, self.reader.clock())
        except MalformedError as error:
            await self.reader.dead.bury(self.reader.name, raw, type(error).__name__)
            return
        await self.reader.handle(encode(envelope))


async def arrive(envelope: Envelope, gate: Gate) -> None:
    """The work of landing-events; may run twice, like a blob trigger."""
    for name in names_of(envelope):
        await gate.landed(name)


async def emptied(queue: Queue, work: Callable[[bytes], Awaitable[None]]) -> None:
    """Do the work of each message that waits, and drop it; a worker that dies loses none.

    While storage is away they stay for the next time. What fails for a reason that nobody foresaw
    stays too and holds up no other; an ExceptionGroup tells of it in the end.
    """
    failed = []
    for _ in range(ROUNDS):
        try:
            taken = await queue.take(IN_HAND)
        except TransientError:
            break
        for each in taken:
            try:
                await work(each.body)
                await queue.drop(each)
            except TransientError:
                continue
            except Exception as error:  # noqa: BLE001 - told of below
                failed.append(error)
        if not taken:
            break
    if failed:
        message = f"{len(failed)} messages of a poison queue"
        raise ExceptionGroup(message, failed)


async def settle_all(undertakers: Iterable[Undertaker]) -> None:
    """The poison of every queue, so that one that fails holds up no other."""
    ended = await asyncio.gather(*(each.settle() for each in undertakers), return_exceptions=True)
    if failed := [each for each in ended if isinstance(each, Exception)]:
        message = "poison queues"
        raise ExceptionGroup(message, failed)
