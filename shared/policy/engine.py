"""Findings, gaps and what surrounds them → a decision."""

from __future__ import annotations

import hashlib
import json
import pkgutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import reduce
from typing import Self

from shared.errors import PolicyError
from shared.model import Context, Decision, Disposition, Finding, Gap, Level, Mode
from shared.policy.build import (
    Matrix,
    build_ignored,
    build_matrix,
    build_rule,
    build_words,
)
from shared.policy.check import check_merged, check_text
from shared.policy.exemption import MILDEST, PREFIX, Exemption
from shared.policy.reach import never
from shared.policy.rule import Case, CaseFinding, Rule, Words
from shared.policy.tree import Node, merge, parse

FLOOR_RULE = "floor-unread"
"""The rule that no file can take away: what could not be read is at least tagged, never allowed."""

_VERSION_DIGITS = 12
_SEPARATOR = " › "  # between the parts of a location
_BITES = {Mode.OFF: 0, Mode.SIMULATE: 1, Mode.NOTIFY: 2, Mode.ENFORCE: 3}


def default_text() -> str:
    """The default policy as it is written, shipped with the package."""
    raw = pkgutil.get_data("shared.policy", "default.yaml")
    assert raw is not None
    return raw.decode()


def schema_text() -> str:
    """The JSON schema of a policy file, shipped with the package."""
    raw = pkgutil.get_data("shared.policy", "schema.json")
    assert raw is not None
    return raw.decode()


@dataclass(frozen=True, slots=True)
class Failure:
    """A test case of a rule that does not do as it says."""

    rule_id: str
    where: str
    message: str


@dataclass(frozen=True, slots=True)
class Policy:
    """The rules, the matrix, and a short hash that names them (test cases do not count)."""

    version: str
    rules: tuple[Rule, ...]
    matrix: Matrix
    classes: Mapping[str, Words]
    places: Mapping[str, Words]
    ignored: Mapping[str, frozenset[str]] = field(default_factory=dict)

    @property
    def asks_for_labels(self) -> bool:
        """Whether any rule looks at sensitivity labels, so that a source has to read them."""
        return any(rule.when.labels for rule in self.rules)

    @classmethod
    def load(cls, texts: Sequence[str], names: Sequence[str] = ()) -> Self:
        """Texts merged in order, the defaults first; ``names`` are used in complaints.

        Raises:
            PolicyError: with file, line and column, for anything unknown, missing or contradictory.
        """
        roots = []
        for index, text in enumerate(texts):
            name = names[index] if index < len(names) else f"policy {index + 1}"
            root = parse(text, name)
            check_text(root)
            roots.append(root)
        if not roots:
            message = "no policy text was given"
            raise PolicyError(message)
        merged = reduce(merge, roots)
        check_merged(merged)
        policy = cls._built(merged, roots[-1].origin)
        _check_reach(policy.rules, policy.matrix, merged, roots[-1].origin)
        return policy

    @classmethod
    def _built(cls, merged: Node, last: str) -> Self:
        return cls(
            version=_version(merged),
            rules=tuple(build_rule(node, last) for node in merged.at(["rules"]).children()),
            matrix=build_matrix(merged),
            classes=build_words(merged.at(["classes"])),
            places=build_words(merged.at(["places"])),
            ignored=build_ignored(merged),
        )

    def decide(
        self,
        context: Context,
        findings: Sequence[Finding],
        gaps: Sequence[Gap],
        exceptions: Sequence[Exemption] = (),
    ) -> Decision:
        """The strictest matching rule wins; no match allows; a gap is never allowed.

        ``rule_ids`` name every matching rule, the strictest first, then the exceptions that were
        used. ``would_be`` is the answer if every matching rule enforced; ``mode`` is the mode of
        the rule that gave ``would_be``. ``findings`` are those that count: what the policy ignores
        by name (addresses in a mail's From and To) is not among them. ``exceptions`` are those that
        apply to this item now (see shared.policy.exemption.applying): a rule that one sets aside
        at most tags.
        """
        findings, used = self._counted(findings, exceptions)
        matches, place = [], context.place
        for rule in self.rules:
            mode = rule.mode_for(context.cohort)
            if mode is Mode.OFF or not rule.when.holds(context, findings, gaps):
                continue
            said = self.outcome(rule, context)
            aside = [each.id for each in exceptions if each.sets_aside(rule, findings, gaps, place)]
            if aside and said > MILDEST:
                said = MILDEST
                used |= dict.fromkeys(aside)
            matches.append((said, mode, rule))
        matches.sort(key=lambda each: (-each[0], -_BITES[each[1]]))
        floor = Disposition.TAG if gaps else Disposition.ALLOW
        enforced = [each[0] for each in matches if each[1] is Mode.ENFORCE]
        disposition = max([floor, *enforced])
        would_be = max([disposition, *(each[0] for each in matches)])
        ids = tuple(each[2].id for each in matches)
        if gaps and disposition == floor and floor not in enforced:
            ids = (*ids, FLOOR_RULE)
        return Decision(
            disposition=disposition,
            would_be=would_be,
            mode=matches[0][1] if matches and would_be > disposition else Mode.ENFORCE,
            policy_version=self.version,
            rule_ids=(*ids, *(PREFIX + each for each in used)),
            obligations=_obligations(matches),
            findings=tuple(findings),
            gaps=tuple(gaps),
        )

    def _counted(
        self, findings: Sequence[Finding], exceptions: Sequence[Exemption]
    ) -> tuple[list[Finding], dict[str, None]]:
        """The findings that count, and the suppressions that were used."""
        kept, used = [], dict[str, None]()
        for finding in findings:
            by = [each.id for each in exceptions if each.suppresses(finding)]
            used |= dict.fromkeys(by)
            if not by and not self._ignores(finding):
                kept.append(finding)
        return kept, used

    def outcome(self, rule: Rule, context: Context) -> Disposition:
        """What follows from a rule here; in an unknown place, the strictest of the class's row."""
        if rule.disposition is not None:
            return rule.disposition
        row = self.matrix[rule.information_class or ""]
        return row.get(context.place, max(row.values()))

    def _ignores(self, finding: Finding) -> bool:
        parts = self.ignored.get(finding.entity)
        return parts is not None and finding.location.rpartition(_SEPARATOR)[2] in parts

    def test(self) -> tuple[Failure, ...]:
        """Run every rule's own test cases; what fails, in the file's order."""
        return tuple(failure for rule in self.rules for failure in self._test(rule))

    def people_for(self, rule_ids: Sequence[str]) -> int:
        """How many different people a release needs of what these rules stopped."""
        return max((rule.release for rule in self.rules if rule.id in rule_ids), default=1)

    def case_count(self) -> int:
        """How many test cases the rules carry."""
        return sum(len(rule.hits) + len(rule.misses) for rule in self.rules)

    def _test(self, rule: Rule) -> list[Failure]:
        failures = []
        for case, wanted in (
            *((case, True) for case in rule.hits),
            *((case, False) for case in rule.misses),
        ):
            findings = [each for each in _planted(case) if not self._ignores(each)]
            if rule.when.holds(case.context, findings, case.gaps) is not wanted:
                message = "does not match" if wanted else "matches"
                failures.append(Failure(rule.id, case.where, message))
            said = self.decide(case.context, findings, case.gaps).would_be
            if case.expect is not None and said is not case.expect:
                message = f"the policy says {said.name.lower()}, not {case.expect.name.lower()}"
                failures.append(Failure(rule.id, case.where, message))
        return failures


