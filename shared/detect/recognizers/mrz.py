"""旅券の機械読取領域: the second line, whose check digits must all be right (ICAO Doc 9303)."""

from __future__ import annotations

from shared.detect.checks import mrz
from shared.detect.recognizer import Recognizer
from shared.detect.scene import Candidate, Scene
from shared.detect.shapes import Shape, Span

SHAPE = Shape(
    "mrz",
    "[A-Z0-9]",
    "[A-Z0-9<]{8}[0-9][A-Z<]{3}[0-9]{6}[0-9][MFX<][0-9]{6}[0-9][A-Z0-9<]{14}[0-9<][0-9]",
    before="0-9A-Za-z<",
    after="0-9A-Za-z<",
    gate="[0-9]{7}[MFX<][0-9]{7}",
)
_FIELDS = ((0, 9), (13, 19), (21, 27))


class Mrz(Recognizer):
    """Number, birth date and expiry each with a check digit, and one over all of them."""

    entity = "mrz"
    shapes: tuple[Shape, ...] = (SHAPE,)

    def value(self, scene: Scene, shape: str, span: Span) -> Candidate | None:
        """The line, if its check digits are right."""
        line = scene.skeleton[slice(*span)]
        good = all(mrz(line[a:b]) == line[b] - 48 for a, b in _FIELDS)
        whole = line[0:10] + line[13:20] + line[21:43]
        return Candidate(shape, *span, line) if good and mrz(whole) == line[43] - 48 else None
