"""Recorded decisions: explained, replayed under another policy, reported, drafted as a leak."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

from shared.model import Context, Disposition, Gap, GapCode, Level, Mode
from shared.policy import Policy, default_text
from shared.policy.explain import explain
from shared.policy.leak import deadlines, draft, persons
from shared.policy.replay import Replay, mask
from shared.policy.report import Review, report
from tests.unit.policy.recorded import TIME, event, finding

POLICY = Policy.load([default_text()])
MAIL = Context("mail", "own_mailbox")
UPN = "taro.yamada@example.jp"


def site(text):
    return Policy.load([default_text(), text])


def lines(told):
    return {line.rule_id: line for line in told.lines}


def test_explain_shows_class_cell_and_rule():
    found = [finding("sensitive_information"), finding("person_name", fingerprint="k:2")]
    told = explain(POLICY, Context("drive", "onedrive_guest"), found, [])
    line = lines(told)["sensitive-person"]
    assert (line.information_class, line.outcome, line.matched) == ("3B", "block", True)
    assert told.deciding == ("sensitive-person",)
    assert told.decision.disposition is Disposition.BLOCK
    assert [(each.entity, each.values) for each in told.counts] == [
        ("person_name", 1),
        ("sensitive_information", 1),
    ]


def test_explain_names_what_was_one_condition_away():
    told = explain(POLICY, MAIL, [finding("sensitive_information")], [])
    assert lines(told)["sensitive-person"].unmet == ("also",)
    assert ("sensitive-person", "also") in told.near
    assert told.deciding == ("personal",)


def test_explain_names_a_rehearsal_and_the_floor():
    told = explain(POLICY, MAIL, [finding("secret_key")], [])
    assert ("secrets", "mode") in told.near
    assert told.decision.mode is Mode.SIMULATE
    off = explain(site("rules: [{id: unread, mode: off}]"), MAIL, [], [Gap(GapCode.BOMB, "x")])
    assert off.deciding == ("floor-unread",)
    assert explain(POLICY, MAIL, [], []).deciding == ()


def golden():
    """Under the stricter policy below the telephones of two owners are newly blocked."""
    phone = finding("phone_number", fingerprint="k:9")
    return [
        event(1, [phone], disposition="tag", owner=UPN),
        event(2, [phone], disposition="tag", owner=UPN),
        event(3, [phone], disposition="tag", owner="0f4c2d1e-aaaa"),
        event(4, [finding()], disposition="block", owner=UPN),
        event(5, disposition="none"),
        event(6, [finding()], disposition="tag", rule_ids=("my-number-high", "exception:x")),
        event(7, [finding(level=Level.MEDIUM)], disposition="block", context=None,
              rule_ids=("my-number-high",)),
    ]  # fmt: skip


STRICTER = (
    "rules: [{id: phones, title: {ja: あ, en: a}, reason: {ja: い, en: b}, mode: simulate,"
    " cohorts: {pilot: enforce}, when: {entities: [phone_number]}, disposition: block}]"
)


def test_replay_is_right_on_the_golden_case():
    replay = Replay(site(STRICTER))
    replay.run(golden())
    rows = [(r.before, r.after, r.rule_id, r.owner, r.items) for r in replay.table()]
    assert rows == [
        ("tag", "block", "phones", "t***@example.jp", 2),
        ("tag", "block", "phones", "0f4c2d1e…", 1),
        ("block", "review", "my-number-high", "o", 1),
    ]
    assert replay.newly_blocked() == 3
    assert (replay.events, replay.unjudged, replay.excepted, replay.incomplete) == (7, 1, 1, 1)
    assert replay.moves[Disposition.BLOCK, Disposition.BLOCK] == 1


def test_replay_of_a_rehearsed_rule_changes_nothing():
    replay = Replay(site(STRICTER.replace("pilot", "wave")))
    replay.run(golden()[:4])
    assert replay.table() == []


def test_mask_keeps_a_name_to_itself():
    assert "taro" not in mask(UPN)
    assert mask("short") == "short"


def test_report_counts_each_cohort_by_itself():
    wave = Context("mail", "own_mailbox", cohort="wave")
    events = [
        event(1, disposition="block"),
        event(2, disposition="tag", would_be="block"),
        event(3, disposition="tag", rule_ids=("exception:7",)),
        event(4, disposition="allow", context=wave),
        event(5, disposition="review", context=None),
        event(6, disposition="none"),
    ]
    opened = TIME
    reviews = {
        events[0].id: Review("false_positive", opened, opened + timedelta(hours=3)),
        events[1].id: Review("true_positive"),
    }
    rows = report(events, reviews)
    assert list(rows) == ["?", "pilot", "wave"]
    pilot = rows["pilot"]
    assert (pilot.items, pilot.rehearsed, pilot.excepted) == (3, 1, 1)
    assert pilot.dispositions == {"block": 1, "tag": 2}
    assert (pilot.false_share(), pilot.median_hours()) == (0.5, 3.0)
    assert rows["wave"].false_share() is None


def test_persons_are_distinct_numbers():
    found = [finding(fingerprint=f"k:{n}") for n in (1, 2, 2, 3)] + [finding("person_name")]
    people = persons(found)
    assert (people.low, people.high, people.exact) == (3, 3, True)


def test_persons_after_a_rotation_are_a_range():
    people = persons([finding(fingerprint=f"{key}:{n}") for key in "ab" for n in (1, 2)])
    assert (people.low, people.high, people.exact) == (2, 4, False)
    assert persons([]).high == 0


def test_deadlines_count_the_day_of_knowing_in_japan():
    known = datetime(2026, 7, 1, 16, 0, tzinfo=UTC)  # 2 July, 01:00 in Japan
    due = deadlines(known)
    assert due.known == date(2026, 7, 2)
    assert (due.preliminary_from, due.preliminary_by) == (date(2026, 7, 4), date(2026, 7, 6))
    assert due.final_by == date(2026, 7, 31)
    assert deadlines(known, improper=True).final_by == date(2026, 8, 30)
    assert due.days_left(date(2026, 7, 7)) == (-1, 24)


def test_draft_has_nine_items_and_says_what_a_person_must_write():
    events = [event(1, [finding(), finding(fingerprint="k:2")], disposition="block")]
    text = draft(events, TIME, {"my_number": "個人番号"}, {"own_mailbox": "本人のメールボックス"})
    assert text.count("\n## ") == 9
    assert "2人（個人番号の異なる値の数による）" in text
    assert "本人のメールボックス" in text
    assert "停止を確認したもの: 1件 / 1件" in text
    assert "2026年07月30日" in text
    assert "（記入してください）" in text.split("## 4.")[1].split("## 5.")[0]
