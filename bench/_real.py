"""The same through the real stack: Azurite, the local host and the stand-in over HTTP.

A line that loses, doubles and shuffles lies between the stand-in and the webhook. The sweep runs
once, by hand, when everything that notifications told of is done: what it finds is what was lost.
"""

from __future__ import annotations

import json
import random
import tempfile
import time
import urllib.request
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from azure.core.exceptions import ResourceNotFoundError
from azure.storage.blob import BlobServiceClient
from azure.storage.queue import QueueServiceClient

from bench._tenant import BLOCKED, DOUBLED, DROPPED, EACH, QUEUES, TEXTS, Told, mail, secret
from local.demo.readback import PROPERTY
from local.stack import Stack

ACCOUNTS = 40
SOURCES = 3  # subscriptions an account
QUIET = 3.0  # seconds without a message before the queues count as empty
NEVER = "0 0 0 1 1 *"
DELAY = 5.0  # seconds over which what is told is shuffled


@dataclass
class RealFigures:
    """What a run found."""

    accounts: int = ACCOUNTS
    notifications: int = 0
    dropped: int = 0
    doubled: int = 0
    mails: int = 0
    found_by_sweep: int = 0
    lost: int = 0
    double_acted: int = 0
    blocked: int = 0
    dead_letters: int = 0
    requests: int = 0
    requests_s: float = 0.0
    seconds: dict[str, float] = field(default_factory=dict)


class RealTown:
    """A running stack, and what looks at it from outside."""

    def __init__(self, stack: Stack, told: Told) -> None:
        self.stack, self._told = stack, told
        self.users = list(stack.user_ids.values())
        self._queues = QueueServiceClient.from_connection_string(stack.storage)
        self.sent: dict[str, str] = {}  # message id to user id

    def enrolled(self) -> int:
        """How many subscriptions there are."""
        return len(self._state()["subscriptions"])

    def arrive(self, count: int, seed: int) -> None:
        """Mails come in, as fast as the stand-in takes them."""
        rng = random.Random(seed)
        raws = [mail(text) for text in TEXTS]
        for number in range(count):
            user = rng.choice(self.users)
            raw = secret(number) if rng.random() < BLOCKED else raws[number % len(raws)]
            made = self.stack.graph.admin("POST", f"users/{user}/messages", data=raw)
            self.sent[made["id"]] = user

    def settle(self, what: str, total: int) -> None:
        """Wait until the queues have been empty for a moment."""
        quiet = time.monotonic()
        while time.monotonic() - quiet < QUIET:
            waiting = self._waiting()
            if waiting:
                quiet = time.monotonic()
            self._told(what, max(total - waiting, 0), total)
            time.sleep(0.5)

    def unseen(self) -> set[str]:
        """Mails that are in their mailbox without our mark."""
        return {
            message["id"]
            for user in self._state()["users"]
            for message in user["messages"]
            if message["id"] in self.sent and PROPERTY not in message["extended"]
        }

    def gone(self) -> int:
        """How many of the mails are in no mailbox any more."""
        there = {m["id"] for user in self._state()["users"] for m in user["messages"]}
        return len(self.sent.keys() - there)

    def sweep(self) -> None:
        """Run the sweep's timer now."""
        host = self.stack.host
        request = urllib.request.Request(
            f"{host.url}/admin/functions/sweep",
            data=b'{"input": ""}',
            headers={"x-functions-key": host.master_key, "Content-Type": "application/json"},
            method="POST",
        )
        with urllib.request.urlopen(request, timeout=30):
            pass

    def acts(self) -> Counter[tuple[str, str]]:
        """Successful writes, by message and kind, from the stand-in's own log."""
        return Counter(
            (entry["ids"]["message"], entry["method"] + entry["template"])
            for entry in self.log()
            if entry["method"] in {"PATCH", "POST", "DELETE"}
            and entry["status"] // 100 == 2
            and entry["ids"].get("message") in self.sent
        )

    def log(self) -> list[dict[str, Any]]:
        """The stand-in's log of requests."""
        found: list[dict[str, Any]] = self.stack.graph.admin("GET", "log")["log"]
        return found

    def dead_letters(self) -> int:
        """How many there are."""
        blobs = BlobServiceClient.from_connection_string(self.stack.storage)
        with suppress(ResourceNotFoundError):
            return len(list(blobs.get_container_client("deadletters").list_blob_names()))
        return 0

    def _waiting(self) -> int:
        total = 0
        for name in QUEUES:
            with suppress(ResourceNotFoundError):
                found = self._queues.get_queue_client(name).get_queue_properties()
                total += found.approximate_message_count or 0
        return total

    def _state(self) -> dict[str, Any]:
        found: dict[str, Any] = self.stack.graph.admin("GET", "state")
        return found


def run_real(wanted: int, *, seed: int, told: Told) -> RealFigures:
    """About ``wanted`` notifications through everything; the figures."""
    users = {f"職員{n}": f"user{n:03d}@city.example" for n in range(ACCOUNTS)}
    overrides = {
        "SEKISHO_SWEEP_SCHEDULE": NEVER,
        "SEKISHO_TEAMS": "off",
        "SEKISHO_VERIFY_SCHEDULE": "0 */5 * * * *",
    }
    found = RealFigures(mails=wanted // EACH)
    seconds = found.seconds
    with (
        tempfile.TemporaryDirectory() as folder,
        Stack(Path(folder), users=users, overrides=overrides) as stack,
    ):
        town = RealTown(stack, told)

        def timed(name: str, step: Callable[[], None]) -> None:
            start = time.monotonic()
            step()
            seconds[name] = time.monotonic() - start

        timed("enrol", lambda: _enrol(town))
        lossy = {"drop": DROPPED, "duplicate": DOUBLED, "delay": DELAY, "seed": seed}
        stack.graph.admin("POST", "faults", json_body={"lossy": lossy})
        before = len(town.log())
        timed("arrive", lambda: town.arrive(found.mails, seed))
        timed("notifications", lambda: town.settle("real: notifications", found.mails))
        missed = town.unseen()
        timed("sweep", lambda: _swept(town))
        counts = stack.graph.admin("GET", "faults")
        found.notifications, found.dropped = counts["told"], counts["dropped"]
        found.doubled = counts["doubled"]
        lost = town.unseen()
        found.found_by_sweep, found.lost = len(missed - lost), len(lost)
        found.double_acted = sum(times > 1 for times in town.acts().values())
        found.blocked, found.dead_letters = town.gone(), town.dead_letters()
        found.requests = len(town.log()) - before
        found.requests_s = found.requests / sum(v for k, v in seconds.items() if k != "enrol")
    return found


def _enrol(town: RealTown) -> None:
    wanted = SOURCES * len(town.users)
    end = time.monotonic() + 300
    while (there := town.enrolled()) < wanted:
        if time.monotonic() > end:
            message = f"only {there} of {wanted} subscriptions were made"
            raise RuntimeError(message)
        time.sleep(1)
    town.settle("real: enrol", wanted)


def _swept(town: RealTown) -> None:
    town.sweep()
    town.settle("real: sweep", SOURCES * len(town.users))


if __name__ == "__main__":
    print(json.dumps(vars(run_real(200, seed=1, told=lambda *_: None)), indent=1))
