"""Loading and merging: what a site may change, and where a mistake is said to be."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from shared.errors import PolicyError
from shared.model import Context, Disposition, Finding, Gap, GapCode, Level, Mode
from shared.policy import FLOOR_RULE, Policy, default_text

# Received on Saturday 4 July 2026 at 05:59 in Japan.
MAIL = Context(
    "mail",
    "own_mailbox",
    sender_domain="Mail.Example.jp",
    sharing=("guest",),
    labels=("部外秘",),
    received_at=datetime(2026, 7, 3, 20, 59, tzinfo=UTC),
)


def site(text):
    return Policy.load([default_text(), text], ["default.yaml", "site.yaml"])


def finding(entity="my_number", level=Level.HIGH, fingerprint="k:1"):
    return Finding(entity, "本文", 0, 12, 0.9, level, "****", fingerprint)


def rule(body):
    words = "title: {ja: あ, en: a}, reason: {ja: い, en: b}"
    return f"rules: [{{id: extra, {words}, {body}}}]"


@pytest.mark.parametrize(
    ("text", "where", "words"),
    [
        ("rules:\n  - id: personal\n    wehn: {}", "line 3, column 5", "unknown key 'wehn'"),
        ("colour: red", "line 1, column 1", "unknown key 'colour'"),
        ("matrix:\n  '2':\n    moon: tag", "line 3, column 5", "'moon' is not among"),
        ("matrix:\n  '3C':\n    phone: allow", "line 3, column 5", "more mildly"),
        ("matrix: {'3C': {phone: forbid}}", "line 1, column 17", "'forbid' is not one of"),
        ("rules:\n  - id: personal\n    disposition: tag", "line 3", "only one of them"),
        ("rules:\n  - id: personal\n    class: null", "line", "needs a class or a disposition"),
        ("rules:\n  - id: extra\n    disposition: tag", "line 2, column 5", "missing: 'title'"),
        ("rules: [{id: unread, disposition: allow}]", "line 1, column 22", "allow"),
        ("rules: [{id: unread}, {id: unread}]", "line 1, column 24", "twice"),
        ("rules: [{id: unread, mode: off, mode: off}]", "line 1, column 33", "twice"),
        ("ignore: {my_number: [件名]}", "line 1", "my_number"),
        ("a: &x 1\nb: *x", "line", "anchors"),
        ("rules: [", "line 1", "not YAML"),
        ("rules: !!python/object:os.system {}", "line 1", "tag"),
        ("rules: !secret x", "line 1", "tag"),
        (f"rules: {'[' * 30}{']' * 30}", "line 1", "nested deeper"),
        ("places: {moon: {ja: 月, en: moon}}", "line 1, column 10", "the cell of 'moon'"),
        ("rules: [{id: unread, tests: {hits: [{place: moon}]}}]", "line 1, column 38", "'moon'"),
        ("", "line 1, column 1", "empty"),
        (rule("when: {min_level: high, gaps: [any]}, disposition: tag"), "line 1", "of which ent"),
        (rule("when: {places: [moon]}, disposition: tag"), "line 1", "'moon' is not among"),
        (rule("when: {gaps: [any]}, disposition: tag"), "line 1", "same conditions as in"),
        (rule("when: {}, disposition: tag"), "line 1", ""),
        (rule("when: {gaps: [bomb]}, disposition: tag"), "line 1, column ", "never decide"),
        (
            rule("when: {cohorts: [pilot]}, cohorts: {pilot: 'off'}, disposition: tag"),
            "line 1",
            "it is off for every cohort",
        ),
        (
            rule(
                "when: {entities: [my_number], min_level: high, places: [phone]}, disposition: tag"
            ),
            "line 1",
            "'my-number-high' is stricter wherever this one matches",
        ),
        (
            rule(
                "when: {labels: [x]}, disposition: tag,"
                " tests: {hits: [{labels: [x], received_at: '2026-02-30T00:00'}]}"
            ),
            "line 1",
            "no day of the calendar",
        ),
        (rule("when: {times: {from: '25:00'}}, disposition: tag"), "line 1", "25:00"),
        (rule("when: {also: [{min_count: 2}]}, disposition: tag"), "line 1", "entities"),
        (rule("when: {gaps: [lost]}, disposition: tag"), "line 1", "lost"),
    ],
)
def test_load_says_where_it_is_wrong(text, where, words):
    with pytest.raises(PolicyError) as error:
        site(text)
    assert str(error.value).startswith("site.yaml: ")
    assert where in str(error.value)
    assert words in str(error.value)


def test_load_refuses_a_policy_of_nothing():
    with pytest.raises(PolicyError):
        Policy.load([])
    with pytest.raises(PolicyError, match="missing: 'format'"):
        Policy.load(["rules: []"])


def test_load_survives_deep_and_long_text():
    with pytest.raises(PolicyError):
        site("[" * 5000)
    with pytest.raises(PolicyError, match="longer"):
        site("#" * 2_000_000)


def test_site_words_like_off_are_words():
    policy = site("rules: [{id: my-number-high, mode: off}]")
    decision = policy.decide(MAIL, [finding()], [])
    assert decision.disposition is Disposition.REVIEW
    assert "my-number-high" not in decision.rule_ids


def test_site_changes_one_cell_and_leaves_the_rest():
    policy = site("matrix: {'3C': {teams_external: review}, '2': {teams_external: review}}")
    outside = Context("teams", "teams_external")
    assert policy.decide(outside, [finding("phone_number")], []).disposition is Disposition.REVIEW
    assert policy.decide(MAIL, [finding("phone_number")], []).disposition is Disposition.TAG


def test_simulated_rule_is_only_a_would_be():
    policy = site(
        "rules: [{id: my-number-high, mode: simulate}, {id: my-number-medium, mode: off}]"
    )
    decision = policy.decide(MAIL, [finding()], [])
    assert decision.disposition is Disposition.TAG
    assert decision.would_be is Disposition.BLOCK
    assert decision.mode is Mode.SIMULATE
    assert decision.obligations == ()


def test_notifying_rule_sends_notices_alone():
    policy = site("rules: [{id: my-number-high, mode: notify}, {id: my-number-medium, mode: off}]")
    decision = policy.decide(MAIL, [finding()], [])
    assert decision.mode is Mode.NOTIFY
    assert decision.obligations == ("notify_owner", "notify_security")


def test_would_be_carries_the_mode_that_bites_most():
    policy = site(
        "rules: [{id: my-number-high, mode: simulate}, {id: my-number-medium, mode: off},"
        " {id: extra, title: {ja: あ, en: a}, reason: {ja: い, en: b}, mode: notify,"
        " when: {entities: [my_number]}, disposition: block}]"
    )
    assert policy.decide(MAIL, [finding()], []).mode is Mode.NOTIFY


def test_cohort_has_a_mode_of_its_own():
    policy = site("rules: [{id: my-number-high, mode: simulate, cohorts: {pilot: enforce}}]")
    pilot = Context("mail", "own_mailbox", cohort="pilot")
    assert policy.decide(pilot, [finding()], []).disposition is Disposition.BLOCK
    assert policy.decide(MAIL, [finding()], []).disposition is Disposition.REVIEW


def test_gap_is_never_allowed_whatever_the_site_says():
    policy = site("rules: [{id: unread, mode: off}]")
    decision = policy.decide(MAIL, [], [Gap(GapCode.ENCRYPTED, "添付1")])
    assert decision.disposition is Disposition.TAG
    assert decision.rule_ids == (FLOOR_RULE,)


def test_floor_is_enforced_and_named_only_where_it_decides():
    gap = [Gap(GapCode.ENCRYPTED, "添付1")]
    decision = site("rules: [{id: unread, mode: simulate, disposition: tag}]").decide(MAIL, [], gap)
    assert (decision.disposition, decision.mode) == (Disposition.TAG, Mode.ENFORCE)
    assert decision.rule_ids == ("unread", FLOOR_RULE)
    assert FLOOR_RULE not in site("rules: []").decide(MAIL, [], gap).rule_ids


def test_unknown_place_is_treated_as_the_strictest_of_the_row():
    policy = site("matrix: {'3C': {phone: review}}")
    somewhere = Context("drive", "a_place_nobody_named")
    assert policy.decide(somewhere, [finding("phone_number")], []).disposition is Disposition.REVIEW


def test_policy_without_a_class_is_refused():
    lines = [line for line in default_text().splitlines() if not line.startswith('  "3A": {ja')]
    with pytest.raises(PolicyError, match="missing: the class '3A'"):
        Policy.load(["\n".join(lines)])


@pytest.mark.parametrize(
    ("when", "matches"),
    [
        ("{entities: [my_number], min_count: 2}", True),
        ("{entities: [my_number], min_count: 3}", False),
        ("{entities: [credit_card]}", False),
        ("{sources: [mail], entities: [any]}", True),
        ("{sources: [drive]}", False),
        ("{sharing: [guest]}", True),
        ("{sharing: [anonymous]}", False),
        ("{sender_domains: [example.jp]}", True),
        ("{sender_domains: [mail.example.jp]}", True),
        ("{sender_domains: [ple.jp]}", False),
        ("{recipient_domains: [example.jp]}", False),
        ("{places: [own_mailbox], gaps: [encrypted]}", False),
        ("{labels: [部外秘]}", True),
        ("{labels: [公開]}", False),
        ("{cohorts: [everyone]}", True),
        ("{cohorts: [pilot]}", False),
        ("{entities: [my_number], also: [{entities: [my_number], min_count: 2}]}", True),
        ("{entities: [my_number], also: [{entities: [person_name]}]}", False),
        ("{times: {from: '22:00', to: '06:00'}}", True),
        ("{times: {from: '22:00', to: '06:00', days: [fri]}}", True),
        ("{times: {from: '22:00', to: '06:00', days: [sat]}}", False),
        ("{times: {from: '06:00', to: '22:00'}}", False),
    ],
)
def test_rule_conditions_must_all_hold(when, matches):
    policy = site(rule(f"when: {when}, disposition: block"))
    # Three occurrences, two distinct values.
    found = [finding(), finding(), finding(fingerprint="k:2")]
    assert ("extra" in policy.decide(MAIL, found, []).rule_ids) is matches


def test_ignored_part_is_no_finding_but_others_are():
    addresses = [
        Finding("email_address", place, 0, 9, 0.9, Level.HIGH, "t*", "k:9")
        for place in ("差出人", "添付1.eml › 宛先", "本文")
    ]
    decision = site("rules: []").decide(MAIL, addresses, [])
    assert decision.findings == (addresses[2],)
    assert site("rules: []").decide(MAIL, addresses[:2], []).disposition is Disposition.ALLOW
    kept = site("ignore: {email_address: []}").decide(MAIL, addresses, [])
    assert kept.findings == tuple(addresses)


def test_defaults_expectations_do_not_bind_a_site_that_changes_the_line():
    policy = site("matrix: {'3C': {own_mailbox: review}, '2': {own_mailbox: review}}")
    assert policy.test() == ()


def test_rules_own_cases_catch_a_lie():
    policy = site("rules: [{id: personal, tests: {hits: [{gaps: [bomb], expect: tag}]}}]")
    messages = [failure.message for failure in policy.test()]
    assert messages == ["does not match", "the policy says review, not tag"]
    assert policy.test()[0].where == "site.yaml: line 1"


def test_stricter_site_may_leave_a_default_rule_behind():
    policy = site("rules: [{id: personal, class: null, disposition: block}]")
    assert policy.decide(MAIL, [finding("corporate_number")], []).disposition is Disposition.BLOCK


def test_rule_with_a_notice_of_its_own_is_not_unreachable():
    text = "when: {gaps: [bomb]}, disposition: tag, obligations: [notify_security]"
    assert "extra" in [each.id for each in site(rule(text)).rules]


def test_item_of_unknown_time_is_in_every_window():
    policy = site(rule("when: {times: {from: '01:00', to: '01:01'}}, disposition: block"))
    unknown = Context("mail", "own_mailbox")
    assert policy.decide(unknown, [], []).disposition is Disposition.BLOCK


@pytest.mark.parametrize("character", ["\0", "\x07", "\ud800", "\uffff"])
def test_a_character_that_yaml_does_not_know_is_named_with_its_place(character):
    with pytest.raises(PolicyError, match="line 2, column 4: not YAML"):
        Policy.load([default_text(), f"rules:\n  a{character}: 1\n"], ["default.yaml", "site.yaml"])
