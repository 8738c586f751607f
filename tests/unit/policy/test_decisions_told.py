"""What a decision carries and how it is explained, replayed and masked."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import timedelta

import pytest

from shared.errors import PolicyError
from shared.model import Context, Disposition, Finding, Gap, GapCode, Level, Mode
from shared.policy import Policy, default_text
from shared.policy.check import CLASSES
from shared.policy.engine import schema_text
from shared.policy.exemption import Exemption, Kind
from shared.policy.explain import Count, explain
from shared.policy.notices import raised
from shared.policy.replay import Replay, mask, recorded
from shared.policy.report import Cohort, Review, report
from shared.policy.rule import DAYS
from shared.policy.tree import parse
from tests.unit.policy.recorded import TIME, event, finding

MAIL = Context("mail", "own_mailbox")
BOMB = Gap(GapCode.BOMB, "添付1")


def rule(name, body):
    words = "title: {ja: 題, en: title}, reason: {ja: 訳, en: reason}"
    return f"{{id: {name}, {words}, {body}}}"


def alone(*rules, more=""):
    """A policy of these rules alone, over the defaults' matrix."""
    root = parse(default_text(), "d").plain()
    root["rules"] = []
    own = f"rules: [{', '.join(rules)}]\n{more}"
    return Policy.load([json.dumps(root, ensure_ascii=False), own], ["defaults", "site"])


ONE = rule(
    "one",
    "when: {entities: [my_number]}, disposition: review, obligations: [evidence, notify_owner]",
)
TWO = rule(
    "two",
    "when: {entities: [any]}, disposition: block, mode: notify, release: 2,"
    " obligations: [notify_owner, notify_security, masked_copy]",
)
THREE = rule(
    "three", "when: {gaps: [bomb]}, disposition: tag, mode: simulate, obligations: [incident]"
)
FOUR = rule("four", "when: {gaps: [any]}, disposition: block, mode: 'off', release: 1")


def test_decision_names_its_rules_the_strictest_first_and_then_by_what_bites():
    made = alone(ONE, TWO, THREE, FOUR).decide(MAIL, [finding()], [BOMB])
    assert made.rule_ids == ("two", "one", "three")
    assert (made.disposition, made.would_be, made.mode) == (
        Disposition.REVIEW, Disposition.BLOCK, Mode.NOTIFY,
    )  # fmt: skip
    same = [
        rule(name, f"when: {{labels: [{name}]}}, disposition: tag, mode: {mode}")
        for name, mode in (("a", "simulate"), ("b", "enforce"), ("c", "notify"))
    ]
    labelled = replace(MAIL, labels=("a", "b", "c"))
    assert alone(*same).decide(labelled, [], []).rule_ids == ("b", "c", "a")


def test_obligations_are_those_of_what_acts_and_the_notices_of_what_notifies():
    made = alone(ONE, TWO, THREE).decide(MAIL, [finding()], [BOMB])
    assert made.obligations == ("notify_owner", "notify_security", "evidence")


def test_decision_carries_what_it_is_made_of():
    policy = alone(ONE)
    made = policy.decide(MAIL, [finding()], [BOMB])
    assert (made.findings, made.gaps) == ((finding(),), (BOMB,))
    assert made.policy_version == policy.version
    assert len(policy.version) == 12


def test_release_takes_as_many_people_as_its_strictest_rule():
    policy = alone(ONE, TWO, FOUR)
    asked = ((), ("one",), ("one", "two"), ("four", "two"), ("unknown",))
    assert [policy.people_for(each) for each in asked] == [1, 1, 2, 2, 1]


def test_labels_are_asked_for_where_a_rule_looks_at_them():
    assert not alone(ONE).asks_for_labels
    assert alone(ONE, rule("l", "when: {labels: [秘]}, disposition: tag")).asks_for_labels


def test_version_names_what_the_policy_says_and_not_its_test_cases():
    cases = "tests: {hits: [{gaps: [bomb]}], misses: [{}]}"
    body = "when: {gaps: [bomb]}, disposition: review"
    plain, tested = alone(rule("r", body)), alone(rule("r", f"{body}, {cases}"))
    assert plain.version == tested.version
    assert (plain.case_count(), tested.case_count()) == (0, 2)
    assert plain.version != alone(rule("r", body.replace("review", "block"))).version
    assert plain.version != alone(rule("r", body), more="ignore: {email_address: []}").version


