"""``make trust``: measure, print the table, write ``docs/trust.md``."""

from __future__ import annotations

import argparse
import importlib
import time
from datetime import UTC, datetime

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table

from trust import page
from trust.lines import SIZES, Line

MEASURES = (
    "crashes",
    "stream",
    "poison",
    "forged",
    "hostile",
    "fuzz",
    "tests_of",
    "supply",
    "coverage",
    "mutants",
    "kills",
    "outage",
    "relay_kills",
)


def main() -> int:
    """0 if every claim that was measured holds."""
    parser = argparse.ArgumentParser(prog="make trust", description=__doc__)
    parser.add_argument("--size", choices=SIZES, default="ci")
    parser.add_argument("--only", action="append", choices=MEASURES, default=[])
    parser.add_argument("--keep", action=argparse.BooleanOptionalAction, default=True)
    given = parser.parse_args()
    screen = Console(width=140 if not Console().is_terminal else None)
    lines: list[Line] = []
    bar = (TextColumn("{task.description}"), BarColumn(), TimeElapsedColumn())
    with Progress(*bar, console=screen, transient=True) as progress:
        for name in given.only or MEASURES:
            task = progress.add_task(name)
            began = time.monotonic()

            def told(what: str, done: int, total: int, task: object = task) -> None:
                progress.update(task, description=what, completed=done, total=total)  # type: ignore[arg-type] # rich's id

            found = importlib.import_module(f"trust.{name}").run(given.size, told)
            seconds = time.monotonic() - began
            lines += found
            if given.keep:
                page.keep(name, given.size, f"{datetime.now(UTC):%Y-%m-%d}", seconds, found)
            for line in found:
                screen.print(f"{_sign(line)} {line.en}: {line.measured} ({seconds:.0f} s)")
            progress.remove_task(task)
    screen.print(_table(lines))
    return 0 if all(line.holds for line in lines) else 1


def _sign(line: Line) -> str:
    return "[green]○[/]" if line.holds else "[bold red]×[/]"


def _table(lines: list[Line]) -> Table:
    table = Table(show_lines=True, title="数字で示す信頼 / trust in figures")
    for name in ("", "主張 / claim", "測ったもの / measured"):
        table.add_column(name)
    for line in lines:
        table.add_row(_sign(line), f"{line.ja}\n[dim]{line.en}[/]", line.measured)
    return table


if __name__ == "__main__":
    raise SystemExit(main())
