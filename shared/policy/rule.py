"""One rule: when it matches, how far it bites, what follows.

Every condition can only be met by *more* findings or gaps, never by fewer, and rules cannot say
allow; so adding a finding or a gap never lowers a disposition.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime, time, timedelta, timezone

from shared.model import Context, Disposition, Finding, Gap, Level, Mode

ANY = "any"
BODY = "本文"


@dataclass(frozen=True, slots=True)
class Words:
    """A text in both languages."""

    ja: str
    en: str


JST = timezone(timedelta(hours=9), "JST")
"""Japan's time, which has had no summer time since 1951."""
DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")


@dataclass(frozen=True, slots=True)
class Found:
    """At least ``min_count`` distinct values (fingerprints) of these entities at that level."""

    entities: tuple[str, ...]
    min_level: Level = Level.LOW
    min_count: int = 1

    def holds(self, findings: Sequence[Finding]) -> bool:
        """Whether so many were found."""
        every = ANY in self.entities
        values = {
            finding.fingerprint
            for finding in findings
            if finding.level >= self.min_level and (every or finding.entity in self.entities)
        }
        return len(values) >= self.min_count


@dataclass(frozen=True, slots=True)
class Times:
    """Days of the week and hours of Japan's time, from ``start`` up to before ``end``.

    Where ``end`` is not after ``start`` the window runs over midnight and belongs to the day on
    which it began. An item of unknown time is in every window: not knowing is never milder.
    """

    days: tuple[str, ...] = DAYS
    start: time = time(0)
    end: time = time(0)

    def hold(self, moment: datetime | None) -> bool:
        """Whether the moment is inside."""
        if moment is None:
            return True
        local = moment.astimezone(JST)
        clock, today = local.time(), local.weekday()
        if self.start < self.end:
            return self.start <= clock < self.end and DAYS[today] in self.days
        if clock >= self.start:
            return DAYS[today] in self.days
        return clock < self.end and DAYS[today - 1] in self.days


@dataclass(frozen=True, slots=True)
class When:
    """What must hold, all of it; an empty tuple or None asks nothing.

    ``also`` are further findings in the same item (a combination). Domains include subdomains.
    """

    found: Found | None = None
    also: tuple[Found, ...] = ()
    gaps: tuple[str, ...] = ()
    places: tuple[str, ...] = ()
    sources: tuple[str, ...] = ()
    sharing: tuple[str, ...] = ()
    labels: tuple[str, ...] = ()
    cohorts: tuple[str, ...] = ()
    sender_domains: tuple[str, ...] = ()
    recipient_domains: tuple[str, ...] = ()
    times: Times | None = None

    def holds(self, context: Context, findings: Sequence[Finding], gaps: Sequence[Gap]) -> bool:
        """Whether every condition holds for this item."""
        return not any(True for _ in self._unmet(context, findings, gaps))

    def unmet(
        self, context: Context, findings: Sequence[Finding], gaps: Sequence[Gap]
    ) -> tuple[str, ...]:
        """The names of the conditions that do not hold."""
        return tuple(self._unmet(context, findings, gaps))

    def _unmet(
        self, context: Context, findings: Sequence[Finding], gaps: Sequence[Gap]
    ) -> Iterator[str]:
        if self.found and not self.found.holds(findings):
            yield "entities"
        if not all(each.holds(findings) for each in self.also):
            yield "also"
        if self.gaps and not self._has_gap(gaps):
            yield "gaps"
        yield from self._around(context)

    def _around(self, context: Context) -> Iterator[str]:
        for name, wanted, has in (
            ("places", self.places, (context.place,)),
            ("sources", self.sources, (context.source,)),
            ("sharing", self.sharing, context.sharing),
            ("labels", self.labels, context.labels),
            ("cohorts", self.cohorts, (context.cohort,)),
        ):
            if wanted and set(wanted).isdisjoint(has):
                yield name
        if self.sender_domains and not within([context.sender_domain], self.sender_domains):
            yield "sender_domains"
        to = context.recipient_domains
        if self.recipient_domains and not within(to, self.recipient_domains):
            yield "recipient_domains"
        if self.times and not self.times.hold(context.received_at):
            yield "times"

    def _has_gap(self, gaps: Sequence[Gap]) -> bool:
        return bool(gaps) if ANY in self.gaps else any(gap.code in self.gaps for gap in gaps)


def within(domains: Iterable[str], parents: Sequence[str]) -> bool:
    """Whether one of the domains is one of the parents or below it."""
    return any(
        domain.lower() == parent or domain.lower().endswith("." + parent)
        for domain in domains
        for parent in parents
    )


@dataclass(frozen=True, slots=True)
class CaseFinding:
    """So many distinct values of an entity at a level."""

    entity: str
    level: Level
    count: int = 1
    part: str = BODY


@dataclass(frozen=True, slots=True)
class Case:
    """An item that a rule must, or must not, match; ``expect`` is the whole policy's answer."""

    context: Context
    findings: tuple[CaseFinding, ...] = ()
    gaps: tuple[Gap, ...] = ()
    expect: Disposition | None = None
    where: str = ""


@dataclass(frozen=True, slots=True)
class Rule:
    """A line of policy. Exactly one of ``information_class`` and ``disposition`` is set.

    ``override`` says who may set the rule aside for one item with a justification (``owner``, or
    nobody); ``release`` how many different people a release of what it stopped needs.
    """

    id: str
    title: Words
    reason: Words
    when: When
    mode: Mode = Mode.ENFORCE
    cohorts: dict[str, Mode] = field(default_factory=dict)
    information_class: str | None = None
    disposition: Disposition | None = None
    obligations: tuple[str, ...] = ()
    override: str = ""
    release: int = 1
    hits: tuple[Case, ...] = ()
    misses: tuple[Case, ...] = ()

    def mode_for(self, cohort: str) -> Mode:
        """How far the rule bites for this cohort."""
        return self.cohorts.get(cohort, self.mode)
