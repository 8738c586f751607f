"""Exceptions that a person granted: what they cover, and until when. Pure; time is an argument.

An exception is never a silent change of a rule: it names one item or one value, the rules that it
sets aside, why, who granted it, and when it ends by itself.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from shared.model import Disposition, Finding, Gap
from shared.policy.rule import Rule

PREFIX = "exception:"
"""Before an exception's id among a decision's ``rule_ids``: so its use is in the audit."""

OWNER = "owner"
WIDTH = ("onedrive_private", "onedrive_inside", "onedrive_guest", "onedrive_anonymous")
"""The places of one file, by how many people reach it."""
MILDEST = Disposition.TAG  # what an exception makes of a rule: seen and recorded, never "allow"


class Kind(StrEnum):
    """Who sets what aside."""

    OVERRIDE = "override"  # the owner, for one item, where the rule permits it
    RELEASE = "release"  # one or two reviewers, for one item
    SUPPRESSION = "suppression"  # a reviewer's false positive, for one value everywhere


@dataclass(frozen=True, slots=True)
class Exemption:
    """A granted exception.

    ``scope`` is an item's ``place_key`` (or a fingerprint, for a suppression); ``rules`` the rules
    it sets aside; ``fingerprints`` and ``gaps`` what was found then: an item in which anything else
    is found is not covered. ``people`` are the identities who granted it, each once. ``place`` is
    where a file was: released for its owner alone is not released for anybody with a link.
    """

    id: str
    kind: Kind
    scope: str
    rules: tuple[str, ...]
    fingerprints: tuple[str, ...]
    gaps: tuple[str, ...]
    reason: str
    people: tuple[str, ...]
    granted_at: datetime
    expires_at: datetime
    place: str = ""

    def active(self, now: datetime) -> bool:
        """From being granted up to before its expiry."""
        return self.granted_at <= now < self.expires_at

    def suppresses(self, finding: Finding) -> bool:
        """Whether this value was found to be no such thing."""
        return self.kind is Kind.SUPPRESSION and finding.fingerprint == self.scope

    def sets_aside(
        self, rule: Rule, findings: Sequence[Finding], gaps: Sequence[Gap], place: str
    ) -> bool:
        """Whether it covers this rule for exactly what is found here.

        The policy of today has the last word: it may permit overrides no more, or ask for two
        people where one was enough.
        """
        if self.kind is Kind.SUPPRESSION or rule.id not in self.rules or self._wider(place):
            return False
        if self.kind is Kind.OVERRIDE and rule.override != OWNER:
            return False
        if self.kind is Kind.RELEASE and len(set(self.people)) < rule.release:
            return False
        return {each.fingerprint for each in findings} <= set(self.fingerprints) and {
            each.code.value for each in gaps
        } <= set(self.gaps)

    def _wider(self, place: str) -> bool:
        """Whether more people reach the file now than when it was granted."""
        known = self.place in WIDTH and place in WIDTH
        return known and WIDTH.index(place) > WIDTH.index(self.place)


def applying(
    exemptions: Iterable[Exemption], place_keys: Collection[str], now: datetime
) -> tuple[Exemption, ...]:
    """Those that are active and about one of these places, or about a value: for ``decide``."""
    return tuple(
        each
        for each in exemptions
        if each.active(now) and (each.kind is Kind.SUPPRESSION or each.scope in place_keys)
    )


def used(rule_ids: Iterable[str]) -> tuple[str, ...]:
    """The exceptions among a decision's rule ids."""
    return tuple(each.removeprefix(PREFIX) for each in rule_ids if each.startswith(PREFIX))
