"""The evidence that every entity shares: words near, column header, subject, slot."""

from __future__ import annotations

import re
import unicodedata
from functools import cache

from shared.detect.rulebook import AGAINST, NEAR, PERSON, Rule, Rulebook, Steps
from shared.detect.scene import Candidate, Scene, Tally
from shared.detect.slots import Key, Slots

_PERSON_WITHIN = 200
_SPACED_WITHIN = 80
_GAPS = re.compile(r"[\s\u200b・_\-]+")
_STRONG = 5.0
_LEAST = 0.05
_LABEL_WITHIN = 12
_OTHER_NUMBER = re.compile(
    r"番号|コード|\bid\b|id$|_no\b|no\.?$|code|キー|key\b|\b(?:jan|isbn|ean|gtin|hash)\b|ハッシュ"
    r"|金額|額$|残高|合計|数量|件数|日時|タイムスタンプ|timestamp|内線|電話|口座|緯度|経度",
    re.MULTILINE,
)


@cache
def _needles(labels: tuple[str, ...]) -> tuple[str, ...]:
    folded = (_GAPS.sub("", unicodedata.normalize("NFKC", label)).lower() for label in labels)
    return tuple(sorted(set(folded), key=lambda text: (-len(text), text)))


def weight_at(steps: Steps, distance: int) -> float:
    """The weight of a word at a distance in characters."""
    return next((weight for within, weight in steps if distance <= within), 0.0)


type Found = tuple[float, str, str, int]
"""(weight, code, word, distance)"""


class Surroundings:
    """Weighs what stands around candidates of one rule in one scene."""

    def __init__(self, rule: Rule, book: Rulebook) -> None:
        self._rule = rule
        self._roles = book.roles[rule.entity]
        self._factors = book.factors
        self._words = book.vocabulary.words
        self._needles = _needles(rule.labels)
        self._spaced = _needles(rule.spaced or rule.labels)
        reach = [within for within, _ in (*rule.near, *rule.against)]
        person = _PERSON_WITHIN if rule.weights["personal"] else 0
        self._before = max([*reach, person])
        self._after = self._before // 2
        self.looked_for = bool(self._before)

    def is_label(self, word: int) -> bool:
        """Whether a word is one of the rule's own labels."""
        return self._roles[word] == NEAR

    def weigh(self, scene: Scene, candidate: Candidate, tally: Tally) -> None:
        """Add the words near, the header and the subject."""
        near, against, persons = self._near(scene, candidate)
        if near[0] < _STRONG - 1 and (spaced := self._written_apart(scene, candidate)):
            near = max(near, spaced, key=lambda found: found[0])
        near, against = _nearer_wins(near, against)
        header, other = self._header(scene, candidate)
        if header:
            tally.labelled = True
            tally.add("header", word=header)
        elif near[0]:
            tally.labelled = True
            tally.add(near[1], near[0], word=near[2], n=near[3])
        elif word := self._in_subject(scene):
            tally.labelled = True
            tally.add("subject", word=word)
        if not header:
            self._speak_against(tally, near[0], against, other=other)
        if persons and self._rule.weights["personal"]:
            most = self._rule.weights["personal_most"]
            tally.add("personal", min(most, self._rule.weights["personal"] * persons), n=persons)

    def _speak_against(self, tally: Tally, near: float, against: Found, *, other: bool) -> None:
        weight, code, word, distance = against
        if other and self._rule.weights["header_other"] <= -weight:
            tally.add("header_other")
        elif weight >= _LEAST and not (near >= _STRONG and weight < self._most_against()):
            tally.add(code, -weight, word=word, n=distance)

    def _most_against(self) -> float:
        return self._rule.against[0][1] if self._rule.against else 0.0

    def _near(self, scene: Scene, candidate: Candidate) -> tuple[Found, Found, int]:
        near = (0.0, "near", "", 0)
        against = (0.0, "against", "", 0)
        persons: set[int] = set()
        start, end = candidate.start, candidate.end
        for word_start, word_end, index in scene.words.between(
            start - self._before - 16, end + self._after
        ):
            role = self._roles[index]
            if not role or (start < word_end and word_start < end):
                continue
            ahead = word_end <= start
            distance = start - word_end if ahead else 20 + 2 * (word_start - end)
            if role == NEAR:
                if (weight := weight_at(self._rule.near, distance)) > near[0]:
                    near = (weight, "near", self._words[index], distance)
            elif role == AGAINST:
                found = self._against(scene, word_end, start, distance, ahead=ahead)
                weight = found[0] * self._factors[index]
                if weight > against[0]:
                    against = (weight, found[1], self._words[index], distance)
            elif role == PERSON and distance <= _PERSON_WITHIN:
                persons.add(index)
        return near, against, len(persons)

    def _against(
        self, scene: Scene, word_end: int, start: int, distance: int, *, ahead: bool
    ) -> tuple[float, str]:
        if not ahead:
            return weight_at(self._rule.against, distance + 20), "against"
        if distance > 20 and "\n" in scene.text[word_end:start].strip("\n"):  # noqa: PLR2004 - a label may stand just above
            return -self._rule.weights["against_line"] * bool(self._rule.against), "against_line"
        return weight_at(self._rule.against, distance), "against"

    def _written_apart(self, scene: Scene, candidate: Candidate) -> Found | None:
        """「個 人 番 号」, half-width kana, full-width Latin: only in a window before."""
        window = scene.text[max(0, candidate.start - _SPACED_WITHIN) : candidate.start]
        squeezed = _GAPS.sub("", unicodedata.normalize("NFKC", window)).lower()
        for needle in self._spaced:
            at = squeezed.rfind(needle)
            if at >= 0:
                distance = len(squeezed) - at - len(needle)
                weight = weight_at(self._rule.near, distance if distance <= 12 else 41)  # noqa: PLR2004 - the first step, or the third
                return weight, "spaced", needle, distance
        return None

    def _header(self, scene: Scene, candidate: Candidate) -> tuple[str, bool]:
        """(our label in the column's header, whether the header names another number)."""
        cell = scene.tables.cell(candidate.start, candidate.end)
        if cell is None or candidate.shape == "n12_cells":
            return "", False
        header = scene.tables.header(candidate.start, *cell)
        if not header:
            return "", False
        for needle in self._needles:
            if needle in header:
                return needle, False
        return "", bool(_OTHER_NUMBER.search(header))

    def _in_subject(self, scene: Scene) -> str:
        for index in sorted(scene.subject()):
            if self._roles[index] == NEAR:
                return self._words[index]
        return ""


def _nearer_wins(near: Found, against: Found) -> tuple[Found, Found]:
    """Of two labels in front of a number the nearer one is its label."""
    if not near[0] or not against[0] or against[1] != "against":
        return near, against
    if near[3] < against[3]:
        return near, (against[0] / 4, *against[1:])
    if against[3] <= _LABEL_WITHIN and against[0] >= _STRONG - 1:
        return (near[0] / 2, *near[1:]), against
    return near, against


def weigh_slot(slots: Slots, key: Key, tally: Tally) -> None:
    """Add the pass rate of the slot's distinct values."""
    weights = tally.rule.weights
    ratio, values = slots.evidence(key)
    if ratio:
        most = weights["same_slot_most"] if tally.labelled else weights["same_slot_bare"]
        tally.add("same_slot", max(weights["same_slot_least"], min(most, ratio)), n=values)
    if slots.counts_up(key):
        tally.add("counter")
