"""Optical character recognition, where the extra is installed (``requirements-ocr.txt``).

PP-OCRv6 tiny by faster-paddle, one thread. The engine reads a page upside down without complaint,
but with a mean confidence of 0.5 to 0.7 (measured; upright pages have 0.96 and more), so a page of
which it is not sure is turned and read again. What is read with little confidence, or not found
at all though there is ink, leaves the page a gap: docs/reference/ocr.md.
"""

from __future__ import annotations

import io
import re
from dataclasses import dataclass
from functools import cache
from typing import Any

from PIL import Image

from shared.extract.barcode import reduced
from shared.extract.ocr_ink import unread

MAX_PIXELS = 12_000_000  # of what is recognised: A4 at 350 dots an inch
SURE = 0.9  # mean confidence of a page that stands upright
LEGIBLE = 0.8  # confidence of one line under which it is a guess
TURNS = (180, 90, 270)  # degrees; the engine itself turns lines that stand on their side
# Letters that stand for digits in what is otherwise a number.
LOOKALIKES = str.maketrans("OoQDIl|iZzSsBGЗОІ", "00001111225586301")
_NUMBERLIKE = re.compile(r"(?<![A-Za-z])[0-9OoQDIl|iZzSsBGЗОІ][-0-9OoQDIl|iZzSsBGЗОІ]{2,}")
MOSTLY = 0.5  # of the characters are digits already


@dataclass(frozen=True, slots=True)
class Line:
    """One box of text: pixels from the left and from the top of the upright page."""

    text: str
    confidence: float
    box: tuple[float, float, float, float]


@dataclass(frozen=True, slots=True)
class Page:
    """What was recognised; ``clear`` if nothing on it is left unread as far as can be told."""

    rows: tuple[tuple[Line, ...], ...]
    clear: bool
    turned: int = 0


@cache
def engine() -> Any:
    """The engine of this process, or None where the extra is not installed."""
    try:
        import faster_paddle  # type: ignore[import-not-found,import-untyped,unused-ignore] # noqa: PLC0415 - an extra
    except ImportError:
        return None
    return faster_paddle.OcrEngine(model_size="tiny", threads=1)


def recognise(image: Image.Image) -> Page:
    """Read a picture in the orientation that reads best; the engine must be there."""
    upright = reduced(image, MAX_PIXELS).convert("RGB")
    turned, lines = 0, _lines(upright)
    for degrees in TURNS if lines else ():
        if _confidence(lines) >= SURE:
            break
        other = _lines(upright.rotate(degrees, expand=True))
        if _confidence(other) > _confidence(lines):
            turned, lines = degrees, other
    sure = bool(lines) and all(line.confidence >= LEGIBLE for line in lines)
    page = upright.rotate(turned, expand=True) if turned else upright
    clear = sure and not unread(page, [line.box for line in lines])
    return Page(_rows(lines), clear, turned)


def _lines(image: Image.Image) -> list[Line]:
    out = io.BytesIO()
    image.save(out, "BMP")
    boxes = engine().ocr(out.getvalue())["bounds"].values()
    return [
        Line(
            digits(box["text"]),
            float(box["confidence"]),
            (*map(float, box["topLeftCoord"]), *map(float, box["bottomRightCoord"])),  # type: ignore[arg-type] # two pairs are four
        )
        for box in boxes
        if box["text"].strip()
    ]


def _confidence(lines: list[Line]) -> float:
    """Mean over the characters, so that a stray spot does not turn a page."""
    size = sum(len(line.text) for line in lines)
    return sum(len(line.text) * line.confidence for line in lines) / size if size else 0.0


def _rows(lines: list[Line]) -> tuple[tuple[Line, ...], ...]:
    """Lines whose middles are within half a height of each other stand in one row."""
    rows: list[list[Line]] = []
    for line in sorted(lines, key=_middle):
        last = rows[-1] if rows else []
        height = line.box[3] - line.box[1]
        if last and _middle(line) - _middle(last[-1]) < height / 2:
            last.append(line)
        else:
            rows.append([line])
    return tuple(tuple(sorted(row, key=lambda line: line.box[0])) for row in rows)


def _middle(line: Line) -> float:
    return (line.box[1] + line.box[3]) / 2


def digits(text: str) -> str:
    """Letters that stand among digits as the digits that they look like (``1O3l`` is 1031)."""
    return _NUMBERLIKE.sub(_number, text)


def _number(match: re.Match[str]) -> str:
    found = match[0]
    kept = [character for character in found if character != "-"]
    if sum(character.isdigit() for character in kept) < MOSTLY * len(kept):
        return found
    return found.translate(LOOKALIKES)
