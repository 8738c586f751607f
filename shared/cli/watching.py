"""``sekisho watch …``: how far the watch is, from its tables."""

from __future__ import annotations

import asyncio
import os
from dataclasses import asdict
from datetime import UTC, datetime

import click
from rich.table import Table

from shared.cli import stores
from shared.cli.output import console, prepare, say
from shared.services.baseline import PARTITIONS, Status, count, status

SOURCES = {
    "mail": "メール mail",
    "drive": "ファイル drive",
    "calendar": "予定 calendar",
    "teams": "Teams",
}
PER_MINUTE = "SEKISHO_BASELINE_PER_MINUTE"
DEFAULT = "600"


@click.group()
def watch() -> None:
    """監視のようす / how the watch is doing."""


@watch.command()
@click.option(
    "--status", "shown", is_flag=True, help="進みぐあい（既定） / how far it is (default)"
)
@click.option("--format", "shape", type=click.Choice(["text", "json"]), default="text")
def baseline(*, shown: bool, shape: str) -> int:
    """監視を始める前からあったものの検査 / the scan of what was there before it was watched.

    Of each source: accounts, those begun, those enumerated to the end, entries found; then how many
    items still wait for their time, and when the last of them comes due. Exit 0, or 64 where the
    storage is not reached.
    """
    del shown
    prepare()
    found = asyncio.run(_found())
    if shape == "json":
        say({**asdict(found), "due": found.due.isoformat() if found.due else None})
        return 0
    _tell(found)
    return 0


async def _found() -> Status:
    async with stores.stores("SEKISHO_WORK") as work:
        table = work.table("subscriptions")
        watched = {source: await count(table, source) for source in PARTITIONS}
        watched["drive"] += await count(table, "library")
        watched["teams"] = await count(table, "chats")  # teams have no account of their own
        rate = int(os.environ.get(PER_MINUTE) or DEFAULT)
        return await status(
            watched, work.table("drives"), work.table("baseline"), lambda: datetime.now(UTC), rate
        )


def _tell(found: Status) -> None:
    table = Table(title="初回の検査 / baseline")
    for name in (
        "対象 source",
        "アカウント accounts",
        "開始 begun",
        "列挙済 enumerated",
        "件数 found",
    ):
        table.add_column(name, justify="left" if name.startswith("対象") else "right")
    for source, each in found.sources.items():
        numbers = (each.accounts, each.begun, each.finished, each.found)
        table.add_row(SOURCES[source], *(f"{number:,}" for number in numbers))
    screen = console()
    screen.print(table)
    if found.due is None:
        screen.print("順番待ちはありません / nothing waits")
        return
    until = f"{found.due:%Y-%m-%d %H:%M} UTC"
    screen.print(f"順番待ち / waiting: {found.waiting:,}   見込み / done by about: {until}")
