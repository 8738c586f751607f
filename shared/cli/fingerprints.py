"""``sekisho fingerprint add``: forms become fingerprints, so that filled-in ones are known."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import closing
from pathlib import Path

from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

from shared.cli import reading, registers
from shared.cli.output import GAPS, clean, console
from shared.detect import Forms
from shared.sandbox import Sandbox

UNREAD = 2
NAME = "名前"
"""The segment that holds a file's own name: no part of the form."""


async def add(files: Sequence[Path], out: Path, secret: bytes) -> int:
    """Add the files under their names; 0, or 2 where one of them could not be read whole."""
    forms = _known(out, secret)
    screen = console(stderr=True)
    said: list[str] = []
    unread = False
    with closing(Sandbox()) as sandbox, _progress(screen.is_terminal) as bar:
        task = bar.add_task("登録しています / registering", total=len(files))
        for file in files:
            extraction = await reading.read(file, sandbox)
            texts = [s.text for s in extraction.segments if s.location != NAME]
            count = forms.add(file.stem, texts)
            problems = [GAPS[gap.code] for gap in extraction.gaps]
            if not count:
                problems.append("文字がない / no text")
            unread = unread or bool(problems)
            mark = "✗" if problems else "✓"
            said.append(f"{mark} {clean(file.stem)}: {count} {'、'.join(problems)}".rstrip())
            bar.advance(task)
    unfinished = out.with_name(f".{out.name}.part")
    unfinished.write_bytes(forms.dump())
    registers.replace(out, unfinished)
    for line in said:
        console().print(line, markup=False)
    console().print(f"登録文書 {len(forms)}件 / {len(forms)} documents in {out}", markup=False)
    return UNREAD if unread else 0


def _known(out: Path, secret: bytes) -> Forms:
    """What is in the file that is added to."""
    return registers.forms(out, secret) if out.exists() else Forms(secret)


def _progress(shown: bool) -> Progress:  # noqa: FBT001 - whether a person looks at it
    return Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        console=console(stderr=True),
        transient=True,
        disable=not shown,
    )
