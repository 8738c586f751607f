"""A tenant of any size in one process: the composition root's own parts over stores in memory."""

from __future__ import annotations

import asyncio
import gc
import json
import random
import resource
import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from email.message import EmailMessage
from typing import Any

from bench._tenant_graph import DirectGraph, Tenant
from local.environment import app_settings
from local.graph.routes.drafts import received
from local.memory import Account, MemoryStores
from shared.bootstrap import Runtime, new_trace
from shared.duties import Intake, Reader, Scanner, Timers
from shared.ports import Row
from shared.services.marker import PROPERTY
from shared.settings import Settings
from tests.unit.extract_files.numbers_made import my_number

type Told = Callable[[str, int, int], None]
QUEUES = ("graph-hints", "graph-jobs", "scan-items", "scan-bulk", "scan-results")
AT_ONCE = 128  # messages in hand together
STEP = 500  # messages between two words of progress
BATCH = 50  # notifications a request, as the stand-in sends them
TICK = timedelta(seconds=10)  # what falls due within it is run together
DROPPED, DOUBLED = 0.05, 0.10
BLOCKED = 0.02  # of the mails: one My Number with its label
# Of notifications a mail causes two: it came, and what we did to it.
EACH = 2
TEXTS = (
    "会議の資料です。電話は03-0000-1234です。",
    "お問い合わせは office@city.example.jp まで。電話 03-0000-5678。",
    "明日の当番の連絡先は tantou@city.example.jp です。",
)


@dataclass
class Figures:
    """What a run found."""

    accounts: int
    notifications: int = 0
    dropped: int = 0
    doubled: int = 0
    mails: int = 0
    found_by_sweep: int = 0
    lost: int = 0
    double_acted: int = 0
    dead_letters: int = 0
    audit_events: int = 0
    blocked: int = 0
    subscriptions: int = 0
    renewed: int = 0
    requests: int = 0
    requests_s: float = 0.0
    rss_mb: float = 0.0
    virtual_s: float = 0.0
    limits: dict[str, float] = field(default_factory=dict)
    seconds: dict[str, float] = field(default_factory=dict)
    acts: dict[str, int] = field(default_factory=dict)


class VirtualClock:
    """The time, and what was not waited for."""

    def __init__(self) -> None:
        self.skipped = timedelta()

    def __call__(self) -> datetime:
        """Now."""
        return datetime.now(UTC) + self.skipped

    def skip_to(self, moment: datetime) -> None:
        """Do as if one had waited until then."""
        self.skipped += max(moment - self(), timedelta())


