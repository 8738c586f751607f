"""The whole system, once a session: Azurite, the stand-in and the local host, with the day sent."""

from __future__ import annotations

import time
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from azure.storage.blob import BlobServiceClient
from azure.storage.queue import QueueServiceClient

from local.demo.readback import Graph, ReadBack
from local.demo.report import Result
from local.demo.watch import Line, Storage, latest
from local.demo.world import USERS, World
from local.samples import expectations, samples
from local.stack import Stack
from shared.graph import calls
from tests.contract.conftest import contract  # noqa: F401 - the same fixture here
from tests.contract.validator import slice_path
from tests.e2e.console_browser import browser, open_page, served  # noqa: F401 - fixtures

PERSON = "person/1.0"  # the user agent of what somebody's own program asks of Graph


def until(condition, seconds=60.0, what=""):
    """The first true value of ``condition()``; a failure that names it after ``seconds``."""
    end = time.monotonic() + seconds
    while not (value := condition()):
        if time.monotonic() > end:
            pytest.fail(f"did not come within {seconds} s: {what or condition}")
        time.sleep(0.2)
    return value


@dataclass
class Town:
    """A running stack with what looks at it from outside."""

    stack: Stack
    world: World
    storage: Storage
    readback: ReadBack
    folder: Path

    def enrol(self):
        self.world.prepare()
        until(lambda: self.world.enrolled() >= self.world.wanted, 40, "subscriptions")

    def lines(self, item_id: str) -> list[Line]:
        """The judged audit lines of an item by their time (the chain has the order of arrival)."""
        found = [
            line
            for line in self.storage.lines()
            if line.key[1] == item_id and line.disposition != "none"
        ]
        return sorted(found, key=lambda line: datetime.fromisoformat(line.event["time"]))

    def left_over(self) -> dict[str, Any]:
        """What waits or failed: for the message of a failed test."""
        queues = QueueServiceClient.from_connection_string(self.stack.storage)
        counts = {
            queue.name: queues.get_queue_client(queue.name)
            .get_queue_properties()
            .approximate_message_count
            for queue in queues.list_queues()
        }
        blobs = BlobServiceClient.from_connection_string(self.stack.storage)
        letters = blobs.get_container_client("deadletters")
        kept = [
            letters.download_blob(name).readall()
            for name in (letters.list_blob_names() if letters.exists() else ())
        ]
        return {"queues": {k: v for k, v in counts.items() if v}, "dead letters": kept}

    def admin(self, method: str, path: str, **body: Any) -> Any:
        return self.stack.graph.admin(method, path, **body)

    def log(self) -> list[dict[str, Any]]:
        """The stand-in's own log of requests."""
        return self.admin("GET", "log")["log"]

    def results(self, sent) -> list[Result]:
        """Every sample compared with its expectation, as the demo does."""
        lines = latest(self.storage.lines())
        found = []
        for each in sent:
            line = lines.get((each.sample.source, each.item_id))
            expected = expectations()[each.sample.name]
            state = self.readback.state(each, line) if line else None
            found.append(Result(each, expected, line, state))
        return found

    def settle(self, sent, seconds=120.0) -> list[Result]:
        """Wait until every sample is as expected; the results then, or as they are at the end."""
        end = time.monotonic() + seconds
        while True:
            results = self.results(sent)
            if not any(each.problems for each in results) or time.monotonic() > end:
                return results
            time.sleep(0.5)


def town(folder: Path, **options: Any) -> Stack:
    return Stack(folder, users=USERS, **options)


def look(stack: Stack) -> Town:
    storage = Storage(stack.storage)
    return Town(
        stack,
        World(stack.graph, stack.storage, stack.user_ids),
        storage,
        ReadBack(Graph(stack.graph.base_url), storage),
        stack.folder,
    )


@pytest.fixture(scope="session")
def stack(tmp_path_factory):
    folder = tmp_path_factory.mktemp("town")
    overrides = {
        "SEKISHO_LEASE_SECONDS": "10",
        "SEKISHO_SWEEP_SCHEDULE": "*/5 * * * * *",
        "SEKISHO_TELEMETRY_FILE": str(folder / "telemetry.jsonl"),
    }
    granted = {}
    if slice_path().exists():  # a call that the least grants do not allow is 403
        granted = {"contract": slice_path(), "permissions": sorted(calls.GRANTS)}
    with town(folder, record=folder / "traffic.jsonl", overrides=overrides, **granted) as running:
        there = look(running)
        there.enrol()
        yield there


@pytest.fixture(scope="session")
def day(stack):
    """The samples sent and settled on the session's stack: results, in order."""
    return stack.settle([stack.world.send(sample) for sample in samples()])
