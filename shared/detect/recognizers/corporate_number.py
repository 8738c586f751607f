"""法人番号 (Corporate Number): 13 digits, the first checks (平成26年財務省令第70号 第2条)."""

from __future__ import annotations

from typing import ClassVar

from shared.detect import checks
from shared.detect.recognizer import Recognizer
from shared.detect.rivals import amount, degenerate, weigh_neighbours
from shared.detect.scene import Candidate, Scene, Tally
from shared.detect.shapes import Shape, Span

_LENGTH = 13
SHAPE = Shape(
    "n13",
    "[1-9]",
    r"[\- ]?[0-9]{4}[\- ]?[0-9]{4}[\- ]?[0-9]{4}",
    ends=r"(?![\-.][0-9]{2})",
)


class CorporateNumber(Recognizer):
    """Public numbers: found so that they explain digits away, and for tagging."""

    entity = "corporate_number"
    shapes: tuple[Shape, ...] = (SHAPE,)
    slotted: ClassVar[bool] = True

    def value(self, scene: Scene, shape: str, span: Span) -> Candidate | None:
        """Thirteen digits, not the tail of something longer."""
        separated = span[1] - span[0] > _LENGTH
        if separated and scene.skeleton[max(0, span[0] - 2) : span[0]][:1].isdigit():
            return None
        return super().value(scene, shape, span)

    def weigh(self, scene: Scene, candidate: Candidate, tally: Tally) -> None:
        """A JAN (13 digits, modulus 10) is the rival."""
        weigh_neighbours(scene, candidate, tally, cells=False)
        if checks.ean(candidate.value):
            tally.add("barcode")
        if degenerate(candidate.value):
            tally.add("degenerate")
        if amount(scene, candidate):
            tally.add("amount")
