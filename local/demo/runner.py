"""The order of the demo: start, enrol, send, watch, read back, report, stop."""

from __future__ import annotations

import argparse
import shutil
import signal
import time
from collections.abc import Sequence
from contextlib import suppress

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from local.demo import report
from local.demo.readback import Graph, ReadBack
from local.demo.report import Result
from local.demo.watch import Storage, latest
from local.demo.world import USERS, Sent, World
from local.samples import expectations, samples
from local.stack import ROOT, Stack

FOLDER = ROOT / ".demo"
ENROL_SECONDS, WAIT_SECONDS, LOOK_EVERY = 60.0, 90.0, 0.5


def main() -> int:
    """0 if every item met its expectation and the chain holds, 1 if not, 130 if interrupted."""
    parser = argparse.ArgumentParser(prog="make demo", description=__doc__)
    parser.add_argument("--keep", action="store_true", help="leave it running until Ctrl-C")
    keep = parser.parse_args().keep
    shutil.rmtree(FOLDER, ignore_errors=True)
    console = Console(highlight=False)
    if not console.is_terminal:
        console = Console(highlight=False, width=report.WIDTH)
    started = time.monotonic()
    try:
        with Stack(FOLDER, users=USERS) as stack:
            console.print(f"起動しました / started ({time.monotonic() - started:.1f} s)")
            code = _day(stack, console)
            console.print(f"{time.monotonic() - started:.1f} s   {FOLDER.name}/report.json")
            if keep:
                _keep(stack, console)
    except KeyboardInterrupt:
        console.print("中断しました。すべて停止しました / interrupted, everything is stopped")
        return 130
    except RuntimeError as error:  # a part that did not start, or nothing was enrolled
        console.print(f"✗ {error}", markup=False)
        return 1
    return code


def _day(stack: Stack, console: Console) -> int:
    world = World(stack.graph, stack.storage, stack.user_ids)
    storage = Storage(stack.storage)
    readback = ReadBack(Graph(stack.graph.base_url), storage)
    world.prepare()
    with _progress(console) as progress:
        _enrol(world, progress)
        sent = _send(world, progress)
        results = _watch(sent, storage, readback, progress)
    holds = report.chain_holds(storage.chain())
    report.say(console, results, chain_verified=holds)
    report.save(FOLDER / "table.txt", results, chain_verified=holds)
    report.write(FOLDER / "report.json", results, chain_verified=holds)
    return 0 if holds and not any(each.problems for each in results) else 1


def _progress(console: Console) -> Progress:
    return Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        console=console,
    )


def _enrol(world: World, progress: Progress) -> None:
    """Wait until everything is watched; RuntimeError if that does not come."""
    task = progress.add_task("購読の登録 / enrolling", total=world.wanted)
    end = time.monotonic() + ENROL_SECONDS
    while (there := world.enrolled()) < world.wanted:
        progress.update(task, completed=there)
        if time.monotonic() > end:
            message = f"only {there} of {world.wanted} subscriptions; see {FOLDER.name}/host.log"
            raise RuntimeError(message)
        time.sleep(0.1)
    progress.update(task, completed=world.wanted)


def _send(world: World, progress: Progress) -> list[Sent]:
    todo = progress.track(samples(), description="送信 / sending")
    return [world.send(sample) for sample in todo]


def _watch(
    sent: Sequence[Sent], storage: Storage, readback: ReadBack, progress: Progress
) -> list[Result]:
    """Look again until everything is as expected, or the time is over."""
    task = progress.add_task("判定と記録 / decided and recorded", total=len(sent))
    end = time.monotonic() + WAIT_SECONDS
    done: dict[str, Result] = {}
    while True:
        lines = latest(storage.lines())
        for each in sent:
            line = lines.get((each.sample.source, each.item_id))
            before = done.get(each.sample.name)
            if line is None or (before and not before.problems and before.line == line):
                continue
            expected = expectations()[each.sample.name]
            result = Result(each, expected, line, readback.state(each, line))
            done[each.sample.name] = result
            if before is None:
                progress.console.print(f"  {line.disposition:<7}{each.sample.title}")
        progress.update(task, completed=len(done))
        good = len(done) == len(sent) and not any(each.problems for each in done.values())
        if good or time.monotonic() > end:
            break
        time.sleep(LOOK_EVERY)
    return [
        done.get(each.sample.name) or Result(each, expectations()[each.sample.name])
        for each in sent
    ]


def _keep(stack: Stack, console: Console) -> None:
    console.print(f"console  {stack.host.url}/api/console   (管理画面)")
    console.print(f"host     {stack.host.url}/api/health   (a development host)")
    console.print(
        f"Graph    {stack.graph.base_url}   admin: {stack.graph.base_url[:-5]}/_admin/state"
    )
    for upn, user_id in stack.user_ids.items():
        console.print(f"account  {upn} = {user_id}")
    console.print(f"storage  {stack.storage}", soft_wrap=True)
    console.print("Ctrl-C で終了します / Ctrl-C stops everything")
    with suppress(KeyboardInterrupt):
        signal.pause()
