"""Azurite is away, hangs and fails, and Graph fails, while the day's items pass through the stack.

The host reaches storage through ``StorageFaults``; the stand-in fails by its own script. What is
counted at the end is read past both. Azurite itself is stopped only behind a storage that is away
already, when it has written down what it holds: a SIGKILL of it loses what it acknowledged in the
last seconds, which no cloud's storage does.
"""

from __future__ import annotations

import random
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path

from local.demo.readback import Graph, ReadBack
from local.demo.report import Result, chain_holds
from local.demo.watch import Storage
from local.demo.world import USERS, Sent, World
from local.samples import GATE, Sample, samples
from local.stack import Stack
from tests.e2e.conftest import Town
from tests.e2e.killing import OVERRIDES
from tests.e2e.twice import done_twice
from trust.lines import Line, Told, of_size
from trust.storage_faults import StorageFaults

SEED = 20261129
SHARE = 0.2  # of the requests to storage
EACH = 6  # of each fault of Graph
SETTLE = 420.0  # seconds; what failed waits up to ten minutes, most of it far less
FLUSH = 6.0  # seconds; Azurite writes its state down every five
GRAPH = (
    {"status": 429, "headers": {"Retry-After": "2"}},
    {"status": 429},
    {"status": 503, "headers": {"Retry-After": "1"}},
    {"status": 504},
    {"drop": True},
    {"drop": True, "after": True},
    {"delay": 5.0, "drop": True, "after": True},
    {"truncate": True},
)


class Shaken(Stack):
    """The stack whose host reaches its storage through the faults."""

    def __init__(self, folder: Path, seed: int) -> None:
        super().__init__(folder, users=USERS, overrides=OVERRIDES, receive_visibility=6)
        self.faults = StorageFaults(self.azurite, seed)

    @property
    def storage(self) -> str:
        """What the host is given."""
        return self.faults.connection_string

    def town(self) -> Town:
        """What looks at it from outside, past the faults."""
        direct = self.azurite.connection_string
        storage = Storage(direct)
        world = World(self.graph, direct, self.user_ids)
        reads = ReadBack(Graph(self.graph.base_url), storage)
        return Town(self, world, storage, reads, self.folder)


class Day:
    """One day in four parts, each with its own trouble."""

    def __init__(
        self, stack: Shaken, there: Town, todo: list[Sample], seconds: float, seed: int
    ) -> None:
        self.stack, self.there, self.seconds = stack, there, seconds
        self.sent: list[Sent] = []
        self.graph_faults = 0
        random.Random(seed).shuffle(todo)
        self._uploads = [each for each in todo if each.source == GATE]
        self._others = [each for each in todo if each.source != GATE]

    def run(self) -> list[Result]:
        """The parts one after the other, then what became of each item."""
        parts: list[Callable[[], None]] = [self._stopped, self._hung, self._failing, self._graph]
        for number, part in enumerate(parts):
            self._send(self._uploads[number :: len(parts)])  # while storage is there
            self._send(self._others[2 * number :: 2 * len(parts)])
            self._more = self._others[2 * number + 1 :: 2 * len(parts)]
            part()
        return self.there.settle(self.sent, SETTLE)

    def _send(self, several: list[Sample]) -> None:
        self.sent += [self.there.world.send(each) for each in several]

    def _stopped(self) -> None:
        """Every connection refused or cut, Azurite down and up again on what it had on disk."""
        self.stack.faults.away = True
        time.sleep(FLUSH)
        self.stack.azurite.stop()
        self._send(self._more)
        time.sleep(self.seconds)
        self.stack.azurite.start()
        self.stack.faults.away = False

    def _hung(self) -> None:
        """Connections are taken and nothing is answered."""
        self.stack.azurite.suspend()
        self._send(self._more)
        time.sleep(self.seconds)
        self.stack.azurite.resume()

    def _failing(self) -> None:
        """One request in five is throttled, busy, cut off before or after, or too late."""
        self.stack.faults.share = SHARE
        self._send(self._more)
        time.sleep(self.seconds)
        self.stack.faults.share = 0.0

    def _graph(self) -> None:
        armed = [{**fault, "times": EACH} for fault in GRAPH]
        random.Random(SEED).shuffle(armed)
        self.there.admin("POST", "faults", json_body={"faults": armed})
        self._send(self._more)
        time.sleep(self.seconds)
        self.graph_faults = len(GRAPH) * EACH - self._armed()
        self.there.admin("DELETE", "faults")

    def _armed(self) -> int:
        return int(self.there.admin("GET", "faults")["armed"])


def run(size: str, told: Told) -> list[Line]:
    """1, 2 or 10 days (``ci``: a third of a day); each trouble lasts 5, 30 or 60 seconds."""
    days, seconds = of_size(size, 1, 2, 10), of_size(size, 5, 30, 60)
    every = of_size(size, 3, 1, 1)
    items = graph = 0
    done: Counter[str] = Counter()
    wrong: list[str] = []
    for number in range(days):
        seed = SEED + number
        with tempfile.TemporaryDirectory() as folder:
            stack = Shaken(Path(folder), seed)
            with stack.faults, stack:
                there = stack.town()
                there.enrol()
                day = Day(stack, there, list(samples()[::every]), seconds, seed)
                results = day.run()
                items += len(results)
                graph += day.graph_faults
                wrong += [f"day {number}: {each}" for each in _wrong(there, results)]
            done += stack.faults.done
        told("outage", number + 1, days)
    failed = sum(done.values()) - done["away"]
    return [
        Line(
            f"保管庫が {seconds} 秒止まり、固まり、失敗し、Graph も失敗する：失わず、二度しない",
            f"storage down {seconds} s, hung {seconds} s, failing, Graph failing: 0 lost, 0 twice",
            f"days: {days}, items: {items}; {done['away']} requests while away, {failed} failed, "
            f"{graph} faults of Graph; {len(wrong)} wrong",
            not wrong,
            {"items": items, "storage": dict(done), "graph": graph, "wrong": len(wrong)},
            "; ".join(wrong[:5]),
        )
    ]


def _wrong(there: Town, results: list[Result]) -> list[str]:
    found = [f"{each.sent.sample.name}: {p}" for each in results for p in each.problems]
    found += done_twice(there, results)
    if not chain_holds(there.storage.chain()):
        found.append("the chain does not hold")
    if letters := there.left_over()["dead letters"]:
        found.append(f"{len(letters)} dead letters")
    return found
