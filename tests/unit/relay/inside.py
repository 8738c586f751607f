"""The relay without its door and its processes: a judge of our own, clocks that stand still."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from types import SimpleNamespace

from relay.cleaning import EXTERNAL, Cleaner
from relay.client import Hops
from relay.delivery import Delivery, Patience
from relay.forward import Forwarder
from relay.granted import Exceptions
from relay.held import Keeper
from relay.journal import Journal
from relay.judging import decided, load_policy
from relay.mails import Post
from relay.orders import Orders
from relay.outbox import Outbox
from relay.reception import Room
from relay.releasing import Releasing
from relay.routes import route
from relay.spool import INCOMING, Letter, new_id
from shared.model import Disposition, Finding, Level
from shared.policy.notices import House, Notices
from shared.policy.rule import Words
from shared.sandbox.treatments import Treatments
from shared.sanitize import Options
from shared.services.relay_granted import list_key
from shared.services.release_header import passed
from tests.unit.relay.clouds import Sky
from tests.unit.relay.doors import spool_in

KEY = b"f" * 32  # of the fingerprints: the relay's and the cloud's
HEADER = passed(KEY)
TARO, SENDER = "taro@city.example", "a@x.example"


def finding(entity="my_number", level=Level.HIGH):
    return Finding(entity, "本文", 0, 12, 0.95, level, "1234********", "k1:ab")


class FakeBench:
    """Judges by what a test says of a mail's bytes."""

    def __init__(self, spool, policy):
        self.spool, self.policy = spool, policy
        self.findings, self.gaps, self.judged = (), (), True
        self.asked = []
        inside = frozenset({"city.example"})
        self.cleaner = Cleaner(Treatments(mode="inline"), EXTERNAL, inside, Options())

    async def judge(self, state, name, granted=()):
        self.asked.append(name)
        letter, data = await asyncio.to_thread(self.spool.read, state, name, Letter)
        found = self.findings if b"number" in data else ()
        intent = decided(self.policy, letter, found, self.gaps, "digest", granted)
        return intent, self.judged

    async def clean(self, state, name):
        letter, data = await asyncio.to_thread(self.spool.read, state, name, Letter)
        return await self.cleaner.clean(letter, data)


class Inside:
    def __init__(self, folder, port=9, policy=None, sky=None):
        self.sky = sky or Sky()
        self.clock = self.sky.clock
        self.spool = spool_in(folder)
        self.journal = Journal(folder / "journal.db")
        self.policy = policy or load_policy(None)
        self.bench = FakeBench(self.spool, self.policy)
        self.settings = SimpleNamespace(
            notices="all", inside_domains=frozenset({"city.example"}),
            routes={"*": route(f"plain://127.0.0.1:{port}")},
        )  # fmt: skip
        self.outbox = Outbox(self.spool, self.journal, self.clock)
        post = Post("relay.city.example", "sekisho@city.example")
        house = House(Words("関所市", "Sekisho City"), "内線1234", {})
        self.keeper = Keeper(
            settings=self.settings, spool=self.spool, outbox=self.outbox, cloud=self.sky.cloud,
            policy=self.policy, notices=Notices(self.policy, house), post=post, clock=self.clock,
            releasing=Releasing(
                self.spool, self.outbox, self.sky.cloud, self.clock, self.bench.clean, HEADER,
                timedelta(days=30),
            ),
        )  # fmt: skip
        self.exceptions = Exceptions(self.sky.cloud, (list_key(KEY),), self.clock)
        self.forwarder = Forwarder(
            spool=self.spool, bench=self.bench, keeper=self.keeper, cloud=self.sky.cloud,
            hold=Disposition.BLOCK, granted=self.exceptions.now,
        )  # fmt: skip
        self.room = Room(self.spool, 10**9, 0)
        self.orders = Orders(
            cloud=self.sky.cloud, outbox=self.outbox, keeper=self.keeper, room=self.room, poll=1
        )
        self.hops = Hops("relay.city.example", timeout=10)
        self.delivery = Delivery(
            spool=self.spool, journal=self.journal, outbox=self.outbox, hops=self.hops,
            cloud=self.sky.cloud, post=post, routes=self.settings.routes,
            patience=Patience(60, 3_600, 4 * 86_400), at_a_time=4, clock=self.clock,
        )  # fmt: skip

    def accept(self, data=b"Subject: x\r\n\r\nhi\r\n", to=(TARO,), sender=SENDER):
        name = new_id()
        self.spool.put(INCOMING, name, Letter(sender, tuple(to), self.clock()), data)
        return name

    async def send_due(self):
        """What is due now, one after another; how many."""
        due = self.journal.due(self.clock().timestamp(), 99)
        for entry in due:
            await self.delivery.attempt(entry)
        return len(due)

    async def close(self):
        await self.hops.close()
        self.journal.close()
