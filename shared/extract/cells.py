"""How a spreadsheet's stored value looks to a person, and how rows become a table's text.

Excel stores numbers as doubles and their looks as number formats: a twelve-digit number may be
``123456789018.0`` or ``1.23456789018E11``, or have lost a leading zero that its format shows.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal, InvalidOperation

from shared.extract.job import LimitError
from shared.model import GapCode, Mark

# ECMA-376 18.8.30: built-in number formats that are dates (27-36, 50-58 are the Japanese ones).
DATE_FORMATS = frozenset((*range(14, 23), *range(27, 37), *range(45, 48), *range(50, 59)))
_NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?")
_ESCAPE = re.compile("_x([0-9A-Fa-f]{4})_")
_LITERALS = re.compile(r'\[[^\]]*\]|"([^"]*)"|\\(.)|_.|\*.')
_DIGITS_ONLY = re.compile(r"[0#?\-‐－ ()/〒]+")
_DATE_WORDS = re.compile(r"[ymdhgaebYMDHGAEB]")
MAX_RUN = 18  # digits a format may ask for; Excel has 15
MAX_EXPONENT = 30


def plain_number(raw: str) -> str:
    """A stored number as digits: no exponent, no ``.0``, fifteen significant digits."""
    if not _NUMBER.fullmatch(raw):
        return raw
    try:
        value = Decimal(raw)
    except InvalidOperation:
        return raw
    if not -MAX_EXPONENT < value.adjusted() < MAX_EXPONENT:
        return raw
    if value == value.to_integral_value():
        return format(value.to_integral_value(), "f")
    rounded = Decimal(format(float(value), ".15g"))
    text = format(rounded, "f")
    return text.rstrip("0").rstrip(".") if "." in text else text


def unescaped(text: str) -> str:
    """Excel's escapes as characters: ``_x0031_`` is shown as 1 (ECMA-376 22.9.2.19, ST_Xstring)."""
    return _ESCAPE.sub(lambda found: chr(int(found[1], 16)), text) if "_x" in text else text


def is_date_format(code: str) -> bool:
    """Whether a custom format code shows a date or a time."""
    if "General" in code or "標準" in code:
        return False
    return bool(_DATE_WORDS.search(_LITERALS.sub("", code).replace("E+", "").replace("E-", "")))


def formatted(raw: str, code: str) -> str:
    """A stored number through a format of digits and separators, as ``0000-0000-0000``.

    Any other format (thousands, currency, fractions) leaves the plain digits, which count.
    """
    plain = plain_number(raw)
    shape = _LITERALS.sub(lambda found: found[1] or found[2] or "", code.partition(";")[0])
    places = shape.count("0") + shape.count("#") + shape.count("?")
    if not plain.isdigit() or not shape or not _DIGITS_ONLY.fullmatch(shape) or places > MAX_RUN:
        return plain
    return _fill(plain, shape)


def _fill(digits: str, shape: str) -> str:
    """Put the digits into the places of the shape from the right, as Excel does."""
    rest = list(digits)
    out: list[str] = []
    first = next(i for i, c in enumerate(shape) if c in "0#?") if rest else 0
    for index in range(len(shape) - 1, -1, -1):
        place = shape[index]
        if place not in "0#?":
            out.append(place)
        elif rest:
            out.append(rest.pop())
        elif place == "0":
            out.append("0")
        if index == first:
            out.extend(reversed(rest))
            rest = []
    return "".join(reversed(out)).strip()


def date_text(raw: str, *, from_1904: bool) -> str:
    """An Excel serial day as ``1985-03-14`` or with the time; the raw text if it is no such day."""
    try:
        serial = float(raw)
        start = datetime(1904, 1, 1) if from_1904 else datetime(1899, 12, 30)  # noqa: DTZ001 - a sheet knows no zone
        moment = start + timedelta(days=serial)
    except (ValueError, OverflowError):
        return raw
    if serial < 1:
        return f"{moment:%H:%M:%S}"
    return f"{moment:%Y-%m-%d}" if serial.is_integer() else f"{moment:%Y-%m-%d %H:%M:%S}"