def test_schema_is_that_of_the_package_and_knows_every_mode():
    assert json.loads(schema_text())["$schema"].startswith("https://json-schema.org/")
    assert all(each.value in schema_text() for each in Mode)


def test_texts_without_a_name_are_counted():
    with pytest.raises(PolicyError, match=r"^policy 2: line 1, column 1: unknown key 'x'"):
        Policy.load([default_text(), "x: 1"])
    with pytest.raises(PolicyError, match=r"^policy 2: "):
        Policy.load([default_text(), "x: 1"], ["default.yaml"])


def test_own_cases_are_run_as_they_are_described():
    """Each case matches by one word of its own: were it lost, it would not."""
    conditions = {
        "sources: [drive]": "source: drive",
        "places: [teams_external]": "place: teams_external",
        "sender_domains: [a.test]": "sender_domain: a.test",
        "recipient_domains: [a.test]": "recipient_domains: [b.test, a.test]",
        "sharing: [guest]": "sharing: [guest]",
        "cohorts: [pilot]": "cohort: pilot",
        "labels: [秘]": "labels: [秘]",
        "gaps: [bomb]": "gaps: [partial, bomb]",
        "entities: [my_number], min_level: high": "findings: [{entity: my_number, level: high}]",
        "entities: [my_number], min_count: 3": (
            "findings: [{entity: my_number, level: low, count: 2}, {entity: my_number, level: low}]"
        ),
        "times: {from: '22:00', to: '23:00'}": "received_at: '2026-07-06T22:30'",
    }
    rules = [
        rule(
            f"r{number}",
            f"when: {{{when}}}, disposition: tag,"
            f" tests: {{hits: [{{{case}}}], misses: [{{{other}}}]}}",
        )
        for number, (when, case) in enumerate(conditions.items())
        for other in ["received_at: '2026-07-06T23:30'" if when.startswith("times") else ""]
    ]  # fmt: skip
    assert alone(*rules).test() == ()
    swapped = [
        each.replace("hits", "x").replace("misses", "hits").replace("x:", "misses:")
        for each in rules
    ]
    failures = alone(*swapped).test()
    assert [each.message for each in failures] == ["does not match", "matches"] * len(rules)
    assert [each.rule_id for each in failures[:2]] == ["r0", "r0"]


def test_case_plants_different_values_in_the_part_it_names():
    body = (
        "when: {entities: [email_address], min_count: 2}, disposition: review, tests: {hits:"
        " [{findings: [{entity: email_address, level: low, count: 2}], expect: review}],"
        " misses: [{findings: [{entity: email_address, level: low, count: 2, part: 宛先}],"
        " expect: allow}]}"
    )
    assert alone(rule("r", body), more="ignore: {email_address: [宛先]}").test() == ()


def granted(**more):
    fields = {
        "id": "e1", "kind": Kind.RELEASE, "scope": "p", "rules": ("one", "two"),
        "fingerprints": ("k:1",), "gaps": (), "reason": "x", "people": ("a", "b"),
        "granted_at": TIME, "expires_at": TIME + timedelta(days=1),
    }  # fmt: skip
    return Exemption(**(fields | more))


def test_exceptions_that_were_used_are_named_once_and_others_are_not():
    policy = alone(ONE, TWO)
    made = policy.decide(MAIL, [finding()], [], [granted(), granted(id="e2", rules=("x",))])
    assert made.rule_ids == ("one", "two", "exception:e1")
    assert (made.disposition, made.would_be) == (Disposition.TAG, Disposition.TAG)


def test_exception_from_what_only_tags_was_not_used():
    tags = rule("one", "when: {entities: [my_number]}, disposition: tag")
    made = alone(tags).decide(MAIL, [finding()], [], [granted()])
    assert made.rule_ids == ("one",)


def test_suppressed_value_is_no_finding_and_its_suppression_is_named():
    false = granted(kind=Kind.SUPPRESSION, scope="k:1", rules=())
    other = finding(fingerprint="k:2")
    made = alone(ONE).decide(MAIL, [finding(), finding(), other], [], [false])
    assert (made.findings, made.rule_ids) == ((other,), ("one", "exception:e1"))


