"""Extraction by format: documents and megabytes a second, recall, and a peer where there is one.

Run: ``.venv/bin/python bench/extract.py [seconds a cell]``. The corpus is the golden files of the
tests (small, synthetic) and one large file a format made here, all with known numbers. A peer reads
the same bytes: a library a developer would take for that format; it runs without isolation.
"""

from __future__ import annotations

import asyncio
import io
import re
import signal
import statistics
import sys
import time
import unicodedata
import zipfile
from collections.abc import Callable
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

import docx
import openpyxl
import pptx
import pypdfium2
from reportlab.pdfgen import canvas

from shared.extract import extract
from shared.model import Content
from shared.sandbox import Sandbox
from tests.unit.extract_files.numbers_made import my_number
from tests.unit.extract_files.office_cases import saved
from tests.unit.extract_files.pdf_cases import FONT
from tests.unit.extract_files.places import ALL

type Read = Callable[[bytes], str]

NUMBER = my_number(99_999_054_321)


def peer_docx(data: bytes) -> str:
    document = docx.Document(io.BytesIO(data))
    cells = [cell.text for table in document.tables for row in table.rows for cell in row.cells]
    return "\n".join([*(p.text for p in document.paragraphs), "\t".join(cells)])


def peer_xlsx(data: bytes) -> str:
    book = openpyxl.load_workbook(io.BytesIO(data), read_only=True, data_only=True)
    rows = (row for sheet in book.worksheets for row in sheet.iter_rows(values_only=True))
    return "\n".join("\t".join(str(cell) for cell in row if cell is not None) for row in rows)


def peer_pptx(data: bytes) -> str:
    show = pptx.Presentation(io.BytesIO(data))
    shapes = (shape for slide in show.slides for shape in slide.shapes)
    return "\n".join(shape.text_frame.text for shape in shapes if shape.has_text_frame)


def peer_pdf(data: bytes) -> str:
    pdf = pypdfium2.PdfDocument(data)
    return "\n".join(page.get_textpage().get_text_range() for page in pdf)


def peer_zip(data: bytes) -> str:
    archive = zipfile.ZipFile(io.BytesIO(data))
    return "\n".join(archive.read(name).decode("utf-8", "replace") for name in archive.namelist())


PEERS = {
    "docx": ("python-docx", peer_docx),
    "xlsx": ("openpyxl", peer_xlsx),
    "pptx": ("python-pptx", peer_pptx),
    "pdf": ("pypdfium2, page text", peer_pdf),
    "zip": ("zipfile", peer_zip),
}


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


def attempt(read: Read, data: bytes) -> bool:
    """Whether a peer finds the number within five seconds (one walks a sparse sheet for hours)."""
    signal.signal(signal.SIGALRM, _too_long)
    signal.alarm(5)
    try:
        return holds(read(data))
    except Exception:  # noqa: BLE001 - a peer that fails has not found it
        return False
    finally:
        signal.alarm(0)


def _too_long(*_: object) -> None:
    raise TimeoutError


def milliseconds(read: Read, data: bytes, seconds: float) -> float:
    times = []
    end = time.perf_counter() + seconds
    while not times or time.perf_counter() < end:
        start = time.perf_counter()
        read(data)
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


def main() -> None:
    seconds = float(sys.argv[1]) if len(sys.argv) > 1 else 0.5
    sizes = large()
    print(
        "| format | places | recall | peer's recall | small, ms | isolated, ms | docs/s | ", end=""
    )
    print("large, KB | large, ms | MB/s | peer, large, ms | peer |\n|" + "---|" * 12)
    for kind in dict.fromkeys(case.format for case in ALL):
        cases = [case for case in ALL if case.format == kind]
        built = [(case, case.build(NUMBER)) for case in cases]
        recall = sum(holds(ours(data, case.passwords)) for case, data in built)
        name, peer = PEERS.get(kind, ("", None))
        theirs = f"{sum(attempt(peer, data) for _, data in built)}/{len(built)}" if peer else ""
        small = milliseconds(ours, built[0][1], seconds)
        apart = asyncio.run(isolated(built[0][1], seconds))
        row = [
            kind,
            len(built),
            f"{recall}/{len(built)}",
            theirs,
            f"{small:.1f}",
            f"{apart:.1f}",
            f"{1000 / apart:.0f}",
        ]
        if kind in sizes:
            data = sizes[kind]
            big = milliseconds(ours, data, seconds)
            row += [len(data) // 1000, f"{big:.0f}", f"{len(data) / 1000 / big:.2f}"]
            row += [f"{milliseconds(peer, data, seconds):.0f}", name]
        else:
            row += [""] * 5
        print("| " + " | ".join(map(str, row)) + " |", flush=True)


if __name__ == "__main__":
    main()
