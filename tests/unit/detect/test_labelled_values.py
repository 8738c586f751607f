"""Which values a label announces: just behind it, or in the cells under it; where that ends."""

from __future__ import annotations

import re

import pytest

from shared.detect.labelled import Reach, Triggers, values
from shared.detect.matcher import PlainMatcher, Vocabulary
from shared.detect.scene import Scene
from shared.detect.skeleton import CHUNK, skeleton
from shared.detect.tables import Tables
from shared.detect.words import WordIndex

OWNERS = {"番号": ("card",), "記号": ("card", "book"), "no": ("book",)}
SIX = re.compile(rb"(?<![0-9])[0-9]{6}(?![0-9])")


def triggers(owners):
    words = Vocabulary(list(owners))
    matcher = PlainMatcher((), words)
    return Triggers(matcher, words, list(owners.values())), WordIndex(matcher, words, "", b"")


def told(text, reach, owners=OWNERS):
    """(value, label's start, whether in the column under it) of every value of a card."""
    classes = skeleton(text)
    finder, index = triggers(owners)
    scene = Scene(text, classes, {}, index, Tables(text), {}, frozenset)
    return [
        (text[slice(*value)], label[0], under)
        for value, label, under in values(scene, finder.find(text, classes)["card"], reach)
    ]


def test_labels_are_found_by_entity_in_order_and_to_the_last_character():
    text = "番号 NO 記号" + "。" * (CHUNK - 9) + "番号" + "。" * CHUNK + "記号"
    assert triggers(OWNERS)[0].find(text, skeleton(text)) == {
        "card": [(0, 2), (6, 8), (CHUNK - 1, CHUNK + 1), (2 * CHUNK + 1, 2 * CHUNK + 3)],
        "book": [(3, 5), (6, 8), (2 * CHUNK + 1, 2 * CHUNK + 3)],
    }
    assert triggers({})[0].find("番号", b"\x80\x80") == {}


@pytest.mark.parametrize(
    ("text", "within", "parts"),
    [
        ("番号123456", 0, ["123456"]), ("番号 123456", 0, []), ("123456番号", 5, []),
        ("番号: 123456", 3, ["123456"]), ("番号::: 123456", 3, []), ("番号:: 123456", 3, []),
        ("番号 a1b2 123456", 24, ["123456"]), ("番号" + "。" * 23 + "123456", 24, ["123456"]),
        ("番号" + "。" * 24 + "123456", 24, []), ("番号 記号 123456", 24, ["123456"]),
        ("番号 123456 記号 654321", 24, ["123456", "654321"]),
    ],
)  # fmt: skip
def test_value_starts_within_so_many_characters_behind_its_label(text, within, parts):
    assert told(text, Reach(SIX, within)) == [
        (part, text.rfind("号", 0, text.index(part)) - 1 if part == "654321" else 0, False)
        for part in parts
    ]


def test_value_may_end_far_behind_where_it_must_start():
    long = re.compile(rb"[0-9]{40,60}")
    assert [part for part, _, _ in told("番号:" + "1" * 50, Reach(long, 1))] == []
    assert [part for part, _, _ in told("番号:" + "1" * 47, Reach(long, 2))] == ["1" * 47]
    assert [part for part, _, _ in told("番号:" + "1" * 60, Reach(long, 2))] == ["1" * 49]


def test_value_may_begin_where_the_one_before_ends():
    reach = Reach(re.compile(rb"[a-z0-9]{6}"), 2)
    found = told("番号 ab12no345678", reach, {"番号": ("card",), "no": ("card",)})
    assert found == [("ab12no", 0, False), ("345678", 7, False)]


