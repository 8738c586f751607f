"""What is told of a finding, of more of them and of a candidate; which of two stays."""

from __future__ import annotations

import hmac

import pytest

from shared.detect import Engine, FingerprintKey, explain
from shared.detect.engine import ENVELOPE, NAMES, resolve
from shared.detect.scene import Candidate, Draft
from shared.model import Evidence, Finding, Level, Mark, Segment
from tests.unit.detect import numbers_for_detect as made
from tests.unit.detect.test_rules import FAST, HITS

KEY = FingerprintKey("test", bytes(range(32)))
N = made.MY_NUMBER
LOW, MEDIUM, HIGH = Level.LOW, Level.MEDIUM, Level.HIGH


def test_count_of_more_stands_at_the_best_of_the_rest_with_its_confidence():
    text = f"番号\t個人番号\n1\t{N}\n2\t{made.forced('987654321098')}\n"
    at = text.index("9876")
    segment = Segment("名簿", text, table=True, marks=(Mark(0, "A1"), Mark(at, "B3")))
    first, more = Engine(KEY, plain=True, most=1).scan([segment])
    assert (first.start, first.location) == (text.index(N), "名簿!A1")
    assert more == Finding(
        "my_number", "名簿!B3", at, at + 12, first.confidence, HIGH, "+1",
        KEY.fingerprint("my_number", b"more"),
        (Evidence("more", 0.0, "ほかに1件ある", "1 more of them"),),
    )  # fmt: skip


def test_more_of_each_entity_are_counted_apart_and_stand_at_the_first_of_the_best():
    weak = Segment("弱い", "\n".join(["1234-5678-9018 氏名 生年月日 住所"] * 2))
    apart = "。" * 400
    body = apart.join([f"個人番号 {N}"] * 3 + ["TEL 03-3210-1234 03-3210-1235"])
    strong = Segment("強い", body)
    found = Engine(KEY, plain=True, most=1).scan([weak, strong, weak])
    more = {each.entity: each for each in found if each.evidence[0].code == "more"}
    assert found[-len(more) :] == tuple(more.values())
    assert len(found) == 2 * len(more)
    ours, phone = more["my_number"], more["phone_number"]
    assert (ours.location, ours.start, ours.masked, ours.level) == ("強い", 5, "+6", HIGH)
    assert (phone.start, phone.masked) == (strong.text.index("03-3210-1235"), "+1")


def test_engine_is_fast_and_looks_for_no_names_unless_told():
    text = f"窓口に来た佐藤太郎さんの個人番号は {N} です。"
    engine, plain = Engine(KEY), Engine(KEY, plain=True)
    assert (engine.accelerated, plain.accelerated, repr(engine)) == (
        True,
        False,
        "Engine(key='test')",
    )
    assert [each.entity for each in plain.scan([Segment("", text)])] == ["my_number"]


@pytest.mark.parametrize("location", [*ENVELOPE, "転送.eml › 宛先"])
def test_address_in_the_envelope_is_no_finding_but_anything_else_there_is(location):
    text = "電話 03-3210-1234 taro@example.jp"
    entities = [each.entity for each in FAST.scan([Segment(location, text), Segment("本文", text)])]
    assert entities == ["phone_number", "phone_number", "email_address"]


@pytest.mark.parametrize(
    ("location", "subject", "counts"),
    [
        *((name, "個人番号の件", True) for name in NAMES), ("添付1 › 名前", "個人番号の件", True),
        ("本文", "個人番号の件", False), ("件名", "本日の件", False),
        ("件名", "。" * 996 + "個人番号", True), ("件名", "。" * 997 + "個人番号", False),
    ],
)  # fmt: skip
def test_first_1000_characters_of_a_subject_or_name_speak_for_the_item(location, subject, counts):
    body = Segment("本文", "確認をお願いします。\n1234-5678-9018\n")
    for segments in ([Segment(location, subject), body], [body, Segment(location, subject)]):
        codes = {e.code for f in FAST.scan(segments) for e in f.evidence}
        assert ("subject" in codes) is counts


def test_fingerprint_stays_the_same_from_release_to_release():
    expected = "test:01cb27e0b8f08de3e54d8ee773dbf56660689d4b1e15a4ac45a472f60c97452e"
    (one,) = FAST.scan([Segment("a", f"個人番号 {N}")])
    assert one.fingerprint == KEY.fingerprint("my_number", N.encode()) == expected


@pytest.mark.parametrize("length", [16, 63, 64, 65, 128])
def test_fingerprint_of_many_values_is_the_hmac_of_each_whatever_the_key(length):
    key = bytes(range(length))
    mac = hmac.new(key, b"my_number\0" + N.encode(), "sha256").hexdigest()
    one = FingerprintKey("k", key)
    assert one.fingerprint("my_number", N.encode()) == f"k:{mac}"
    assert one.fingerprinter()("my_number", N.encode()) == f"k:{mac}"


