"""One rule: when it matches, how far it bites, what follows.

Every condition can only be met by *more* findings or gaps, never by fewer, and rules cannot say
allow; so adding a finding or a gap never lowers a disposition.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from shared.model import Context, Disposition, Finding, Gap, Level, Mode

ANY = "any"
BODY = "本文"


@dataclass(frozen=True, slots=True)
class Words:
    """A text in both languages."""

    ja: str
    en: str


@dataclass(frozen=True, slots=True)
class When:
    """What must hold, all of it; an empty tuple asks nothing.

    ``entities``, ``min_level`` and ``min_count`` go together: at least ``min_count`` distinct
    values (fingerprints) of these entities at that level or above. Domains include subdomains.
    """

    entities: tuple[str, ...] = ()
    min_level: Level = Level.LOW
    min_count: int = 1
    gaps: tuple[str, ...] = ()
    places: tuple[str, ...] = ()
    sources: tuple[str, ...] = ()
    sharing: tuple[str, ...] = ()
    sender_domains: tuple[str, ...] = ()
    recipient_domains: tuple[str, ...] = ()

    def holds(self, context: Context, findings: Sequence[Finding], gaps: Sequence[Gap]) -> bool:
        """Whether every condition holds for this item."""
        return (
            self._around(context)
            and (not self.entities or self._count(findings) >= self.min_count)
            and (not self.gaps or self._has_gap(gaps))
        )

    def _around(self, context: Context) -> bool:
        return (
            (not self.places or context.place in self.places)
            and (not self.sources or context.source in self.sources)
            and (not self.sharing or not set(self.sharing).isdisjoint(context.sharing))
            and (not self.sender_domains or _within([context.sender_domain], self.sender_domains))
            and (
                not self.recipient_domains
                or _within(context.recipient_domains, self.recipient_domains)
            )
        )

    def _count(self, findings: Sequence[Finding]) -> int:
        every = ANY in self.entities
        return len(
            {
                finding.fingerprint
                for finding in findings
                if finding.level >= self.min_level and (every or finding.entity in self.entities)
            }
        )

    def _has_gap(self, gaps: Sequence[Gap]) -> bool:
        return bool(gaps) if ANY in self.gaps else any(gap.code in self.gaps for gap in gaps)


def _within(domains: Iterable[str], parents: Sequence[str]) -> bool:
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
    """A line of policy. Exactly one of ``information_class`` and ``disposition`` is set."""

    id: str
    title: Words
    reason: Words
    when: When
    mode: Mode = Mode.ENFORCE
    cohorts: dict[str, Mode] = field(default_factory=dict)
    information_class: str | None = None
    disposition: Disposition | None = None
    obligations: tuple[str, ...] = ()
    hits: tuple[Case, ...] = ()
    misses: tuple[Case, ...] = ()

    def mode_for(self, cohort: str) -> Mode:
        """How far the rule bites for this cohort."""
        return self.cohorts.get(cohort, self.mode)
