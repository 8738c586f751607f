"""A recognizer that is only its rule file: a shape, a pattern behind labels, a check digit."""

from __future__ import annotations

import re
import unicodedata

from shared.detect import checks, labelled
from shared.detect.recognizer import Recognizer
from shared.detect.rivals import amount, weigh_neighbours
from shared.detect.rulebook import Reason, Rule, Rulebook
from shared.detect.scene import Candidate, Scene, Tally
from shared.detect.scoring import weight_at
from shared.detect.shapes import Shape, Span
from shared.detect.skeleton import digits_of
from shared.errors import PolicyError

_WITHIN = 24
_LEAD = 8
_SEPARATORS = re.compile(rb"[\s\-|,.'\x80-\xff]+")


def _folded(part: bytes, text: str) -> bytes:
    if b"\x80" not in part:
        return _SEPARATORS.sub(b"", part).upper()
    return "".join(unicodedata.normalize("NFKC", text).split()).encode()


class RuleRecognizer(Recognizer):
    """What ``pattern`` in a rule file says (all parts are optional, one of the first two is not).

    ``shape``: ``{head, tail, before, after, alone, ends}``, searched everywhere;
    ``after_label``: a bounded pattern over the skeleton, searched behind the rule's labels and in
    the columns under them (not with ``columns: false``), ``within`` so many characters;
    ``lead``: what must stand just before (a pattern over the text) and belongs to the value;
    ``gap``: what may stand between label and value (a pattern over the text);
    ``text``: a pattern that the text of the match must satisfy (for kana and kanji);
    ``value``: ``digits`` (the default) or ``text``.
    """

    def __init__(self, rule: Rule, book: Rulebook) -> None:
        self.entity = rule.entity
        super().__init__(rule, book)
        pattern = rule.pattern
        if shape := pattern.get("shape"):
            self.shapes = (Shape(rule.entity, **shape),)
        self.labelled = bool(pattern.get("after_label"))
        if not shape and not self.labelled:
            message = f"rule {rule.entity}: pattern needs a shape or after_label"
            raise PolicyError(message)
        self._reach = labelled.Reach(
            self._bounded(pattern.get("after_label", "")),
            int(pattern.get("within", _WITHIN)),
            re.compile(pattern["gap"]) if "gap" in pattern else None,
            bool(pattern.get("columns", True)),
        )
        self._lead = re.compile(pattern["lead"] + r"\Z") if "lead" in pattern else None
        self._text = re.compile(pattern["text"]) if "text" in pattern else None
        self._as_text = pattern.get("value") == "text"
        self._optional = bool(pattern.get("check_optional", False))

    def _bounded(self, source: str) -> re.Pattern[bytes]:
        if not source:
            return re.compile(rb"(?!)")
        Shape(self.rule.entity, "0", source)  # refuses what has no bound
        return re.compile(source.encode("latin-1"))

    def spans(self, scene: Scene) -> list[tuple[str, Span]]:
        """Hits of the shape, and values behind labels."""
        found = super().spans(scene)
        if labels := scene.triggers.get(self.entity):
            notes = scene.notes.setdefault(self.entity, {})
            last: tuple[Span, Reason] | None = None
            for span, label, under in labelled.values(scene, labels, self._reach):
                if not under or last is None or last[0] != label:
                    last = label, self._note(scene, span, label, under=under)
                notes[span] = last[1]
                found.append(("labelled", span))
        return found

    def _note(self, scene: Scene, span: Span, label: Span, *, under: bool) -> Reason:
        """The label that led to a value, as evidence (its words are one of the rule's labels)."""
        word = scene.text[slice(*label)]
        if word.isascii():
            word = word.lower()
        if under:
            return Reason("header", self.rule.weights["header"], word)
        distance = span[0] - label[1]
        return Reason("near", weight_at(self.rule.near, distance), word, distance)

    def value(self, scene: Scene, shape: str, span: Span) -> Candidate | None:
        """Digits, or the folded text without separators."""
        start, end = span
        if self._lead is not None:
            lead = self._lead.search(scene.text, max(0, start - _LEAD), start)
            if lead is None:
                return None
            start = lead.start()
        part = scene.skeleton[start:end]
        if self._text is not None and not self._text.search(scene.text[start:end]):
            return None
        value = _folded(part, scene.text[start:end]) if self._as_text else digits_of(part)
        return Candidate(shape, start, end, value) if value else None

    def passes(self, candidates: list[Candidate]) -> list[bool]:
        """The check digit, where it is not optional."""
        if self._optional:
            return [True] * len(candidates)
        return super().passes(candidates)

    def weigh(self, scene: Scene, candidate: Candidate, tally: Tally) -> None:
        """The check digit where it is optional; neighbours and amounts for numbers."""
        if self._optional and self.rule.check:
            good = checks.CHECKS[self.rule.check](digits_of(candidate.value))
            tally.add("check" if good else "check_fails")
        if self._as_text:
            return
        weigh_neighbours(scene, candidate, tally, cells=False)
        if amount(scene, candidate):
            tally.add("amount")