class Town:
    """Accounts, the pipeline that watches them, and a platform that runs its queues."""

    def __init__(self, accounts: int, seed: int, told: Told) -> None:
        self.random = random.Random(seed)
        self.tenant = Tenant()
        world = self.tenant.world
        users = [
            world.add_user(f"user{n:05d}@city.example.jp", f"職員{n}") for n in range(accounts)
        ]
        self.users = users
        self.clock = VirtualClock()
        self.account = Account(self.clock)
        self.figures = Figures(accounts)
        self.sent: dict[str, str] = {}  # message id to user id
        self._told = told
        settings = app_settings(
            storage="UseDevelopmentStorage=true",
            graph_base_url="http://127.0.0.1:1/v1.0",
            host_url="http://127.0.0.1:1",
            watch=[user.id for user in users],
        ) | {"SEKISHO_TEAMS": "off", "SEKISHO_ISOLATION": "inline"}
        self.run = Runtime(Settings.load(settings), self.clock)
        self.run.__dict__.update(dict.fromkeys(("work", "evidence", "audit"), self._stores()))
        self.graph: DirectGraph

    def _stores(self) -> MemoryStores:
        return MemoryStores(self.account)

    async def start(self) -> None:
        """Make the parts that functions are made of."""
        run = self.run
        key = run.settings.client_state_key
        assert key is not None
        self.intake = Intake(
            run.work.queue("graph-hints"),
            run.work.queue("graph-jobs"),
            run.alerts,
            self.clock,
            (key.value,),
            new_trace,
            run.checks,
        )
        self.graph = await self.tenant.start(self._handshake)
        run.__dict__["graph"] = self.graph
        self.timers = Timers(run.work.queue("graph-jobs"), run.due, run.accounts, self.clock, 600.0)
        works = {
            # As many workers would: none remembers what another one was told.
            "graph-hints": replace(run.resolver, replays=None).hint,
            "graph-jobs": run.resolver.job,
            "scan-items": Scanner(run.app).scan,
            "scan-bulk": Scanner(run.app).scan,
            "scan-results": run.recorder.record,
        }
        self.readers = {
            name: Reader(name, run.work.queue(name), run.dead, self.clock, work)
            for name, work in works.items()
        }

    async def _handshake(self, _url: str) -> str:
        return "" if self.intake.handshake({"validationToken": "t"}) == "t" else "refused"

    async def drain(self, what: str) -> None:
        """Run the queues until nothing waits. A delay is over as soon as nothing else waits."""
        done = 0

        def told() -> None:
            nonlocal done
            done += 1
            if done % STEP == 0:
                left = sum(len(self.account.queues.get(each, ())) for each in QUEUES)
                self._told(what, done, done + left)

        while waiting := [m for name in QUEUES for m in self.account.queues.get(name, ())]:
            self.clock.skip_to(min(each.visible for each in waiting) + TICK)
            for name in QUEUES:
                await self._pass(name, told)
        self._told(what, done, done)

    async def _pass(self, name: str, told: Callable[[], None]) -> None:
        """What may be seen of one queue now, ``AT_ONCE`` together; what they put there waits."""
        queue = self.account.queues.get(name)
        if not queue:
            return
        time_now = self.clock()
        messages = [each for each in queue if each.visible <= time_now]
        taken = {each.id for each in messages}
        queue[:] = [each for each in queue if each.id not in taken]
        waiting = iter(messages)

        async def worker() -> None:
            for each in waiting:
                await self.readers[name].handle(each.body)
                told()

        await asyncio.gather(*(worker() for _ in range(AT_ONCE)))

    async def enrol(self) -> None:
        """Every account's subscriptions, then the first look of each."""
        await self.timers.renew()
        await self.drain("enrol")
        self.figures.subscriptions = len(self.tenant.world.subscriptions)

    async def renew(self) -> None:
        """As if most of the subscriptions' lives were over."""
        rows = self.account.tables["subscriptions"]
        for place, row in list(rows.items()):
            values = {**row.values, "expires": self.clock() + timedelta(hours=1)}
            rows[place] = Row(row.partition, row.key, values, row.etag)
        before = self.graph.calls["PATCH /subscriptions/{subscription}"]
        await self.timers.renew()
        await self.drain("renew")
        after = self.graph.calls["PATCH /subscriptions/{subscription}"]
        self.figures.renewed = after - before

    async def mails(self, count: int) -> None:
        """Mails arrive; their notifications are lost, doubled and shuffled on the way."""
        raws = [mail(text) for text in TEXTS]
        for number in range(count):
            user = self.users[self.random.randrange(len(self.users))]
            blocked = self.random.random() < BLOCKED
            raw = secret(number) if blocked else raws[number % len(raws)]
            self.sent[received(user, raw, "inbox").immutable_id] = user.id
        self.figures.mails = count
        while self.tenant.told:
            await self._deliver()
            await self.drain("notifications")

    async def _deliver(self) -> None:
        told, self.tenant.told = self.tenant.told, []
        figures = self.figures
        figures.notifications += len(told)
        kept = [each for each in told if self.random.random() >= DROPPED]
        again = [each for each in kept if self.random.random() < DOUBLED]
        figures.dropped += len(told) - len(kept)
        figures.doubled += len(again)
        kept += again
        self.random.shuffle(kept)
        for start in range(0, len(kept), BATCH):
            body = json.dumps({"value": kept[start : start + BATCH]}).encode()
            await self.intake.receive(body)
            self._told("intake", min(start + BATCH, len(kept)), len(kept))

    async def sweep(self) -> None:
        """One sweep of every account and source, and what follows from it."""
        before = len(self._unseen())
        await self.timers.sweep()
        await self.drain("sweep")
        self.figures.found_by_sweep = before - len(self._unseen())
        while self.tenant.told:  # what the sweep's own actions told of
            await self._deliver()
            await self.drain("own writes")

    def _unseen(self) -> list[str]:
        """Mails that are in their mailbox as they came."""
        world = self.tenant.world
        return [
            each
            for each, user in self.sent.items()
            if (found := world.users[user].mailbox.find(each)) and PROPERTY not in found.extended
        ]

    def count(self) -> Figures:
        """Lost and double-acted, as seen in the mailboxes and in the record."""
        figures, acts = self.figures, self.graph.acts
        events = {key[1] for key in self.account.tables.get("auditevents", {})}
        figures.audit_events = len(events)
        figures.lost = len(self._unseen())
        figures.double_acted = sum(acts[each] > 1 for each in acts if each[0] in self.sent)
        for (_item, call), times in acts.items():
            figures.acts[call] = figures.acts.get(call, 0) + times
        gone = [e for e, u in self.sent.items() if not self.tenant.world.users[u].mailbox.find(e)]
        figures.blocked = len(gone)
        figures.dead_letters = len(self.account.containers.get("deadletters", {}))
        figures.requests = self.graph.calls.total()
        figures.rss_mb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        figures.limits = limits(self.graph)
        figures.virtual_s = max(figures.limits.values())
        return figures


