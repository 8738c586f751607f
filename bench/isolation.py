"""What isolation and the mail path cost: milliseconds and megabytes, on a machine that is quiet.

Run: ``.venv/bin/python bench/isolation.py [--json]``. The cost of isolation is the same document
read in a forked child less read in the process itself, medians of alternating runs; the import of
the mail path is a fresh interpreter with it less one without.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import resource
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from bench import _figures
from shared.extract import Document, Limits, extract
from shared.model import Content
from shared.sandbox import Confinement, Sandbox
from shared.sandbox.wire import Request
from shared.sandbox.zygote import in_child, preload
from tests.unit.extract_files.office_cases import document_with, paragraph
from tests.unit.extract_files.pdf_cases import PAGES, by_hand, drawn, stream, text

RUNS = 41
STARTS = 9
AIMS = {
    "isolation, .docx (ms)": 15.0,
    "isolation, .pdf (ms)": 15.0,
    "isolation, .pdf with Japanese fonts (ms)": 15.0,
    "isolation, .docx (ms of processor)": 15.0,
    "isolation, .pdf (ms of processor)": 15.0,
    "isolation, .pdf with Japanese fonts (ms of processor)": 15.0,
    "3 KB mail (ms)": 0.5,
    "import of the mail path (ms)": 60.0,
    "import of the mail path (MB)": 25.0,
}
START = """
import sys, time, json
sys.path[:0] = json.loads(sys.argv[1])
import msgspec, enum, dataclasses
rss = lambda: int(open("/proc/self/statm").read().split()[1]) * 4096 / 1e6
before, at = rss(), time.perf_counter()
import shared.extract, shared.extract.mail, shared.extract.text, shared.extract.hypertext
print((time.perf_counter() - at) * 1e3, rss() - before)
"""
MAIL = (
    "From: =?utf-8?B?5biC5rCR6Kqy?= <shimin@example.jp>\r\nTo: b@example.jp\r\n"
    "Subject: =?iso-2022-jp?B?GyRCOnI3bxsoQg==?=\r\nMIME-Version: 1.0\r\n"
    "Content-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: 8bit\r\n\r\n"
    + "番号の控えは次のとおりです。よろしくお願いします。\r\n"
    * 36
).encode()

# A page in a standard font: a font that must be looked for costs the same in every process.
PDF = by_hand(
    [
        b"<< /Type /Catalog /Pages 2 0 R >>",
        PAGES,
        (
            b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 200 200] /Contents 4 0 R /Resources << "
            b"/Font << /F 5 0 R >> >> >>"
        ),
        stream(b"BT /F 9 Tf 20 90 Td (1234 5678) Tj ET"),
        b"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>",
    ]
)


def milliseconds(work: Callable[[], object]) -> float:
    """The time of one call."""
    at = time.perf_counter()
    work()
    return (time.perf_counter() - at) * 1e3


async def isolation(data: bytes, sandbox: Sandbox) -> float:
    """Median of isolated less median of in-process."""
    content = Content(data, "a")
    inside, outside = [], []
    for _ in range(RUNS):
        at = time.perf_counter()
        await sandbox.extract(content)
        outside.append((time.perf_counter() - at) * 1e3)
        inside.append(milliseconds(lambda: extract(content, clock=time.monotonic)))
    return statistics.median(outside[1:]) - statistics.median(inside[1:])


def processor(data: bytes) -> float:
    """Processor time of the same: of the child and of its server less that in-process; medians.

    It says what isolation costs on a machine that is busy with other things.
    """
    request = Request(Document(data, "a"), Limits())
    isolated, inside = [], []
    for _ in range(RUNS):
        before, at = resource.getrusage(resource.RUSAGE_CHILDREN), time.process_time()
        in_child(request, Confinement())
        server, after = time.process_time() - at, resource.getrusage(resource.RUSAGE_CHILDREN)
        child = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
        isolated.append((server + child) * 1e3)
        at = time.process_time()
        extract(Content(data, "a"), clock=time.monotonic)
        inside.append((time.process_time() - at) * 1e3)
    return statistics.median(isolated) - statistics.median(inside)


def starts() -> tuple[float, float]:
    """Milliseconds and megabytes of the import, medians of fresh interpreters."""
    rows = []
    for _ in range(STARTS):
        done = subprocess.run(
            [sys.executable, "-c", START, json.dumps(sys.path)],
            capture_output=True, text=True, check=True,
        )  # fmt: skip
        rows.append([float(word) for word in done.stdout.split()])
    return statistics.median(row[0] for row in rows), statistics.median(row[1] for row in rows)


async def measured() -> dict[str, float]:
    """Every figure by its name."""
    documents = (document_with(paragraph)("本文"), PDF, drawn(text)("123456789018"))
    sandbox = Sandbox(processes=1)
    try:
        wall = [await isolation(data, sandbox) for data in documents]
    finally:
        sandbox.close()
    preload()
    busy = [processor(data) for data in documents]
    mail = Content(MAIL, "a.eml")
    mails = [
        milliseconds(lambda: extract(mail, clock=time.monotonic, isolate=True)) for _ in range(500)
    ]
    times, sizes = starts()
    return dict(zip(AIMS, (*wall, *busy, statistics.median(mails), times, sizes), strict=True))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    _figures.add(parser)
    asked = parser.parse_args()
    figures = asyncio.run(measured())

    def table() -> None:
        print("| what | measured (median) | aim |\n|---|---|---|")
        for name, figure in figures.items():
            print(f"| {name} | {figure:.2f} | ≤ {AIMS[name]:g} |")

    _figures.tell(asked.json, figures, table)


if __name__ == "__main__":
    main()
