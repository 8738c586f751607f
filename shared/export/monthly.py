"""A month in figures: what passed, what was decided, by which rules, and how people dealt with it.

Events are counted one at a time, so a month of millions fits. Days are those of Japan.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from statistics import median, quantiles

from shared.audit.event import UNJUDGED
from shared.audit.formats.entry import ITEMS, PERSON
from shared.model import AuditEvent
from shared.policy.exemption import PREFIX
from shared.policy.report import UNKNOWN, Cohort
from shared.ports import Row
from shared.storage.incidents import HOLD, RETENTION, timeline
from shared.storage.index_counts import day_of

DISPOSITIONS = ("block", "review", "tag", "allow")
WAITING = ("open", "in_review")
STEPS = (1.0, 4.0, 24.0, 72.0)  # hours: how long until somebody looked
NOBODY = frozenset({"", RETENTION, HOLD})  # who stands for the program in a timeline
_FEW = 2


@dataclass(frozen=True, slots=True)
class Handled:
    """What people made of one incident; times are None where it did not happen."""

    event: str
    state: str = "open"
    verdict: str = ""
    opened: datetime | None = None
    first: datetime | None = None
    released: datetime | None = None


def handled(row: Row) -> Handled:
    """An incident's row; a person's first entry in its timeline is when it was first dealt with."""
    entries = [each for each in timeline(row.values) if each.who not in NOBODY]
    releases = [each.time for each in entries if each.action == "release"]
    opened = row.values.get("opened")
    return Handled(
        str(row.values["event"]),
        str(row.values["state"]),
        str(row.values.get("verdict") or ""),
        opened if isinstance(opened, datetime) else None,
        entries[0].time if entries else None,
        releases[0] if releases else None,
    )


@dataclass(slots=True)
class Response:
    """How people dealt with the month's incidents; hours run from their opening."""

    incidents: int = 0
    states: Counter[str] = field(default_factory=Counter)
    verdicts: Counter[str] = field(default_factory=Counter)
    first_hours: list[float] = field(default_factory=list)
    release_hours: list[float] = field(default_factory=list)

    def add(self, one: Handled) -> None:
        """Count one incident."""
        self.incidents += 1
        self.states[one.state] += 1
        if one.verdict:
            self.verdicts[one.verdict] += 1
        if one.opened and one.first:
            self.first_hours.append((one.first - one.opened).total_seconds() / 3600)
        if one.opened and one.released:
            self.release_hours.append((one.released - one.opened).total_seconds() / 3600)

    @property
    def waiting(self) -> int:
        """Incidents that nobody has finished."""
        return sum(self.states[each] for each in WAITING)

    def false_share(self) -> float | None:
        """Of those with a verdict, the share that were false."""
        return share(self.verdicts["false_positive"], self.verdicts["true_positive"])

    def steps(self) -> list[int]:
        """How many were first dealt with within each of STEPS, and later than the last."""
        counts = [0] * (len(STEPS) + 1)
        for hours in self.first_hours:
            counts[sum(hours > step for step in STEPS)] += 1
        return counts


@dataclass(slots=True)
class Month:
    """The figures of the month that begins on ``first``; ``before`` are those of the one before."""

    first: date
    items: int = 0
    dispositions: Counter[str] = field(default_factory=Counter)
    before: Counter[str] = field(default_factory=Counter)
    days: dict[date, Counter[str]] = field(default_factory=dict)
    sources: dict[str, Counter[str]] = field(default_factory=lambda: defaultdict(Counter))
    entities: Counter[str] = field(default_factory=Counter)
    rules: dict[str, Counter[str]] = field(default_factory=lambda: defaultdict(Counter))
    verdicts: dict[str, Counter[str]] = field(default_factory=lambda: defaultdict(Counter))
    cohorts: dict[str, Cohort] = field(default_factory=dict)
    gaps: Counter[str] = field(default_factory=Counter)
    unenforced: Counter[str] = field(default_factory=Counter)
    gone: int = 0
    deeds: int = 0
    persons: set[str] = field(default_factory=set)
    response: Response = field(default_factory=Response)
    incidents_known: bool = False

    def __post_init__(self) -> None:
        day = self.first
        while day < self.after:
            self.days[day] = Counter()
            day += timedelta(days=1)

    @property
    def after(self) -> date:
        """The first day of the next month."""
        return (self.first + timedelta(days=32)).replace(day=1)

    @property
    def previous(self) -> date:
        """The first day of the month before."""
        return (self.first - timedelta(days=1)).replace(day=1)

    def review(self, incidents: Iterable[Handled]) -> dict[str, Handled]:
        """Count the month's incidents; they are returned by event, for ``add``."""
        self.incidents_known = True
        found = {each.event: each for each in incidents}
        for each in found.values():
            self.response.add(each)
        return found

    def add(self, event: AuditEvent, incident: Handled | None = None) -> None:
        """Count one event of this month or the one before; others are passed over."""
        day = day_of(event.time)
        if not self.previous <= day < self.after:
            return
        if event.disposition == UNJUDGED:
            if day >= self.first:
                self._unjudged(event)
            return
        if day < self.first:
            self.before[event.disposition] += 1
            return
        self._judged(event, day)
        self._cohort(event, incident)
        if incident and incident.verdict:
            for rule in event.rule_ids:
                self.verdicts[rule][incident.verdict] += 1

    def _unjudged(self, event: AuditEvent) -> None:
        if event.item.source not in ITEMS:
            self.deeds += 1
        else:
            self.gone += 1

    def _judged(self, event: AuditEvent, day: date) -> None:
        said = event.disposition
        self.items += 1
        self.dispositions[said] += 1
        self.days[day][said] += 1
        self.sources[event.item.source][said] += 1
        self.entities.update({each.entity for each in event.findings})
        self.gaps.update({each.code.value for each in event.gaps})
        for rule in event.rule_ids:
            self.rules[rule][said] += 1
        if said == "block" and event.action_state not in {"applied", "unchanged"}:
            self.unenforced[event.action_state] += 1
        for each in event.findings:
            if each.entity in PERSON:
                self.persons.add(each.fingerprint[-32:])

    def _cohort(self, event: AuditEvent, incident: Handled | None) -> None:
        row = self.cohorts.setdefault(event.context.cohort if event.context else UNKNOWN, Cohort())
        row.items += 1
        row.dispositions[event.disposition] += 1
        row.rehearsed += event.would_be != event.disposition
        row.excepted += any(each.startswith(PREFIX) for each in event.rule_ids)
        if incident and incident.verdict:
            row.verdicts[incident.verdict] += 1

    def weeks(self) -> list[tuple[date, date, Counter[str]]]:
        """First and last day and the sums of each week (Monday to Sunday, cut at the month)."""
        found: list[tuple[date, date, Counter[str]]] = []
        for day, counts in self.days.items():
            if not found or day.weekday() == 0:
                found.append((day, day, Counter()))
            first, _, sums = found[-1]
            found[-1] = (first, day, sums + counts)
        return found


def share(part: int, rest: int) -> float | None:
    """``part`` of ``part`` and ``rest``; None of nothing."""
    return part / (part + rest) if part + rest else None


def middle(hours: list[float]) -> float | None:
    """The median; None of nothing."""
    return median(hours) if hours else None


def most(hours: list[float]) -> float | None:
    """The value that nine of ten stay below; the largest of few, None of nothing."""
    if len(hours) < _FEW:
        return hours[0] if hours else None
    return quantiles(hours, n=10, method="inclusive")[-1]
