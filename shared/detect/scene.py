"""What recognizers look at, and what they make of it: scene, candidate, tally, draft."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from shared.detect.rulebook import Reason, Rule
from shared.detect.shapes import Span
from shared.detect.tables import Tables
from shared.detect.words import WordIndex
from shared.model import Level


@dataclass(slots=True)  # frozen ones take 1 µs more to make, and one is made for every mail
class Scene:
    """One segment under examination; all positions are characters of its text.

    ``subject()`` gives the vocabulary's indices of words in the item's names and subjects;
    ``notes`` by entity, the label that led to a span.
    """

    text: str = field(repr=False)
    skeleton: bytes = field(repr=False)
    hits: Mapping[str, list[Span]] = field(repr=False)
    words: WordIndex = field(repr=False)
    tables: Tables = field(repr=False)
    triggers: Mapping[str, list[Span]] = field(repr=False)
    subject: Callable[[], frozenset[int]]
    notes: dict[str, dict[Span, Reason]] = field(default_factory=dict, repr=False)


@dataclass(slots=True)
class Candidate:
    """Something with the right form; ``value`` is folded (ASCII, no separators)."""

    shape: str
    start: int
    end: int
    value: bytes = field(repr=False)


class Tally:
    """Adds log-odds for one candidate under one rule."""

    def __init__(self, rule: Rule) -> None:
        self.rule = rule
        self.reasons: list[Reason] = []
        self.score = 0.0
        self.labelled = False

    def add(self, code: str, weight: float | None = None, *, word: str = "", n: int = 0) -> None:
        """Count a reason with its weight (the rule's by default)."""
        value = self.rule.weights[code] if weight is None else weight
        self.score += value
        self.reasons.append(Reason(code, round(value, 2), word, n))

    def level(self) -> Level | None:
        """The level of the score, or None below the lowest."""
        low, medium, high = self.rule.levels
        score = round(self.score, 6)
        if score >= high:
            return Level.HIGH
        if score >= medium:
            return Level.MEDIUM
        return Level.LOW if score >= low else None


@dataclass(slots=True)
class Draft:
    """A judged candidate, not yet masked."""

    candidate: Candidate
    entity: str
    score: float
    level: Level | None
    reasons: tuple[Reason, ...]
