"""Every rule does what its own examples say."""

from __future__ import annotations

import pytest

from shared.detect import Engine, FingerprintKey
from shared.detect.rulebook import load
from shared.model import Level, Segment

KEY = FingerprintKey("test", bytes(range(32)))
FAST, PLAIN = Engine(KEY), Engine(KEY, plain=True)
RULES = load().rules
HITS = [(entity, text) for entity, rule in RULES.items() for text in rule.hits]
MISSES = [(entity, text) for entity, rule in RULES.items() for text in rule.misses]


def _found(entity: str, text: str) -> list[Level]:
    segments = [Segment("本文", text)]
    findings = FAST.scan(segments)
    assert findings == PLAIN.scan(segments)
    return [f.level for f in findings if f.entity == entity and f.level >= Level.MEDIUM]


@pytest.mark.parametrize(("entity", "text"), HITS)
def test_rule_finds_its_hits(entity, text):
    assert _found(entity, text)


@pytest.mark.parametrize(("entity", "text"), MISSES)
def test_rule_passes_over_its_misses(entity, text):
    assert not _found(entity, text)


@pytest.mark.parametrize("entity", sorted(RULES))
def test_rule_has_source_hits_and_misses(entity):
    rule = RULES[entity]
    assert rule.source
    assert rule.hits
    assert rule.misses


def test_fast_engine_is_the_accelerated_one():
    assert FAST.accelerated
    assert not PLAIN.accelerated
