"""Extraction by format: documents and megabytes a second, and recall, beside two peers.

``python bench/extract.py [--seconds S] [--json FILE] [--svg FILE] [--no-peers]``. The corpus is the
golden files of the tests (small, synthetic; a known number in each place) and one large file a
format made here. Our figures are with isolation (a limited child process a document) and, where
named so, in process; the peers, kreuzberg and markitdown, read the same bytes in one process of
their own, in an environment that is made once in a cache folder from
``bench/requirements-peers.txt``. A peer that dies or needs longer than ten seconds has not found
the number. Times are medians of wall time.
"""

from __future__ import annotations

import argparse
import asyncio
import base64
import io
import json
import os
import re
import select
import statistics
import subprocess
import sys
import time
import unicodedata
import venv
import zipfile
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[1]))

import docx
import openpyxl
import pptx
import pygal
from reportlab.pdfgen import canvas

from shared.extract import extract
from shared.model import Content
from shared.sandbox import Sandbox
from tests.unit.extract_files.numbers_made import my_number
from tests.unit.extract_files.office_cases import saved
from tests.unit.extract_files.pdf_cases import FONT
from tests.unit.extract_files.places import ALL

HERE = Path(__file__).resolve().parent
REQUIREMENTS = HERE / "requirements-peers.txt"
CACHE = Path(os.environ.get("XDG_CACHE_HOME", Path.home() / ".cache")) / "sekisho-bench-peers"
PEERS = ("kreuzberg", "markitdown")

NUMBER = my_number(99_999_054_321)


def large() -> dict[str, bytes]:
    """A file of some size a format: 3,000 paragraphs, 30,000 cells, 60 slides, 60 pages."""
    document = docx.Document()
    for line in range(3_000):
        document.add_paragraph(f"第{line}段落の文字です。電話は03-0000-{line:04d}です。")
    book = openpyxl.Workbook(write_only=True)
    sheet = book.create_sheet()
    for row in range(3_000):
        sheet.append([f"氏名{row}", row, *[f"値{row}-{column}" for column in range(8)]])
    show = pptx.Presentation()
    for number in range(60):
        slide = show.slides.add_slide(show.slide_layouts[1])
        slide.shapes.title.text = f"第{number}章"
        slide.placeholders[1].text = "本文の文字です。\n" * 8
    out = io.BytesIO()
    page = canvas.Canvas(out)
    for _ in range(60):
        page.setFont(FONT, 10)
        for line in range(50):
            page.drawString(40, 800 - 15 * line, f"{line}行目の文字です。電話は03-0000-0000です。")
        page.showPage()
    page.save()
    text = "番号の控えです。\n".encode() * 60_000
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("a.txt", text)
    return {
        "docx": saved(document),
        "xlsx": saved(book),
        "pptx": saved(show),
        "pdf": out.getvalue(),
        "zip": packed.getvalue(),
    }


def holds(text: str) -> bool:
    pattern = "[-\t\r\n ]?".join(NUMBER)
    return re.search(pattern, unicodedata.normalize("NFKC", text)) is not None


def ours(data: bytes, passwords: tuple[str, ...] = ()) -> str:
    found, _ = extract(Content(data), clock=time.monotonic, passwords=passwords)
    return "\n".join(segment.text for segment in found.segments)


def inside(data: bytes, seconds: float) -> float:
    """Median milliseconds in this process, as the peers are measured."""
    times: list[float] = []
    end = time.perf_counter() + seconds
    while not times or time.perf_counter() < end:
        start = time.perf_counter()
        ours(data)
        times.append((time.perf_counter() - start) * 1000)
    return statistics.median(times)


async def isolated(data: bytes, seconds: float) -> float:
    sandbox = Sandbox(processes=1)
    content = Content(data)
    await sandbox.extract(content)
    times = []
    end = time.perf_counter() + seconds
    while not times or time.perf_counter() < end:
        start = time.perf_counter()
        await sandbox.extract(content)
        times.append((time.perf_counter() - start) * 1000)
    sandbox.close()
    return statistics.median(times)


