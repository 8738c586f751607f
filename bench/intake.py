"""Graph's webhook: from a cold start to the handshake's answer, and the answers under load.

``python bench/intake.py [--starts 5] [--rate 50] [--seconds 30] [--alone]``. The app is the
role ``intake`` (as it is deployed) on the local host over Azurite, with the stand-in's accounts
enrolled. *Cold*: from the start of the host's process, everything imported anew, until a validation
token came back. *Answers*: open loop, each timed from the moment at which it was due, so that a
slow one does not hide the ones behind it; resolve works off the same hints meanwhile, in the same
worker and on the same emulator (``--alone`` leaves it off). The load average of the machine stands
beside the figures: a busy one makes them worse.
"""

from __future__ import annotations

import argparse
import asyncio
import base64
import json
import os
import statistics
import sys
import tempfile
import time
import uuid
from contextlib import suppress
from dataclasses import asdict, dataclass, field
from pathlib import Path
from urllib.parse import quote

sys.path.insert(0, str(Path(__file__).parents[1]))

import aiohttp
from azure.core.exceptions import ResourceNotFoundError
from azure.data.tables import TableServiceClient
from rich.console import Console
from rich.table import Table

from bench import _figures
from local.environment import fresh_key
from local.stack import Stack
from shared.graph.webhook import client_state

USERS = 10
BATCH = 1  # notifications a request
TOKEN = "Validation: Testing client application reachability. Request-Id: 1"
LONGEST = 60.0
ACCEPTED = 202


@dataclass
class Figures:
    """Seconds, except where a name says otherwise."""

    cold_start_s: list[float] = field(default_factory=list)
    cold_start_median_s: float = 0.0
    cold_start_max_s: float = 0.0
    rate: float = 0.0
    requests: int = 0
    accepted: int = 0
    p50_ms: float = 0.0
    p95_ms: float = 0.0
    p99_ms: float = 0.0
    max_ms: float = 0.0
    load_average: list[float] = field(default_factory=list)
    processors: int = field(default_factory=lambda: os.cpu_count() or 1)


def cold(stack: Stack) -> float:
    """Kill the host, start it, and ask until the token comes back; the seconds that took."""
    host = stack.host
    host.kill()
    url = f"{host.url}/api/graph/notifications?validationToken={quote(TOKEN)}"
    started = time.perf_counter()
    spent: list[float] = []

    async def ask() -> None:
        async with aiohttp.ClientSession() as session:
            while time.perf_counter() - started < LONGEST:
                try:
                    async with session.post(url) as answer:
                        if answer.status == 200 and await answer.text() == TOKEN:
                            spent.append(time.perf_counter() - started)
                            return
                except aiohttp.ClientError:
                    pass
                await asyncio.sleep(0.01)

    async def both() -> None:
        await asyncio.gather(asyncio.to_thread(host.start), ask())

    asyncio.run(both())
    if not spent:
        message = "the webhook did not answer in a minute"
        raise RuntimeError(message)
    return spent[0]


def states(stack: Stack, key: bytes) -> list[str]:
    """The clientStates of the enrolled mailboxes, as their subscriptions carry them."""
    end = time.monotonic() + LONGEST
    table = TableServiceClient.from_connection_string(stack.storage).get_table_client(
        "subscriptions"
    )
    while time.monotonic() < end:
        rows = []
        with suppress(ResourceNotFoundError):  # the table is made with its first row
            rows = list(table.query_entities("PartitionKey eq 'mail' and state eq 'active'"))
        if len(rows) == USERS:
            return [client_state(key, "mail", row["RowKey"], row["nonce"]) for row in rows]
        time.sleep(0.5)
    message = "the accounts were not enrolled in a minute"
    raise RuntimeError(message)


def notification(state: str) -> bytes:
    """One that tells of a mail which nobody has."""
    key = uuid.uuid4().hex
    told = {
        "subscriptionId": str(uuid.uuid4()),
        "clientState": state,
        "changeType": "created",
        "resource": f"Users/{key}/Messages/{key}",
        "resourceData": {"id": key, "@odata.etag": f'W/"{key}"'},
    }
    return json.dumps({"value": [told] * BATCH}).encode()


async def answers(
    url: str, known: list[str], rate: float, seconds: float
) -> list[tuple[int, float]]:
    """(status, seconds) of each request, sent at its time whatever became of those before."""
    found: list[tuple[int, float]] = []
    start = time.perf_counter() + 0.5

    async def one(session: aiohttp.ClientSession, number: int) -> None:
        due = start + number / rate
        body = notification(known[number % len(known)])
        await asyncio.sleep(max(due - time.perf_counter(), 0))
        try:
            async with session.post(url, data=body) as answer:
                await answer.read()
                status = answer.status
        except aiohttp.ClientError:
            status = 0
        found.append((status, time.perf_counter() - due))

    connector = aiohttp.TCPConnector(limit=0)
    async with aiohttp.ClientSession(connector=connector) as session:
        await asyncio.gather(*(one(session, n) for n in range(round(rate * seconds))))
    return found


def measured(given: argparse.Namespace) -> Figures:
    """The whole run."""
    key = fresh_key()
    overrides = {"SEKISHO_ROLE": "intake", "SEKISHO_TEAMS": "off", "SEKISHO_CLIENT_STATE_KEY": key}
    if given.alone:
        overrides |= {"AzureWebJobs.resolve_hint.Disabled": "1"}
    found = Figures(rate=given.rate)
    users = {f"職員{n}": f"user{n:03d}@city.example" for n in range(USERS)}
    with (
        tempfile.TemporaryDirectory() as folder,
        Stack(Path(folder), users=users, overrides=overrides) as stack,
    ):
        known = states(stack, base64.b64decode(key.partition(":")[2]))
        found.cold_start_s = [round(cold(stack), 3) for _ in range(given.starts)]
        url = f"{stack.host.url}/api/graph/notifications"
        asyncio.run(answers(url, known, 10, 3))  # warm
        timed = asyncio.run(answers(url, known, given.rate, given.seconds))
    found.load_average = [round(each, 2) for each in os.getloadavg()]
    found.cold_start_median_s = statistics.median(found.cold_start_s)
    found.cold_start_max_s = max(found.cold_start_s)
    found.requests = len(timed)
    found.accepted = sum(status == ACCEPTED for status, _ in timed)
    shares = statistics.quantiles([1000 * each for _, each in timed], n=100)
    found.p50_ms, found.p95_ms, found.p99_ms = (round(shares[n], 1) for n in (49, 94, 98))
    found.max_ms = round(1000 * max(each for _, each in timed), 1)
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--starts", type=int, default=5)
    parser.add_argument("--rate", type=float, default=50.0)
    parser.add_argument("--seconds", type=float, default=30.0)
    parser.add_argument("--alone", action="store_true", help="without resolve beside it")
    _figures.add(parser)
    given = parser.parse_args()
    found = measured(given)

    def table() -> None:
        shown = Table("figure", "value", title="The webhook")
        for name, value in asdict(found).items():
            shown.add_row(name, str(value))
        Console().print(shown)

    _figures.tell(given.json, asdict(found), table)
    met = found.cold_start_max_s <= 3 and found.p99_ms < 1000 and found.accepted == found.requests
    sys.exit(0 if met else 1)


if __name__ == "__main__":
    main()