def test_explanation_counts_different_values_by_entity_and_the_surest_level_first():
    found = [
        finding("b", Level.LOW, "k:1"), finding("b", Level.HIGH, "k:2"),
        finding("b", Level.HIGH, "k:2"), finding("b", Level.HIGH, "k:3"),
        finding("a", Level.MEDIUM, "k:4"),
    ]  # fmt: skip
    told = explain(
        alone(ONE), MAIL, found, [BOMB, Gap(GapCode.BOMB, "x"), Gap(GapCode.PARTIAL, "")]
    )
    assert told.counts == (Count("a", "medium", 1), Count("b", "high", 2), Count("b", "low", 1))
    assert (told.gaps, told.context) == (("bomb", "partial"), MAIL)


def test_explanation_has_a_line_a_rule():
    by_class = rule("five", "when: {labels: [秘]}, class: '3A', mode: simulate")
    told = explain(alone(ONE, FOUR, by_class), MAIL, [finding()], [BOMB])
    one, four, five = told.lines
    assert (one.rule_id, one.title.ja, one.reason.en) == ("one", "題", "reason")
    assert (one.mode, one.information_class, one.outcome, one.unmet) == (
        "enforce",
        "",
        "review",
        (),
    )
    assert (one.matched, four.matched, five.matched) == (True, False, False)
    assert (four.mode, four.unmet) == ("off", ())
    assert (five.information_class, five.mode, five.unmet) == ("3A", "simulate", ("labels",))


def test_near_is_one_condition_away_and_would_have_been_stricter():
    rules = [
        rule("far", "when: {labels: [秘], sharing: [guest]}, disposition: block"),
        rule("near", "when: {labels: [公開]}, disposition: block"),
        rule("milder", "when: {sharing: [guest]}, disposition: review"),
        rule("silent", "when: {cohorts: [pilot]}, disposition: block, mode: 'off'"),
        rule("rehearsed", "when: {entities: [my_number]}, disposition: block, mode: simulate"),
        rule("acting", "when: {entities: [any]}, disposition: review"),
    ]
    told = explain(alone(*rules), MAIL, [finding()], [])
    assert told.near == (("near", "labels"), ("rehearsed", "mode"))
    assert told.deciding == ("acting",)


def test_near_names_an_exception_where_a_rule_would_have_acted():
    told = explain(alone(ONE), MAIL, [finding()], [], [granted()])
    assert (told.near, told.decision.disposition) == ((("one", "exception"),), Disposition.TAG)


def test_floor_decides_with_the_rules_that_say_the_same():
    tags = rule("tags", "when: {gaps: [bomb]}, disposition: tag")
    assert explain(alone(tags), MAIL, [], [BOMB]).deciding == ("tags", "floor-unread")
    assert explain(alone(), MAIL, [], [BOMB]).deciding == ("floor-unread",)
    assert explain(alone(ONE), MAIL, [finding()], [BOMB]).deciding == ("one",)


@pytest.mark.parametrize(
    ("owner", "shown"),
    [
        ("hanako@example.jp", "h***@example.jp"),
        ("@example.jp", "***@example.jp"),
        ("12345678", "12345678"),
        ("123456789", "12345678…"),
        ("", ""),
    ],
)
def test_owner_is_masked(owner, shown):
    assert mask(owner) == shown


def test_recorded_decision_of_an_older_record_is_incomplete():
    old = recorded(event(1, [finding()], disposition="block", context=None, owner="o"))
    assert (old.context, old.complete) == (Context("mail", "own_mailbox", "o"), False)
    assert (old.findings, old.gaps, old.disposition) == ((finding(),), (), Disposition.BLOCK)
    assert recorded(event(1)).complete
    assert not recorded(event(1, rule_ids=("one",))).excepted
    assert recorded(event(1, rule_ids=("one", "exception:e1"))).excepted
    assert recorded(event(1, disposition="none")) is None


def test_replay_tells_what_is_newly_blocked_first_and_by_the_rule_that_acts():
    blocks = rule("blocks", "when: {entities: [card]}, disposition: block")
    rehearses = rule("rehearses", "when: {entities: [any]}, disposition: block, mode: simulate")
    replay = Replay(alone(ONE, blocks, rehearses))
    card = [finding("card")]
    replay.run(
        [
            event(1, [finding()], disposition="tag", owner="b"),
            event(2, [finding()], disposition="tag", owner="a"),
            event(3, card, disposition="review"),
            event(4, card, disposition="allow"),
            event(5, card, disposition="allow"),
            event(6, disposition="review", rule_ids=("was", "too")),
            event(7, disposition="tag"),
            event(8, card, disposition="block"),
        ]
    )
    rows = [(r.before, r.after, r.rule_id, r.owner, r.items) for r in replay.table()]
    assert rows == [
        ("allow", "block", "blocks", "o", 2),
        ("review", "block", "blocks", "o", 1),
        ("tag", "review", "one", "a", 1),
        ("tag", "review", "one", "b", 1),
        ("tag", "allow", "", "o", 1),
        ("review", "allow", "was", "o", 1),
    ]
    assert (replay.newly_blocked(), replay.events) == (3, 8)
    assert (replay.unjudged, replay.excepted, replay.incomplete) == (0, 0, 0)


