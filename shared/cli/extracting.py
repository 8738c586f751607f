"""``sekisho extract``: what did it read?"""

from __future__ import annotations

from contextlib import closing
from pathlib import Path

import click

from shared.cli import reading
from shared.cli.output import GAPS, clean, say
from shared.model import Extraction
from shared.sandbox import Sandbox

ALL_READ, UNREAD = 0, 2


async def extract(path: Path, *, as_json: bool) -> int:
    """Print every segment and every gap of a file; 2 if there is a gap, else 0.

    The text itself is shown: this is for a person who holds the file anyway.
    """
    with closing(Sandbox()) as sandbox:
        extraction = await reading.read(path, sandbox)
    if as_json:
        for segment in extraction.segments:
            say({"location": segment.location, "text": segment.text})
        for gap in extraction.gaps:
            say({"code": gap.code.value, "location": gap.location})
    else:
        _print(extraction)
    return UNREAD if extraction.gaps else ALL_READ


def _print(extraction: Extraction) -> None:
    for segment in extraction.segments:
        click.echo(click.style(f"── {clean(segment.location)}", fg="cyan"))
        click.echo(clean(segment.text).rstrip("\n"))
    for gap in extraction.gaps:
        where = clean(gap.location) or "全体 / the whole"
        words = f"読めない部分: {where}: {GAPS[gap.code]} / could not be read: {gap.code.value}"
        click.echo(click.style(words, fg="yellow"))
