"""The scoring of every candidate in a text, for people (``sekisho explain``)."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

from shared.detect.engine import Engine, confidence, worded
from shared.detect.masks import FingerprintKey, mask
from shared.model import Evidence, Level


@dataclass(frozen=True, slots=True)
class Explanation:
    """One candidate under one rule; ``level`` is None where it is no finding. Masked."""

    entity: str
    ja: str
    en: str
    start: int
    end: int
    masked: str
    score: float
    confidence: float
    level: Level | None
    evidence: tuple[Evidence, ...]


@cache
def _engine() -> Engine:
    return Engine(FingerprintKey("explain", bytes(32)))


def explain(
    text: str, *, table: bool = False, engine: Engine | None = None
) -> tuple[Explanation, ...]:
    """Every candidate, best first, with what spoke for and against it.

    Candidates whose check digit is wrong, or whose score reaches no level, are there too.
    """
    using = engine or _engine()
    book = using.book
    explained = []
    for draft in using.drafts(text, table=table, everything=True):
        rule = book.rules[draft.entity]
        explained.append(
            Explanation(
                draft.entity,
                rule.ja,
                rule.en,
                draft.candidate.start,
                draft.candidate.end,
                mask(draft.candidate.value.decode(), rule.show),
                round(draft.score, 2),
                confidence(rule, draft.score),
                draft.level,
                tuple(worded(book, reason) for reason in draft.reasons),
            )
        )
    return tuple(sorted(explained, key=lambda e: (-(e.level or 0), -e.score, e.start)))
