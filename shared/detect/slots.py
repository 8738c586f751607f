"""The slot: values in one column, or after one label, are of one kind.

Of My Numbers nearly all pass the check digit, of anything else one in ten. So the pass rate of the
*distinct* values in one place says more than any single value does.
"""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import pairwise

from shared.detect.scene import Candidate, Scene

type Key = tuple[str, str, int | str]
"""(shape, separator or ``label``, column or the label's last characters)."""

_LABEL_END = re.compile(r"[\s:：=＝「『(（\"'はが>|]+$")
_AFTER_DIGITS = re.compile(r"[^\d\s]+$")
_LABEL_LENGTH = 6
_LEAST_VALUES = 4
_COUNTER_STEP = 100
"""My Numbers of one column do not rise by less than this, line after line."""
_OURS, _CHANCE = 0.95, 0.1
_PASS = math.log(_OURS / _CHANCE)
_FAIL = math.log((1 - _OURS) / (1 - _CHANCE))


def key_of(scene: Scene, candidate: Candidate) -> Key:
    """The slot of a candidate."""
    cell = scene.tables.cell(candidate.start, candidate.end)
    if cell is not None and candidate.shape != "n12_cells":
        return candidate.shape, cell[0], cell[1]
    low = max(scene.tables.line_start(candidate.start), candidate.start - 24)
    label = _LABEL_END.sub("", scene.text[low : candidate.start])
    words = _AFTER_DIGITS.search(label)
    return candidate.shape, "label", words.group()[-_LABEL_LENGTH:] if words else ""


@dataclass(slots=True)
class _Slot:
    values: dict[bytes, bool] = field(default_factory=dict)


class Slots:
    """The pass rates of a segment's slots. Values are kept only while it is scanned."""

    def __init__(
        self, scene: Scene, candidates: Sequence[Candidate], passed: Sequence[bool]
    ) -> None:
        self.keys = [key_of(scene, candidate) for candidate in candidates]
        self._slots: dict[Key, _Slot] = {}
        for key, candidate, good in zip(self.keys, candidates, passed, strict=True):
            slot = self._slots.get(key)
            if slot is None:
                slot = self._slots[key] = _Slot()
            slot.values[candidate.value] = good
        self._counts = {
            key: (len(slot.values), sum(slot.values.values())) for key, slot in self._slots.items()
        }
        self._counting = {key: _counts_up(list(slot.values)) for key, slot in self._slots.items()}

    def evidence(self, key: Key) -> tuple[float, int]:
        """(log-likelihood ratio, distinct values); 0 where there are fewer than four."""
        total, good = self._counts[key]
        if total < _LEAST_VALUES:
            return 0.0, total
        return good * _PASS + (total - good) * _FAIL, total

    def counts_up(self, key: Key) -> bool:
        """Whether the slot's values are a counter (consecutive but for the last digits)."""
        return self._counting[key]


def _counts_up(values: list[bytes]) -> bool:
    if len(values) < _LEAST_VALUES:
        return False
    numbers = [int(value) for value in values if value.isdigit()]
    near = sum(0 < after - before <= _COUNTER_STEP for before, after in pairwise(numbers))
    return near * 10 >= 9 * (len(numbers) - 1) > 0
