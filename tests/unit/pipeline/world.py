"""A little world in which the whole spine runs, one port call at a time, under a scheduler.

Two processes work on the queues ``scan-items`` and ``scan-results`` in one storage account (in
memory). Before and after every port call they stop at a *gate*; the scheduler, fed by a list of
numbers, lets one go on, fails it, kills its process there, starts a message, delivers one twice,
lets a person change an item, or turns the clock (so that leases and visibility end). When the
numbers are used up, all is run to its end.
"""

from __future__ import annotations

import asyncio
import itertools
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from local.memory import Account, Crash, MemoryStores, Message
from shared.audit.chain import parse
from shared.codec import decode, encode
from shared.errors import TransientError, UnavailableError
from shared.model import (
    AuditEvent,
    Disposition,
    Envelope,
)
from shared.pipeline import scan
from shared.ports import App
from shared.storage.alerts import Alerts
from shared.storage.audit_log import AuditLog, Sizes
from shared.storage.audit_reader import AuditReader
from shared.storage.claimcheck import ClaimCheck
from shared.storage.dead_letters import DeadLetters
from shared.storage.delivery import deliver
from shared.storage.incidents import Incidents
from shared.storage.ledger import TableLedger
from shared.storage.recorder import Recorder
from shared.storage.results import QueueResults
from tests.unit.pipeline.source import (
    POLICY,
    WORDS,
    Source,
    Thing,
    decide,
    detect,
    extract,
    verdict,
)

START = datetime(2026, 11, 24, 9, 0, tzinfo=UTC)
VISIBILITY = 60.0
DEQUEUES = 5
MAX_STEPS = 50_000
TURNS = (1, 15, 31, 61, 125)


class Process:
    """One worker process: its own stores, ledger and audit log; everything ends with a crash."""

    def __init__(self, world, name):
        self.world = world
        self.name = name
        self.dead = False
        self.gates: list[tuple[str, str, asyncio.Future]] = []
        self.tasks: set[asyncio.Task] = set()
        stores = MemoryStores(world.account, self.hook)
        checks = ClaimCheck(stores.blobs("work"))
        clock = world.clock
        alerts = Alerts(stores.table("alerts"), clock)
        self.queues = {name: stores.queue(name) for name in ("scan-items", "scan-results")}
        self.letters = DeadLetters(stores.blobs("deadletters"), alerts, stores.queue, clock)
        log = AuditLog(
            stores.table("auditevents"),
            stores.blobs("audit"),
            stores.lease("audit"),
            clock,
            sizes=Sizes(blocks=3, patience=(), head_every=timedelta(seconds=30)),
            signer=world.signer,
            sleep=lambda _: asyncio.sleep(0),
        )
        self.recorder = Recorder(log, Incidents(stores.table("incidents")), alerts, checks)
        ledger, own = stores.table("ledger"), stores.table("ownwrites")
        self.app = App(
            clock=clock,
            ledger=TableLedger(ledger, own, checks, clock, POLICY),
            services={"source": Source(world, self)},
            extract=extract,
            detect=detect,
            decide=decide,
            digest=lambda extraction: extraction.segments[0].text,
            results=QueueResults(self.queues["scan-results"], checks, clock, POLICY),
            policy_version=POLICY,
            renew_every=world.renew_every,
        )

    async def hook(self, operation, moment):
        if self.dead:
            raise Crash
        gate = asyncio.get_running_loop().create_future()
        self.gates.append((operation, moment, gate))
        try:
            await gate
        except asyncio.CancelledError:
            self.gates[:] = [each for each in self.gates if each[2] is not gate]
            raise

    async def work(self, envelope):
        if envelope.kind == "result":
            await self.recorder.record(envelope)
        else:
            await scan(
                envelope.item, self.app, first_seen=envelope.first_seen, trace=envelope.trace
            )

    async def handle(self, name, message, receipt):
        await deliver(
            message.body, self.work, name=name, queue=self.queues[name], dead=self.letters,
            clock=self.world.clock, rng=lambda: 0.5,
        )  # fmt: skip
        self.world.platform[name].delete(message, receipt)

    def start(self, name, message):
        self.world.platform[name].receive(message, VISIBILITY)
        task = asyncio.ensure_future(self.handle(name, message, message.receipt))
        self.tasks.add(task)
        task.add_done_callback(self._ended)

    def _ended(self, task):
        self.tasks.discard(task)
        # A transient error is raised where even putting back fails: the platform's retry.
        foreseen = (Crash, TransientError)
        if not task.cancelled() and (error := task.exception()) and not isinstance(error, foreseen):
            self.world.unforeseen.append(error)

    def crash(self):
        self.dead = True
        for _, _, gate in self.gates:
            if not gate.done():
                gate.set_exception(Crash())
        self.gates.clear()
        for task in list(self.tasks):
            task.cancel()


