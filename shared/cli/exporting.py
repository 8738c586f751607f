"""``sekisho audit export``: the record, or some days of it, in another tool's format."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import click
from rich.progress import Progress, TextColumn

from shared.audit.formats import FORMATS
from shared.cli import registers, stores
from shared.cli.output import console
from shared.export.records import BrokenRecordError, Records
from shared.storage.audit_reader import AuditReader, Place
from shared.storage.folder import Folder
from shared.storage.index_counts import day_of

DONE, BROKEN = 0, 1


@dataclass(frozen=True, slots=True)
class Days:
    """Days in Japan, both included; None: from the first, to the last."""

    first: date | None = None
    last: date | None = None

    def __contains__(self, day: date) -> bool:
        return not (self.first and day < self.first) and not (self.last and day > self.last)


@asynccontextmanager
async def records(root: Path | None) -> AsyncIterator[Records]:
    """The record in a folder, or in the storage of the settings; StoreError."""
    if root is not None:
        yield Records(AuditReader(Folder(root)))
        return
    async with stores.stores("SEKISHO_AUDIT") as audit:
        yield Records(AuditReader(audit.blobs("audit")))


async def export(kind: str, root: Path | None, days: Days, out: Path) -> int:
    """Write the days' events to ``out``, whole or not at all; the exit code.

    Where the chain breaks, what lies before is written, and the exit code is 1.
    """
    made, count, code = FORMATS[kind], 0, DONE
    unfinished = out.with_name(f".{out.name}.part")
    screen = console(stderr=True)
    words = "書き出しています / exporting {task.completed}"
    with (
        unfinished.open("wb") as file,
        Progress(
            TextColumn(words), console=screen, transient=True, disable=not screen.is_terminal
        ) as bar,
    ):
        task = bar.add_task("", total=None)
        file.write(made.head)
        try:
            async with records(root) as source:
                async for entry, _ in source.after(Place()):
                    if entry is not None and day_of(entry.event.time) in days:
                        file.write(made.line(entry))
                        count += 1
                        bar.update(task, completed=count)
        except BrokenRecordError as error:
            click.echo(f"連鎖が途切れています / the chain breaks: {error}", err=True)
            code = BROKEN
        except BaseException:
            unfinished.unlink(missing_ok=True)
            raise
    registers.replace(out, unfinished)
    console().print(f"{count} 件を書き出しました / events in {out}", markup=False)
    return code
