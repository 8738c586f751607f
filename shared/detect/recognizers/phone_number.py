"""電話番号: the national plan (総務省 電気通信番号計画), with libphonenumber for doubtful ones."""

from __future__ import annotations

import re
from typing import ClassVar

from shared.detect.recognizer import Recognizer
from shared.detect.rivals import weigh_neighbours
from shared.detect.scene import Candidate, Scene, Tally
from shared.detect.shapes import Shape, Span

_S = r"[\-()\x9f]"
_G = r"[\- ()\x9f]"
GROUPED = Shape(
    "phone_grouped",
    "0",
    rf"[1-9][0-9]{{0,3}}{_S}{{1,2}}[0-9]{{1,4}}{_S}{{1,2}}[0-9]{{3,4}}",
    alone=r"(?<![0-9][\-.][0-9])",
    ends=r"(?![\-.][0-9])",
)
SPACED = Shape(
    "phone_spaced",
    "0",
    "[1-9][0-9]{0,3} [0-9]{1,4} [0-9]{4}",
    alone=r"(?<![0-9] [0-9])",
    ends=r"(?! [0-9])",
)
PLAIN = Shape("phone_plain", "0", "[1-9][0-9]{8,9}")
ABROAD = Shape(
    "phone_abroad",
    r"\+",
    rf"81{_G}{{0,2}}(?:\(0\))?[1-9][0-9]{{0,3}}{_G}{{0,2}}[0-9]{{1,4}}{_G}{{0,2}}[0-9]{{3,4}}",
    before="",
)
_MOBILE = re.compile(rb"0[5-9]0[1-9][0-9]{7}")
_FREE = re.compile(rb"0(?:120[0-9]{6}|800[0-9]{7}|570[0-9]{6}|990[0-9]{6})")
_FIXED = re.compile(rb"0[1-9](?:[1-9][0-9]{7}|0[1-9][0-9]{6}|[0-9]{8})")
_LONGEST = 11


class PhoneNumber(Recognizer):
    """Grouped numbers stand by themselves; ten or eleven bare digits need a label."""

    entity = "phone_number"
    shapes: tuple[Shape, ...] = (GROUPED, ABROAD, SPACED, PLAIN)
    sure_shapes: ClassVar[frozenset[str]] = frozenset({"phone_grouped", "phone_abroad"})

    def value(self, scene: Scene, shape: str, span: Span) -> Candidate | None:
        """The national number, from 0 on, of the right length for its first digits."""
        candidate = super().value(scene, shape, span)
        if candidate is None:
            return None
        digits = candidate.value
        if shape == "phone_abroad":
            digits = b"0" + digits[2:].removeprefix(b"0")
        if len(digits) > _LONGEST or not _assigned(digits):
            return None
        return Candidate(shape, span[0], span[1], digits)

    def weigh(self, scene: Scene, candidate: Candidate, tally: Tally) -> None:
        """Grouping, and for bare fixed-line digits what libphonenumber says."""
        if candidate.shape in self.sure_shapes:
            tally.add("grouped")
            return
        if _MOBILE.fullmatch(candidate.value) or (tally.labelled and _known(candidate.value)):
            tally.add("valid_range")
        weigh_neighbours(scene, candidate, tally, cells=False)


def _assigned(digits: bytes) -> bool:
    if digits[2:3] == b"0" and digits[1:2] in b"56789":
        return bool(_MOBILE.fullmatch(digits) or _FREE.fullmatch(digits))
    return bool(_FREE.fullmatch(digits) or (_FIXED.fullmatch(digits) and len(digits) == 10))  # noqa: PLR2004 - fixed lines have ten digits


def _known(digits: bytes) -> bool:
    """Whether libphonenumber finds the number valid in Japan (its import costs, so only here)."""
    import phonenumbers  # noqa: PLC0415 - 20,000 lines of metadata, for doubtful numbers only

    try:
        number = phonenumbers.parse(digits.decode("ascii"), "JP")
    except phonenumbers.NumberParseException:
        return False
    return bool(phonenumbers.is_valid_number(number))
