"""The watch at the size of a tenant: what is lost, what is done twice, what Graph's limits ask.

``python bench/watch.py [--accounts 10000] [--notifications 100000] [--real 5000] [--json FILE]``.
Accounts are enrolled and renewed, mails arrive, 5 % of the notifications are dropped, 10 % doubled
and all shuffled, then one sweep follows: the composition root's own parts over stores in memory,
and the Graph stand-in's application without sockets. ``--real N`` sends N more through the real
stack (Azurite, the local host, the stand-in over HTTP); with ``--accounts 0`` those alone.
``--write`` puts the figures into ``docs/reference/watch-at-scale.md`` and its picture.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import logging
import os
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[1]))

import pygal
from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    TaskID,
    TextColumn,
    TimeElapsedColumn,
)
from rich.table import Table

from bench import _figures
from bench._real import DELAY, RealFigures, run_real
from bench._tenant import Figures, Told, run

ROOT = Path(__file__).resolve().parents[1]
PAGE = ROOT / "docs/reference/watch-at-scale.md"
PICTURE = ROOT / "docs/images/watch-at-scale.svg"
EVERY = 10.0  # seconds between lines of progress where there is no terminal


@contextmanager
def shown() -> Iterator[Told]:
    """Progress on the error stream: a bar a step, or where nobody watches a line every 10 s."""
    console = Console(stderr=True)
    if not console.is_terminal:
        yield Lines(console)
        return
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn())
    with Progress(*columns, TimeElapsedColumn(), console=console) as progress:
        bars: dict[str, TaskID] = {}

        def told(what: str, done: int, total: int) -> None:
            if what not in bars:
                bars[what] = progress.add_task(what, total=total)
            progress.update(bars[what], completed=done, total=total)

        yield told


class Lines:
    """Progress as lines: the first of each step, then one every ten seconds."""

    def __init__(self, console: Console) -> None:
        self._console, self._began = console, time.monotonic()
        self._step, self._next = "", 0.0

    def __call__(self, what: str, done: int, total: int) -> None:
        """``done`` of ``total`` of the step ``what``."""
        now = time.monotonic()
        if what != self._step or now >= self._next:
            self._step, self._next = what, now + EVERY
            spent = now - self._began
            self._console.print(f"{spent:6.0f} s  {what}: {done:,} of {total:,}", highlight=False)


@dataclass
class Found:
    """The runs that were asked for."""

    memory: Figures | None = None
    real: RealFigures | None = None

    def failed(self) -> bool:
        """Whether anything was lost, done twice or given up."""
        runs = [each for each in (self.memory, self.real) if each is not None]
        return any(each.lost or each.double_acted or each.dead_letters for each in runs)

    def json(self) -> dict[str, Any]:
        """The keys of the first run, and the second's under ``real``."""
        flat = asdict(self.memory) if self.memory else {}
        return flat | ({"real": asdict(self.real)} if self.real else {})

    @classmethod
    def read(cls, path: Path) -> Found:
        """Of an earlier run."""
        flat = json.loads(path.read_text())
        real = flat.pop("real", None)
        return cls(Figures(**flat) if flat else None, RealFigures(**real) if real else None)


def found_by(given: argparse.Namespace) -> Found:
    """The runs, with their progress on the error stream."""
    found = Found()
    with shown() as told:
        if given.accounts:
            wanted = given.notifications or 10 * given.accounts
            found.memory = asyncio.run(run(given.accounts, wanted, seed=given.seed, told=told))
        if given.real:
            found.real = run_real(given.real, seed=given.seed, told=told)
    return found


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


def real_rows(found: RealFigures) -> list[tuple[str, str]]:
    """The same of the run through the real stack."""
    plain = {
        "accounts": found.accounts,
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
        "seconds": round(sum(found.seconds.values())),
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


def page(found: Figures, real: RealFigures) -> str:
    """The reference page."""
    lines = "\n".join(f"| {name} | {value} |" for name, value in rows(found))
    through = "\n".join(f"| {name} | {value} |" for name, value in real_rows(real))
    steps = "\n".join(f"| {name} | {value:.1f} |" for name, value in found.seconds.items())
    limits = "\n".join(f"| {name} | {value:.1f} |" for name, value in found.limits.items())
    return f"""# The watch at the size of a tenant

Written by `python bench/watch.py --accounts {found.accounts} --real {real.notifications} --write`
on {datetime.now(UTC):%Y-%m-%d}, {os.cpu_count()} processors.

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

## Through the real stack

Azurite on disk, the local host with its worker and isolated extraction, the stand-in over HTTP,
with a line between that loses, doubles and shuffles (over {DELAY:.0f} seconds). The sweep runs
once, by hand, when all that notifications told of is done.

| figure | value |
|---|---|
{through}

## What was run in memory

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

Files, events and Teams messages at this number (the end-to-end tests have each of them lost,
doubled and failing); Graph's own latency.
"""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--accounts", type=int, default=10_000)
    parser.add_argument("--notifications", type=int, help="default: ten an account")
    parser.add_argument("--real", type=int, default=0, help="as many through the real stack")
    parser.add_argument("--seed", type=int, default=1)
    _figures.add(parser)
    parser.add_argument("--of", type=Path, help="no run: the figures of an earlier one's JSON")
    parser.add_argument("--write", action="store_true", help="the reference page and its picture")
    given = parser.parse_args()
    logging.disable(logging.INFO)
    found = Found.read(given.of) if given.of else found_by(given)
    _figures.tell(given.json, found.json(), lambda: tables(found))
    if given.write and found.memory and found.real:
        picture(found.memory)
        PAGE.write_text(page(found.memory, found.real))
    sys.exit(1 if found.failed() else 0)


def tables(found: Found) -> None:
    """What people read."""
    runs = (
        ("The watch, in memory", rows(found.memory) if found.memory else []),
        ("The watch, through the real stack", real_rows(found.real) if found.real else []),
    )
    for title, lines in runs:
        table = Table("figure", "value", title=title)
        for name, value in lines:
            table.add_row(name.strip("*"), value)
        if lines:
            Console().print(table)


if __name__ == "__main__":
    main()
