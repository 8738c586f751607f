"""What it takes and costs for 500, 10,000 and 100,000 accounts: counted, not guessed.

``python bench/scale.py [--write] [--json FILE]``. Storage operations and Graph calls an item are
counted while 300 mails pass through the product's own parts over stores in memory; processor time
is measured in the same run (the stand-in's share included, so it is an upper bound). The rest is
arithmetic over ``bench/prices.yaml``, whose numbers are yours to correct. ``--write`` writes
``docs/scale.md``.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import math
import sys
import time
from collections import Counter
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[1]))

import yaml
from rich.console import Console
from rich.table import Table

from bench import _figures
from bench._tenant import Town
from local.bicep.evaluate import Deployment
from local.bicep.template import load
from local.memory import MemoryStores

ROOT = Path(__file__).resolve().parents[1]
PAGE, PRICES = ROOT / "docs/scale.md", ROOT / "bench/prices.yaml"
SIZES = (500, 10_000, 100_000)
MAILS = 300
MONTH_S = 30 * 24 * 3600
# Limits, from learn.microsoft.com: a queue's messages and a table partition's entities a second
# (azure/storage/queues and tables, scalability targets), an account's requests a second
# (storage/common/scalability-targets-standard-account), all calls of one app to Graph
# (graph/throttling-limits: 130,000 in 10 s), SharePoint's resource units a minute by licences
# (sharepoint/dev, how to avoid getting throttled), and Flex instances an app at most.
QUEUE_S = TABLE_PARTITION_S = 2_000
ACCOUNT_S = 20_000
GRAPH_S = 13_000
SHAREPOINT_UNITS_MIN = {500: 1_250, 10_000: 3_600, 100_000: 6_250}
INSTANCES = 1_000
QUEUES = ("graph-hints", "graph-jobs", "scan-items", "scan-bulk", "scan-results")
CONTAINERS = ("audit", "evidence", "quarantine", "landing", "envelopes", "work", "lease")
# The size of infra/ that a count of accounts is deployed as, and how many times its always-ready
# instances; infra/ itself has none for 100,000, which is the prefecture's ten times.
DEPLOYED = {500: ("small", 1), 10_000: ("prefecture", 1), 100_000: ("prefecture", 10)}


@dataclass
class Cost:
    """What one item takes."""

    operations: dict[str, float] = field(default_factory=dict)
    graph_calls: float = 0.0
    cpu_ms: float = 0.0
    executions: float = 4.0  # intake, hint, scan, audit


@dataclass
class Size:
    """One size, a month; money in US dollars, rates at the busiest hour."""

    accounts: int
    items_month: float
    items_s: float
    instances: int
    storage_ops_s: float
    graph_calls_s: float
    sharepoint_share: float
    fixed: float
    variable: float
    first: str = ""

    @property
    def total(self) -> float:
        """A month."""
        return self.fixed + self.variable


class Counted(Town):
    """A town whose storage operations are counted."""

    def __init__(self, accounts: int) -> None:
        self.operations: Counter[str] = Counter()
        super().__init__(accounts, 7, lambda *_: None)

    def _stores(self) -> MemoryStores:
        async def count(operation: str, moment: str) -> None:
            if moment == "before":
                self.operations[operation] += 1

        return MemoryStores(self.account, count)


async def measured() -> Cost:
    """Counts and processor time of mails, without what enrolling takes."""
    town = Counted(50)
    await town.start()
    await town.enrol()
    town.operations.clear()
    before = town.graph.calls.total()
    began = time.process_time()
    await town.mails(MAILS)
    await town.run.recorder.log.idle()
    cpu = time.process_time() - began
    calls = town.graph.calls.total() - before
    await town.tenant.stop()
    # A queue's message is also received and deleted, which the platform does and we pay for.
    operations = {name: count / MAILS for name, count in sorted(town.operations.items())}
    puts = sum(value for name, value in operations.items() if _kind(name) == "queue")
    operations["scan-items and others: receive, delete"] = 2 * puts
    return Cost(operations, calls / MAILS, 1000 * cpu / MAILS)


def deployed(size: str, times: int) -> tuple[int, float, float]:
    """Private endpoints, gigabytes of always-ready instances and of a scanning one, by infra/."""
    given = {"environmentName": "bench", "size": size}
    made = Deployment(load(ROOT / "infra/main.bicep"), given).run()
    endpoints = sum(each.kind == "Microsoft.Network/privateEndpoints" for each in made)
    sizes = json.loads((ROOT / "infra/sizes.json").read_text(encoding="utf-8"))
    ready = sum(
        group["instanceCount"] * app["memory"] / 1024
        for app in sizes[size]["instances"].values()
        for group in app["ready"]
    )
    apps = sizes[size]["instances"]
    scanning = (apps.get("scan") or apps["all"])["memory"] / 1024
    return endpoints, ready * times, scanning


def sized(accounts: int, cost: Cost, given: dict[str, Any]) -> Size:
    """The arithmetic, one size."""
    day, wait, prices = given["day"], given["wait_ms"], given["storage"]
    daily = sum(day[kind] for kind in ("mails", "files", "messages", "events"))
    items = accounts * daily * day["workdays_month"]
    peak = accounts * daily * day["busiest_hour"] / 3600
    ops = sum(cost.operations.values())
    waits = (ops * wait["storage"] + cost.graph_calls * wait["graph"]) / 1000
    busy = max(cost.cpu_ms / 1000, (waits + cost.cpu_ms / 1000) / given["at_once"])
    instances = max(1, math.ceil(peak * busy / 0.6))  # 60 % busy leaves room for a burst
    flex = given["flex"]
    endpoints, ready_gb, memory_gb = deployed(*DEPLOYED[accounts])
    variable = items * busy * memory_gb * flex["gb_second"]
    variable += items * cost.executions / 1e6 * flex["million_executions"]
    for name, count in cost.operations.items():
        variable += items * count / 10_000 * prices[_kind(name)]
    variable += items * given["log_kb_item"] / 1e6 * given["log_gb"]
    fixed = endpoints * given["private_endpoint_month"]
    fixed += ready_gb * MONTH_S * flex["ready_baseline_gb_second"]
    units = accounts * day["files"] * day["busiest_hour"] / 60 * 7  # delta, get, permissions
    share = units / SHAREPOINT_UNITS_MIN[accounts]
    made = Size(
        accounts,
        items,
        peak,
        instances,
        peak * ops,
        peak * cost.graph_calls,
        share,
        fixed,
        variable,
    )
    made.first = _first(made)
    return made


def _kind(operation: str) -> str:
    """The price's name for an operation such as ``scan-items.put`` or ``audit.append``."""
    place, _, what = operation.partition(".")
    if place.startswith(QUEUES):
        return "queue"
    if place in CONTAINERS:
        return "blob_read" if what in {"get", "properties", "read_range"} else "blob_write"
    return "table"


