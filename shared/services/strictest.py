"""Which rules are about the strictest class of information: their blocks are alerts."""

from __future__ import annotations

from shared.model import Disposition
from shared.policy import Policy


def strictest(policy: Policy) -> frozenset[str]:
    """Ids of the rules that name the strictest class, or that block in whatever place."""
    top = list(policy.classes)[-1] if policy.classes else ""
    return frozenset(
        rule.id
        for rule in policy.rules
        if rule.information_class == top or rule.disposition is Disposition.BLOCK
    )