def column_name(column: int) -> str:
    """0 → ``A``, 27 → ``AB``."""
    name = ""
    column += 1
    while column:
        column, digit = divmod(column - 1, 26)
        name = chr(65 + digit) + name
    return name


def cell_position(reference: str) -> tuple[int, int] | None:
    """``B7`` → (6, 1), row and column from 0; None if it is no reference."""
    found = re.fullmatch(r"\$?([A-Za-z]{1,3})\$?([0-9]{1,7})", reference)
    if not found:
        return None
    column = 0
    for letter in found[1].upper():
        column = column * 26 + ord(letter) - 64
    return int(found[2]) - 1, column - 1


MAX_GAP = 16  # empty columns kept between two used ones; more carry no meaning
MAX_TABS = 256  # between two cells of one row
BOX_GAP = 4  # a 方眼紙 digit sits at most so many columns from the next (merged cells)


@dataclass(slots=True)
class Grid:
    """Cells by position, to become a table's text: rows are lines, columns keep their place.

    Raises LimitError over ``limit`` characters of text, or twice as many with the tabs.
    """

    cells: dict[tuple[int, int], str] = field(default_factory=dict)
    limit: int = 50_000_000
    size: int = 0

    def put(self, row: int, column: int, text: str) -> None:
        """Add a cell; a second one at the same place is kept beside the first."""
        if not text:
            return
        text = " ".join(text.split()) if any(c in text for c in "\t\n\r\v\f") else text.strip()
        if not text:
            return
        self.size += len(text)
        if self.size > self.limit:  # one long shared string in many cells
            raise LimitError(GapCode.TOO_LARGE)
        key = (row, column)
        self.cells[key] = f"{self.cells[key]} {text}" if key in self.cells else text

    def render(self, *, first_row: int = 0) -> tuple[str, tuple[Mark, ...]]:
        """The text and a mark a cell. Blank rows become one blank line: a new block follows.

        Boxes of one character each (方眼紙) are separated by single tabs even where merged cells
        leave columns between them; the columns after the run are back in their place.
        """
        places = _compressed({column for _, column in self.cells})
        pieces: list[str] = []
        marks: list[Mark] = []
        offset = 0
        last_row = -1
        for row, cells in _rows(self.cells):
            if last_row >= 0:
                gap = "\n" if row == last_row + 1 else "\n\n"
                pieces.append(gap)
                offset += len(gap)
            last_row = row
            for before, column, text in _spaced(cells, places):
                pieces.append("\t" * before + text)
                label = f"{column_name(column)}{row + first_row + 1}"
                marks.append(Mark(offset + before, label))
                offset += before + len(text)
            if offset > 2 * self.limit:  # more tabs than text
                raise LimitError(GapCode.TOO_LARGE)
        return "".join(pieces), tuple(marks)


def _rows(cells: dict[tuple[int, int], str]) -> Iterable[tuple[int, list[tuple[int, str]]]]:
    rows: dict[int, list[tuple[int, str]]] = {}
    for (row, column), text in sorted(cells.items()):
        rows.setdefault(row, []).append((column, text))
    return rows.items()


def _compressed(used: set[int]) -> dict[int, int]:
    """Where each used column is written: its distance from the first, huge gaps shortened."""
    places: dict[int, int] = {}
    at = 0
    last: int | None = None
    for column in sorted(used):
        at += 0 if last is None else min(column - last, MAX_GAP)
        places[column] = at
        last = column
    return places


def _spaced(cells: list[tuple[int, str]], places: dict[int, int]) -> Iterable[tuple[int, int, str]]:
    """Tabs before, column and text of each cell of one row."""
    at = 0
    last_box: int | None = None
    for column, text in cells:
        place = places[column]
        is_box = len(text) == 1
        if is_box and last_box is not None and place - last_box <= BOX_GAP:
            tabs = 1
        else:
            tabs = min(MAX_TABS, max(place - at, 0 if column == cells[0][0] else 1))
        at += tabs
        last_box = place if is_box else None
        yield tabs, column, text
