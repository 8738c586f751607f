"""What ``make trust`` says of a count is what its tests were given."""

from __future__ import annotations

from pathlib import Path

import pytest

from trust.lines import SIZES
from trust.tests_of import CLAIMS

ROOT = Path(__file__).resolve().parents[3]


@pytest.mark.parametrize("claim", CLAIMS, ids=lambda claim: claim.en)
def test_tests_of_a_claim_are_there_and_read_the_count_that_they_are_given(claim):
    texts = [
        each.read_text(encoding="utf-8")
        for path in claim.tests
        for each in ([ROOT / path] if path.endswith(".py") else (ROOT / path).rglob("*.py"))
    ]
    assert texts
    assert set(claim.env) <= set(SIZES)
    for name in {name for given in claim.env.values() for name in given}:
        assert any(f'environ.get("{name}"' in text for text in texts), name
