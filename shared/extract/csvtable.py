"""CSV and TSV: rows as lines, cells parted by tabs, marked by row."""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator

from shared.extract.charset import readings
from shared.extract.giving import places
from shared.extract.hypertext import label_of
from shared.extract.job import Document, Job
from shared.model import Mark

EVERY = 1_000  # rows between two looks at the clock
LONG = 20_000  # characters of one cell: a quote that was never closed, not a cell
_BREAKS = re.compile(r"[\t\r\n\v\f\x1c-\x1e\x85\u2028\u2029]+")


def read(document: Document, job: Job) -> None:
    """Read a table; a row's mark is its number as a spreadsheet would show it."""
    location = document.inside("表")
    found = readings(document.data, label_of(document.media_type))
    for place, text in places(location, found, job):
        rows = parse(text, job)
        marks: list[Mark] = []
        offset = 0
        for index, row in enumerate(rows, 1):
            marks.append(Mark(offset, f"{index}行"))
            offset += len(row) + 1
        job.text(place, "\n".join(rows), table=True, marks=tuple(marks))


def parse(text: str, job: Job) -> list[str]:
    """The rows; quoted cells keep their content, with line ends and tabs as spaces."""
    delimiter = _delimiter(text)
    text = text.replace("\0", "")
    try:
        return _rows(csv.reader(_lines(text), delimiter=delimiter), job)
    except (csv.Error, _OpenQuoteError):  # a quote that never ends: every line is a row
        return [line.replace(delimiter, "\t") for line in text.splitlines()]


class _OpenQuoteError(Exception):
    """A cell is too long to be one."""


def _lines(text: str) -> list[str]:
    return text.splitlines(keepends=True)


def _rows(reader: Iterator[list[str]], job: Job) -> list[str]:
    rows = []
    for number, cells in enumerate(reader):
        if number % EVERY == 0:
            job.tick()
        if any(len(cell) > LONG and "\n" in cell for cell in cells):
            raise _OpenQuoteError
        rows.append("\t".join(_BREAKS.sub(" ", cell) for cell in cells))
    return rows


def _delimiter(text: str) -> str:
    """The sign that parts the cells of the first lines."""
    head = "\n".join(text[:10_000].splitlines()[:20])
    return max(",\t;|", key=lambda sign: (head.count(sign), sign == ","))
