"""What ``pattern`` in a rule file does, line by line, and how each value is judged."""

from __future__ import annotations

from dataclasses import replace
from functools import cache

import pytest

from shared.detect.labelled import Triggers
from shared.detect.matcher import PlainMatcher
from shared.detect.rule_recognizer import RuleRecognizer
from shared.detect.rulebook import Reason, load
from shared.detect.scene import Scene
from shared.detect.skeleton import skeleton
from shared.detect.tables import Tables
from shared.detect.words import WordIndex
from shared.errors import PolicyError
from tests.unit.detect import numbers_for_detect as made

RULE = """
entity: staff
ja: 職員番号
en: Staff number
source: an example
labels: [職員証, Staff ID]
near: [[4, 3.0], [20, 2.0]]
weights: {base: 1.0, header: 2.5}
"""
SIX = {"after_label": "(?<![0-9])[0-9]{6}(?![0-9])"}
SHAPE = {"shape": {"head": "S", "tail": "[0-9]{6}"}}


@cache
def book():
    return load([RULE])


def drafts(text, pattern, **lines):
    rules = book()
    rule = replace(rules.rules["staff"], pattern=pattern, **lines)
    recognizer = RuleRecognizer(rule, rules)
    classes = skeleton(text)
    hits = PlainMatcher(recognizer.shapes, rules.vocabulary).shapes(classes)
    index = WordIndex(PlainMatcher((), rules.vocabulary), rules.vocabulary, text, classes)
    labels, owners = rules.labels_of(["staff"] * recognizer.labelled)
    found = Triggers(PlainMatcher((), labels), labels, owners).find(text, classes)
    scene = Scene(text, classes, hits, index, Tables(text), found, frozenset)
    return recognizer.drafts(scene)


def parts(text, pattern, **lines):
    return [text[d.candidate.start : d.candidate.end] for d in drafts(text, pattern, **lines)]


def reasons(text, pattern, **lines):
    return [draft.reasons[1:] for draft in drafts(text, pattern, **lines)]


def test_value_behind_its_label_says_which_and_how_far():
    assert reasons("職員証: 123456", SIX) == [(Reason("near", 3.0, "職員証", 2),)]
    assert reasons("STAFF ID 123456", SIX) == [(Reason("near", 3.0, "staff id", 1),)]
    assert reasons("職員証......123456", SIX) == [(Reason("near", 2.0, "職員証", 6),)]
    (draft,) = drafts("職員証: 123456", SIX)
    at = draft.candidate
    assert (at.shape, at.start, at.end, at.value) == ("labelled", 5, 11, b"123456")
    assert (draft.score, draft.reasons[0]) == (4.0, Reason("base", 1.0))


def test_value_in_a_column_says_what_its_header_is():
    text = "職員証\tStaff ID\n123456\t654321\n234567\t765432\n"
    ours, theirs = Reason("header", 2.5, "職員証"), Reason("header", 2.5, "staff id")
    assert parts(text, SIX | {"within": 1}) == ["123456", "654321", "234567", "765432"]
    assert reasons(text, SIX | {"within": 1}) == [(ours,), (theirs,), (ours,), (theirs,)]


@pytest.mark.parametrize(
    ("more", "text", "found"),
    [
        ({}, "職員証" + "." * 23 + "123456", True), ({}, "職員証" + "." * 24 + "123456", False),
        ({"within": 3}, "職員証..123456", True), ({"within": 3}, "職員証...123456", False),
        ({}, "職員証は 123456", True), ({"gap": "[: ]*"}, "職員証: 123456", True),
        ({"gap": "[: ]*"}, "職員証は 123456", False),
        ({}, "職員証\t氏名\n123456\t甲\n", True),
        ({"within": 1}, "職員証\t氏名\n123456\t甲\n", True),
        ({"within": 1, "columns": True}, "職員証\t氏名\n123456\t甲\n", True),
        ({"within": 1, "columns": False}, "職員証\t氏名\n123456\t甲\n", False),
        ({"lead": "第"}, "職員証 第123456", True), ({"lead": "第"}, "職員証 123456", False),
        ({"text": "^9"}, "職員証 923456", True), ({"text": "^9"}, "職員証 123456", False),
    ],
)  # fmt: skip
def test_pattern_says_where_a_value_may_stand(more, text, found):
    assert bool(parts(text, SIX | more, levels=(0.0, 8.0, 9.0))) is found


