"""Registered people and forms: where exactly each is found, what it weighs, how far two may lie."""

from __future__ import annotations

import math

import pytest

from shared.detect import Engine, FingerprintKey, Forms
from shared.detect.engine import confidence
from shared.detect.registered import drafts
from shared.detect.rulebook import load
from shared.detect.skeleton import skeleton
from shared.detect.winnow import winnow
from shared.model import Evidence, Finding, Level, Segment
from tests.unit.detect.registers_for_detect import KEY, register

RULE = load().rules["registered_person"]
PERSON = [["架空 太郎", "1975-03-14"]]
DATE = "1975-03-14"


def found(columns, rows, text):
    """(what was found, its score) of each."""
    made = [register(columns, *rows)]
    return [
        (text[one.candidate.start : one.candidate.end], round(one.score, 3))
        for one in drafts(made, RULE, text, skeleton(text))
    ]


def of_person(text):
    return [part for part, _ in found(["氏名+生年月日"], [PERSON], text)]


def test_registered_person_is_told_in_full():
    key = FingerprintKey("test", KEY)
    engine = Engine(key, plain=True, edm=[register(["氏名+生年月日"], PERSON)])
    (one,) = engine.scan([Segment("本文", "宛先 架空　太郎（昭和50年3月14日生）様")])
    assert one == Finding(
        "registered_person", "本文", 3, 19, 0.982, Level.HIGH, "*" * 15,
        key.fingerprint("registered_person", "架空太郎\x1f1975-03-14".encode()),
        (Evidence("registered", 7.0, "登録された「氏名+生年月日」と一致する",
                  "equals a registered value of “氏名+生年月日”"),),
    )  # fmt: skip


def test_findings_stand_in_the_order_of_the_text_and_weak_matches_are_none():
    strong, weak = [["0099887766"]], [[f"{n:03}"] for n in range(999)]
    registers = [register(["番号"], strong), register(["枝番"], *([each] for each in weak))]
    engine = Engine(FingerprintKey("test", KEY), plain=True, edm=registers)
    text = "TEL 03-3210-1234 宛名 0099887766 枝番 500 taro@example.jp 0099887766"
    found = engine.scan([Segment("", text)])
    assert [text[each.start : each.end] for each in found] == [
        "03-3210-1234", "0099887766", "taro@example.jp", "0099887766",
    ]  # fmt: skip


@pytest.mark.parametrize(("held", "share"), [(5, 100), (4, 80), (3, 60), (2, None)])
def test_form_is_found_from_60_percent_of_its_hashes_on(held, share):
    text = "助成金交付申請書。次のとおり助成金の交付を受けたいので、関係書類を添えて申請します。"
    hashes = sorted(winnow(text, KEY))[:held]
    forms = Forms(KEY, {"申請書": frozenset([*hashes, *range(5 - held)])})
    key = FingerprintKey("test", KEY)
    found = Engine(key, plain=True, forms=forms).scan(
        [Segment("表紙", "。"), Segment("本文", text)]
    )
    weight = (share or 0) / 10 - 2.5
    told = Finding(
        "registered_document", "本文", 0, len(text), confidence(RULE, weight),
        Level.HIGH if weight >= 5.5 else Level.MEDIUM, "申**",
        key.fingerprint("registered_document", "申請書".encode()),
        (Evidence("form", weight, f"登録された文書「申請書」の{share}％を含む",
                  f"holds {share} % of the registered document “申請書”"),),
    )  # fmt: skip
    assert found == ((told,) if share else ())


@pytest.mark.parametrize(
    ("values", "text", "score"),
    [
        (["988"], "988", math.log(1000)), (["988", "112"], "988", math.log(1000 / 2)),
        (["9988"], "9988", 8.0), (["0099887766"], "0099887766", 8.0),
        ([f"{n:03}" for n in range(999)], "号 500", math.log(1000 / 999)),
        ([f"{n:03}" for n in range(1000)], "号 500", 0.0),
        ([f"{n:03}" for n in range(1000)] + ["abc", "あいう"], "号 500", 0.0),
        ([f"19{n // 100:02}-{n // 10 % 10 + 1:02}-{n % 10 + 10}" for n in range(1000)],
         "号 1905-04-13", math.log(36_525 / 1000)),
        (["abc"], "ABC", 1.0 + 0.75 * 3), (["kyt12345"], "kyt12345", 7.0),
        (["kyt-2026-ab77-00001"], "kyt-2026-ab77-00001", 7.0),
        (["架空 太郎"], "架空 太郎", 2.4), (["あいう"], "あいう", 2.4),
    ],
)  # fmt: skip
def test_match_weighs_what_chance_would_give_it(values, text, score):
    """ln(10^L / n), 8 at most, a date's of a century of days; else a text of ASCII by its length, 7
    at most; any other text little.
    """
    part = text.removeprefix("号 ")
    assert found(["番号"], [[[value]] for value in values], text) == [(part, round(score, 3))]


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("0099 887766", ["0099 887766"]), ("00.99-88 7766", ["00.99-88 7766"]),
        ("1 0099887766 2", ["0099887766"]), ("1 0099-887766 2", ["0099-887766"]),
        ("1-0099887766", ["0099887766"]), ("00998877-66 0099887766", ["00998877-66", "0099887766"]),
        ("0099887766\n0099887766", ["0099887766"] * 2), ("0099   887766", ["0099   887766"][:0]),
        ("００９９\u200b８８７７６６", ["００９９\u200b８８７７６６"]),
    ],
)  # fmt: skip
def test_number_is_the_whole_of_its_groups_what_spaces_part_or_one_run(text, parts):
    assert [part for part, _ in found(["番号"], [[["0099887766"]]], text)] == parts


