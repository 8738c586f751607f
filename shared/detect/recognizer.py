"""What a recognizer is: shapes, a folded value, a check digit, and its own evidence."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from shared.detect import checks
from shared.detect.rulebook import Rule, Rulebook
from shared.detect.scene import Candidate, Draft, Reason, Scene, Tally
from shared.detect.scoring import Surroundings, weigh_slot
from shared.detect.shapes import Hit, Shape
from shared.detect.skeleton import digits_of
from shared.detect.slots import Key, Slots

_SCORED_IN_SLOT = 50


class Recognizer:
    """Finds one entity. A subclass names it and says what is special.

    Work is bounded: in one labelled slot of one block 50 candidates are weighed, the rest take
    the verdict of the last of them.
    """

    entity: ClassVar[str]
    shapes: ClassVar[tuple[Shape, ...]] = ()
    slotted: ClassVar[bool] = False
    """Whether a column's pass rate counts (only with a check digit that chance often fails)."""

    def __init__(self, rule: Rule, book: Rulebook) -> None:
        self.rule = rule
        self._surroundings = Surroundings(rule, book)

    def value(self, scene: Scene, hit: Hit) -> Candidate | None:
        """The candidate of a hit, or None; by default its digits."""
        return Candidate(
            hit.shape, hit.start, hit.end, digits_of(scene.skeleton[hit.start : hit.end])
        )

    def weigh(self, scene: Scene, candidate: Candidate, tally: Tally) -> None:
        """Add the entity's own evidence (grouping, rivals)."""

    def candidates(self, scene: Scene) -> list[Candidate]:
        """All candidates of a segment, in order; at one span the first shape counts."""
        found: dict[tuple[int, int], Candidate] = {}
        for shape in self.shapes:
            for hit in scene.hits.get(shape.name, ()):
                candidate = self.value(scene, hit)
                if candidate is not None:
                    found.setdefault((candidate.start, candidate.end), candidate)
        return sorted(found.values(), key=lambda c: (c.start, c.end))

    def passes(self, candidates: Sequence[Candidate]) -> list[bool]:
        """Whether each has a right check digit (all, where the entity has none)."""
        if not self.rule.check:
            return [True] * len(candidates)
        return checks.passes(self.rule.check, [candidate.value for candidate in candidates])

    def drafts(self, scene: Scene) -> list[Draft]:
        """The judged candidates that reach a level."""
        candidates = self.candidates(scene)
        if not candidates:
            return []
        passed = self.passes(candidates)
        slots = Slots(scene, candidates, passed) if self.slotted else None
        drafts = []
        judged: dict[tuple[Key, int], tuple[int, Draft]] = {}
        for at, candidate in enumerate(candidates):
            if not passed[at]:
                continue
            slot = None
            if slots is not None and slots.keys[at][2] != "":
                slot = (slots.keys[at], scene.tables.block(candidate.start))
                count, last = judged.get(slot, (0, None))
                if last is not None and count >= _SCORED_IN_SLOT:
                    draft = Draft(candidate, self.entity, last.score, last.level, last.reasons)
                    if draft.level:
                        drafts.append(draft)
                    continue
            draft = self.judge(scene, candidate, slots, slots.keys[at] if slots else None)
            if slot is not None:
                judged[slot] = (judged.get(slot, (0, draft))[0] + 1, draft)
            if draft.level:
                drafts.append(draft)
        return drafts

    def everything(self, scene: Scene) -> list[Draft]:
        """Every candidate, also one that fails its check digit or reaches no level."""
        candidates = self.candidates(scene)
        passed = self.passes(candidates)
        slots = Slots(scene, candidates, passed) if self.slotted else None
        failed = (Reason("check_fails", 0.0),)
        return [
            self.judge(scene, candidate, slots, slots.keys[at] if slots else None)
            if passed[at]
            else Draft(candidate, self.entity, 0.0, None, failed)
            for at, candidate in enumerate(candidates)
        ]

    def judge(
        self, scene: Scene, candidate: Candidate, slots: Slots | None = None, key: Key | None = None
    ) -> Draft:
        """Weigh one candidate whose check digit is right."""
        tally = Tally(self.rule)
        if self.rule.weights["base"]:
            tally.add("base")
        if self.rule.check:
            tally.add("check")
        self._surroundings.weigh(scene, candidate, tally)
        if slots is not None and key is not None:
            weigh_slot(slots, key, tally)
        self.weigh(scene, candidate, tally)
        level = tally.level()
        if self.rule.needs_label and not tally.labelled:
            level = None
        return Draft(candidate, self.entity, tally.score, level, tuple(tally.reasons))
