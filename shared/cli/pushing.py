"""``sekisho push``: a folder of a file server into the landing container of the gate."""

from __future__ import annotations

import asyncio
import hashlib
import os
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import click
from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TimeRemainingColumn

from shared.cli import stores
from shared.cli.output import console, prepare
from shared.errors import TransientError
from shared.services.gate.pushing import Found, Journal, Push, State, files_of, settled

WORDS = {
    State.PUSHED: "送信 pushed",
    State.THERE: "送信済み there already",
    State.KNOWN: "変更なし unchanged",
    State.TOO_LARGE: "大きすぎる too large",
    State.CHANGING: "書き込み中 being written",
    State.UNREADABLE: "読めない unreadable",
}
FAILED = frozenset({State.TOO_LARGE, State.UNREADABLE})
LEFT, AWAY = 1, 3
TRIES, PAUSE = 5, 2.0  # of one file while storage is away; seconds, doubled each time


@dataclass(frozen=True, slots=True)
class Options:
    """What was asked for."""

    folder: Path
    owner: str
    into: str
    conflict: str
    state: Path
    watch: float


def _person(context: click.Context, option: click.Parameter, value: str) -> str:
    """A sign-in name, before anything is read."""
    del context, option
    name, _, domain = value.partition("@")
    if not name or "." not in domain or "/" in value:
        message = "hanako@pref.example.lg.jp のような UPN / a sign-in name such as that"
        raise click.BadParameter(message)
    return value


@click.command()
@click.argument(
    "folder",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    metavar="DIR",
)
@click.option(
    "--to",
    "owner",
    required=True,
    callback=_person,
    help="届け先の職員（UPN） / the owner's sign-in name",
)
@click.option("--into", default="", help="OneDrive の中のフォルダー / a folder of their OneDrive")
@click.option(
    "--conflict",
    type=click.Choice(["rename", "replace"]),
    default="rename",
    show_default=True,
    help="同じ名前のファイルがあるとき / where another file of that name is there",
)
@click.option(
    "--state",
    type=click.Path(dir_okay=False, path_type=Path),
    help="送信の記録ファイル / the state file (default: in ~/.local/state/sekisho)",
)
@click.option("--watch", is_flag=True, help="見張り続ける / go on watching the folder")
@click.option(
    "--every",
    type=click.FloatRange(0.1, 86_400),
    default=30.0,
    show_default=True,
    help="見張る間隔（秒） / seconds between two looks",
)
def push(
    *,
    folder: Path,
    owner: str,
    into: str,
    conflict: str,
    state: Path | None,
    watch: bool,
    every: float,
) -> int:
    """フォルダーを関所へ送る / push a folder to the gate.

    Exit 0: everything is there; 1: some files were left, by name; 3: storage stayed away. Run it
    again: what is there is not sent twice.
    """
    prepare()
    chosen = Options(
        folder, owner, into, conflict, state or _state(folder, owner, into), every if watch else 0.0
    )
    return asyncio.run(_run(chosen))


def _state(folder: Path, owner: str, into: str) -> Path:
    home = Path(os.environ.get("XDG_STATE_HOME") or Path.home() / ".local" / "state")
    said = "\0".join((str(folder.resolve()), owner.casefold(), into))
    return home / "sekisho" / f"push-{hashlib.sha256(os.fsencode(said)).hexdigest()[:16]}.jsonl"


async def _run(chosen: Options) -> int:
    async with stores.stores("SEKISHO_WORK") as work:
        pushing = Push(
            work.blobs("landing"),
            work.blobs("envelopes"),
            Journal(chosen.state),
            lambda: datetime.now(UTC),
            chosen.owner,
            chosen.into,
            chosen.conflict,
        )
        if not chosen.watch:
            return await _once(pushing, list(files_of(chosen.folder)))
        before: dict[str, str] = {}
        while True:
            found = list(files_of(chosen.folder))
            ready = [
                each for each in found if settled(before, each) and not pushing.journal.knows(each)
            ]
            if ready:
                await _once(pushing, ready)
            before = {str(each.file): each.stamp for each in found}
            await asyncio.sleep(chosen.watch)


async def _once(pushing: Push, found: Sequence[Found]) -> int:
    screen, errors = console(), console(stderr=True)
    counts: Counter[State] = Counter()
    left: list[tuple[Found, State]] = []
    with _progress(screen.is_terminal) as bar:
        task = bar.add_task("送信 / pushing", total=sum(each.size for each in found))
        for each in found:
            try:
                state = await _patiently(pushing, each)
            except TransientError:
                errors.print(
                    "ストレージに届きません。もう一度実行してください / storage is away: run again"
                )
                return AWAY
            counts[state] += 1
            if state in FAILED or state is State.CHANGING:
                left.append((each, state))
            bar.update(task, advance=each.size)
    for each, state in left:
        errors.print(f"{WORDS[state]}: {each.path}", markup=False)
    said = "  ".join(f"{WORDS[state]}: {counts[state]:,}" for state in State if counts[state])
    screen.print(said or "ファイルがありません / no files")
    return LEFT if left else 0


async def _patiently(pushing: Push, found: Found) -> State:
    for attempt in range(TRIES):
        try:
            return await pushing.file(found)
        except TransientError:
            if attempt == TRIES - 1:
                raise
            await asyncio.sleep(PAUSE * 2**attempt)
    raise AssertionError  # the last attempt returns or raises


def _progress(shown: bool) -> Progress:  # noqa: FBT001 - whether a person looks at it
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        DownloadColumn(),
        TimeRemainingColumn(),
    )
    return Progress(*columns, console=console(stderr=True), disable=not shown)
