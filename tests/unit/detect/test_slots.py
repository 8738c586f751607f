"""The slot: what a column, or the place behind one label, says of the values in it."""

from __future__ import annotations

import math

import pytest

from shared.detect.rulebook import load
from shared.detect.scene import Candidate, Tally
from shared.detect.scoring import weigh_slot
from shared.detect.slots import Slots, key_of
from tests.unit.detect.scenes_for_detect import N, candidate_of, scene_of, told

RULE = load().rules["my_number"]
PASS, FAIL = math.log(9.5), math.log(0.05 / 0.9)
"""Of ours 95 in 100 pass the check digit, of others one in ten."""


@pytest.mark.parametrize(
    ("before", "label"),
    [
        ("個人番号", "個人番号"),
        ("個人番号：", "個人番号"),
        ("個人番号 = 「『(（\"'", "個人番号"),
        ("個人番号は", "個人番号"),
        ("個人番号が >", "個人番号"),
        ("申請者の個人番号：", "者の個人番号"),
        ("一二三四五六七：", "二三四五六七"),
        ("備考 個人番号：", "個人番号"),
        ("12個人：", "個人"),
        ("個人12：", ""),
        ("", ""),
        ("：", ""),
        ("個人番号\n", ""),
        ("氏名 個人\n番号：", "番号"),
        ("二三四五六七" + " " * 18, "二三四五六七"),
        ("二三四五六七" + " " * 19, "三四五六七"),
        ("二三四五六七" + " " * 24, ""),
    ],
)
def test_place_of_a_number_in_a_line_is_behind_its_label(before, label):
    scene = scene_of(before + N + "。")
    for shape in ("n12", "n12_cells"):
        assert key_of(scene, candidate_of(scene.text, N, shape)) == (shape, "label", label)


def test_place_of_a_number_in_a_table_is_its_column():
    text = f"氏名\t電話\t番号\n見本\t075\t{N}\n"
    scene = scene_of(text)
    assert key_of(scene, candidate_of(text)) == ("n12", "\t", 2)
    assert key_of(scene, candidate_of(text, N, "n12_grouped")) == ("n12_grouped", "\t", 2)
    assert key_of(scene, candidate_of(text, N, "n12_cells")) == ("n12_cells", "label", "")
    text = f"見本,{N},075\n"
    assert key_of(scene_of(text), candidate_of(text)) == ("n12", ",", 1)


def slots_of(values, passed, label="個人番号"):
    """The slots of values that stand each in a line of its own behind the same label."""
    lines = [f"{label}：{value}\n" for value in values]
    starts = [sum(map(len, lines[:n])) + len(label) + 1 for n in range(len(lines))]
    candidates = [
        Candidate("n12", start, start + len(value), value.encode())
        for start, value in zip(starts, values, strict=True)
    ]
    return Slots(scene_of("".join(lines)), candidates, passed)


KEY = ("n12", "label", "個人番号")
SPREAD = [str(100_000_000_000 + 7_919 * n) for n in range(10)]


@pytest.mark.parametrize(
    ("good", "of", "ratio"),
    [(3, 3, 0.0), (4, 4, 4 * PASS), (3, 4, 3 * PASS + FAIL), (0, 4, 4 * FAIL),
     (7, 10, 7 * PASS + 3 * FAIL)],
)  # fmt: skip
def test_evidence_of_a_slot_is_how_many_of_its_values_pass(good, of, ratio):
    slots = slots_of(SPREAD[:of], [n < good for n in range(of)])
    assert slots.keys == [KEY] * of
    assert slots.evidence(KEY) == (pytest.approx(ratio), of)


def test_value_that_stands_there_twice_counts_once():
    slots = slots_of([*SPREAD[:3], SPREAD[0]], [True] * 4)
    assert slots.evidence(KEY) == (0.0, 3)
    assert slots_of([*SPREAD[:4], SPREAD[0]], [True] * 5).evidence(KEY)[1] == 4


def test_each_slot_has_its_own_evidence():
    text = "".join(f"{value}\t{value}\n" for value in SPREAD)
    first = [Candidate("n12", 26 * n, 26 * n + 12, SPREAD[n].encode()) for n in range(10)]
    second = [Candidate("n12", c.start + 13, c.end + 13, c.value) for c in first[:5]]
    slots = Slots(scene_of(text), [*first, *second], [True] * 10 + [False] * 5)
    assert slots.keys == [("n12", "\t", 0)] * 10 + [("n12", "\t", 1)] * 5
    assert slots.evidence(("n12", "\t", 0)) == (pytest.approx(10 * PASS), 10)
    assert slots.evidence(("n12", "\t", 1)) == (pytest.approx(5 * FAIL), 5)
    with pytest.raises(ValueError, match="shorter"):
        Slots(scene_of(text), first, [True])


def counted(*steps):
    """Values that begin with 100000000000 and rise by these steps."""
    return [str(100_000_000_000 + sum(steps[:n])) for n in range(len(steps) + 1)]


@pytest.mark.parametrize(
    ("values", "counter"),
    [
        (counted(1, 1, 1), True), (counted(1, 1), False), (counted(100, 100, 100), True),
        (counted(101, 100, 100), False), (counted(101, 101, 101), False),
        (counted(*[1] * 9, 101), True), (counted(*[1] * 8, 101), False),
        (counted(*[1] * 18, 101, -2), True), (counted(*[1] * 17, 101, -20), False),
        (counted(-1, -1, -1), False), (["A", "B", "C", "D"], False),
        (["A", "B", "C", "100"], False), (["A", "B", "100", "101"], True),
        (["A", "1", "2", "3", "4"], True),
    ],
)  # fmt: skip
def test_values_that_follow_one_another_are_a_counter(values, counter):
    slots = slots_of(values, [True] * len(values))
    assert slots.counts_up(KEY) is counter


@pytest.mark.parametrize(
    ("good", "of", "labelled", "reasons"),
    [
        (3, 3, True, []),
        (10, 10, True, [("same_slot", 4.0, "", 10)]),
        (10, 10, False, [("same_slot", 1.5, "", 10)]),
        (0, 10, True, [("same_slot", -6.0, "", 10)]),
        (5, 7, True, [("same_slot", 4.0, "", 7)]),
        (6, 10, True, [("same_slot", round(6 * PASS + 4 * FAIL, 2), "", 10)]),
        (6, 10, False, [("same_slot", 1.5, "", 10)]),
        (5, 9, False, [("same_slot", round(5 * PASS + 4 * FAIL, 2), "", 9)]),
    ],
)
def test_slot_weighs_between_a_least_and_a_most_that_a_label_raises(good, of, labelled, reasons):
    tally = Tally(RULE)
    tally.labelled = labelled
    weigh_slot(slots_of(SPREAD[:of], [n < good for n in range(of)]), KEY, tally)
    assert told(tally) == reasons


def test_counter_is_said_whatever_passes():
    tally = Tally(RULE)
    weigh_slot(slots_of(counted(1, 1, 1), [True] * 4), KEY, tally)
    assert told(tally) == [("same_slot", 1.5, "", 4), ("counter", -3.0, "", 0)]
