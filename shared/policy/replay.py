"""The record under another policy: what would change, for whom, by which rule. Pure.

Recorded findings are enough; no content is read again. What is compared is the disposition that
took effect then with the one that would take effect now.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field

from shared.model import AuditEvent, Context, Disposition, Finding, Gap
from shared.policy.engine import Policy
from shared.policy.exemption import PREFIX


@dataclass(frozen=True, slots=True)
class Recorded:
    """What the record holds of one decision.

    ``complete`` is false for an event without its context (older records): place, source and owner
    are known then; cohort, people, sharing, labels and time are not.
    """

    context: Context
    findings: tuple[Finding, ...]
    gaps: tuple[Gap, ...]
    disposition: Disposition
    complete: bool
    excepted: bool


def recorded(event: AuditEvent) -> Recorded | None:
    """The decision of an event; None where nothing was judged (gone, a person's act)."""
    name = event.disposition.upper()
    if name not in Disposition.__members__:
        return None
    context = event.context or Context(event.item.source, event.place, event.owner)
    return Recorded(
        context=context,
        findings=event.findings,
        gaps=event.gaps,
        disposition=Disposition[name],
        complete=event.context is not None,
        excepted=any(each.startswith(PREFIX) for each in event.rule_ids),
    )


@dataclass(frozen=True, slots=True)
class Change:
    """So many items moved from ``before`` to ``after``, of one owner, by one rule."""

    before: str
    after: str
    rule_id: str
    owner: str
    items: int


@dataclass(slots=True)
class Replay:
    """Collects the difference, one event after another.

    ``moves`` counts every (before, after); ``changes`` those that moved, by rule and owner (the
    owner masked; the rule is the strictest that enforces now, or the strictest of then that does
    not any more). Decisions in which an exception was used are counted in ``excepted`` and not
    compared: exceptions are not part of a policy.
    """

    policy: Policy
    moves: Counter[tuple[Disposition, Disposition]] = field(default_factory=Counter)
    changes: Counter[tuple[Disposition, Disposition, str, str]] = field(default_factory=Counter)
    events: int = 0
    unjudged: int = 0
    excepted: int = 0
    incomplete: int = 0

    def run(self, events: Iterable[AuditEvent]) -> None:
        """Decide them all again."""
        for event in events:
            self.add(event)

    def add(self, event: AuditEvent) -> None:
        """Decide one again."""
        self.events += 1
        then = recorded(event)
        if then is None:
            self.unjudged += 1
            return
        if then.excepted:
            self.excepted += 1
            return
        self.incomplete += not then.complete
        now = self.policy.decide(then.context, then.findings, then.gaps)
        before, after = then.disposition, now.disposition
        self.moves[before, after] += 1
        if before is not after:
            by = now.rule_ids if after > before else event.rule_ids
            rule = self._enforcing(by, then.context) if after > before else next(iter(by), "")
            self.changes[before, after, rule, mask(then.context.owner)] += 1

    def _enforcing(self, rule_ids: Iterable[str], context: Context) -> str:
        """The strictest rule that acts (ids come strictest first; a rehearsed one does not act)."""
        modes = {rule.id: rule.mode_for(context.cohort).value for rule in self.policy.rules}
        return next((each for each in rule_ids if modes.get(each, "enforce") == "enforce"), "")

    def table(self) -> list[Change]:
        """The changes: what is newly blocked first, then by strictness and number."""
        rows = sorted(
            self.changes.items(),
            key=lambda pair: (-pair[0][1], pair[0][0], -pair[1], pair[0][2], pair[0][3]),
        )
        return [
            Change(before.name.lower(), after.name.lower(), rule, owner, items)
            for (before, after, rule, owner), items in rows
        ]

    def newly_blocked(self) -> int:
        """Items that passed in some way and would be stopped now."""
        block = Disposition.BLOCK
        return sum(
            items
            for (before, after), items in self.moves.items()
            if after is block and before is not block
        )


def mask(owner: str) -> str:
    """An owner as a table shows it: the beginning of an id, the domain of an address."""
    name, at, domain = owner.partition("@")
    if at:
        return f"{name[:1]}***@{domain}"
    return owner if len(owner) <= 8 else f"{owner[:8]}…"  # noqa: PLR2004 - a GUID's first group
