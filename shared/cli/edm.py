"""``sekisho edm build``: a list of residents becomes a register of keyed hashes."""

from __future__ import annotations

import csv
import io
import itertools
from collections.abc import Iterator, Sequence
from pathlib import Path

import click
from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TimeRemainingColumn

from shared.cli import registers
from shared.cli.output import clean, console
from shared.detect import RegisterBuilder
from shared.detect.register import MOST_PARTS

_STEP = 2_000
_SAMPLE = 1 << 16
_ENCODINGS = ("utf-8-sig", "cp932", "utf-16")


def build(source: Path, columns: Sequence[str], out: Path, secret: bytes) -> int:
    """Write the register and say what it holds; 0. UsageError where the list does not fit."""
    encoding = _encoding(source)
    builder = RegisterBuilder(secret, columns)
    rows = 0
    screen = console(stderr=True)
    with source.open("rb") as raw, _progress(screen.is_terminal) as bar:
        task = bar.add_task("登録しています / registering", total=source.stat().st_size)
        stream = io.TextIOWrapper(raw, encoding=encoding, newline="")
        reader = csv.reader(stream, delimiter=_delimiter(source, encoding))
        places = _places(next(reader, []), columns)
        for batch in itertools.batched(reader, _STEP, strict=False):
            for row in batch:
                builder.add(list(_values(row, places)))
            rows += len(batch)
            bar.update(task, completed=raw.tell())
    unfinished = out.with_name(f".{out.name}.part")
    with unfinished.open("wb") as target:
        counts = builder.write(target)
    registers.replace(out, unfinished)
    said = "、".join(f"{clean(name)} {count:,}" for name, count in counts.items())
    console().print(f"{rows:,}行を登録しました / {rows:,} rows registered: {said}", markup=False)
    return 0


def _progress(shown: bool) -> Progress:  # noqa: FBT001 - whether a person looks at it
    return Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        DownloadColumn(),
        TimeRemainingColumn(),
        console=console(stderr=True),
        transient=True,
        disable=not shown,
    )


def _encoding(source: Path) -> str:
    """UTF-8 or Shift_JIS as spreadsheets write them; the whole file must decode."""
    with source.open("rb") as stream:
        marked = stream.read(2) in {b"\xff\xfe", b"\xfe\xff"}
    for encoding in _ENCODINGS[2:] if marked else _ENCODINGS[:2]:
        try:
            with source.open(encoding=encoding) as text:
                while text.read(1 << 20):
                    pass
        except UnicodeError:
            continue
        return encoding
    message = f"{source}: UTF-8でもShift_JISでもありません / neither UTF-8 nor Shift_JIS"
    raise click.UsageError(message)


def _delimiter(source: Path, encoding: str) -> str:
    with source.open(encoding=encoding) as stream:
        head = stream.readline(_SAMPLE)
    return "\t" if head.count("\t") > head.count(",") else ","


def _places(header: Sequence[str], columns: Sequence[str]) -> list[list[int]]:
    """The positions of each column's parts in a row."""
    names = [name.strip() for name in header]
    places = []
    for column in columns:
        parts = column.split("+")
        if len(parts) > MOST_PARTS:
            message = f"--columns {column}: at most {MOST_PARTS} columns are combined"
            raise click.UsageError(message)
        missing = [part for part in parts if part not in names]
        if missing:
            message = f"--columns {column}: no column {missing[0]} (there are {'、'.join(names)})"
            raise click.UsageError(message)
        places.append([names.index(part) for part in parts])
    return places


def _values(row: Sequence[str], places: Sequence[Sequence[int]]) -> Iterator[list[str]]:
    for parts in places:
        yield [row[at] if at < len(row) else "" for at in parts]