def test_shape_is_found_without_a_label_and_judged_by_what_is_near():
    (draft,) = drafts("S123456", SHAPE, needs_label=False, levels=(1.0, 2.0, 3.0))
    assert (draft.candidate.shape, draft.candidate.value) == ("staff", b"123456")
    assert draft.reasons == (Reason("base", 1.0),)
    assert parts("職員証 S123456 123456", SHAPE) == ["S123456"]
    assert parts("職員証 123456、S654321", SHAPE | SIX, levels=(1.0, 2.0, 3.0)) == [
        "123456", "S654321",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("written", "value"),
    [
        ("ab-12 34", b"AB1234"), ("ａｂ-12|3４", b"AB1234"), ("a.b,1'2", b"AB12"),
        ("東京 1２\u3000あ", "東京12あ".encode()), ("ａ京１２", "a京12".encode()),
    ],
)  # fmt: skip
def test_value_as_text_is_folded_without_separators(written, value):
    pattern = {"after_label": "[^\\n:]{4,9}", "value": "text", "lead": ":"}
    (draft,) = drafts(f"職員証:{written}", pattern)
    assert draft.candidate.value == b":" + value


def test_value_without_a_digit_is_none():
    assert parts("職員証 ABC", {"after_label": "[A-Z]{3}"}) == []
    assert parts("職員証 ABC", {"after_label": "[A-Z]{3}", "value": "text"}) == ["ABC"]


def test_check_digit_decides_unless_it_is_optional():
    right, wrong = made.MY_NUMBER, made.MY_NUMBER[:-1] + "9"
    pattern = {"after_label": "[0-9]{12}"}
    near, text = Reason("near", 3.0, "職員証", 1), "職員証 {}"
    (draft,) = drafts(text.format(right), pattern, check="my_number")
    assert draft.reasons == (Reason("base", 1.0), Reason("check", 2.4), near)
    assert drafts(text.format(wrong), pattern, check="my_number") == []
    for number, code, weight in ((right, "check", 2.4), (wrong, "check_fails", 0.0)):
        (draft,) = drafts(
            text.format(number), pattern | {"check_optional": True}, check="my_number"
        )
        assert draft.reasons == (Reason("base", 1.0), near, Reason(code, weight))
    (draft,) = drafts(text.format(wrong), pattern | {"check_optional": True})
    assert draft.reasons == (Reason("base", 1.0), near)


@pytest.mark.parametrize(
    ("text", "more"),
    [
        ("職員証 3.123456", Reason("decimal", -4.0)),
        ("職員証 123456円", Reason("amount", -4.0)),
        ("職員証 A1/123456", Reason("inside_longer", -3.0)),
    ],
)
def test_number_is_judged_by_its_neighbours_and_a_text_is_not(text, more):
    low = (-9.0, 8.0, 9.0)
    assert reasons(text, SIX, levels=low)[0][1:] == (more,)
    assert reasons(text, SIX | {"value": "text"}, levels=low)[0][1:] == ()


def test_pattern_that_is_refused_names_the_rule():
    for pattern, words in (
        (
            {"after_label": "[0-9]+"},
            "shape staff: its length must be bounded (under 256 characters)",
        ),
        ({"value": "text"}, "rule staff: pattern needs a shape or after_label"),
    ):
        with pytest.raises(PolicyError) as error:
            drafts("", pattern)
        assert str(error.value) == words