def draft(start, end, score, level=HIGH, entity="phone_number"):
    return Draft(Candidate("x", start, end, b"1"), entity, score, level, ())


def resolved(*drafts):
    return [(one.candidate.start, one.candidate.end, one.score) for one in resolve([*drafts])]


def test_of_what_overlaps_the_best_scored_stays_and_the_first_of_two_equals():
    assert resolved(draft(5, 9, 4), draft(0, 4, 1)) == [(0, 4, 1), (5, 9, 4)]
    assert resolved(draft(0, 5, 3), draft(5, 9, 2)) == [(0, 5, 3), (5, 9, 2)], "side by side"
    assert resolved(draft(0, 6, 3), draft(5, 9, 2)) == [(0, 6, 3)]
    assert resolved(draft(0, 6, 2), draft(5, 9, 3)) == [(5, 9, 3)]
    assert resolved(draft(0, 6, 2), draft(5, 9, 2)) == [(0, 6, 2)]
    assert resolved(draft(0, 9, 2), draft(1, 3, 1), draft(8, 12, 3)) == [(8, 12, 3)]
    assert resolved(draft(0, 3, 5), draft(2, 6, 1), draft(5, 9, 2)) == [(0, 3, 5), (5, 9, 2)]
    assert resolved(draft(0, 3, 1), draft(3, 6, 2), draft(1, 9, 3)) == [(1, 9, 3)]
    assert resolved(draft(0, 5, 9), draft(3, 7, 1), draft(5, 9, 2)) == [(0, 5, 9), (5, 9, 2)]
    assert resolved(draft(0, 3, 9), draft(3, 6, 2), draft(4, 9, 3)) == [(0, 3, 9), (4, 9, 3)]
    assert resolved(draft(0, 9, 9), draft(1, 3, 1), draft(5, 7, 2)) == [(0, 9, 9)]


@pytest.mark.parametrize(
    ("level", "stays"), [(None, False), (LOW, False), (MEDIUM, True), (HIGH, True)]
)
def test_my_number_of_medium_or_more_stays_beside_what_scores_higher(level, stays):
    ours = (5, 17, 3)
    for other in ((0, 6, 9), (16, 20, 9)):
        both = resolved(draft(*other), draft(*ours, level, "my_number"))
        assert both == sorted([ours, other] if stays else [other])
        assert resolved(draft(*other), draft(*ours, level)) == [other]
    equal, lower = (0, 6, 3), (0, 6, 2)
    told = resolved(draft(*equal), draft(*ours, level, "my_number"))
    assert told == ([equal, ours] if stays else [equal])
    assert resolved(draft(*lower), draft(*ours, level, "my_number")) == [ours]


@pytest.mark.parametrize("text", [text for _, text in HITS[::3]])
def test_drafts_of_a_text_are_what_a_scan_finds(text):
    found = [(f.entity, f.start, f.end, f.level) for f in FAST.scan([Segment("", text)])]
    drafts = FAST.drafts(text)
    found = [each for each in found if not each[0].startswith("registered_")]
    assert [(d.entity, d.candidate.start, d.candidate.end, d.level) for d in drafts] == found


OWN = """
entity: {entity}
ja: {entity}番号
en: Number {entity}
source: an example
show: {show}
levels: {{low: {low}, medium: 8, high: 9}}
pattern: {{shape: {{head: "{head}", tail: "[0-9]{{6}}"}}}}
weights: {{base: {base}}}
"""


def test_explanation_says_where_what_and_how_much_the_best_first():
    """Findings first by level, then what is none; in both the higher score, then the place."""
    rules = [
        OWN.format(entity=entity, head=head, show=show, low=low, base=base)
        for entity, head, show, low, base in (
            ("a", "A", 1, 2.0, 2.3461), ("b", "B", 2, 7.0, 4.0), ("c", "C", 0, 2.0, 3.0),
            ("d", "D", 2, 2.0, 8.0),
        )
    ]  # fmt: skip
    engine = Engine(KEY, plain=True, site_rules=rules)
    rows = explain("A123456 B123456 C123456 D123456 D654321", engine=engine)
    assert [
        (row.entity, row.ja, row.en, row.start, row.end, row.masked, row.score, row.level)
        for row in rows
    ] == [
        ("d", "d番号", "Number d", 24, 31, "12****", 8.0, MEDIUM),
        ("d", "d番号", "Number d", 32, 39, "65****", 8.0, MEDIUM),
        ("c", "c番号", "Number c", 16, 23, "******", 3.0, LOW),
        ("a", "a番号", "Number a", 0, 7, "1*****", 2.35, LOW),
        ("b", "b番号", "Number b", 8, 15, "12****", 4.0, None),
    ]
    assert [row.confidence for row in rows] == [0.992, 0.992, 0.661, 0.53, 0.818]
    assert {row.evidence for row in rows[:2]} == {
        (Evidence("base", 8.0, "形が合う", "the form fits"),)
    }
