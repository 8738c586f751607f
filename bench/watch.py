"""The watch at the size of a tenant: what is lost, what is done twice, what Graph's limits ask.

``python bench/watch.py [--accounts 10000] [--notifications 100000] [--json FILE] [--write]``.
Accounts are enrolled and renewed, mails arrive, 5 % of the notifications are dropped, 10 % doubled
and all shuffled, then one sweep follows: the composition root's own parts over stores in memory,
and the Graph stand-in's application without sockets. ``--write`` puts the figures into
``docs/reference/watch-at-scale.md`` and its picture.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import logging
import os
import sys
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

import pygal
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table

from bench._tenant import Figures, run

ROOT = Path(__file__).resolve().parents[1]
PAGE = ROOT / "docs/reference/watch-at-scale.md"
PICTURE = ROOT / "docs/images/watch-at-scale.svg"


def figures_of(given: argparse.Namespace) -> Figures:
    """The run, with a bar a step on the error stream."""
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn())
    with Progress(*columns, TimeElapsedColumn(), console=Console(stderr=True)) as progress:
        bars = {}

        def told(what: str, done: int, total: int) -> None:
            if what not in bars:
                bars[what] = progress.add_task(what, total=total)
            progress.update(bars[what], completed=done, total=total)

        wanted = given.notifications or 10 * given.accounts
        return asyncio.run(run(given.accounts, wanted, seed=given.seed, told=told))


def rows(found: Figures) -> list[tuple[str, str]]:
    """What people read."""
    plain = {
        "accounts": found.accounts,
        "subscriptions (mail, calendar, drive)": found.subscriptions,
        "subscriptions renewed": found.renewed,
        "mails": found.mails,
        "notifications, those of our own writes included": found.notifications,
        "dropped on the way": found.dropped,
        "delivered twice": found.doubled,
        "mails that only the sweep found": found.found_by_sweep,
        "**lost**": found.lost,
        "**acted on twice**": found.double_acted,
        "removed after evidence (a My Number in it)": found.blocked,
        "dead letters": found.dead_letters,
        "Graph requests": found.requests,
        "Graph requests a second here": round(found.requests_s),
        "memory at its highest, MB": round(found.rss_mb),
        "seconds that Graph's limits ask for at least": round(found.virtual_s),
    }
    return [(name, f"{value:,}") for name, value in plain.items()]


def picture(found: Figures) -> None:
    """Seconds a step here, beside the seconds that Graph's limits ask for."""
    chart = pygal.HorizontalBar(width=900, height=420, legend_at_bottom=True)
    chart.title = f"Seconds, {found.accounts:,} accounts, {found.notifications:,} notifications"
    for name, value in found.seconds.items():
        chart.add(f"here: {name}", round(value, 1))
    for name, value in found.limits.items():
        chart.add(f"Graph's limit: {name}", round(value, 1))
    PICTURE.write_text(chart.render(disable_xml_declaration=True, no_prefix=True))


def page(found: Figures) -> str:
    """The reference page."""
    lines = "\n".join(f"| {name} | {value} |" for name, value in rows(found))
    steps = "\n".join(f"| {name} | {value:.1f} |" for name, value in found.seconds.items())
    limits = "\n".join(f"| {name} | {value:.1f} |" for name, value in found.limits.items())
    return f"""# The watch at the size of a tenant

Written by `python bench/watch.py --accounts {found.accounts} --write` on \
{datetime.now(UTC):%Y-%m-%d}, {os.cpu_count()} processors.

| figure | value |
|---|---|
{lines}

![Seconds a step](../images/watch-at-scale.svg)

| step | seconds here |
|---|---|
{steps}

| Graph's limit | seconds it asks for |
|---|---|
{limits}

## What was run

- The product's own parts, as the composition root makes them: Intake, Resolver, the pipeline with
  extraction (in process, without isolation), detection and policy, the mail service, results and
  the recorder with its chain. Queues, tables and blobs are the stores in memory that the tests hold
  to Azurite's behaviour. 128 messages of a queue are in hand at once and interleave at each Graph
  call.
- Graph is the stand-in's application, called without sockets (over HTTP the same calls would take
  longer than a run may last). Its notifications are real ones: a mail that arrives and our own
  change to it both tell.
- All accounts have three subscriptions (mail, calendar, drive) and all three are swept; what
  arrives is mail alone. Texts are made, My Numbers computed by check digit from stems that nobody
  has.
- Waiting (delays of queue messages) is skipped, not slept through.
- *Lost*: a mail that stands in its mailbox without our mark after the sweep; every mail of the run
  has something to mark or to remove. *Acted on twice*: one with two successful writes of a kind.
- Time by limits: subscription writes 1,000 in 20 s, all calls 130,000 in 10 s, one mailbox 10,000
  in 10 min, SharePoint 3,600 units a minute; each as if it were the only one, the longest counts.
  Renewal is forced on all at once here; in operation it is spread over days.

## What is not in it

The same over the real storage emulator, the local host and HTTP; files, events and Teams messages
at this number; Graph's own latency.
"""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--accounts", type=int, default=10_000)
    parser.add_argument("--notifications", type=int, help="default: ten an account")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--json", type=Path)
    parser.add_argument("--of", type=Path, help="no run: the figures of an earlier one's JSON")
    parser.add_argument("--write", action="store_true", help="the reference page and its picture")
    given = parser.parse_args()
    logging.disable(logging.INFO)
    found = Figures(**json.loads(given.of.read_text())) if given.of else figures_of(given)
    table = Table("figure", "value", title="The watch")
    for name, value in rows(found):
        table.add_row(name.strip("*"), value)
    Console().print(table)
    if given.json:
        given.json.write_text(json.dumps(asdict(found), indent=1) + "\n")
    if given.write:
        picture(found)
        PAGE.write_text(page(found))
    sys.exit(1 if found.lost or found.double_acted or found.dead_letters else 0)


if __name__ == "__main__":
    main()