def test_report_of_nobody_reviewed_has_no_share_and_no_time():
    row = report([event(1, disposition="tag", would_be="block")])["pilot"]
    assert (row.false_share(), row.median_hours(), row.hours) == (None, None, [])
    assert (row.would_be, row.rehearsed) == ({"block": 1}, 1)


def test_report_takes_the_hours_of_what_was_released_alone():
    events = [event(number, disposition="block") for number in range(4)]
    spans = [(TIME, TIME + timedelta(hours=1)), (TIME, TIME + timedelta(hours=4)), (TIME, None),
             (None, TIME)]  # fmt: skip
    reviews = {
        each.id: Review("" if number else "true_positive", *span)
        for number, (each, span) in enumerate(zip(events, spans, strict=True))
    }
    row = report(events, reviews)["pilot"]
    assert (row.hours, row.median_hours()) == ([1.0, 4.0], 2.5)
    assert (row.verdicts, row.false_share()) == ({"true_positive": 1}, 0.0)


def test_share_of_what_was_false_is_of_what_has_a_verdict():
    row = Cohort()
    row.verdicts.update({"true_positive": 3, "false_positive": 1, "unclear": 9})
    assert row.false_share() == 0.25


def test_classes_and_days_are_those_of_the_guideline_and_the_week():
    assert CLASSES == ("1", "2", "3C", "3B", "3A")
    assert DAYS == ("mon", "tue", "wed", "thu", "fri", "sat", "sun")


def test_ignored_part_is_the_last_of_a_location():
    policy = alone(ONE, more="ignore: {email_address: [宛先]}")
    at = Finding("email_address", "添付1 › 宛先", 0, 1, 0.9, Level.HIGH, "*", "k:1")
    assert policy.decide(MAIL, [at], []).findings == ()
    assert policy.decide(MAIL, [replace(at, location="宛先 › 本文")], []).findings != ()
    assert policy.decide(MAIL, [replace(at, entity="url")], []).findings != ()


def test_alert_of_a_notice_is_on_no_record_and_holds_no_name():
    one = raised("dead_letter", "scan-items/17", TIME)
    again, other = (
        raised("dead_letter", "scan-items/17", TIME),
        raised("lag", "scan-items/17", TIME),
    )
    assert (one.id == again.id, one.id == other.id, len(one.id)) == (True, False, 64)
    assert (one.action, one.action_state, one.time) == ("dead_letter", "recorded", TIME)
    assert (one.item.source, one.item.recipient, one.item.content_version) == ("alert", "", "")
    assert (len(one.item.id), "scan" in one.item.id) == (32, False)
    assert (one.disposition, one.would_be, one.mode) == ("none", "none", "none")
    assert (one.rule_ids, one.findings, one.gaps, one.steps) == ((), (), (), ())
    assert (one.policy_version, one.place, one.owner, one.trace, one.seconds) == (
        "",
        "",
        "",
        "",
        0.0,
    )


def test_policy_has_words_for_its_classes_and_places():
    policy = Policy.load([default_text()])
    assert set(policy.classes) == set(CLASSES)
    assert policy.places["own_mailbox"].ja
    assert all(set(row) == set(policy.places) for row in policy.matrix.values())


def test_rule_says_who_may_set_it_aside_and_by_default_nobody():
    body = "when: {entities: [my_number]}, disposition: tag"
    (plain,) = alone(rule("r", body)).rules
    (owner,) = alone(
        rule("r", f"{body}, override: owner, release: 2, cohorts: {{a: notify}}")
    ).rules
    assert (plain.override, plain.release, plain.cohorts, plain.mode) == ("", 1, {}, Mode.ENFORCE)
    assert (owner.override, owner.release, owner.cohorts) == ("owner", 2, {"a": Mode.NOTIFY})
    assert (plain.hits, plain.misses, plain.obligations) == ((), (), ())
    assert (owner.mode_for("a"), owner.mode_for("b")) == (Mode.NOTIFY, Mode.ENFORCE)
