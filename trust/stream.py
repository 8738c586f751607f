"""Ten thousand items on two workers, a third of the messages twice, leases that go stale."""

from __future__ import annotations

import asyncio
import random
from collections import Counter

from shared.codec import encode
from shared.model import Envelope
from tests.unit.pipeline.source import Thing, verdict
from tests.unit.pipeline.world import WORDS, World
from trust.lines import Line, Told, of_size

SEED = 20261128
DOUBLED = 0.30
STALE = 0.002  # of the steps: a worker sleeps through its lease, another takes the item over
WINDOW = 40  # messages in the queue together
LONGER = 125  # seconds: longer than a lease


class Stream(World):
    """A world that is fed: what waits in the queue stays short, so that a step stays quick."""

    def __init__(self, count: int, seed: int, told: Told) -> None:
        super().__init__([], processes=2, concurrency=4)
        self.rng = random.Random(seed)
        self.count, self.told = count, told
        self.fed = self.doubled = self.stale = 0

    def feed(self) -> None:
        words = sorted(WORDS)
        while self.fed < self.count and len(self.account.queues["scan-items"]) < WINDOW:
            thing = Thing(f"i{self.fed}", self.rng.choice(words))
            self.things[thing.id] = thing
            self.notify(thing)
            if self.rng.random() < DOUBLED:
                self.again("scan-items", encode(Envelope("item", self.now, thing.item())))
                self.doubled += 1
            self.fed += 1

    async def pass_all(self) -> None:
        """Feed and step until all is fed, then run to the end."""
        asyncio.get_running_loop().set_exception_handler(lambda *_: None)
        steps = 0
        while self.fed < self.count:
            self.feed()
            await self.settle()
            gates, startable = self.gates(), self.startable()
            if self.rng.random() < STALE:
                self.turn(LONGER)
                self.stale += 1
            if startable and (not gates or self.rng.random() < 0.2):
                self.start(*self.rng.choice(startable))
            elif gates:
                self.go(*self.rng.choice(gates))
            else:
                self.turn(10)
            steps += 1
            if steps % 1_000 == 0:
                self.told("stream", self.fed, self.count)
        await self.finish()


def run(size: str, told: Told) -> list[Line]:
    """One action and one audit event each."""
    count = of_size(size, 300, 2_000, 10_000)
    world = Stream(count, SEED, told)
    asyncio.run(world.pass_all())
    events = asyncio.run(world.events())
    ids = Counter(event.id for event in events if event.disposition != "none")
    acted = Counter(key for thing in world.things.values() for key, _ in thing.log)
    wanted = {t.item(1).key("p1") for t in world.things.values()}
    needing = {t.item(1).key("p1") for t in world.things.values() if verdict(t.written[1])}
    lost = len(wanted - ids.keys()) + len(needing - acted.keys())
    twice = sum(n > 1 for n in ids.values()) + sum(n > 1 for n in acted.values())
    unforeseen = len(world.unforeseen)
    return [
        Line(
            "二台で、重複 30 %・切れた占有があっても、一件に一度だけ動き、一度だけ記録する",
            "two workers, 30 % duplicates, stale leases: one action and one record an item",
            f"{count:,} items, {world.doubled:,} twice, {world.stale:,} stale leases: "
            f"{lost} lost, {twice} doubled",
            not (lost or twice or unforeseen),
            {
                "items": count,
                "duplicates": world.doubled,
                "stale": world.stale,
                "lost": lost,
                "twice": twice,
                "unforeseen": unforeseen,
            },
        )
    ]
