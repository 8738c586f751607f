"""``sekisho audit verify``: does the record hold, and if not, where and how."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path

import click
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

from shared.audit.chain import Break, Kind
from shared.audit.head import Verify
from shared.cli import stores
from shared.cli.output import console, say
from shared.errors import SekishoError
from shared.storage.alerts import Alerts
from shared.storage.audit_reader import AuditReader, Checked, Place
from shared.storage.chain_watch import ChainWatch
from shared.storage.folder import Folder

HOLDS, BROKEN, UNVOUCHED = 0, 1, 2
KINDS = {
    Kind.EDIT: ("書き換えられています", "edited"),
    Kind.DELETE: ("削除されています", "deleted"),
    Kind.REORDER: ("順序が変えられているか、重複しています", "moved or repeated"),
    Kind.FORK: ("別の記録に差し替えられています（分岐）", "forked: another history"),
    Kind.TRUNCATION: ("ここから後ろが失われています", "truncated: the end is missing"),
}


@dataclass(frozen=True, slots=True)
class Asked:
    """What is to be verified: from which record on, and how it is told."""

    first: int = 1
    as_json: bool = False
    note: bool = True


async def folder(root: Path, keys: Sequence[Path], asked: Asked) -> int:
    """A local copy of the container ``audit``; the exit code."""
    verifier = stores.verifier(keys)
    checked, seconds = await _check(AuditReader(Folder(root)), verifier, asked)
    return _tell(checked, seconds, asked, verifier)


async def storage(keys: Sequence[Path], asked: Asked) -> int:
    """The storage of the settings; the outcome is noted for the console. The exit code."""
    verifier = stores.verifier(keys)
    async with stores.stores("SEKISHO_AUDIT") as audit:
        reader = AuditReader(audit.blobs("audit"))
        checked, seconds = await _check(reader, verifier, asked)
        if asked.note:
            watch = ChainWatch(reader, audit.table("auditevents"), None, _now, verifier)
            await _note(watch, checked, full=asked.first == 1)
    return _tell(checked, seconds, asked, verifier)


async def _note(watch: ChainWatch, checked: Checked, *, full: bool) -> None:
    """An auditor may be allowed to read alone: then nothing is noted, which is said."""
    try:
        found = await watch.note(checked, "command", full=full)
        if found.kind and stores.has("SEKISHO_WORK"):
            async with stores.stores("SEKISHO_WORK") as work:
                alerts = Alerts(work.table("alerts"), _now)
                await alerts.once("chain_break", f"record {found.seq}: {found.kind}")
    except (SekishoError, stores.StoreError) as error:
        words = "結果を保存先に書けませんでした / the outcome could not be noted"
        click.echo(f"{words}: {error}", err=True)


async def _check(
    reader: AuditReader, verifier: Verify | None, asked: Asked
) -> tuple[Checked, float]:
    start = await reader.before(asked.first)
    if start is None:
        message = f"記録 {asked.first - 1} が見つかりません / there is no record {asked.first - 1}"
        raise click.UsageError(message)
    began = time.perf_counter()
    checked = await _with_bar(reader, start, verifier, asked)
    return checked, time.perf_counter() - began


async def _with_bar(
    reader: AuditReader, start: Place, verifier: Verify | None, asked: Asked
) -> Checked:
    screen = console(stderr=True)
    shown = screen.is_terminal and not asked.as_json
    with Progress(
        TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(),
        console=screen, transient=True, disable=not shown,
    ) as bar:  # fmt: skip
        total = (await reader.expected()) if shown else 0
        task = bar.add_task("検証しています / verifying", total=total or None)
        return await reader.check(
            start, verifier=verifier, progress=lambda count: bar.update(task, completed=count)
        )


def _tell(checked: Checked, seconds: float, asked: Asked, verifier: Verify | None) -> int:
    broken = checked.verdict.broken
    code = BROKEN if broken else HOLDS if checked.heads else UNVOUCHED
    if asked.as_json:
        say({
            "result": ("whole", "broken", "unsigned")[code],
            "from": asked.first,
            "up_to": checked.verdict.tip.count,
            "hash": checked.verdict.tip.hash,
            "heads": checked.heads,
            "bytes": checked.size,
            "seconds": round(seconds, 3),
            "broken": asdict(broken) if broken else None,
        })  # fmt: skip
        return code
    screen = console()
    if broken:
        _tell_break(broken)
    else:
        screen.print(
            f"✓ 記録 {asked.first}〜{checked.verdict.tip.count} に不整合はありません / "
            f"records {asked.first} to {checked.verdict.tip.count} hold "
            f"({checked.size / 1e6:.1f} MB, {seconds:.1f} s)"
        )
    if code == HOLDS:
        screen.print(
            f"  署名付きの末尾 {checked.heads} 件と一致 / agrees with {checked.heads} signed heads"
        )
    if code == UNVOUCHED:
        why = (
            "署名付きの末尾がありません / there is no signed head"
            if verifier
            else "公開鍵がありません（--public-key） / there is no public key"
        )
        screen.print(
            f"  ただし末尾の欠落と全体の差し替えは確かめられません: {why}\n"
            "  but a cut end or a rewritten whole would not show"
        )
    return code


def _tell_break(broken: Break) -> None:
    japanese, english = KINDS[broken.kind]
    where = str(broken.seq)
    if broken.earliest and broken.earliest != broken.seq:
        where = f"{broken.earliest}〜{broken.seq}"
    screen = console()
    screen.print(f"✗ 記録 {where}: {japanese} / record {where}: {english}", style="bold red")
    screen.print(f"  {broken.kind.value}: {broken.words}", markup=False)
    screen.print(
        "  ここから後ろは信用できません。写しを保全し、保管先への操作記録を調べてください。\n"
        "  Nothing from here on can be relied on: keep a copy, and see who had access to the store."
    )


def _now() -> datetime:
    return datetime.now(UTC)
