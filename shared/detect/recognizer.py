"""What a recognizer is: shapes, a folded value, a check digit, and its own evidence."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

from shared.detect import checks
from shared.detect.rulebook import Reason, Rule, Rulebook
from shared.detect.scene import Candidate, Draft, Scene, Tally
from shared.detect.scoring import Surroundings, weigh_slot
from shared.detect.shapes import Shape, Span
from shared.detect.skeleton import digits_of
from shared.detect.slots import Key, Slots, key_of
from shared.model import Level

_SCORED_IN_SLOT = 50
_MANY = 200
_NONE: Mapping[Span, Reason] = {}


class Recognizer:
    """Finds one entity. A subclass names it and says what is special.

    Work is bounded: in one labelled slot of one block 50 candidates are weighed, the rest take
    the verdict of the last of them.
    """

    entity: str
    shapes: tuple[Shape, ...] = ()
    labelled: bool = False
    """Whether the engine looks for the rule's labels all over the text (``scene.triggers``)."""
    slotted: ClassVar[bool] = False
    """Whether a column's pass rate counts (only with a check digit that chance often fails)."""

    sure_shapes: ClassVar[frozenset[str]] = frozenset()
    """Shapes that need no label: no word is looked for around them."""

    def __init__(self, rule: Rule, book: Rulebook) -> None:
        self.rule = rule
        self._verdicts: dict[str, tuple[float, Level | None, tuple[Reason, ...]]] = {}
        self._surroundings = Surroundings(rule, book)

    def value(self, scene: Scene, shape: str, span: Span) -> Candidate | None:
        """The candidate of a shape's hit, or None; by default its digits."""
        start, end = span
        part = scene.skeleton[start:end]
        return Candidate(shape, start, end, part if part.isdigit() else digits_of(part))

    def says(self, word: int) -> bool:
        """Whether the word of the vocabulary with this index is one of the entity's own."""
        return self._surroundings.is_label(word)

    def weigh(self, scene: Scene, candidate: Candidate, tally: Tally) -> None:
        """Add the entity's own evidence (grouping, rivals)."""

    def decisive(self, candidate: Candidate) -> bool:
        """Whether the form alone says enough, so that no word near is looked for."""
        return candidate.shape in self.sure_shapes or not self._surroundings.looked_for

    def candidates(self, scene: Scene) -> list[Candidate]:
        """All candidates of a segment, in order; at one span the first shape counts."""
        value = self.value
        spans = self.spans(scene)
        in_order = [c for shape, span in spans if (c := value(scene, shape, span)) is not None]
        reached = -1
        for candidate in in_order:
            if candidate.start <= reached:
                break
            reached = candidate.start
        else:
            return in_order
        found: dict[tuple[int, int], Candidate] = {}
        for candidate in in_order:
            found.setdefault((candidate.start, candidate.end), candidate)
        return [found[span] for span in sorted(found)]

    def spans(self, scene: Scene) -> list[tuple[str, Span]]:
        """(shape, span) of everything to look at."""
        hits = scene.hits
        return [(s.name, span) for s in self.shapes if s.name in hits for span in hits[s.name]]

    def passes(self, candidates: list[Candidate]) -> list[bool]:
        """Whether each has a right check digit (all, where the entity has none)."""
        if not self.rule.check:
            return [True] * len(candidates)
        return checks.passes(self.rule.check, [candidate.value for candidate in candidates])

    def drafts(self, scene: Scene) -> list[Draft]:
        """The judged candidates that reach a level."""
        candidates = self.candidates(scene)
        if not candidates:
            return []
        if candidates[0].shape in self.sure_shapes and candidates[-1].shape in self.sure_shapes:
            return self._sure(scene, candidates)
        passed = self.passes(candidates)
        slots = Slots(scene, candidates, passed) if self.slotted else None
        many = len(candidates) > _MANY
        judged: dict[tuple[Key, int], list[Draft]] = {}
        drafts = []
        entity, block = self.entity, scene.tables.block
        for at, candidate in enumerate(candidates):
            if not passed[at]:
                continue
            key = slots.keys[at] if slots else self._place(scene, candidate) if many else None
            if key is None or (slots and key[2] == ""):
                draft = self.judge(scene, candidate, slots, key)
            else:
                place = key, block(candidate.start)
                known = judged.get(place)
                if known is None:
                    known = judged[place] = []
                if len(known) >= _SCORED_IN_SLOT:
                    last = known[-1]
                    if last.level:
                        level, reasons = last.level, last.reasons
                        drafts.append(Draft(candidate, entity, last.score, level, reasons))
                    continue
                draft = self.judge(scene, candidate, slots, key)
                known.append(draft)
            if draft.level:
                drafts.append(draft)
        return drafts

    def _sure(self, scene: Scene, candidates: list[Candidate]) -> list[Draft]:
        """Candidates whose shape decides: one verdict for all of a shape."""
        drafts = []
        for candidate in candidates:
            verdict = self._verdicts.get(candidate.shape)
            if verdict is None:
                draft = self.judge(scene, candidate)
                verdict = draft.score, draft.level, draft.reasons
                if candidate.shape in self.sure_shapes:
                    self._verdicts[candidate.shape] = verdict
            if verdict[1]:
                drafts.append(Draft(candidate, self.entity, *verdict))
        return drafts

    def _place(self, scene: Scene, candidate: Candidate) -> Key:
        """The slot of one of many candidates; a column's header says it without looking."""
        note = scene.notes.get(self.entity, _NONE).get((candidate.start, candidate.end))
        if note is not None and note.code == "header":
            return candidate.shape, "header", note.word
        return key_of(scene, candidate)

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
        if self.rule.check and not self.rule.pattern.get("check_optional"):
            tally.add("check")
        note = scene.notes.get(self.entity, _NONE).get((candidate.start, candidate.end))
        if note is not None:
            tally.labelled = True
            tally.add(note.code, note.weight, word=note.word, n=note.n)
        elif not self.decisive(candidate):
            self._surroundings.weigh(scene, candidate, tally)
        if slots is not None and key is not None:
            weigh_slot(slots, key, tally)
        self.weigh(scene, candidate, tally)
        level = tally.level()
        if self.rule.needs_label and not tally.labelled:
            level = None
        return Draft(candidate, self.entity, tally.score, level, tuple(tally.reasons))
