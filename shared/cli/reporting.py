"""``sekisho report``: a month as one HTML file."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path

import click
from rich.progress import Progress, TextColumn

from shared.cli import policies, stores
from shared.cli.exporting import records
from shared.cli.output import console
from shared.codec import decode
from shared.detect import Engine, FingerprintKey
from shared.errors import MalformedError
from shared.export.monthly import Handled, Month, handled
from shared.export.page import render
from shared.export.records import BrokenRecordError
from shared.export.words import Words
from shared.storage.audit_state import CHAIN
from shared.storage.chain_watch import VERIFIED, Verified, verified
from shared.storage.index_counts import JAPAN, day_of

MOST = 10_000_000  # incidents of one month
LATE = timedelta(days=7)  # behind a month's end nothing of it is recorded any more
DONE, BROKEN = 0, 1


@dataclass(frozen=True, slots=True)
class Asked:
    """What is wanted: the month's first day, where the record is, where the report goes."""

    first: date
    out: Path
    root: Path | None = None
    incidents: Path | None = None
    policy: Path | None = None
    organisation: str = ""


async def report(asked: Asked) -> int:
    """Write the report; 1 where the chain breaks (what lies before the break is counted)."""
    month, code = Month(asked.first), DONE
    found, outcome = await _incidents(asked, month)
    reviews = month.review(found) if found is not None else {}
    try:
        await _count(asked, month, reviews)
    except BrokenRecordError as error:
        click.echo(f"連鎖が途切れています / the chain breaks: {error}", err=True)
        code = BROKEN
    text = render(month, _words(asked), datetime.now(UTC), outcome)
    asked.out.write_text(text, encoding="utf-8")
    console().print(
        f"{month.items} 件の報告 / a report of as many items: {asked.out}", markup=False
    )
    return code


async def _count(asked: Asked, month: Month, reviews: dict[str, Handled]) -> None:
    start = datetime.combine(month.previous, time(0), JAPAN)
    end = datetime.combine(month.after, time(0), JAPAN) + LATE
    screen = console(stderr=True)
    with Progress(
        TextColumn("数えています / counting {task.completed}"),
        console=screen, transient=True, disable=not screen.is_terminal,
    ) as bar:  # fmt: skip
        task = bar.add_task("", total=None)
        async with records(asked.root) as source:
            async for entry, _ in source.since(start):
                if entry is None:
                    continue
                if entry.event.time >= end:
                    break
                month.add(entry.event, reviews.get(entry.event.id))
                bar.advance(task)


async def _incidents(asked: Asked, month: Month) -> tuple[list[Handled] | None, Verified | None]:
    """The month's incidents and the chain's last verification, as far as they can be had."""
    if asked.incidents is not None:
        return [one for one in _lines(asked.incidents) if _within(one, month)], None
    if asked.root is not None:
        return None, None
    async with stores.stores("SEKISHO_AUDIT") as audit:
        table = audit.table("incidents")
        # A partition is a month of UTC, which begins nine hours later than that of Japan.
        partitions = sorted({f"{month.previous:%Y-%m}", f"{month.first:%Y-%m}"})
        found = [handled(row) for each in partitions async for row in table.query(each, limit=MOST)]
        row = await audit.table("auditevents").get(CHAIN, VERIFIED)
    return [one for one in found if _within(one, month)], verified(row) if row else None


def _lines(file: Path) -> Iterator[Handled]:
    """JSON lines {event, state, verdict, opened, first, released}; UsageError."""
    for number, line in enumerate(file.read_bytes().splitlines(), 1):
        try:
            if line.strip():
                yield decode(line, Handled)
        except MalformedError:
            message = f"{file}: line {number} is not an incident"
            raise click.UsageError(message) from None


def _within(one: Handled, month: Month) -> bool:
    return one.opened is not None and month.first <= day_of(one.opened) < month.after


def _words(asked: Asked) -> Words:
    try:
        policy = policies.load(asked.policy)
    except policies.PolicyFileError as error:
        raise click.UsageError(str(error)) from error
    engine = Engine(FingerprintKey("cli", bytes(32)))  # for its words alone: nothing is scanned
    return Words(
        {rule.id: (rule.title.ja, rule.title.en) for rule in policy.rules},
        {name: (each.ja, each.en) for name, each in engine.rules.items()},
        asked.organisation,
    )


def first_day(text: str) -> date:
    """``2026-11`` → its first day; UsageError."""
    try:
        return datetime.strptime(text, "%Y-%m").replace(tzinfo=JAPAN).date()
    except ValueError:
        message = f"{text!r} は年月ではありません / is not a month such as 2026-11"
        raise click.BadParameter(message, param_hint="--month") from None
