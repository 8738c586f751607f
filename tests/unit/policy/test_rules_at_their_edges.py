"""Conditions, exceptions and unreachable rules, each at the edge where it turns."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, time, timedelta

import pytest

from shared.model import Context, Disposition, Finding, Gap, GapCode, Level, Mode
from shared.policy.exemption import PREFIX, Exemption, Kind, applying, used
from shared.policy.reach import never
from shared.policy.rule import Found, Rule, Times, When, Words

WORDS = Words("あ", "a")
START = datetime(2026, 7, 1, tzinfo=UTC)
MAIL = Context("mail", "own_mailbox")


def finding(entity="my_number", level=Level.HIGH, fingerprint="k:1"):
    return Finding(entity, "本文", 0, 12, 0.9, level, "****", fingerprint)


def japan(day, hour, minute=0, second=0):
    """A moment of July 2026 by Japan's clock; the 6th is a Monday."""
    return datetime(2026, 7, day, hour, minute, second, tzinfo=UTC) - timedelta(hours=9)


@pytest.mark.parametrize(
    ("least", "found", "holds"),
    [
        (Level.MEDIUM, Level.LOW, False),
        (Level.MEDIUM, Level.MEDIUM, True),
        (Level.MEDIUM, Level.HIGH, True),
        (Level.LOW, Level.LOW, True),
    ],
)
def test_found_counts_from_its_level_on(least, found, holds):
    assert Found(("my_number",), least).holds([finding(level=found)]) is holds


@pytest.mark.parametrize(("count", "holds"), [(1, True), (2, True), (3, False)])
def test_found_counts_different_values(count, holds):
    values = [finding(fingerprint=each) for each in ("k:1", "k:1", "k:2")]
    assert Found(("my_number",), min_count=count).holds(values) is holds


def test_found_any_is_any_entity_and_nothing_is_none():
    assert Found(("any",)).holds([finding("anything")])
    assert not Found(("any",)).holds([])
    assert not Found(("my_number",)).holds([finding("anything")])


@pytest.mark.parametrize(
    ("window", "moment", "holds"),
    [
        (Times(start=time(9), end=time(17)), japan(6, 8, 59, 59), False),
        (Times(start=time(9), end=time(17)), japan(6, 9), True),
        (Times(start=time(9), end=time(17)), japan(6, 16, 59, 59), True),
        (Times(start=time(9), end=time(17)), japan(6, 17), False),
        (Times(("mon",), time(9), time(17)), japan(6, 12), True),
        (Times(("tue",), time(9), time(17)), japan(6, 12), False),
        (Times(("mon",), time(22), time(6)), japan(6, 21, 59), False),
        (Times(("mon",), time(22), time(6)), japan(6, 22), True),
        (Times(("mon",), time(22), time(6)), japan(7, 5, 59), True),
        (Times(("mon",), time(22), time(6)), japan(7, 6), False),
        (Times(("mon",), time(22), time(6)), japan(6, 5), False),
        (Times(("sun",), time(22), time(6)), japan(6, 5), True),
        (Times(("mon",)), japan(6, 0), True),
        (Times(("mon",)), japan(6, 23, 59), True),
        (Times(("mon",)), japan(7, 0), False),
        (Times(), japan(8, 3), True),
    ],
)
def test_times_are_japans_and_a_window_over_midnight_is_of_the_day_it_began(window, moment, holds):
    assert window.hold(moment) is holds


FAR = Context(
    "drive", "teams_external", sender_domain="a.test", recipient_domains=("b.test",),
    sharing=("guest",), labels=("秘",), cohort="wave", received_at=japan(6, 12),
)  # fmt: skip
ASKS = {
    "entities": {"found": Found(("my_number",))},
    "also": {"also": (Found(("my_number",)), Found(("person_name",)))},
    "gaps": {"gaps": ("bomb",)},
    "places": {"places": ("own_mailbox", "onedrive_private")},
    "sources": {"sources": ("mail",)},
    "sharing": {"sharing": ("anonymous",)},
    "labels": {"labels": ("公開",)},
    "cohorts": {"cohorts": ("pilot",)},
    "sender_domains": {"sender_domains": ("example.jp",)},
    "recipient_domains": {"recipient_domains": ("example.jp",)},
    "times": {"times": Times(end=time(9))},
}


