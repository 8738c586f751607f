"""運転免許証番号: 12 digits; office, year, serial, check digit (11th), reissues (12th)."""

from __future__ import annotations

from shared.detect import common_shapes as shapes
from shared.detect.recognizer import Recognizer
from shared.detect.rivals import amount, degenerate, timestamp, weigh_neighbours
from shared.detect.scene import Candidate, Scene, Tally
from shared.detect.shapes import Shape, Span
from shared.detect.skeleton import digits_of

_LENGTH = 12


class DriversLicence(Recognizer):
    """Found by its label; the check digit and the office's prefix alone are not enough."""

    entity = "drivers_licence"
    shapes: tuple[Shape, ...] = (shapes.PLAIN_12, shapes.GROUPED_12, shapes.ODD_12)

    def value(self, scene: Scene, shape: str, span: Span) -> Candidate | None:
        """Twelve digits, or None."""
        start, end = span
        part = scene.skeleton[start:end]
        digits = part if part.isdigit() else digits_of(part)
        return Candidate(shape, start, end, digits) if len(digits) == _LENGTH else None

    def weigh(self, scene: Scene, candidate: Candidate, tally: Tally) -> None:
        """The rivals of a 12-digit number."""
        weigh_neighbours(scene, candidate, tally, cells=False)
        if amount(scene, candidate):
            tally.add("amount")
        if degenerate(candidate.value):
            tally.add("degenerate")
        if timestamp(candidate.value):
            tally.add("timestamp")
