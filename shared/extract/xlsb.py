"""Excel binary workbooks (.xlsb) by calamine: cells; all other parts as words in binary data.

calamine aborts the process on a sparse sheet: this reader must run in the sandbox.
"""

from __future__ import annotations

import io

import python_calamine

from shared.extract.cells import Grid, plain_number
from shared.extract.job import Document, Job, LimitError
from shared.extract.ooxml import Package, wide_words
from shared.model import GapCode


def read(document: Document, job: Job) -> None:
    """Read the sheets, then comments, names and the other parts."""
    job.member()
    try:
        _sheets(document, job)
    except (LimitError, MemoryError, KeyboardInterrupt, SystemExit):
        raise
    except BaseException:  # noqa: BLE001 - a Rust panic is a BaseException, which nobody above expects
        job.gap(GapCode.MALFORMED, document.location)
    _others(document, job)


def _sheets(document: Document, job: Job) -> None:
    workbook = python_calamine.CalamineWorkbook.from_filelike(io.BytesIO(document.data))
    job.text(document.inside("シート名"), "\n".join(workbook.sheet_names))
    for number, name in enumerate(workbook.sheet_names, start=1):
        try:
            sheet = workbook.get_sheet_by_name(name)
        except Exception:  # noqa: BLE001 - its error types are its own; the sheet then has a gap
            job.gap(GapCode.MALFORMED, document.inside(f"シート{number}"))
            continue
        grid = Grid()
        left = (sheet.start or (0, 0))[1]  # rows come from the first, columns from the first used
        for row, cells in enumerate(sheet.iter_rows()):
            job.tick()
            for column, value in enumerate(cells, start=left):
                grid.put(row, column, _shown(value))
        text, marks = grid.render()
        job.text(document.inside(f"シート{number}"), text, table=True, marks=marks)


def _shown(value: object) -> str:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return str(value)
    return plain_number(repr(value))


def _others(document: Document, job: Job) -> None:
    """Comments, names and text boxes are binary records: their wide strings are read."""
    package = Package(document, job)
    for number, name in enumerate(sorted(package.parts), start=1):
        if name.endswith(".bin") and "/worksheets/" not in name and "sharedstrings" not in name:
            location = document.inside(f"部品{number}")
            job.text(location, wide_words(package.bytes_of(name, location)))
        elif name.endswith(".bin"):
            package.bytes_of(name, document.location)
    package.finish()
