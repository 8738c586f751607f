"""What a replay, a report, an explanation and a notice say beside the decision."""

from __future__ import annotations

from dataclasses import replace
from datetime import time

import pytest

from shared.errors import PolicyError
from shared.model import Context, Gap, GapCode, Level
from shared.policy import Policy, default_text
from shared.policy.explain import explain
from shared.policy.replay import Replay
from shared.policy.report import report
from shared.policy.rule import BODY
from tests.unit.notices.notice_facts import day, notices
from tests.unit.policy.recorded import event, finding
from tests.unit.policy.test_record import STRICTER, site

POLICY = Policy.load([default_text()])
PHONE = finding("phone_number", fingerprint="k:9")


def rule(**lines):
    said = ", ".join(f"{key}: {value}" for key, value in lines.items())
    return f"rules: [{{id: own, title: {{ja: あ, en: a}}, reason: {{ja: い, en: b}}, {said}}}]"


def own(policy):
    return next(each for each in policy.rules if each.id == "own")


def test_replay_counts_every_record_that_it_cannot_judge_or_not_wholly():
    replay = Replay(POLICY)
    replay.run([event(n, disposition="none") for n in range(3)])
    replay.run([event(n, [PHONE], disposition="tag", context=None) for n in range(2)])
    assert (replay.events, replay.unjudged, replay.incomplete) == (5, 3, 2)


def test_milder_replay_names_the_first_rule_that_held_then():
    replay = Replay(POLICY)
    replay.add(event(1, disposition="block", rule_ids=("secrets", "gone")))  # rehearsed now
    assert [(each.after, each.rule_id) for each in replay.table()] == [("allow", "secrets")]


def test_stricter_replay_without_a_rule_names_the_floor():
    replay = Replay(site("rules: [{id: unread, mode: off}]"))
    replay.add(event(1, disposition="allow", gaps=(Gap(GapCode.BOMB, "x"),)))
    assert [(each.after, each.rule_id) for each in replay.table()] == [("tag", "floor-unread")]


def test_stricter_replay_names_a_rule_that_acts_on_this_cohort():
    replay = Replay(site(STRICTER))
    replay.add(event(1, [PHONE], disposition="allow"))
    assert [(each.after, each.rule_id) for each in replay.table()] == [("block", "phones")]


def test_report_passes_over_what_nobody_judged_and_goes_on():
    rows = report([event(1, disposition="none"), event(2, disposition="tag")])
    assert rows["pilot"].items == 1


def test_explanation_shows_how_far_a_rule_bites_for_this_cohort():
    for cohort, mode in (("pilot", "enforce"), ("everyone", "simulate")):
        told = explain(site(STRICTER), Context("mail", "own_mailbox", cohort=cohort), [PHONE], [])
        assert next(each for each in told.lines if each.rule_id == "phones").mode == mode


def test_rule_whose_hours_have_no_end_begins_or_ends_at_midnight():
    open_ = own(site(rule(when="{times: {from: '22:00'}}", disposition="tag"))).when.times
    assert (open_.start, open_.end) == (time(22), time(0))
    until = own(site(rule(when="{times: {to: '06:00'}}", disposition="tag"))).when.times
    assert (until.start, until.end) == (time(0), time(6))


def test_case_that_says_little_is_a_mail_in_its_own_mailbox():
    tests = "{hits: [{findings: [{entity: my_number, level: high}]}], misses: [{}]}"
    made = own(site(rule(when="{entities: [my_number]}", disposition="tag", tests=tests)))
    (case,) = made.hits
    assert case.context == Context("mail", "own_mailbox", "", "", (), (), "everyone")
    (found,) = case.findings
    assert (found.level, found.count, found.part) == (Level.HIGH, 1, BODY)


def test_notice_in_two_languages_is_one_after_the_other():
    both = notices().render("owner", day(1))
    parts = [notices().render("owner", day(1), [each]) for each in ("ja", "en")]
    assert both.subject == " / ".join(part.subject for part in parts)
    assert both.text == "\n".join(part.text for part in parts)


def test_digest_counts_the_most_frequent_kind_first_then_by_name():
    named = [finding("person_name", fingerprint=f"n:{n}") for n in range(3)]
    numbers = [finding(fingerprint=f"k:{n}") for n in range(2)]
    cards = [finding("credit_card", fingerprint=f"c:{n}") for n in range(2)]
    text = notices().render("digest", [event(1, [*named, *numbers, *cards])], ["en"]).text
    places = [text.index(word) for word in ("Person's name", "credit_card", "My Number")]
    assert places == sorted(places)


def test_gap_that_stands_nowhere_is_shown_with_a_dash():
    unread = replace(day(2)[1], gaps=(Gap(GapCode.ENCRYPTED, ""),))
    text = notices().render("owner", [unread], ["ja"]).text
    assert "—" in text
    assert "XX" not in text


def test_rule_with_the_conditions_of_another_is_named_in_whatever_order_they_stand():
    again = rule(when="{places: [own_mailbox], entities: [my_number]}", disposition="review")
    first = again.replace("id: own", "id: first").replace(
        "{places: [own_mailbox], entities: [my_number]}",
        "{entities: [my_number], places: [own_mailbox]}",
    )
    both = first[:-1] + ", " + again.removeprefix("rules: [")
    with pytest.raises(PolicyError, match="the same conditions as in the rule 'first'"):
        site(both)


def test_of_two_wrong_keys_the_first_is_named():
    with pytest.raises(PolicyError, match="unknown key 'x'"):
        site("places: {p: {x: 1}}\nrules: [{id: own, y: 2}]")


def test_character_that_yaml_does_not_know_is_named_by_its_line():
    for text, line in (("\n\x00", 2), ("places: {}\n\x00\nrules: []\n", 2), ("\x00", 1)):
        with pytest.raises(PolicyError, match=f"line {line}[,:]"):
            site(text)
