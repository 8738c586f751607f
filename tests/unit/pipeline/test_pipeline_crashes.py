"""The spine under crash schedules: nothing lost, nothing twice, no tombstone called clean."""

from __future__ import annotations

import asyncio
import random
from dataclasses import replace

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from shared.codec import encode
from shared.model import AuditEvent, Envelope, Item
from shared.storage.audit_reader import AuditReader
from tests.unit.pipeline.world import WORDS, World


def run(world, choices=()):
    async def whole():
        await world.run(choices)
        await world.check()

    asyncio.run(whole())


def test_world_at_peace():
    world = World(list(WORDS))
    run(world)
    assert world.crashes == 0


@pytest.mark.parametrize("kind", ["crash", "failure"])
@pytest.mark.parametrize("word", sorted(WORDS))
def test_item_survives_a_strike_before_and_after_every_port_call(word, kind):
    peace = World([word], processes=1, concurrency=1)
    run(peace)
    struck = set()
    for step in range(len(peace.steps)):
        world = World([word], processes=1, concurrency=1)
        world.strike = (step, kind)
        run(world)
        struck.add(world.steps[step])
    assert struck == set(peace.steps), "every port call, before and after"


def numbers(seed, length):
    rng = random.Random(seed)
    return [rng.randrange(16 * 60) for _ in range(length)]


@settings(max_examples=200, deadline=None, suppress_health_check=list(HealthCheck))
@given(
    texts=st.lists(st.sampled_from(sorted(WORDS)), min_size=1, max_size=4),
    seed=st.integers(0, 2**32),
    length=st.integers(0, 600),
    renewing=st.booleans(),
)
def test_any_schedule_ends_with_one_action_and_one_event_an_item(texts, seed, length, renewing):
    run(World(texts, renew_every=0.0 if renewing else 20.0), numbers(seed, length))


class Results(World):
    """Results alone, each delivered twice, to three processes."""

    def __init__(self, count):
        super().__init__([], processes=3, concurrency=3)
        self.wanted = set()
        for number in range(count):
            item = Item("mail", f"m{number}", "box", "ck")
            key = item.key("p1")
            event = AuditEvent(
                key, self.now, item, "review", "review", "enforce", "p1", (), "review", "applied",
                (), (), (), "own_mailbox", "", float(number), "",
            )  # fmt: skip
            self.wanted.add(key)
            for seconds in (1.0, 2.0):
                envelope = Envelope("result", self.now, event=replace(event, seconds=seconds))
                self.again("scan-results", encode(envelope))

    async def check(self):
        assert self.unforeseen == []
        verdict = await AuditReader(self.plain.blobs("audit")).verify()
        assert verdict.broken is None
        events = await self.events()
        assert sorted(e.id for e in events) == sorted(self.wanted)
        await self.check_tables(events)


@settings(max_examples=150, deadline=None, suppress_health_check=list(HealthCheck))
@given(count=st.integers(1, 8), seed=st.integers(0, 2**32), length=st.integers(0, 500))
def test_any_schedule_of_three_sequencers_gives_one_unforked_chain(count, seed, length):
    run(Results(count), numbers(seed, length))
