"""Rules that can never decide anything: said as an error where they were written."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from shared.model import Disposition, Mode
from shared.policy.rule import ANY, Found, Rule, When, within


def never(rule: Rule, rules: Sequence[Rule], row: Mapping[str, Mapping[str, Disposition]]) -> str:
    """Why a rule can never decide, in words; empty where it can.

    Either nothing can meet its conditions, or wherever it matches another rule enforces that is
    stricter in every place and asks for the same obligations. A rule that is off says so itself.
    """
    modes = [rule.mode_for(name) for name in rule.when.cohorts]
    if modes and all(mode is Mode.OFF for mode in modes) and rule.mode is not Mode.OFF:
        return "it is off for every cohort that its conditions name"
    if rule.mode is Mode.OFF:
        return ""
    for other in rules:
        if other.id != rule.id and _shadows(other, rule, row):
            return f"the rule {other.id!r} is stricter wherever this one matches"
    return ""


def _shadows(other: Rule, rule: Rule, matrix: Mapping[str, Mapping[str, Disposition]]) -> bool:
    enforced = {other.mode, *other.cohorts.values()} == {Mode.ENFORCE}
    return (
        enforced
        and set(rule.obligations) <= set(other.obligations)
        and _wider(other.when, rule.when)
        and _mildest(other, rule.when, matrix) > _strictest(rule, rule.when, matrix)
    )


def _answers(
    rule: Rule, when: When, matrix: Mapping[str, Mapping[str, Disposition]]
) -> list[Disposition]:
    if rule.disposition is not None:
        return [rule.disposition]
    row = matrix[rule.information_class or ""]
    places = when.places or tuple(row)  # in an unknown place the strictest of the row follows
    return [row[place] for place in places]


def _mildest(
    rule: Rule, when: When, matrix: Mapping[str, Mapping[str, Disposition]]
) -> Disposition:
    return min(_answers(rule, when, matrix))


def _strictest(
    rule: Rule, when: When, matrix: Mapping[str, Mapping[str, Disposition]]
) -> Disposition:
    return max(_answers(rule, when, matrix))


def _wider(wide: When, narrow: When) -> bool:
    """Whether everything that meets ``narrow`` meets ``wide`` (false where it is not sure)."""
    groups = tuple(each for each in (narrow.found, *narrow.also) if each)
    wanted = tuple(each for each in (wide.found, *wide.also) if each)
    return (
        all(any(_implied(each, by) for by in groups) for each in wanted)
        and _subset(narrow.gaps, wide.gaps)
        and all(
            _subset(inner, outer)
            for inner, outer in (
                (narrow.places, wide.places),
                (narrow.sources, wide.sources),
                (narrow.sharing, wide.sharing),
                (narrow.labels, wide.labels),
                (narrow.cohorts, wide.cohorts),
            )
        )
        and _below(narrow.sender_domains, wide.sender_domains)
        and _below(narrow.recipient_domains, wide.recipient_domains)
        and wide.times in (None, narrow.times)
    )


def _implied(wide: Found, narrow: Found) -> bool:
    return (
        _subset(narrow.entities, wide.entities)
        and narrow.min_level >= wide.min_level
        and narrow.min_count >= wide.min_count
    )


def _subset(narrow: Sequence[str], wide: Sequence[str]) -> bool:
    if not wide or (ANY in wide and narrow):
        return True
    return bool(narrow) and set(narrow) <= set(wide)


def _below(narrow: Sequence[str], wide: Sequence[str]) -> bool:
    return not wide or (bool(narrow) and all(within([each], wide) for each in narrow))
