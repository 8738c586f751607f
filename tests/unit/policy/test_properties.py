"""Random policies and items: a naive evaluator agrees, and more is never milder.

The suite tries two thousand pairs; ``SEKISHO_PAIRS=100000`` makes it the long run, and
``SEKISHO_SEED`` another one.
"""

from __future__ import annotations

import json
import os

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shared.errors import PolicyError
from shared.model import Disposition
from shared.policy import Policy, default_text
from shared.policy.tree import merge, parse
from tests.unit.policy import naive

SUITE = 2000
PAIRS = int(os.environ.get("SEKISHO_PAIRS", str(SUITE)))
SEED = int(os.environ.get("SEKISHO_SEED", "7"))
ITEMS = 50
MODES = st.sampled_from(naive.MODES)


def policies(rng, count):
    """Random policies that load; a file with a rule that can never decide is another's business."""
    made = 0
    while made < count:
        site = naive.site(rng)
        try:
            policy = Policy.load([default_text(), json.dumps(site)])
        except PolicyError as error:
            assert "can never decide" in str(error) or "same conditions" in str(error)  # noqa: PT017
            continue
        made += 1
        yield policy, naive.merged_rules(naive.DEFAULT["rules"], site["rules"])


@pytest.mark.timeout(300 if PAIRS <= SUITE else 0)
def test_decide_agrees_with_a_naive_evaluator_and_more_is_never_milder():
    rng = naive.generator(SEED)
    decided = set()
    for policy, rules in policies(rng, PAIRS // ITEMS):
        more_findings, more_gaps = naive.findings(rng), naive.gaps(rng)
        for _ in range(ITEMS):
            context, findings, gaps = naive.context(rng), naive.findings(rng), naive.gaps(rng)
            said = policy.decide(context, findings, gaps)
            assert (said.disposition.name.lower(), said.would_be.name.lower()) == naive.evaluate(
                rules, naive.DEFAULT["matrix"], context, findings, gaps
            )
            assert not gaps or said.disposition > Disposition.ALLOW
            richer = policy.decide(context, [*findings, *more_findings], [*gaps, *more_gaps])
            assert richer.disposition >= said.disposition
            assert richer.would_be >= said.would_be
            decided.add((said.disposition, said.would_be))
    assert len(decided) >= 7  # of the ten pairs of a disposition and a would-be


PIECES = st.lists(
    st.tuples(
        st.sampled_from(["my-number-high", "personal", "unread"]),
        st.fixed_dictionaries(
            {},
            optional={
                "mode": MODES,
                "obligations": st.just(["incident"]),
                "cohorts": st.dictionaries(st.sampled_from(["pilot", "wave"]), MODES, max_size=2),
            },
        ),
    ),
    max_size=3,
    unique_by=lambda pair: pair[0],
).map(lambda pairs: json.dumps({"rules": [{"id": name, **body} for name, body in pairs]}))


@settings(max_examples=60, deadline=None)
@given(PIECES, PIECES)
def test_merge_is_associative_with_the_defaults(one, two):
    default, first, second = parse(default_text(), "d"), parse(one, "1"), parse(two, "2")
    left = merge(merge(default, first), second)
    right = merge(default, merge(first, second))
    assert left.plain() == right.plain()
