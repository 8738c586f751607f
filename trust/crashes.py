"""Kills at every port call: before it and after it, many times each, from many situations."""

from __future__ import annotations

import asyncio
import random
from collections import Counter

from tests.unit.pipeline.world import WORDS, World
from trust.lines import Line, Told, of_size

SEED = 20261128
CHOICES = 16 * 60  # what a number of the scheduler means, see the world


def run(size: str, told: Told) -> list[Line]:
    """Strike until every port call was struck as often as wanted; then no world was harmed."""
    wanted = of_size(size, 5, 100, 1_000)
    rng = random.Random(SEED)
    words = sorted(WORDS)
    struck: Counter[tuple[str, str]] = Counter()
    known: Counter[tuple[str, str]] = Counter()  # how often a call was seen, to aim at rare ones
    harmed: list[str] = []
    worlds = crashes = 0
    while not known or min(struck[call] for call in known) < wanted:
        texts = rng.choices(words, k=rng.randint(1, 3))
        before = [rng.randrange(CHOICES) for _ in range(rng.randrange(60))]
        peace = _world(texts, before, (-1, ""), harmed)
        known.update(peace.steps)
        rare = min(known, key=lambda call: (struck[call], known[call]))
        places = [n for n, call in enumerate(peace.steps) if call == rare]
        places += rng.sample(range(len(peace.steps)), k=min(8, len(peace.steps)))
        for place in places:
            world = _world(texts, before, (place, "crash"), harmed)
            if len(world.steps) > place:
                struck[world.steps[place]] += 1
            worlds += 1
            crashes += world.crashes
        total = wanted * len(known)
        told("crashes", sum(min(struck[call], wanted) for call in known), total)
    return [
        Line(
            f"どの呼び出しの前後で {wanted:,} 回ずつ落としても、失わず、二度しない",
            f"killed {wanted:,} times before and after each port call: nothing lost, nothing twice",
            f"{len(known)} calls, {crashes:,} kills in {worlds:,} runs, {len(harmed)} harmed",
            not harmed,
            {"calls": len(known), "kills": crashes, "runs": worlds, "harmed": len(harmed)},
            "; ".join(harmed[:5]),
        )
    ]


def _world(
    texts: list[str], before: list[int], strike: tuple[int, str], harmed: list[str]
) -> World:
    world = World(texts)
    world.strike = strike

    async def whole() -> None:
        await world.run(before)
        await world.check()

    try:
        asyncio.run(whole())
    except BaseException as error:
        if isinstance(error, KeyboardInterrupt):
            raise
        harmed.append(f"{texts} {strike}: {type(error).__name__}")
    return world