@pytest.mark.parametrize("name", ASKS)
def test_condition_that_does_not_hold_is_named(name):
    found, gaps = [finding("person_name")], [Gap(GapCode.ENCRYPTED, "")]
    when = When(**ASKS[name])
    assert when.unmet(FAR, found, gaps) == (name,)
    assert not when.holds(FAR, found, gaps)


def test_conditions_that_do_not_hold_are_named_in_their_order():
    when = When(**{key: value for each in ASKS.values() for key, value in each.items()})
    assert when.unmet(FAR, [], []) == tuple(ASKS)


def test_conditions_that_hold_are_not_named():
    near = Context(
        "mail", "own_mailbox", sender_domain="example.jp", cohort="pilot",
        recipient_domains=("other.test", "Deep.Example.JP"), sharing=("guest", "anonymous"),
        labels=("公開",), received_at=japan(6, 8),
    )  # fmt: skip
    when = When(**{key: value for each in ASKS.values() for key, value in each.items()})
    found = [finding(), finding("person_name", fingerprint="k:2")]
    assert when.unmet(near, found, [Gap(GapCode.BOMB, "")]) == ()
    assert when.holds(near, found, [Gap(GapCode.BOMB, "")])


@pytest.mark.parametrize(("codes", "holds"), [((), False), (("encrypted",), True)])
def test_any_gap_is_any_and_no_gap_is_none(codes, holds):
    gaps = [Gap(GapCode(code), "") for code in codes]
    assert When(gaps=("any",)).holds(MAIL, [], gaps) is holds


def exemption(kind=Kind.RELEASE, **more):
    fields = {
        "id": "e1", "kind": kind, "scope": "place", "rules": ("r", "s"),
        "fingerprints": ("k:1", "k:2"), "gaps": ("encrypted",), "reason": "x",
        "people": ("a", "b"), "granted_at": START, "expires_at": START + timedelta(days=1),
    }  # fmt: skip
    return Exemption(**(fields | more))


def rule(name="r", when=None, **more):
    return Rule(name, WORDS, WORDS, when or When(gaps=("any",)), **more)


@pytest.mark.parametrize(
    ("seconds", "active"), [(-1, False), (0, True), (86_399, True), (86_400, False)]
)
def test_exception_holds_from_its_grant_up_to_before_its_end(seconds, active):
    assert exemption().active(START + timedelta(seconds=seconds)) is active


LOCKED, BOMB = Gap(GapCode.ENCRYPTED, ""), Gap(GapCode.BOMB, "")
SETS_ASIDE = {
    "all of it": ({}, {}, True),
    "one person, one is enough": ({"people": ("a",)}, {}, True),
    "one person twice, two are needed": ({"people": ("a", "a")}, {"release": 2}, False),
    "two people, two are needed": ({}, {"release": 2}, True),
    "two people, three are needed": ({}, {"release": 3}, False),
    "another rule": ({"rules": ("s",)}, {}, False),
    "a suppression is for a value": ({"kind": Kind.SUPPRESSION}, {}, False),
    "an override that the rule permits": ({"kind": Kind.OVERRIDE}, {"override": "owner"}, True),
    "an override that it does not": ({"kind": Kind.OVERRIDE}, {}, False),
    "an override by one, where release takes two": (
        {"kind": Kind.OVERRIDE, "people": ("a",)}, {"override": "owner", "release": 2}, True,
    ),
    "a value that was not there": ({"fingerprints": ("k:2",)}, {}, False),
    "a gap that was not there": ({"gaps": ()}, {}, False),
}  # fmt: skip


@pytest.mark.parametrize("what", SETS_ASIDE)
def test_exception_sets_aside(what):
    more, of_rule, said = SETS_ASIDE[what]
    one = exemption(**more)
    assert one.sets_aside(rule(**of_rule), [finding()], [LOCKED], "own_mailbox") is said


