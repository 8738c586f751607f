"""クレジットカード番号: brand prefixes and the Luhn check digit (ISO/IEC 7812-1)."""

from __future__ import annotations

import re

from shared.detect.recognizer import Recognizer
from shared.detect.rivals import degenerate, weigh_neighbours
from shared.detect.scene import Candidate, Scene, Tally
from shared.detect.shapes import Shape, Span

_S = r"[\- \x9f]"
SHAPE = Shape(
    "card",
    "[2-6]",
    rf"[0-9]{{3}}{_S}{{0,2}}(?:[0-9]{{4}}{_S}{{0,2}}[0-9]{{4}}{_S}{{0,2}}[0-9]{{4}}"
    rf"|[0-9]{{6}}{_S}{{0,2}}[0-9]{{4,5}})",
    alone=r"(?<![0-9][\-. ][0-9])",
    ends=r"(?![\-.][0-9])(?! [0-9]{2})",
)
# Visa, Mastercard (both series), American Express, JCB, Diners, UnionPay and Discover
_BRANDS = re.compile(
    rb"4[0-9]{15}|5[1-5][0-9]{14}|2(?:22[1-9]|2[3-9][0-9]|[3-6][0-9]{2}|7[01][0-9]|720)[0-9]{12}"
    rb"|3[47][0-9]{13}|35(?:2[89]|[3-8][0-9])[0-9]{12}|3(?:0[0-5]|[68][0-9])[0-9]{11}|6(?:2|5|011|4[4-9])[0-9]{10,14}"
)


class CreditCard(Recognizer):
    """14 to 16 digits of a known brand."""

    entity = "credit_card"
    shapes: tuple[Shape, ...] = (SHAPE,)

    def value(self, scene: Scene, shape: str, span: Span) -> Candidate | None:
        """Digits with a brand's prefix and length."""
        candidate = super().value(scene, shape, span)
        return candidate if candidate and _BRANDS.fullmatch(candidate.value) else None

    def weigh(self, scene: Scene, candidate: Candidate, tally: Tally) -> None:
        """Grouping as on the card, neighbours."""
        plain = candidate.end - candidate.start == len(candidate.value)
        tally.add("contiguous" if plain else "grouped")
        weigh_neighbours(scene, candidate, tally, cells=False)
        if degenerate(candidate.value) and len(set(candidate.value)) == 1:
            tally.add("degenerate")
