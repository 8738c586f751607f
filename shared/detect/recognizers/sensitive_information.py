"""要配慮個人情報 (個人情報保護法 第2条第3項): only jointly with an identified person."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import islice

from shared.detect.recognizer import Recognizer
from shared.detect.scene import Candidate, Draft, Scene, Tally
from shared.model import Level

IDENTIFYING = frozenset(
    {
        "my_number", "person_name", "birth_date", "address", "drivers_licence", "passport_number",
        "residence_card_number", "resident_record_code", "basic_pension_number", "addressee_number",
        "health_insurance_number", "care_insurance_number", "late_elderly_number", "mrz",
        "public_expense_number", "disability_handbook_number", "welfare_case_number",
    }
)  # fmt: skip
_BEFORE, _AFTER = 200, 300
_MOST_PERSONS = 500


class SensitiveInformation(Recognizer):
    """Terms near something that says whose they are; a text about an illness alone is nothing."""

    entity = "sensitive_information"

    def join(self, scene: Scene, drafts: Sequence[Draft]) -> list[Draft]:
        """One draft for each term within reach of an identified person (500 persons at most)."""
        persons = (
            draft
            for draft in drafts
            if draft.entity in IDENTIFYING and (draft.level or Level.LOW) >= Level.MEDIUM
        )
        terms: dict[int, int] = {}
        for person in islice(persons, _MOST_PERSONS):
            low, high = person.candidate.start - _BEFORE, person.candidate.end + _AFTER
            words = scene.words.between(low, high)
            terms |= {start: end for start, end, index in words if self.says(index)}
        return [self._draft(scene, start, end) for start, end in sorted(terms.items())]

    def _draft(self, scene: Scene, start: int, end: int) -> Draft:
        tally = Tally(self.rule)
        tally.add("base")
        tally.add("joint")
        value = scene.text[start:end].encode()
        candidate = Candidate("term", start, end, value)
        return Draft(candidate, self.entity, tally.score, tally.level(), tuple(tally.reasons))
