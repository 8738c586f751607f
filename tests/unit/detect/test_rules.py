"""Every rule does what its own examples say."""

from __future__ import annotations

import io

import pytest

from shared.detect import Engine, FingerprintKey, Forms, Register, RegisterBuilder
from shared.detect.rulebook import load
from shared.model import Level, Segment

KEY = FingerprintKey("test", bytes(range(32)))
FORM = (
    "申請書（様式第1号）次のとおり助成金の交付を受けたいので、関係書類を添えて申請します。"
    "申請者 氏名 ＿＿＿ 上記の内容について、虚偽がないことを誓約します。"
)


def _register():
    """A made-up person with a number and a name with a birth date, for the rule's own examples."""
    builder = RegisterBuilder(KEY.key, ["宛名番号", "氏名+生年月日"])
    builder.add([["0099887766"], ["架空 太郎", "1975-03-14"]])
    stream = io.BytesIO()
    builder.write(stream)
    return Register(stream.getvalue(), KEY.key)


FORMS = Forms(KEY.key)
FORMS.add("様式第1号", [FORM])
FAST = Engine(KEY, edm=[_register()], forms=FORMS)
PLAIN = Engine(KEY, edm=[_register()], forms=FORMS, plain=True)
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
