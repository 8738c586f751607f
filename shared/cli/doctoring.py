"""``sekisho doctor``: what is wrong with a deployment, as a table or as JSON lines."""

from __future__ import annotations

import asyncio
import json
import os
from collections.abc import Mapping
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import click
from rich.table import Table

from shared.cli.output import console, prepare
from shared.doctor import Result, State, Surroundings, examine

SIGNS = {
    State.OK: "[green]○ 正常 ok[/]",
    State.WARN: "[yellow]△ 注意 warn[/]",
    State.FAIL: "[bold red]× 異常 fail[/]",
    State.UNKNOWN: "[cyan]? 不明 unknown[/]",
}


@click.command()
@click.option(
    "--settings",
    "file",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="local.settings.json、または NAME=VALUE の行 / else the environment's settings",
)
@click.option("--format", "shape", type=click.Choice(["text", "json"]), default="text")
def doctor(file: Path | None, shape: str) -> int:
    """配備を調べ、直し方を示します / look at a deployment and say what to mend.

    Looks at settings, policy, isolation, keys, storage, clock, queues, Graph's permissions, the
    notification address, subscriptions and the record; changes nothing. Exit 0: sound, 1: something
    is wrong, 2: something cannot be told from here, 64: usage error.
    """
    prepare()
    env = dict(os.environ) | (settings_of(file) if file else {})
    return asyncio.run(_run(env, as_json=shape == "json"))


def settings_of(file: Path) -> dict[str, str]:
    """The settings in a file: the Core Tools' JSON, or lines; UsageError."""
    text = file.read_text(encoding="utf-8")
    if text.lstrip().startswith("{"):
        try:
            values = json.loads(text)["Values"]
            return {str(name): str(value) for name, value in values.items()}
        except (ValueError, KeyError, AttributeError):
            message = "--settings: この JSON に Values がありません / no Values in this JSON"
            raise click.UsageError(message) from None
    pairs = (line.partition("=") for line in text.splitlines() if not line.startswith("#"))
    return {name.strip(): value.strip().strip('"') for name, sign, value in pairs if sign}


def _who(env: Mapping[str, str]) -> Any:
    """In an app its managed identities; on a person's machine whoever is signed in."""
    from azure.identity.aio import (  # noqa: PLC0415 - slow to load
        DefaultAzureCredential,
        ManagedIdentityCredential,
    )

    if "IDENTITY_ENDPOINT" in env:
        return lambda client_id: ManagedIdentityCredential(client_id=client_id or None)
    return lambda client_id: DefaultAzureCredential(managed_identity_client_id=client_id or None)


async def _run(env: Mapping[str, str], *, as_json: bool) -> int:
    around = Surroundings(env, lambda: datetime.now(UTC), _who(env))
    found: list[Result] = []
    screen, progress = console(), console(stderr=True)
    with progress.status("調べています / looking") as status:
        async for result in examine(around):
            found.append(result)
            status.update(f"調べています / looking: {result.code}")
            if as_json:
                click.echo(json.dumps(asdict(result), ensure_ascii=False))
    if not as_json:
        screen.print(_table(found))
        screen.print(_summary(found))
    states = {each.state for each in found}
    return 1 if State.FAIL in states else 2 if State.UNKNOWN in states else 0


def _table(found: list[Result]) -> Table:
    table = Table(show_lines=True)
    table.add_column("結果 / result", no_wrap=True)
    table.add_column("調べたこと / what was found")
    table.add_column("すること / what to do")
    for each in found:
        done = f"{each.do_ja}\n{each.do_en}".strip()
        table.add_row(SIGNS[each.state], f"{each.ja}\n[dim]{each.en}[/]", done)
    return table


def _summary(found: list[Result]) -> str:
    wrong = sum(each.state is State.FAIL for each in found)
    warned = sum(each.state is State.WARN for each in found)
    return (
        f"{len(found)} 項目：異常 {wrong}、注意 {warned}"
        f" / {len(found)} checks: {wrong} wrong, {warned} to watch"
    )