@pytest.mark.parametrize(
    ("then", "now", "said"),
    [
        ("onedrive_inside", "onedrive_private", True),
        ("onedrive_inside", "onedrive_inside", True),
        ("onedrive_inside", "onedrive_guest", False),
        ("onedrive_guest", "onedrive_anonymous", False),
        ("", "onedrive_anonymous", True),
        ("onedrive_private", "teams_external", True),
    ],
)
def test_exception_for_few_is_none_for_many(then, now, said):
    assert exemption(place=then).sets_aside(rule(), [finding()], [], now) is said


def test_only_a_suppression_suppresses_and_only_its_value():
    assert exemption(Kind.SUPPRESSION, scope="k:1").suppresses(finding())
    assert not exemption(Kind.SUPPRESSION, scope="k:2").suppresses(finding())
    assert not exemption(Kind.RELEASE, scope="k:1").suppresses(finding())


def test_exceptions_that_apply_are_active_and_of_the_place_or_of_a_value():
    here, elsewhere = exemption(scope="here"), exemption(scope="elsewhere")
    value = exemption(Kind.SUPPRESSION, scope="k:1")
    over = replace(here, expires_at=START)
    over_value = replace(value, expires_at=START)
    all_of_them = [here, elsewhere, value, over, over_value]
    assert applying(all_of_them, ["here"], START) == (here, value)
    assert applying(all_of_them, [], START) == (value,)


def test_exceptions_in_a_decision_are_found_again():
    assert PREFIX == "exception:"
    assert used(("a", "exception:e1", "b", "exception:e2")) == ("e1", "e2")


MATRIX = {
    "2": {"own_mailbox": Disposition.TAG, "teams_external": Disposition.REVIEW},
    "3A": {"own_mailbox": Disposition.REVIEW, "teams_external": Disposition.BLOCK},
}
NUMBER, TWO = Found(("my_number",)), Found(("my_number",), min_count=2)
STRICT = rule("strict", When(NUMBER), disposition=Disposition.BLOCK)
MILD = rule("mild", When(TWO), disposition=Disposition.TAG)


def of(when, **more):
    return rule("mild", when, **({"disposition": Disposition.TAG} | more))