def test_empty_column_and_one_found_twice_leave_the_others_as_they_are():
    columns, row = (
        ["空", "番号", "記号", "番号2"],
        [[""], ["0099887766"], ["KYT-77"], ["0099887766"]],
    )
    assert found(columns, [row], "kyt-77 0099887766") == [
        ("0099887766", 8.0), ("kyt-77", 4.75), ("0099887766", 8.0),
    ]  # fmt: skip


@pytest.mark.parametrize("before", ["。", "は", "ー", "A", "様", "　"])
@pytest.mark.parametrize("name", ["架空太郎", "カクウタロウ", "かくうたろう", "Kakuu"])
def test_name_begins_where_another_script_ends(before, name):
    row = [[name, DATE]]
    same = {"は": "かくうたろう", "ー": "カクウタロウ", "A": "Kakuu", "様": "架空太郎"}.get(before)
    told = [part for part, _ in found(["氏名+生年月日"], [row], f"{before}{name} {DATE}")]
    assert told == ([] if name == same else [f"{name} {DATE}"])


def test_name_of_24_letters_is_the_longest():
    for length, is_found in ((24, True), (25, False)):
        name = "架" * length
        assert bool(found(["氏名+生年月日"], [[[name, DATE]]], f"{name} {DATE}")) is is_found


@pytest.mark.parametrize(
    ("text", "is_found"),
    [
        (f"架空太郎{'。' * 96}{DATE}", True), (f"架空太郎{'。' * 97}{DATE}", False),
        (f"{DATE}{'。' * 96}架空太郎", True), (f"{DATE}{'。' * 97}架空太郎", False),
        (f"架空太郎 {DATE}\n\n以上", True), (f"前\n\n架空太郎\n\n{DATE}", False),
        (f"架\n\n空太郎 {DATE}", False), (f"太郎 {DATE} 架空", False),
        (f"架空太郎\n{DATE}", True), (f"架空太郎\n\n{DATE}", False), (f"\n\n架空太郎 {DATE}", True),
    ],
)  # fmt: skip
def test_name_lies_within_100_characters_of_its_date_and_in_its_paragraph(text, is_found):
    assert of_person(text) == ([text.removesuffix("\n\n以上").strip()] if is_found else [])


@pytest.mark.parametrize("columns", ["宛名番号+世帯番号", "世帯番号+宛名番号"])
@pytest.mark.parametrize(("gap", "is_found"), [(90, True), (91, False)])
def test_two_numbers_begin_at_most_100_characters_apart(columns, gap, is_found):
    row = ["0099887766", "4455"] if columns.startswith("宛") else ["4455", "0099887766"]
    part = f"0099887766{'。' * gap}4455"
    for text in (part, "。" * 200 + part):
        assert found([columns], [[row]], text) == ([(part, 7.0)] if is_found else [])


def test_piece_is_not_its_own_partner():
    assert found(["番号+番号"], [[["4455", "4455"]]], "4455") == []
    assert found(["番号+番号"], [[["4455", "4455"]]], "4455 4455") != []


@pytest.mark.parametrize(
    ("columns", "row", "text"),
    [
        ("生年月日+氏名", [DATE, "架空太郎"], f"架空太郎 {DATE}"),
        ("氏名+生年月日", ["架空太郎", DATE], f"{DATE} 架空太郎"),
        ("番号+氏名", ["4455", "架空太郎"], "架空太郎 4455"),
        ("氏名+番号", ["架空太郎", "4455"], "4455 架空太郎"),
        ("氏名+生年月日", ["架空太郎", DATE], "19750314 架空太郎"),
        ("生年月日+番号", [DATE, "4455"], "昭和50年3月14日 4455"),
        ("記号+生年月日", ["KYT77", DATE], f"kyt77 {DATE}"),
    ],
)
def test_two_together_are_found_in_either_order_of_columns_and_of_text(columns, row, text):
    assert found([columns], [[row]], text) == [(text, 7.0)]
