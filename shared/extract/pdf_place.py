"""Where on a page of a PDF: boxes in millimetres from the upper left corner of the page as shown.

A box is ``(30,52)-(95,57)mm``: its upper left and its lower right corner, so that a person finds it
with a ruler on the print or with a viewer's. Each line of text has one, and each run of digits in
a line one of its own; what follows the run has the line's again. Rectangles are asked for by line
and run, not by character, which would cost more than the reading of the text.
"""

from __future__ import annotations

import ctypes
import re
from typing import Any

from pypdfium2 import raw

from shared.extract.place import FAR, INCH, box
from shared.model import Mark

MM = INCH / 72  # millimetres a point
STEP = 1_000  # points: how far apart the places are that the page's own turn is measured with
FINE = 100  # parts of a millimetre, as above
FLAT = 0.5  # points
MAX_MARKS = 20_000  # a page
MAX_RECTANGLES = 200  # of one line or run
ONE_UNIT = "\uffff"  # the last character of one UTF-16 unit
UNPLACED = "位置不明"  # text without a rectangle (no outline, no size)
REST = "以降"  # behind the bound
_RUN = re.compile(r"\d(?:[^\S\n]{0,3}[-‐-―−ー－./]?[^\S\n]{0,3}\d){3,}")


class Ruler:
    """Turns a page's own coordinates (points, from below) into millimetres as the page is shown."""

    def __init__(self, page: Any) -> None:
        width, height = page.get_size()  # of the cropped and turned page
        size = [round(max(1.0, min(FAR, edge * MM)) * FINE) for edge in (width, height)]
        x, y = ctypes.c_int(), ctypes.c_int()
        shown = []
        for point in ((0, 0), (STEP, 0), (0, STEP)):
            places = (ctypes.byref(x), ctypes.byref(y))
            raw.FPDF_PageToDevice(page.raw, 0, 0, *size, 0, *point, *places)
            shown.append((x.value / FINE, y.value / FINE))
        self._zero, *ends = shown
        self._across, self._up = (
            tuple((end[axis] - self._zero[axis]) / STEP for axis in (0, 1)) for end in ends
        )

    def box(self, left: float, bottom: float, right: float, top: float) -> str:
        """The box of a rectangle on the page."""
        (x1, y1), (x2, y2) = self._shown(left, bottom), self._shown(right, top)
        return box(min(x1, x2), min(y1, y2), max(x1, x2), max(y1, y2))

    def _shown(self, x: float, y: float) -> tuple[float, float]:
        across, up, zero = self._across, self._up, self._zero
        return zero[0] + x * across[0] + y * up[0], zero[1] + x * across[1] + y * up[1]

    def annotation(self, annotation: Any) -> str:
        """The box of an annotation or a form field, empty if it has none."""
        found = raw.FS_RECTF()
        if not raw.FPDFAnnot_GetRect(annotation, ctypes.byref(found)):
            return ""
        return self.box(found.left, found.bottom, found.right, found.top)


def marks(text: str, words: Any, ruler: Ruler) -> tuple[Mark, ...]:
    """Marks of boxes for the text of a page, whose lines PDFium ends with CR and LF.

    Their offsets are those of the same text with LF alone.
    """
    found: list[Mark] = []
    at = units = 0  # where the line begins: in characters behind short line ends, in UTF-16 units
    for line in text.split("\r\n"):
        if line and not line.isspace():
            whole = _rectangle(words, units, units + _units(line, len(line)) - 1, ruler)
            found.append(Mark(at, whole))
            for run in _RUN.finditer(line):
                if len(found) > MAX_MARKS:
                    found.append(Mark(at + run.start(), REST))
                    return tuple(found)
                first, last = (units + _units(line, end) for end in run.span())
                found.append(Mark(at + run.start(), _rectangle(words, first, last - 1, ruler)))
                found.append(Mark(at + run.end(), whole))
        if len(found) > MAX_MARKS:
            found.append(Mark(at + len(line), REST))
            break
        at += len(line) + 1
        units += _units(line, len(line)) + 2
    return tuple(found)


def _units(line: str, end: int) -> int:
    """UTF-16 units in the first ``end`` characters."""
    if line.isascii() or max(line) <= ONE_UNIT:
        return end
    return len(line[:end].encode("utf-16-le", "surrogatepass")) // 2


def _rectangle(words: Any, start: int, end: int, ruler: Ruler) -> str:
    """The box around the UTF-16 units of the page's text from ``start`` to ``end``."""
    first = raw.FPDFText_GetCharIndexFromTextIndex(words.raw, start)
    last = raw.FPDFText_GetCharIndexFromTextIndex(words.raw, end)
    if first < 0 or last < first:
        return UNPLACED
    count = raw.FPDFText_CountRects(words.raw, first, last - first + 1)
    edges = [ctypes.c_double() for _ in range(4)]  # left, top, right, bottom
    places = [ctypes.byref(edge) for edge in edges]
    boxes = [
        tuple(edge.value for edge in edges)
        for index in range(min(count, MAX_RECTANGLES))
        if raw.FPDFText_GetRect(words.raw, index, *places)
    ]
    if not boxes:
        return UNPLACED
    left, top, right, bottom = zip(*boxes, strict=True)
    low, high = (min(left), min(bottom)), (max(right), max(top))
    # Letters of a font that is not there have no height: their size stands in for it.
    size = raw.FPDFText_GetFontSize(words.raw, first)
    across = size if high[0] - low[0] < FLAT else 0
    up = size if high[1] - low[1] < FLAT else 0
    return ruler.box(*low, high[0] + across, high[1] + up)
