"""A day under which the host is killed again and again."""

from __future__ import annotations

import random
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from local.demo.report import Result
from local.samples import samples
from tests.e2e.conftest import Town, look, town

SEED = 20261124
KILLS = 20  # of each day
OVERRIDES = {
    "SEKISHO_LEASE_SECONDS": "4",
    "SEKISHO_SWEEP_SCHEDULE": "*/5 * * * * *",
    "SEKISHO_RENEW_SCHEDULE": "*/3 * * * * *",
}


@dataclass(frozen=True, slots=True)
class Killed:
    """The town, what became of each sample, and how many kills hit an item in flight."""

    there: Town
    results: list[Result]
    inflight: int


@contextmanager
def killed_day(folder: Path, day: int, kills: int = KILLS) -> Iterator[Killed]:
    """SIGKILLs at seeded moments while the samples come; then everything is waited for."""
    with town(folder, overrides=OVERRIDES, receive_visibility=4) as running:
        there = look(running)
        there.enrol()
        rng = random.Random(SEED + day)
        todo = list(samples())
        rng.shuffle(todo)
        sent, inflight = [], 0
        for number in range(kills):
            share = todo[number * len(todo) // kills : (number + 1) * len(todo) // kills]
            sent += [there.world.send(sample) for sample in share]
            time.sleep(rng.uniform(0.1, 1.6))
            inflight += len(there.storage.lines()) < len(sent)
            running.host.kill()
            running.host.start()
        yield Killed(there, there.settle(sent, 240), inflight)