class Peers:
    """The peers' process; started again when one of them took it along."""

    def __init__(self) -> None:
        self.python = CACHE / "bin" / "python"
        if not self.python.exists():
            venv.create(CACHE, with_pip=True)
            install = [self.python, "-m", "pip", "install", "-q", "-r", REQUIREMENTS]
            subprocess.run(install, check=True)
        self.process = self.start()

    def start(self) -> subprocess.Popen[str]:
        """A fresh process."""
        return subprocess.Popen(
            [self.python, HERE / "_peers.py"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        )

    def ask(self, peer: str, kind: str, data: bytes, seconds: float) -> tuple[str, float | None]:
        """Text and median milliseconds; ("", None) for a failure, a death or over 30 seconds."""
        order = {
            "peer": peer,
            "kind": kind,
            "data": base64.b64encode(data).decode(),
            "seconds": seconds,
        }
        stdin, stdout = self.process.stdin, self.process.stdout
        assert stdin is not None
        assert stdout is not None
        try:
            stdin.write(json.dumps(order) + "\n")
            stdin.flush()
            if select.select([stdout], [], [], 30)[0] and (line := stdout.readline()):
                found = json.loads(line)
                return found["text"], found["ms"]
        except (BrokenPipeError, ValueError):
            pass
        self.process.kill()
        self.process.wait()
        self.process = self.start()
        return "", None


def row(kind: str, peers: Peers | None, large_file: bytes | None, seconds: float) -> dict[str, Any]:
    """All figures of one format."""
    cases = [case for case in ALL if case.format == kind]
    built = [(case, case.build(NUMBER)) for case in cases]
    isolated_ms = asyncio.run(isolated(built[0][1], seconds))
    found: dict[str, Any] = {
        "format": kind,
        "places": len(built),
        "recall": sum(holds(ours(data, case.passwords)) for case, data in built),
        "ms": isolated_ms,
        "docs_s": 1000 / isolated_ms,
        "in_process_docs_s": 1000 / inside(built[0][1], seconds),
    }
    if large_file:
        taken = asyncio.run(isolated(large_file, seconds))
        found["mb_s"] = len(large_file) / 1000 / taken
    for name in PEERS if peers else ():
        assert peers is not None
        found[f"{name}_recall"] = sum(holds(peers.ask(name, kind, d, 0)[0]) for _, d in built)
        taken = peers.ask(name, kind, built[0][1], seconds)[1]
        found[f"{name}_docs_s"] = 1000 / taken if taken else None
        taken = peers.ask(name, kind, large_file, seconds)[1] if large_file else None
        found[f"{name}_mb_s"] = len(large_file) / 1000 / taken if large_file and taken else None
    return found


def picture(rows: list[dict[str, Any]], path: Path) -> None:
    """Recall by format as bars."""
    chart = pygal.Bar(
        width=1200, height=460, range=(0, 100), legend_at_bottom=True, x_label_rotation=60
    )
    chart.title = "Planted numbers found, % of the places of each format"
    chart.x_labels = [row["format"] for row in rows]
    for name, key in (("Sekisho", "recall"), *((peer, f"{peer}_recall") for peer in PEERS)):
        if key in rows[0]:
            chart.add(name, [100 * row[key] / row["places"] for row in rows])
    path.write_text(chart.render(disable_xml_declaration=True, no_prefix=True))


def cell(value: Any) -> str:
    if value is None:
        return ""
    return f"{value:.3g}" if isinstance(value, float) and value < 100 else f"{value:.0f}"


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--seconds", type=float, default=0.3, help="a cell")
    parser.add_argument("--json", type=Path)
    parser.add_argument("--svg", type=Path)
    parser.add_argument("--no-peers", action="store_true")
    given = parser.parse_args()
    peers = None if given.no_peers else Peers()
    sizes = large()
    columns = ["places", "recall", "ms", "docs_s", "in_process_docs_s", "mb_s"]
    columns += [
        f"{name}_{what}" for name in PEERS if peers for what in ("recall", "docs_s", "mb_s")
    ]
    print("| format | " + " | ".join(column.replace("_", " ") for column in columns) + " |")
    print("|---" * (len(columns) + 1) + "|")
    rows = []
    for kind in dict.fromkeys(case.format for case in ALL):
        rows.append(row(kind, peers, sizes.get(kind), given.seconds))
        print(
            f"| {kind} | " + " | ".join(cell(rows[-1].get(c)) for c in columns) + " |", flush=True
        )
    if given.json:
        given.json.write_text(json.dumps(rows, indent=1) + "\n")
    if given.svg:
        picture(rows, given.svg)
    if peers:
        peers.process.kill()


if __name__ == "__main__":
    main()