class World:
    def __init__(self, texts, *, processes=2, concurrency=2, signer=None, renew_every=20.0):
        self.renew_every = renew_every
        self.now = START
        self.signer = signer
        self.account = Account(self.clock)
        plain = MemoryStores(self.account)
        self.platform = {name: plain.queue(name) for name in ("scan-items", "scan-results")}
        self.plain = plain
        self.things = {f"i{n}": Thing(f"i{n}", text) for n, text in enumerate(texts)}
        self.concurrency = concurrency
        self.processes = [Process(self, n) for n in range(processes)]
        self.unforeseen: list[BaseException] = []
        self.crashes = 0
        self.steps: list[tuple[str, str]] = []
        self.strike: tuple[int, str] = (-1, "")
        self.poisoned: list[tuple[str, bytes]] = []
        self._traces = itertools.count()
        for thing in self.things.values():
            self.notify(thing)

    def clock(self):
        return self.now

    def notify(self, thing):
        envelope = Envelope("item", self.now, thing.item(), trace=f"t{next(self._traces)}")
        self.again("scan-items", encode(envelope))

    def again(self, name, body):
        self.account.queues[name].append(Message(self.account.number(), body, self.now, self.now))

    # ---- the scheduler

    async def settle(self):
        loop = asyncio.get_running_loop()
        await asyncio.sleep(0)
        while loop._ready:  # noqa: ASYNC110 - until every task stands at a gate
            await asyncio.sleep(0)

    def gates(self):
        return [(p, gate) for p in self.processes for gate in p.gates]

    def startable(self):
        idle = [p for p in self.processes if len(p.tasks) < self.concurrency]
        return [
            (process, name, message)
            for name, queue in self.platform.items()
            for message in queue.visible()
            for process in idle
        ]

    def go(self, process, gate):
        self.steps.append(gate[:2])
        if len(self.steps) - 1 == self.strike[0]:  # the one step at which something happens
            if self.strike[1] == "crash":
                self.crash(process)
            else:
                self.fail(process, gate)
            return
        process.gates.remove(gate)
        gate[2].set_result(None)

    def start(self, process, name, message):
        if message.dequeued >= DEQUEUES:  # the platform's poison queue and functions/dead_letters
            self.platform[name].receive(message)
            self.platform[name].delete(message, message.receipt)
            self.poisoned.append((name, message.body))
            return
        process.start(name, message)

    def fail(self, process, gate):
        """The call fails; at the gate after it, its effect has taken place all the same."""
        process.gates.remove(gate)
        gate[2].set_exception(UnavailableError(gate[0]))

    def crash(self, process):
        self.crashes += 1
        process.crash()
        self.processes[self.processes.index(process)] = Process(self, process.name)

    def edit(self, number):
        """A person changes an item (three times at most)."""
        thing = list(self.things.values())[number % len(self.things)]
        if len(thing.written) < 4:
            word = sorted(WORDS)[number // 4 % len(WORDS)]
            thing.edit(f"{word}#{thing.version}")  # no two versions read the same
            self.notify(thing)

    def turn(self, seconds):
        self.now += timedelta(seconds=seconds)

    async def run(self, choices):
        """Follow the numbers, then run to the end; AssertionError if it never ends."""
        asyncio.get_running_loop().set_exception_handler(lambda *_: None)
        for choice in choices:
            await self.settle()
            self.choose(choice)
        await self.finish()

    def choose(self, choice):
        kind, number = choice % 16, choice // 16
        gates, startable = self.gates(), self.startable()
        if kind == 0 and gates:
            self.crash(gates[number % len(gates)][0])
        elif kind == 1:
            self.turn(TURNS[number % len(TURNS)])
        elif kind == 2 and (
            bodies := [(n, m.body) for n, q in self.platform.items() for m in q.visible()]
        ):
            self.again(*bodies[number % len(bodies)])
        elif kind == 3 and number % 4 == 0 and self.things:
            self.edit(number // 4)
        elif kind == 6 and gates:
            self.fail(*gates[number % len(gates)])
        elif kind in {4, 5} and startable:
            self.start(*startable[number % len(startable)])
        elif gates:
            self.go(*gates[number % len(gates)])
        elif startable:
            self.start(*startable[number % len(startable)])

    async def finish(self):
        for _ in range(MAX_STEPS):
            await self.settle()
            if gates := self.gates():
                self.go(*gates[0])
            elif startable := self.startable():
                self.start(*startable[0])
            elif any(self.account.queues[name] for name in self.platform):
                times = [m.visible for name in self.platform for m in self.account.queues[name]]
                self.now = max(self.now, min(times))
            elif self.poisoned:
                for name, body in self.poisoned:
                    self.again(name, encode(replace(decode(body, Envelope), replayed=self.now)))
                self.poisoned = []
            elif not any(process.tasks for process in self.processes):
                return
        pytest.fail("the world does not come to rest")

    # ---- what must hold

    async def events(self):
        lines = await AuditReader(self.plain.blobs("audit")).lines()
        records = [bytes(parse(line).event) for line in lines]
        return [decode(r, AuditEvent) for r in records if not r.startswith(b'{"roll"')]

    async def check(self):
        assert self.unforeseen == []
        verdict = await AuditReader(self.plain.blobs("audit")).verify()
        assert verdict.broken is None
        events = await self.events()
        assert len({e.id for e in events}) == len(events), "no event twice"
        judged = {e.id: e for e in events if e.disposition != "none"}
        for thing in self.things.values():
            self.check_thing(thing, judged, [e for e in events if e.item.id == thing.id])
        await self.check_tables(events)

    def check_thing(self, thing, judged, events):
        keys = {version: thing.item(version).key(POLICY) for version in thing.written}
        assert {e.id for e in events if e.id in judged} <= set(keys.values()), (
            "only what people wrote is judged: never our own tombstone"
        )
        for version, text in thing.written.items():
            event = judged.get(keys[version])
            actions = [action for key, action in thing.log if key == keys[version]]
            wanted = verdict(text)
            if event is None:
                assert actions == [], "an action without a record"
                seen = [e for e in events if e.item.content_version == str(version)]
                assert [e.action_state for e in seen] == ["superseded"], "a version was lost"
                continue
            assert event.disposition == wanted.name.lower()
            assert event.action_state in {"applied", "recorded", "superseded"}
            if event.action_state == "superseded":
                # A newer version came between acting and recording: what the record says is what
                # was read back then.
                assert actions in ([], [wanted.name.lower()])
            else:
                acted = event.action_state == "applied"
                assert actions == ([wanted.name.lower()] if acted else [])
        last = judged[keys[max(thing.written)]]
        clean = verdict(thing.written[max(thing.written)]) is Disposition.ALLOW
        assert last.action_state == ("recorded" if clean else "applied")

    async def check_tables(self, events):
        rows = self.account.tables
        for row in rows["ledger"].values():
            assert row.values["state"] == "done" or "intent" not in row.values, "left half done"
        marked = {
            key: (row.values["seq"], row.values["hash"])
            for (partition, key), row in rows["auditevents"].items()
            if partition != "chain"
        }
        lines = await AuditReader(self.plain.blobs("audit")).lines()
        records = {r.seq: r for r in map(parse, lines)}
        assert sorted(marked) == sorted(event.id for event in events)
        for key, (seq, digest) in marked.items():
            record = records[seq]
            assert record.hash == digest
            assert decode(bytes(record.event), AuditEvent).id == key
        reviews = [e for e in events if e.disposition in {"review", "block"}]
        assert len(rows["incidents"]) == len(reviews), "one incident an event that needs one"
