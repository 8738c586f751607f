"""The trend as SVG, made here: shapes and classes alone, so that the page needs no inline style."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

WIDTH, HEIGHT, FOOT = 720, 200, 26
ORDER = ("allow", "tag", "review", "block")


@dataclass(frozen=True, slots=True)
class Bar:
    """One piece of a column; the unit is the picture's."""

    kind: str
    x: float
    y: float
    width: float
    height: float


@dataclass(frozen=True, slots=True)
class Chart:
    """Stacked columns, a day each; ``labels`` are (x, text) of some days."""

    bars: tuple[Bar, ...]
    labels: tuple[tuple[float, str], ...]
    top: int
    width: int = WIDTH
    height: int = HEIGHT
    floor: int = HEIGHT - FOOT


def stacked(days: Sequence[tuple[str, dict[str, int]]]) -> Chart:
    """Columns of ``(label, counts by disposition)``."""
    top = max([1, *(sum(counts.values()) for _, counts in days)])
    step = (WIDTH - 44) / max(len(days), 1)
    bars: list[Bar] = []
    labels = []
    for index, (label, counts) in enumerate(days):
        x, y = 44 + index * step, float(HEIGHT - FOOT)
        for kind in ORDER:
            height = counts.get(kind, 0) / top * (HEIGHT - FOOT - 14)
            y -= height
            if height:
                bars.append(
                    Bar(kind, round(x + 3, 1), round(y, 1), round(step - 6, 1), round(height, 1))
                )
        if index % 2 == len(days) % 2 or len(days) == 1:
            labels.append((round(x + step / 2, 1), label))
    return Chart(tuple(bars), tuple(labels), top)