def limits(graph: DirectGraph) -> dict[str, float]:
    """Seconds that each of Graph's limits needs for the calls that were made.

    Subscription writes: 1,000 in 20 s. All calls: 130,000 in 10 s. One mailbox: 10,000 in 10 min.
    SharePoint (up to 15,000 licences): 3,600 resource units a minute; a delta or a get is one
    unit, a list two, permissions five (learn.microsoft.com/graph/throttling-limits).
    """
    writes = sum(
        times
        for call, times in graph.calls.items()
        if "/subscriptions" in call and not call.startswith("GET")
    )
    units = 0
    for call, times in graph.calls.items():
        if "drive" in call:
            units += times * (5 if "permissions" in call else 1)
    busiest = max((n for user, n in graph.mailbox.items() if user), default=0)
    return {
        "subscription writes": writes * 20 / 1000,
        "all calls": graph.calls.total() * 10 / 130_000,
        "busiest mailbox": busiest * 600 / 10_000 if busiest > 10_000 else 0.0,
        "SharePoint": units * 60 / 3600,
    }


def mail(text: str) -> bytes:
    message = EmailMessage()
    message["From"] = "sender@example.com"
    message["To"] = "user@city.example.jp"
    message["Subject"] = "連絡"
    message["Message-ID"] = "<made@example.com>"
    message.set_content(text)
    return message.as_bytes()


def secret(number: int) -> bytes:
    """One My Number by its check digit, from a stem that nobody has."""
    return mail(f"個人番号は {my_number(99_990_000_000 + number)} です。")


async def run(accounts: int, wanted: int, *, seed: int, told: Told) -> Figures:
    """Enrol, renew, about ``wanted`` notifications, one sweep; the figures."""
    town = Town(accounts, seed, told)
    gc.freeze()  # nobody's accounts become garbage
    gc.set_threshold(100_000, 20, 50)
    await town.start()
    seconds = town.figures.seconds
    try:
        began = time.perf_counter()
        steps: tuple[tuple[str, Callable[[], Any]], ...] = (
            ("enrol", town.enrol),
            ("renew", town.renew),
            ("notifications", lambda: town.mails(wanted // EACH)),
            ("sweep", town.sweep),
        )
        for name, step in steps:
            start = time.perf_counter()
            await step()
            seconds[name] = time.perf_counter() - start
        await town.run.recorder.log.idle()
        figures = town.count()
        figures.requests_s = figures.requests / (time.perf_counter() - began)
        return figures
    finally:
        await town.tenant.stop()
