"""The default policy: its own test cases, and what it promises of every gap and level."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from shared.detect import Engine, FingerprintKey
from shared.model import Context, Disposition, Finding, Gap, GapCode, Level, Mode
from shared.policy import Policy, default_text

MAIL = Context("mail", "own_mailbox")


@pytest.fixture(scope="module")
def policy():
    return Policy.load([default_text()], ["default.yaml"])


def finding(entity="my_number", level=Level.HIGH, fingerprint="k:1"):
    return Finding(entity, "本文", 0, 12, 0.9, level, "****", fingerprint)


def test_default_rules_do_as_their_own_cases_say(policy):
    assert policy.test() == ()
    assert policy.case_count() >= 40


def test_default_rules_each_ship_hits_and_misses(policy):
    assert [rule.id for rule in policy.rules if not rule.hits or not rule.misses] == []


@pytest.mark.parametrize("place", [*Policy.load([default_text()]).places, "a_place_nobody_named"])
def test_default_blocks_a_certain_my_number_everywhere(policy, place):
    decision = policy.decide(Context("drive", place), [finding()], [])
    assert decision.disposition is Disposition.BLOCK
    assert decision.rule_ids[0] == "my-number-high"
    assert decision.mode is Mode.ENFORCE
    assert "evidence" in decision.obligations


@pytest.mark.parametrize("code", list(GapCode))
def test_default_reviews_every_gap(policy, code):
    decision = policy.decide(MAIL, [], [Gap(code, "添付1")])
    assert decision.disposition is Disposition.REVIEW
    assert decision.gaps == (Gap(code, "添付1"),)


@pytest.mark.parametrize(
    ("found", "expected"),
    [
        ([], Disposition.ALLOW),
        ([finding("phone_number")], Disposition.TAG),
        ([finding("corporate_number")], Disposition.TAG),
        ([finding(level=Level.LOW)], Disposition.TAG),
        ([finding(level=Level.MEDIUM)], Disposition.REVIEW),
        ([finding(level=Level.MEDIUM), finding("phone_number")], Disposition.REVIEW),
    ],
)
def test_default_by_finding(policy, found, expected):
    assert policy.decide(MAIL, found, []).disposition is expected


def test_default_has_a_word_for_everything_that_the_engine_finds(policy):
    entities = Engine(FingerprintKey("test", bytes(16))).rules
    silent = [
        (entity, level)
        for entity in entities
        for level in Level
        if policy.decide(MAIL, [finding(entity, level)], []).disposition < Disposition.TAG
    ]
    assert "my_number" in entities
    assert silent == []


def test_default_names_no_entity_that_the_engine_does_not_have(policy):
    entities = set(Engine(FingerprintKey("test", bytes(16))).rules)
    named = {
        entity
        for rule in policy.rules
        for group in (rule.when.found, *rule.when.also)
        if group
        for entity in group.entities
    }
    assert named - entities == {"any"}


def test_default_matrix_is_complete(policy):
    assert set(policy.matrix) == {"1", "2", "3C", "3B", "3A"}
    for row in policy.matrix.values():
        assert set(row) == set(policy.places)


def test_default_names_its_schema_for_editors():
    assert default_text().startswith("# yaml-language-server: $schema=schema.json\n")
    assert yaml.safe_load(default_text())["format"] == 1


def test_version_is_short_and_follows_the_rules_not_their_cases(policy):
    assert len(policy.version) == 12
    stricter = "rules: [{id: personal, disposition: review, class: null}]"
    assert Policy.load([default_text(), stricter]).version != policy.version
    more_cases = "rules: [{id: personal, tests: {hits: []}}]"
    assert Policy.load([default_text(), more_cases]).version == policy.version


def test_nothing_that_acts_looks_at_what_would_be():
    """A rehearsed rule changes would_be alone; so whoever acts must not read it."""
    root = Path(__file__).resolve().parents[3] / "shared"
    acting = [*(root / "services").rglob("*.py"), root / "pipeline.py"]
    assert len(acting) > 10
    assert [each.name for each in acting if "would_be" in each.read_text(encoding="utf-8")] == []
