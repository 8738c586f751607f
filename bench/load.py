"""The whole pipeline on this machine: how much it carries, how long an item waits, how it grows.

``python bench/load.py [--items 300] [--burst N] [--growth 1000,10000] [--json FILE]``

*Real*: mails one after the other, then as many as come at once of mails, files and channel
messages, through Azurite, the local host and the stand-in over
HTTP; ``seconds`` of an item are those of its audit event, from the notification's arrival to the
action read back. ``--burst N`` sends N mails at once and tells how long the queue took to empty,
and what the worker's memory did meanwhile: 10,000 are an hour of three mails a second, compressed.
*Growth*: the same code over stores in memory, for each count of notifications: what one costs.
``--write`` keeps what this run measured in ``docs/load.json``, beside what others did, and writes
``docs/load.md`` and its picture from it.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlencode

sys.path.insert(0, str(Path(__file__).parents[1]))

import pygal
from rich.console import Console
from rich.table import Table

from bench import _figures
from bench._memory import WorkerMemory
from bench._tenant import TEXTS, mail, run
from local.demo.watch import Storage
from local.demo.world import World
from local.stack import Stack

ROOT = Path(__file__).resolve().parents[1]
PAGE, PICTURE = ROOT / "docs/load.md", ROOT / "docs/images/load-growth.svg"
MEMORY_PICTURE = ROOT / "docs/images/load-memory.svg"
KEPT = ROOT / "docs/load.json"
USERS = {f"職員{n}": f"user{n:02d}@city.example.jp" for n in range(8)}
NEVER = "0 0 0 1 1 *"


@dataclass
class Kind:
    """One kind of item through the real stack; times in seconds."""

    items: int
    items_s: float
    p50_s: float
    p95_s: float


@dataclass
class Growth:
    """One size in memory."""

    notifications: int
    items: int
    ms_an_item: float
    rss_mb: float
    lost: int


@dataclass
class Figures:
    """What a run found."""

    cores: int = field(default_factory=lambda: os.cpu_count() or 1)
    load_before: float = field(default_factory=lambda: os.getloadavg()[0])
    real: dict[str, Kind] = field(default_factory=dict)
    burst: dict[str, float] = field(default_factory=dict)
    growth: list[Growth] = field(default_factory=list)
    soak: dict[str, Any] = field(default_factory=dict)  # of the burst: the worker's memory
    measured: dict[str, str] = field(default_factory=dict)  # part → on which day, how busy before

    def note(self, part: str) -> None:
        """What ``part`` was measured on, before it begins."""
        day = datetime.now(tz=UTC).date()
        self.measured[part] = f"{day}, {self.cores} cores, load {os.getloadavg()[0]:.1f} before"


class Told:
    """A line on the error stream for each tenth, where there is no terminal too."""

    def __init__(self) -> None:
        self._said = ("", -1)

    def __call__(self, what: str, done: int, total: int) -> None:
        """``done`` of ``total``."""
        now = (what, 10 * done // max(1, total))
        if now != self._said:
            self._said = now
            print(f"{what}: {done:,} of {total:,}", file=sys.stderr, flush=True)


told = Told()


class Real:
    """A running stack; items are sent to it and awaited in the record."""

    def __init__(self, stack: Stack) -> None:
        self.stack = stack
        self.storage = Storage(stack.storage)
        self.users = list(stack.user_ids.values())
        self.team = stack.graph.admin("POST", "teams", json_body={"name": "福祉課"})

    def mail(self, number: int) -> str:
        """A harmless mail to one of the accounts; its id."""
        user = self.users[number % len(self.users)]
        raw = mail(TEXTS[number % len(TEXTS)])
        return str(self.stack.graph.admin("POST", f"users/{user}/messages", data=raw)["id"])

    def file(self, number: int) -> str:
        """A small text file; its id."""
        user = self.users[number % len(self.users)]
        query = urlencode({"name": f"資料{number}.txt"})
        data = f"{TEXTS[number % len(TEXTS)]} {number}".encode()
        made = self.stack.graph.admin("POST", f"users/{user}/files?{query}", data=data)
        return str(made["id"])

    def message(self, number: int) -> str:
        """A message in a channel; its id."""
        where = f"teams/{self.team['id']}/channels/{quote(self.team['channels'][0]['id'])}"
        body = {"from": next(iter(USERS.values())), "text": f"連絡事項 {number}"}
        return str(self.stack.graph.admin("POST", f"{where}/messages", json_body=body)["id"])

    def measure(self, name: str, send: Callable[[int], str], count: int, pause: float = 0) -> Kind:
        """Send, a ``pause`` in seconds after each, wait for the record, compute."""
        began = time.monotonic()
        sent = []
        for number in range(count):
            sent.append(send(number))
            time.sleep(pause)
        waiting = set(sent)
        seconds: dict[str, float] = {}
        while waiting:
            asked = time.monotonic()
            for line in self.storage.lines():
                if line.disposition != "none":
                    seconds.setdefault(line.key[1], float(line.event["seconds"]))
            waiting = set(sent) - seconds.keys()
            told(name, count - len(waiting), count)
            if (
                waiting
            ):  # to look costs, the more the longer the record: a tenth of the time at most
                time.sleep(max(0.5, 10 * (time.monotonic() - asked)))
            if time.monotonic() - began > 120 + count:
                message = f"{name}: {len(waiting)} of {count} were not recorded"
                raise RuntimeError(message)
        took = time.monotonic() - began
        ages = sorted(seconds[each] for each in sent)
        return Kind(
            count,
            count / took,
            statistics.median(ages),
            ages[min(len(ages) - 1, int(0.95 * len(ages)))],
        )


def real(items: int, burst: int, figures: Figures) -> None:
    """All kinds, one after the other, through one stack."""
    with tempfile.TemporaryDirectory() as folder:
        overrides = {"SEKISHO_SWEEP_SCHEDULE": NEVER}
        with Stack(Path(folder), users=USERS, overrides=overrides) as stack:
            world = World(stack.graph, stack.storage, stack.user_ids)
            world.prepare()
            while world.enrolled() < world.wanted:
                time.sleep(0.2)
            town = Real(stack)
            if items:
                figures.note("real")
                figures.real["mail, 2 a second"] = town.measure(
                    "mail, 2 a second", town.mail, items // 3, 0.5
                )
                figures.real["mail"] = town.measure("mail", town.mail, items)
                figures.real["file"] = town.measure("file", town.file, items)
                figures.real["message"] = town.measure("message", town.message, items)
            if burst:
                figures.note("burst")
                began = time.monotonic()
                with WorkerMemory(stack.host.pid or 0) as memory:
                    kind = town.measure("burst", town.mail, burst)
                figures.soak = {"curve": memory.curve(), **memory.figures()}
                figures.burst = {
                    "items": burst,
                    "seconds": time.monotonic() - began,
                    "p50_s": kind.p50_s,
                    "p95_s": kind.p95_s,
                    "items_s": kind.items_s,
                }


def growth(sizes: list[int], figures: Figures) -> None:
    """Each size in a process of its own, so that memory is its own."""
    if sizes:
        figures.note("growth")
    for size in sizes:
        code = (
            "import json,sys; from bench.load import one; print(json.dumps(one(int(sys.argv[1]))))"
        )
        done = subprocess.run(
            [sys.executable, "-c", code, str(size)],
            cwd=ROOT,
            stdout=subprocess.PIPE,
            text=True,
            check=True,
        )
        figures.growth.append(Growth(**json.loads(done.stdout.splitlines()[-1])))
        told("growth", len(figures.growth), len(sizes))


def one(notifications: int) -> dict[str, Any]:
    """A tenant of a tenth as many accounts as notifications, at most 2,000."""
    accounts = max(20, min(2_000, notifications // 10))
    found = asyncio.run(run(accounts, notifications, seed=7, told=lambda *_: None))
    took = found.seconds["notifications"]
    return asdict(
        Growth(
            found.notifications, found.mails, 1000 * took / found.mails, found.rss_mb, found.lost
        )
    )


def table(figures: Figures) -> Table:
    """For people."""
    made = Table(title=f"負荷 / load, {figures.cores} cores, load {figures.load_before:.1f} before")
    for column in ("", "items", "items/s", "p50 s", "p95 s"):
        made.add_column(column, justify="right")
    for name, kind in figures.real.items():
        made.add_row(
            name, f"{kind.items:,}", f"{kind.items_s:.1f}", f"{kind.p50_s:.2f}", f"{kind.p95_s:.2f}"
        )
    if figures.burst:
        b = figures.burst
        made.add_row(
            f"burst, empty after {b['seconds']:.0f} s",
            f"{b['items']:,.0f}",
            f"{b['items_s']:.1f}",
            f"{b['p50_s']:.2f}",
            f"{b['p95_s']:.2f}",
        )
    for each in figures.growth:
        made.add_row(
            f"in memory, {each.rss_mb:,.0f} MB",
            f"{each.items:,}",
            f"{1000 / each.ms_an_item:,.0f}",
            f"{each.ms_an_item:.2f} ms",
            f"{each.lost} lost",
        )
    if figures.soak:
        s = figures.soak
        made.add_row("worker's memory meanwhile", "", "", *_memory(s))
    return made


def _memory(soak: dict[str, Any]) -> tuple[str, str]:
    return (
        f"{soak['first_mb']:.0f} → {soak['half_mb']:.0f} → {soak['last_mb']:.0f} MB",
        f"peak {soak['peak_mb']:.0f} MB",
    )


def kept_with(figures: Figures) -> Figures:
    """The parts that were measured now, and of earlier runs the others."""
    before = json.loads(KEPT.read_text(encoding="utf-8")) if KEPT.exists() else {}
    now = {name: value for name, value in asdict(figures).items() if value}
    both = before | now
    both["measured"] = before.get("measured", {}) | figures.measured
    KEPT.write_text(json.dumps(both, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")
    return Figures(
        **both
        | {
            "real": {name: Kind(**each) for name, each in both.get("real", {}).items()},
            "growth": [Growth(**each) for each in both.get("growth", [])],
        }
    )


def write(figures: Figures) -> None:
    """The page and its picture."""
    chart = pygal.Line(x_title="通知 / notifications", y_title="ms / item", show_legend=False)
    chart.title = "一件の費用は件数で増えるか / does the cost of an item grow?"
    chart.x_labels = [f"{each.notifications:,}" for each in figures.growth]
    chart.add("ms", [round(each.ms_an_item, 3) for each in figures.growth])
    chart.render_to_file(str(PICTURE))
    if curve := figures.soak.get("curve"):
        chart = pygal.XY(x_title="秒 / seconds", y_title="MB", show_legend=False, range=(0, 512))
        chart.title = "処理中のメモリ / the worker's memory during the burst"
        chart.add("MB", curve)
        chart.render_to_file(str(MEMORY_PICTURE))
    rows = ["| | items | items/s | p50 | p95 |", "|---|---:|---:|---:|---:|"]
    for name, kind in figures.real.items():
        rows.append(
            f"| {name} | {kind.items:,} | {kind.items_s:.1f} | {kind.p50_s:.2f} s "
            f"| {kind.p95_s:.2f} s |"
        )
    if figures.burst:
        b = figures.burst
        rows.append(
            f"| burst of mails, empty after {b['seconds']:.0f} s | {b['items']:,.0f} "
            f"| {b['items_s']:.1f} | {b['p50_s']:.1f} s | {b['p95_s']:.1f} s |"
        )
    grown = [
        "| notifications | items | ms an item | memory | lost |",
        "|---:|---:|---:|---:|---:|",
    ]
    grown += [
        f"| {e.notifications:,} | {e.items:,} | {e.ms_an_item:.2f} "
        f"| {e.rss_mb:,.0f} MB | {e.lost} |"
        for e in figures.growth
    ]
    soak = "Not measured (`--burst`)."
    if figures.soak:
        medians, peak = _memory(figures.soak)
        soak = (
            f"An hour of {figures.burst['items'] / 3600:.1f} mails a second, compressed into "
            f"{figures.burst['seconds'] / 60:.0f} minutes of as many as come through. Resident "
            f"memory of the function worker after a tenth of the time, in the middle and in the "
            f"last tenth: {medians} ({peak}).\n\n![MB](images/load-memory.svg)"
        )
    PAGE.write_text(
        "# 負荷 · Load\n\n`python bench/load.py --write` writes this page.\n\n"
        "The machine also ran Azurite, the local host and the Graph "
        "stand-in: the emulator is most of it. Ratios travel to the cloud, figures do not.\n\n"
        + "\n".join(f"- {part}: {how}" for part, how in figures.measured.items())
        + "\n\n## Through the real stack\n\n"
        + "\n".join(rows)
        + "\n\n"
        "## Growth, over stores in memory\n\n"
        + "\n".join(grown)
        + "\n\n![ms an item](images/load-growth.svg)\n\n## Memory in the burst\n\n"
        + soak
        + "\n",
        encoding="utf-8",
    )


def main() -> None:
    """Run what was asked for."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--items", type=int, default=300)
    parser.add_argument("--burst", type=int, default=0)
    parser.add_argument("--growth", default="1000,10000")
    parser.add_argument("--write", action="store_true")
    _figures.add(parser)
    given = parser.parse_args()
    figures = Figures()
    if given.items or given.burst:
        real(given.items, given.burst, figures)
    growth([int(each) for each in given.growth.split(",") if each], figures)
    if given.write:
        write(kept_with(figures))
    _figures.tell(given.json, asdict(figures), lambda: Console().print(table(figures)))


if __name__ == "__main__":
    main()