def _first(size: Size) -> str:
    """What is nearest to its limit, and how near."""
    queue = size.items_s * 3 / QUEUE_S
    audit = size.items_s * 2 / TABLE_PARTITION_S
    shares = {
        "SharePoint's resource units": size.sharepoint_share,
        "requests of the work account": size.storage_ops_s / ACCOUNT_S,
        "one queue": queue,
        "the audit chain's one sequencer": audit,
        "Graph's calls of one app": size.graph_calls_s / GRAPH_S,
        "Flex instances": size.instances / INSTANCES,
    }
    name = max(shares, key=lambda each: shares[each])
    return f"{name} ({shares[name]:.0%})"


CHANGES = {
    500: "One app in one account carries it.",
    10_000: "Apps by duty. Files are what Graph slows down first: drives are read by delta, and a "
    "burst waits in the queue, which costs time and loses nothing.",
    100_000: "The work account is partitioned by account reference (ledger, queues), notifications "
    "come by Event Hubs, scan runs as several apps, and SharePoint's limit is shared out by "
    "hour: the sweep of files moves to the night.",
}


def table(cost: Cost, sizes: list[Size]) -> Table:
    """For people."""
    made = Table(title="規模と費用 / scale and cost, US dollars a month")
    for column in ("accounts", "items a month", "items/s", "instances", "fixed", "variable", "sum"):
        made.add_column(column, justify="right")
    made.add_column("first to fill")
    for each in sizes:
        made.add_row(
            f"{each.accounts:,}",
            f"{each.items_month:,.0f}",
            f"{each.items_s:.1f}",
            str(each.instances),
            f"{each.fixed:,.0f}",
            f"{each.variable:,.0f}",
            f"{each.total:,.0f}",
            each.first,
        )
    made.caption = (
        f"an item: {sum(cost.operations.values()):.1f} storage operations, "
        f"{cost.graph_calls:.1f} Graph calls, {cost.cpu_ms:.1f} ms of processor"
    )
    return made


def write(cost: Cost, sizes: list[Size]) -> None:
    """``docs/scale.md``."""
    rows = [
        (
            "| accounts | items a month | items/s at the busiest hour | instances | storage op/s "
            "| Graph calls/s | fixed | variable | sum | first to fill |"
        ),
        "|---:|---:|---:|---:|---:|---:|---:|---:|---:|---|",
    ]
    rows.extend(
        f"| {each.accounts:,} | {each.items_month:,.0f} | {each.items_s:.1f} "
        f"| {each.instances} | {each.storage_ops_s:,.0f} | {each.graph_calls_s:,.0f} "
        f"| ${each.fixed:,.0f} | ${each.variable:,.0f} | **${each.total:,.0f}** "
        f"| {each.first} |"
        for each in sizes
    )
    counts = ["| operation | an item |", "|---|---:|"]
    counts += [f"| {name} | {count:.2f} |" for name, count in cost.operations.items()]
    counts.append(f"| Graph calls | {cost.graph_calls:.2f} |")
    counts.append(f"| processor, ms (upper bound) | {cost.cpu_ms:.1f} |")
    changes = [f"- **{size:,}**: {words}" for size, words in CHANGES.items()]
    PAGE.write_text(
        "# 規模と費用 · Scale and cost\n\n"
        "`python bench/scale.py --write` がこの頁を書きます。件数は数えたもの、価格は "
        "[`bench/prices.yaml`](../bench/prices.yaml) の仮定です。\n"
        "Written by the script: counts are counted, prices are the assumptions of that file; put "
        "your contract's in. Only a real subscription proves the sum.\n\n"
        + "\n".join(rows)
        + "\n\n## What changes with the size\n\n"
        + "\n".join(changes)
        + "\n\n## What one mail takes\n\n"
        + "\n".join(counts)
        + "\n",
        encoding="utf-8",
    )


def main() -> None:
    """Count, compute, print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--write", action="store_true")
    _figures.add(parser)
    given = parser.parse_args()
    prices = yaml.safe_load(PRICES.read_text(encoding="utf-8"))
    cost = asyncio.run(measured())
    sizes = [sized(accounts, cost, prices) for accounts in SIZES]
    if given.write:
        write(cost, sizes)
    answer = {
        "item": asdict(cost),
        "sizes": [asdict(each) | {"total": each.total} for each in sizes],
    }
    _figures.tell(given.json, answer, lambda: Console(width=150).print(table(cost, sizes)))


if __name__ == "__main__":
    main()
