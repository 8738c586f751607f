"""Findings + context → decision. Pure: policy texts and values in, values out.

``Policy.load([default_text(), site_text])`` merges a site's file over the defaults;
``policy.decide(context, findings, gaps)`` gives the Decision.
"""

from shared.policy.engine import FLOOR_RULE, Failure, Policy, default_text, schema_text
from shared.policy.rule import Case, CaseFinding, Rule, When, Words

__all__ = [
    "FLOOR_RULE",
    "Case",
    "CaseFinding",
    "Failure",
    "Policy",
    "Rule",
    "When",
    "Words",
    "default_text",
    "schema_text",
]
