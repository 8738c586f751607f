"""The roll-out, a row a cohort: what passed, what was done, what was wrong, how long. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from statistics import median

from shared.model import AuditEvent, Disposition
from shared.policy.exemption import PREFIX

UNKNOWN = "?"
"""The cohort of events that do not say it (older records)."""


@dataclass(frozen=True, slots=True)
class Review:
    """What a person made of an event's incident."""

    verdict: str
    opened: datetime | None = None
    released: datetime | None = None


@dataclass(slots=True)
class Cohort:
    """One row. ``hours`` are those from opening to release, where both are recorded."""

    items: int = 0
    dispositions: Counter[str] = field(default_factory=Counter)
    would_be: Counter[str] = field(default_factory=Counter)
    rehearsed: int = 0
    excepted: int = 0
    verdicts: Counter[str] = field(default_factory=Counter)
    hours: list[float] = field(default_factory=list)

    def false_share(self) -> float | None:
        """Of the incidents with a verdict, the share that were false; None without a verdict."""
        total = self.verdicts["true_positive"] + self.verdicts["false_positive"]
        return self.verdicts["false_positive"] / total if total else None

    def median_hours(self) -> float | None:
        """The median time to release in hours, or None."""
        return median(self.hours) if self.hours else None


def report(
    events: Iterable[AuditEvent], reviews: Mapping[str, Review] | None = None
) -> dict[str, Cohort]:
    """By cohort; ``reviews`` by event id. ``rehearsed`` items would be treated harder."""
    rows: dict[str, Cohort] = {}
    for event in events:
        if event.disposition.upper() not in Disposition.__members__:
            continue
        row = rows.setdefault(event.context.cohort if event.context else UNKNOWN, Cohort())
        row.items += 1
        row.dispositions[event.disposition] += 1
        row.would_be[event.would_be] += 1
        row.rehearsed += event.would_be != event.disposition
        row.excepted += any(each.startswith(PREFIX) for each in event.rule_ids)
        review = (reviews or {}).get(event.id)
        if review:
            _reviewed(row, review)
    return dict(sorted(rows.items()))


def _reviewed(row: Cohort, review: Review) -> None:
    if review.verdict:
        row.verdicts[review.verdict] += 1
    if review.opened and review.released:
        row.hours.append((review.released - review.opened).total_seconds() / 3600)
