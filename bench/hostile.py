"""Files made to exhaust a reader, through the sandbox as it is deployed: seconds, memory, the gap.

Run: ``.venv/bin/python bench/hostile.py [--json [FILE]]``. The files are those of the tests
(``tests/unit/extract_files``, ``extract_mail``, ``extract_images``). Each must end within 20
seconds and 512 MiB, with a named gap or read, and the server that read it must live on. Memory is
the largest resident set of any process that the sandbox started, up to and with that file.
"""

from __future__ import annotations

import argparse
import asyncio
import resource
import sys
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from bench import _figures
from shared.model import Content
from shared.sandbox import Sandbox
from tests.unit.extract_files.office_cases import document_with, paragraph
from tests.unit.extract_files.test_hostile_files import HOSTILE
from tests.unit.extract_images.test_bounds import bomb
from tests.unit.extract_mail import writers

SECONDS, MEGABYTES = 20.0, 537.0  # 512 MiB
MORE: list[tuple[str, Callable[[], bytes]]] = [
    ("mail: 3,000 levels of MIME", lambda: writers.nested(3_000, b"end")),
    ("mail: 20,000 parameters", lambda: writers.typed(b"a", "; a=b" * 20_000)),
    ("html: 80,000 attributes", lambda: b"<html><body" + b" a=b" * 80_000 + b">x</body></html>"),
    ("html: 80,000 comments", lambda: b"<html>" + b"<!--" * 80_000),
    ("html: 100,000 levels", lambda: b"<html>" + b"<div>" * 100_000 + b"x"),
    ("image: 12,000 x 12,000", lambda: bomb(12_000)),
    ("image: 60,000 x 60,000", lambda: bomb(60_000)),
    ("image: 2,147,483,647 wide", lambda: bomb(2**31 - 1)),
]


@dataclass(frozen=True)
class Row:
    """One file: its size, how long it took, what was named, whether the server lived."""

    name: str
    kilobytes: float
    seconds: float
    gaps: tuple[str, ...]
    lives: bool


async def measured() -> list[Row]:
    """Each file in turn, one server."""
    rows = []
    plain = document_with(paragraph)("次の文書")
    sandbox = Sandbox(processes=1)
    try:
        await sandbox.extract(Content(plain, "a.docx"))
        pids = sandbox.pids()
        for name, build in [*(row[:2] for row in HOSTILE), *MORE]:
            data = build()
            at = time.perf_counter()
            found = await sandbox.extract(Content(data, "sample"))
            seconds = time.perf_counter() - at
            after = await sandbox.extract(Content(plain, "a.docx"))
            lives = sandbox.pids() == pids and after.gaps == ()
            gaps = tuple(sorted({gap.code.value for gap in found.gaps}))
            rows.append(Row(name, round(len(data) / 1e3, 1), round(seconds, 2), gaps, lives))
    finally:
        sandbox.close()
    return rows


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    _figures.add(parser)
    asked = parser.parse_args()
    rows = asyncio.run(measured())
    # Of children that were waited for, and of theirs; kilobytes on Linux.
    peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1e3
    slowest = max(row.seconds for row in rows)

    def table() -> None:
        print("| file | KB | seconds | gap | server lives |\n|---|---|---|---|---|")
        for row in rows:
            named = ", ".join(row.gaps) or "read"
            print(
                f"| {row.name} | {row.kilobytes:g} | {row.seconds:g} | {named} "
                f"| {'yes' if row.lives else 'NO'} |"
            )
        print(
            f"\nslowest {slowest:.1f} s (of {SECONDS:g}), largest {peak:.0f} MB (of {MEGABYTES:g})"
        )

    whole = {"files": [asdict(row) for row in rows], "slowest": slowest, "megabytes": peak}
    _figures.tell(asked.json, whole, table)
    if slowest > SECONDS or peak > MEGABYTES or not all(row.lives for row in rows):
        sys.exit(1)


if __name__ == "__main__":
    main()