def test_what_stands_between_label_and_value_may_be_asked_for():
    reach = Reach(SIX, 24, re.compile("[は: ]*"))
    assert told("番号は: 123456", reach) == [("123456", 0, False)]
    assert told("番号の欄は 123456", reach) == []
    assert told("番号123456", reach) == [("123456", 0, False)]


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        # tab, comma, the first and the last column
        ("氏名\t番号\n甲\t123456\n乙\t654321\n", ["123456", "654321"]),
        ("氏名,番号,他\n甲,123456,9\n乙,654321,9\n", ["123456", "654321"]),
        ("番号\t氏名\n123456\t甲\n654321\t乙", ["123456", "654321"]),
        ("番号,氏名,a\tb\n甲,乙,c\t123456\n", []),
        ("a,b\t番号\nc,123456\t654321\n", ["654321"]),
        # in the words of the column, at most two characters more than the value
        ("氏名\t番号\n甲\t 123456 \n", ["123456"]), ("氏名\t番号\n甲\t第123456号\n", ["123456"]),
        ("氏名\t番号\n甲\t第 123456号\n", []),
        ("氏名\t番号\n甲\t123456か654321\n乙\t111111\n", ["111111"]),
        ("氏名\t番号\t他\n甲\t\t123456\n乙\t654321\t\n", ["654321"]),
        # it goes on over cells of another form, and over a row with fewer cells
        ("氏名\t番号\n甲\t未定\n乙\t\n丙\t654321\n", ["654321"]),
        ("表\n\n氏名\t番号\n(続き)\n甲\t123456\n合計\n", ["123456"]),
        ("氏名\t番号\n(続き)\n\t123456\n", ["123456"]),
        ("氏名\t番号\n(a)\n(b)\n甲\t123456\n乙\t654321\n", ["123456", "654321"]),
        ("番号\t氏名\n\t甲\n123456\t乙\n", ["123456"]),
        # it ends at a blank line
        ("氏名\t番号\n甲\t123456\n\n乙\t654321\n", ["123456"]),
        ("氏名\t番号\n甲\t123456\n \n乙\t654321\n", ["123456"]),
        ("番号\t氏名\n123456\t甲\n\n654321\t乙\n", ["123456"]),
        ("番号\t氏名\n123456\t甲\n \t \n654321\t乙\n", ["123456", "654321"]),
        # what stands above, or in a line of no cells, is under no label
        ("甲\t123456\n氏名\t番号", []), ("甲\t123456\n氏名\t番号\n", []),
        ("番号\n甲\t123456\n乙\t654321\n", []), ("番号\n123456\n", []),
        ("番号\n123456\t甲\n654321\t乙\n", []), ("番号X氏名\n123456X甲\n", []),
        ("番号\n甲,123456\n乙,654321\n丙,111111", []),
        # a column is read once, though its label stands there twice
        ("氏名\t記号番号\n甲\t123456\n", ["123456"]),
        ("氏名\t番号\n甲\t123456\n氏名\t番号\n乙\t654321\n", ["123456", "654321"]),
        ("番号\t番号\n123456\t654321\n", ["123456", "654321"]),
        ("氏名\t番号\n甲\t123456\n\n氏名\t番号\n乙\t654321\n", ["123456", "654321"]),
    ],
)  # fmt: skip
def test_value_stands_in_a_cell_under_its_label(text, parts):
    found = told(text, Reach(SIX, 1))
    assert [part for part, _, _ in found] == parts
    assert all(under for _, _, under in found)
    assert told(text, Reach(SIX, 1, columns=False)) == []


def test_value_behind_the_label_comes_before_the_column():
    text = "番号 123456\t記号\n甲\t654321\n"
    assert told(text, Reach(SIX, 2)) == [
        ("123456", 0, False),
        ("654321", 10, True),
    ]


def test_column_is_one_however_near_its_first_cell_stands():
    reach = Reach(SIX, 24)
    assert told("番号\t氏名\n123456\t甲\n654321\t乙\n", reach) == [
        ("123456", 0, True),
        ("654321", 0, True),
    ]
    assert told("氏名,番号:\n123456\n", reach) == [("123456", 3, False)]  # no cell is under it
    assert told("番号:\n123456\n654321\n", reach) == [("123456", 0, False)]  # no table


@pytest.mark.parametrize(("between", "parts"), [(199, ["123456"]), (200, [])])
def test_cells_are_looked_for_in_200_characters_of_the_line(between, parts):
    text = "番号" + "。" * between + "\t氏名\n123456\t甲\n"
    assert [part for part, _, _ in told(text, Reach(SIX, 1))] == parts


def test_column_is_read_for_20000_rows():
    rows = "1\t123456\n" * 20_001
    assert len(told("a\t番号\n" + rows, Reach(SIX, 1))) == 20_000
