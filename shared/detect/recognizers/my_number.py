"""個人番号 (My Number): 12 digits, the last a check digit (平成26年総務省令第85号 第5条)."""

from __future__ import annotations

from typing import ClassVar

from shared.detect import common_shapes as shapes
from shared.detect.recognizer import Recognizer
from shared.detect.rivals import weigh_neighbours, weigh_rivals
from shared.detect.scene import Candidate, Scene, Tally
from shared.detect.shapes import Shape, Span
from shared.detect.skeleton import digits_of

_LENGTH = 12
_CELLS = frozenset({"n12_cells", "n12_column"})


class MyNumber(Recognizer):
    """Thirteen ways to write it; rivals compete, and a column's pass rate counts."""

    entity = "my_number"
    shapes: tuple[Shape, ...] = shapes.ANY_12
    slotted: ClassVar[bool] = True

    def value(self, scene: Scene, shape: str, span: Span) -> Candidate | None:
        """Twelve digits, or None."""
        start, end = span
        part = scene.skeleton[start:end]
        digits = part if part.isdigit() else digits_of(part)
        return Candidate(shape, start, end, digits) if len(digits) == _LENGTH else None

    def weigh(self, scene: Scene, candidate: Candidate, tally: Tally) -> None:
        """Grouping, neighbours, rivals."""
        code = _grouping(candidate.shape, scene.skeleton[candidate.start : candidate.end])
        tally.add(code)
        if candidate.shape in _CELLS and not tally.labelled:
            tally.add("cells_bare")
        weigh_neighbours(scene, candidate, tally, cells=candidate.shape in _CELLS)
        weigh_rivals(scene, candidate, tally)


def _grouping(shape: str, part: bytes) -> str:
    """The evidence code of how the digits are grouped."""
    if shape != "n12_grouped":
        return {"n12": "contiguous", "n12_mixed": "kanji"}.get(shape, shape.removeprefix("n12_"))
    first, second = part[4:5], part[-5:-4]
    if first == second == b"\t":
        return "grouped_cells"
    return "grouped" if first == second and first in b"- " else "grouped_mixed"
