"""Why: findings → class → cell of the matrix → rule → disposition; what would have to differ."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

from shared.model import Context, Decision, Disposition, Finding, Gap, Mode
from shared.policy.engine import FLOOR_RULE, Policy
from shared.policy.exemption import Exemption
from shared.policy.rule import Words


@dataclass(frozen=True, slots=True)
class Count:
    """So many distinct values of an entity at a level."""

    entity: str
    level: str
    values: int


@dataclass(frozen=True, slots=True)
class Line:
    """One rule, and how it stands to the item.

    ``information_class`` is empty for a rule that names its disposition itself; ``outcome`` is the
    cell of the matrix (or that disposition); ``unmet`` names the conditions that do not hold.
    """

    rule_id: str
    title: Words
    reason: Words
    mode: str
    information_class: str
    outcome: str
    unmet: tuple[str, ...]

    @property
    def matched(self) -> bool:
        """Whether the rule matched (and is not off)."""
        return not self.unmet and self.mode != Mode.OFF.value


@dataclass(frozen=True, slots=True)
class Explanation:
    """The chain of one decision.

    ``deciding`` are the rules that gave the disposition: every one of them would have to differ for
    a milder one. ``near`` are the enforcing or rehearsed rules that would have made it stricter,
    had one condition more been met (with the name of that condition), or had they enforced.
    """

    context: Context
    counts: tuple[Count, ...]
    gaps: tuple[str, ...]
    lines: tuple[Line, ...]
    decision: Decision
    deciding: tuple[str, ...]
    near: tuple[tuple[str, str], ...]


def explain(
    policy: Policy,
    context: Context,
    findings: Sequence[Finding],
    gaps: Sequence[Gap],
    exceptions: Sequence[Exemption] = (),
) -> Explanation:
    """The decision with its reasons; nothing in it holds a value."""
    decision = policy.decide(context, findings, gaps, exceptions)
    lines = tuple(
        Line(
            rule.id,
            rule.title,
            rule.reason,
            rule.mode_for(context.cohort).value,
            rule.information_class or "",
            policy.outcome(rule, context).name.lower(),
            rule.when.unmet(context, decision.findings, gaps),
        )
        for rule in policy.rules
    )
    return Explanation(
        context=context,
        counts=_counts(decision.findings),
        gaps=tuple(sorted({gap.code.value for gap in gaps})),
        lines=lines,
        decision=decision,
        deciding=_deciding(lines, decision),
        near=_near(lines, decision.disposition),
    )


def _counts(findings: Sequence[Finding]) -> tuple[Count, ...]:
    values: dict[tuple[str, int, str], set[str]] = defaultdict(set)
    for each in findings:
        values[each.entity, -each.level, each.level.name.lower()].add(each.fingerprint)
    return tuple(Count(key[0], key[2], len(found)) for key, found in sorted(values.items()))


def _deciding(lines: Sequence[Line], decision: Decision) -> tuple[str, ...]:
    said = decision.disposition.name.lower()
    found = tuple(
        line.rule_id
        for line in lines
        if line.matched and line.mode == Mode.ENFORCE.value and line.outcome == said
    )
    if decision.disposition is Disposition.TAG and decision.gaps:
        return (*found, FLOOR_RULE)
    return found if decision.disposition > Disposition.ALLOW else ()


def _near(lines: Sequence[Line], said: Disposition) -> tuple[tuple[str, str], ...]:
    near = []
    for line in lines:
        if Disposition[line.outcome.upper()] <= said or line.mode == Mode.OFF.value:
            continue
        if len(line.unmet) == 1:
            near.append((line.rule_id, line.unmet[0]))
        elif not line.unmet:
            # It matched and is stricter: a rehearsal, or somebody's exception.
            near.append((line.rule_id, "exception" if line.mode == "enforce" else "mode"))
    return tuple(near)