UNREACHABLE = {
    "more of the same": (MILD, STRICT, True),
    "less of it": (of(When(NUMBER)), replace(STRICT, when=When(TWO)), False),
    "a lower level": (
        of(When(NUMBER)), replace(STRICT, when=When(Found(("my_number",), Level.HIGH))), False,
    ),
    "a higher level": (of(When(Found(("my_number",), Level.HIGH))), STRICT, True),
    "another entity": (of(When(Found(("person_name",)))), STRICT, False),
    "one entity more": (of(When(Found(("my_number", "person_name")))), STRICT, False),
    "any entity is wider": (
        of(When(NUMBER)), replace(STRICT, when=When(Found(("any",)))), True,
    ),
    "no finding asked for": (of(When(gaps=("any",))), STRICT, False),
    "a combination has it as well": (of(When(Found(("x",)), also=(TWO,))), STRICT, True),
    "the stricter asks for a combination": (
        of(When(NUMBER)), replace(STRICT, when=When(NUMBER, also=(Found(("x",)),))), False,
    ),
    "the same gap": (
        of(When(gaps=("bomb",))), replace(STRICT, when=When(gaps=("bomb", "partial"))), True,
    ),
    "another gap": (of(When(gaps=("bomb",))), replace(STRICT, when=When(gaps=("partial",))), False),
    "any gap is wider": (of(When(gaps=("bomb",))), replace(STRICT, when=When(gaps=("any",))), True),
    "any gap asks for one": (of(When(NUMBER)), replace(STRICT, when=When(gaps=("any",))), False),
    "not stricter": (MILD, replace(STRICT, disposition=Disposition.TAG), False),
    "rehearsed": (MILD, replace(STRICT, mode=Mode.SIMULATE), False),
    "rehearsed for some": (MILD, replace(STRICT, cohorts={"pilot": Mode.SIMULATE}), False),
    "enforced for some": (MILD, replace(STRICT, cohorts={"pilot": Mode.ENFORCE}), True),
    "a notice of its own": (replace(MILD, obligations=("notify_owner",)), STRICT, False),
    "a notice of both": (
        replace(MILD, obligations=("notify_owner",)),
        replace(STRICT, obligations=("evidence", "notify_owner")), True,
    ),
    "stricter by class": (
        replace(MILD, disposition=None, information_class="2"),
        replace(STRICT, disposition=None, information_class="3A", when=When(NUMBER)), False,
    ),
    "stricter by class in the one place": (
        of(When(TWO, places=("own_mailbox",)), disposition=None, information_class="2"),
        replace(STRICT, disposition=None, information_class="3A"), True,
    ),
    "the same class": (
        of(When(TWO, places=("own_mailbox",)), disposition=None, information_class="3A"),
        replace(STRICT, disposition=None, information_class="3A"), False,
    ),
    "off": (replace(MILD, mode=Mode.OFF), STRICT, False),
}  # fmt: skip
for _name, _wide, _narrow, _other in (
    ("places", ("own_mailbox", "teams_external"), ("own_mailbox",), ("teams_external",)),
    ("sources", ("mail", "drive"), ("mail",), ("drive",)),
    ("sharing", ("guest", "anonymous"), ("guest",), ("anonymous",)),
    ("labels", ("秘", "公開"), ("秘",), ("公開",)),
    ("cohorts", ("pilot", "wave"), ("pilot",), ("wave",)),
    ("sender_domains", ("example.jp",), ("a.example.jp",), ("other.test",)),
    ("recipient_domains", ("example.jp",), ("a.example.jp",), ("other.test",)),
):
    UNREACHABLE |= {
        f"{_name}: among them": (
            of(When(TWO, **{_name: _narrow})),
            replace(STRICT, when=When(NUMBER, **{_name: _wide})), True,
        ),
        f"{_name}: others": (
            of(When(TWO, **{_name: _other})),
            replace(STRICT, when=When(NUMBER, **{_name: _narrow})), False,
        ),
        f"{_name}: one more": (
            of(When(TWO, **{_name: (*_narrow, *_other)})),
            replace(STRICT, when=When(NUMBER, **{_name: _narrow})), False,
        ),
        f"{_name}: everywhere": (
            MILD, replace(STRICT, when=When(NUMBER, **{_name: _narrow})), False,
        ),
        f"{_name}: only here": (of(When(TWO, **{_name: _narrow})), STRICT, True),
    }  # fmt: skip
UNREACHABLE |= {
    "times: at any": (of(When(TWO, times=Times(end=time(9)))), STRICT, True),
    "times: at the same": (
        of(When(TWO, times=Times(end=time(9)))),
        replace(STRICT, when=When(NUMBER, times=Times(end=time(9)))), True,
    ),
    "times: at others": (
        of(When(TWO, times=Times(end=time(8)))),
        replace(STRICT, when=When(NUMBER, times=Times(end=time(9)))), False,
    ),
    "times: at some": (MILD, replace(STRICT, when=When(NUMBER, times=Times(end=time(9)))), False),
}  # fmt: skip


@pytest.mark.parametrize("what", UNREACHABLE)
def test_rule_that_can_never_decide_is_told_and_no_other(what):
    one, other, told = UNREACHABLE[what]
    for order in ((one, other), (other, one)):
        why = never(one, order, MATRIX)
        assert why == ("the rule 'strict' is stricter wherever this one matches" if told else "")


def test_rule_shadows_others_and_not_itself():
    assert never(STRICT, (STRICT,), MATRIX) == ""
    assert never(MILD, (MILD,), MATRIX) == ""


def test_rule_that_is_off_wherever_it_could_match_is_told():
    off, both = {"pilot": Mode.OFF}, {"pilot": Mode.OFF, "wave": Mode.SIMULATE}
    two = When(NUMBER, cohorts=("pilot", "wave"))
    assert never(rule(when=When(NUMBER, cohorts=("pilot",)), cohorts=off), (), MATRIX)
    assert not never(rule(when=two, cohorts=both), (), MATRIX)
    assert not never(rule(when=two, cohorts=off), (), MATRIX)
    assert not never(rule(when=When(NUMBER), cohorts=off), (), MATRIX)
    assert not never(rule(when=two, mode=Mode.OFF), (), MATRIX), "it says so itself"
