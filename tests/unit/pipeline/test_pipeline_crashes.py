"""The spine under crash schedules: nothing lost, nothing twice, no tombstone called clean."""

from __future__ import annotations

import asyncio
import random

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

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


def numbers(seed, length):
    rng = random.Random(seed)
    return [rng.randrange(16 * 60) for _ in range(length)]


@settings(max_examples=200, deadline=None, suppress_health_check=list(HealthCheck))
@given(
    texts=st.lists(st.sampled_from(sorted(WORDS)), min_size=1, max_size=4),
    seed=st.integers(0, 2**32),
    length=st.integers(0, 600),
)
def test_any_schedule_ends_with_one_action_and_one_event_an_item(texts, seed, length):
    run(World(texts), numbers(seed, length))