def _check_reach(rules: Sequence[Rule], matrix: Matrix, merged: Node, last: str) -> None:
    """PolicyError at a rule of the last file that can never decide (see shared.policy.reach).

    What an earlier file says may be left behind by a stricter later one on purpose.
    """
    for rule, node in zip(rules, merged.at(["rules"]).children(), strict=True):
        why = never(rule, rules, matrix) if node.origin == last else ""
        if why:
            node.at(["when"]).fail(f"the rule {rule.id!r} can never decide: {why}")


def _obligations(matches: Sequence[tuple[Disposition, Mode, Rule]]) -> tuple[str, ...]:
    """Of enforcing rules all, of notifying ones the notices alone, each once."""
    found: dict[str, None] = {}
    for _, mode, rule in matches:
        for each in rule.obligations:
            if mode is Mode.ENFORCE or (mode is Mode.NOTIFY and each.startswith("notify_")):
                found[each] = None
    return tuple(found)


def _planted(case: Case) -> list[Finding]:
    """Findings as a case describes them; fingerprints are made up and distinct."""
    return [
        _finding(each, f"case:{index}:{number}")
        for index, each in enumerate(case.findings)
        for number in range(each.count)
    ]


def _finding(case: CaseFinding, fingerprint: str) -> Finding:
    confidence = {Level.LOW: 0.3, Level.MEDIUM: 0.7, Level.HIGH: 0.95}[case.level]
    return Finding(case.entity, case.part, 0, 1, confidence, case.level, "*", fingerprint)


def _version(root: Node) -> str:
    plain = root.plain()
    assert isinstance(plain, dict)
    rules = plain["rules"]
    assert isinstance(rules, list)
    for rule in rules:
        if isinstance(rule, dict):
            rule.pop("tests", None)
    canonical = json.dumps(plain, sort_keys=True, ensure_ascii=False, separators=(",", ":"))
    return hashlib.sha256(canonical.encode()).hexdigest()[:_VERSION_DIGITS]
