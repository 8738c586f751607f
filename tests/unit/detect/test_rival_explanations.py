"""What else a number may be, and how much that weighs: neighbours, rivals, and their tally."""

from __future__ import annotations

import pytest

from shared.detect.rivals import (
    amount,
    batch_line,
    degenerate,
    phone_pair,
    timestamp,
    weigh_neighbours,
    weigh_rivals,
)
from shared.detect.rulebook import Reason, load
from shared.detect.scene import Candidate, Tally
from shared.model import Level
from tests.unit.detect.scenes_for_detect import N, candidate_of, scene_of, told

RULE = load().rules["my_number"]
PLAIN = ("n12", "n12_odd", "n12_lines")
ZEROS = "123456780000"


def tally():
    return Tally(RULE)


def neighbours(before, after, *, cells=False):
    """The codes and weights of what touches a number."""
    text = before + N + after
    candidate = Candidate("n12", len(before), len(before) + len(N), N.encode())
    found = tally()
    weigh_neighbours(scene_of(text), candidate, found, cells=cells)
    assert found.score == sum(weight for _, weight, _, _ in told(found))
    return [(code, weight) for code, weight, _, _ in told(found)]


@pytest.mark.parametrize(
    ("before", "code", "weight"),
    [
        ("3.", "decimal", -4.0), ("計 1234.", "decimal", -4.0), ("12345.", "inside_longer", -3.0),
        ("0x", "hexadecimal", -4.0), ("値 0x00-", "hexadecimal", -4.0),
        ("abcd-", "hexadecimal", -4.0), ("FACE-", "hexadecimal", -4.0),
        ("12ab-34cd:", "hexadecimal", -4.0), ("1234-", "inside_longer", -3.0), ("G0x", "", 0.0),
        ("https://example.jp/a/", "inside_longer", -3.0), ("https:", "inside_longer", -3.0),
        ("www.", "inside_longer", -3.0), ("?id", "inside_longer", -3.0),
        ("https:" + "a" * 64, "inside_longer", -3.0), ("https:" + "a" * 65, "", 0.0),
        ("?id ", "", 0.0), ("G1234-", "inside_longer", -3.0), ("5/", "inside_longer", -3.0),
        ("1,234,", "inside_longer", -3.0), ("1,234", "inside_longer", -3.0), ("1234,", "", 0.0),
        ("", "", 0.0), ("番号 ", "", 0.0),
    ],
)  # fmt: skip
def test_what_stands_just_before_makes_a_number_part_of_something(before, code, weight):
    expected = [(code, weight)] if code else []
    assert neighbours(before, "") == expected
    assert neighbours("。" * 100 + "\n" + before, "") == expected
    assert neighbours(before, "", cells=True) == []


@pytest.mark.parametrize(
    ("after", "codes"),
    [
        ("-99", ["continues"]), (".5", ["continues"]), ("%", ["continues"]),
        (":30", ["continues"]), ("z", ["continues"]), ("_", ["continues"]),
        ("A", ["hexadecimal", "continues"]), ("-12f", ["hexadecimal", "continues"]),
        (":fe", ["hexadecimal"]), (":3", []), ("-", []), (" 5", []), ("円", []), ("", []),
    ],
)  # fmt: skip
def test_what_stands_just_behind_makes_a_number_part_of_something(after, codes):
    weights = {"continues": -2.0, "hexadecimal": -4.0}
    expected = [(code, weights[code]) for code in codes]
    assert neighbours("", after) == expected
    assert neighbours("", after + " " * 40 + "z") == expected
    assert neighbours("", after, cells=True) == []


def test_decimal_before_is_said_and_not_hexadecimal_behind():
    assert neighbours("3.", "ABC") == [("decimal", -4.0), ("continues", -2.0)]
    assert neighbours("?id=", "ABC") == [("hexadecimal", -4.0), ("continues", -2.0)]


def test_hexadecimal_is_read_in_the_80_characters_before():
    assert neighbours("。0x" + "00:" * 26, "") == [("hexadecimal", -4.0)]
    assert neighbours("。0x0" + "00:" * 26, "") == [("inside_longer", -3.0)]


def rivals(text, shape="n12", part=N):
    """The rivals of the part, which is a number of that shape."""
    found = tally()
    weigh_rivals(scene_of(text), candidate_of(text, part, shape), found)
    assert found.score == sum(weight for _, weight, _, _ in told(found))
    return [(code, weight) for code, weight, _, _ in told(found)]


@pytest.mark.parametrize(
    ("number", "plain", "always"),
    [
        (N, [], []),
        ("202611281500", [("timestamp", -3.0)], []),
        (ZEROS, [], [("degenerate", -3.0)]),
        ("123456789013", [("parcel", -0.7)], []),
        ("309012345620", [("licence", -0.7)], []),
        ("309012345622", [("parcel", -0.7)], []),
        ("202611281506", [("timestamp", -3.0), ("barcode", -0.5)], []),
        ("490123456004", [("barcode", -0.5)], []),
    ],
)
def test_rivals_of_a_number_in_one_piece(number, plain, always):
    for shape in (*PLAIN, "n12_grouped"):
        expected = [*(plain if shape in PLAIN else []), *always]
        assert rivals(f"番号 {number} です", shape, number) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (f"{N}円", [("amount", -4.0)]),
        ("03-1234-5678 0918-123-4567", [("phone_pair", -3.0)]),
        ("2" + N + "0" * 87, [("batch", -4.0)]),
    ],
)
def test_rivals_of_a_number_in_its_surroundings(text, expected):
    part = "5678 0918-123" if "phone_pair" in dict(expected) else N
    assert rivals(text, "n12_grouped", part) == expected


@pytest.mark.parametrize(
    ("before", "after", "holds"),
    [
        ("", "円", True), ("", " 円", True), ("", "  円", False), ("", "千円", True),
        ("", " 百万円", True), ("", " bytes", True), ("", "yen", True), ("", "yens", False),
        ("", "回円", False), ("", "人", True), ("", "", False), ("¥", "", True), ("$", "", True),
        ("税込¥", "", True), ("税込¥ ", "", True), ("税込¥\u3000", "", True),
        ("¥  ", "", False), ("¥。", "", False), ("△", "", True),
    ],
)  # fmt: skip
def test_number_is_an_amount_with_its_sign_or_unit(before, after, holds):
    text = before + N + after
    assert amount(scene_of(text), candidate_of(text)) is holds
    text += "。円" * 5
    assert amount(scene_of(text), candidate_of(text)) is holds


@pytest.mark.parametrize(
    ("digits", "is_time"),
    [
        (b"202601012359", True), (b"202612312300", True), (b"204912311200", True),
        (b"202612321200", False), (b"202613011200", False), (b"202600011200", False),
        (b"202601001200", False), (b"202601012400", False), (b"202601011260", False),
        (b"202601010999", True), (b"202601011099", False), (b"350101235959", True),
        (b"150101000000", True), (b"360101000000", False), (b"140101000000", False),
        (b"260101240000", False), (b"260101006000", False), (b"260101000060", False),
        (b"260100000000", False), (b"261301000000", False), (b"260132000000", False),
        (b"194902281200", False), (b"190101120000", True), (b"201530101010", False),
        (b"205001012359", False), (b"205001010000", False),
    ],
)  # fmt: skip
def test_number_is_a_time_to_the_last_minute_of_the_calendar(digits, is_time):
    assert timestamp(digits) is is_time


@pytest.mark.parametrize(
    ("digits", "poor"),
    [
        (b"000012345678", False), (b"000001234567", True), (b"123456780000", True),
        (b"123456781000", False), (b"112122121112", True), (b"112122121113", False),
        (b"345678345678", True), (b"345678345679", False),
    ],
)  # fmt: skip
def test_number_is_degenerate_with_two_different_digits_zeros_at_an_end_or_one_half_twice(
    digits, poor
):
    assert degenerate(digits) is poor


@pytest.mark.parametrize(
    ("text", "part", "pair"),
    [
        ("03-1234-5678 0918-123-4567", "5678 0918-123", True),
        ("03-1234-5678 9918-123-4567", "5678 9918-123", False),
        ("93-1234-5678 0918-123-4567", "5678 0918-123", False),
        ("0312345678 0398765432", "5678 03987654", True),
        ("0312345678\n0398765432", "5678\n03987654", True),
        ("0312345678 0398-7654-3201", "0398-7654-3201", False),
        # A number that only touches it is another one.
        ("039(876)54321112345678 03(123)4567", "1112345678 03", False),
        ("0312345678 111111039(876)5432", "345678 111111", False),
        # Twelve characters on each side are looked at.
        ("0312-3456-7890 0398765432", "90 0398765432", True),
        ("03123-3456-7890 0398765432", "90 0398765432", False),
        ("09012345678 0398(7654)3201", "9012345678 03", True),
        ("09012345678 0398(7654)3201", "09012345678 0", False),
    ],
)
def test_number_between_two_telephone_numbers_is_of_neither(text, part, pair):
    for before in ("", "\n", "。" * 20, "03-9999-9999 。\n"):
        scene = scene_of(before + text)
        assert phone_pair(scene, candidate_of(before + text, part, "n12_grouped")) is pair
        assert not phone_pair(scene, candidate_of(before + text, part, "n12"))


def line(digits, length, start="2", fill="ｱ"):
    """A line with our number second and so many digits in all."""
    return (start + N + "09" * 60)[:digits].ljust(length, fill)


@pytest.mark.parametrize(
    ("text", "batch"),
    [
        (line(40, 100), True), (line(40, 99), False), (line(40, 122), True),
        (line(40, 123), False), (line(30, 120), True), (line(29, 120), False),
        (line(29, 120, fill="/"), False), (line(29, 120, fill=":"), False),
        *[(line(40, 120, start), start in "1289") for start in "0123456789X"],
        (line(40, 120) + "\n見出し\n", True),
        (line(40, 120) + "\n" + line(40, 120, "3"), True),
        ("見出し\n" + line(40, 120) + "\n" + "。" * 300, True),
        (line(40, 120) + "。" * 300, False), (line(40, 120)[:-1] + "\n\n", True),
        ("。" * 60 + line(40, 100), False),
    ],
)  # fmt: skip
def test_line_of_a_bank_s_batch_file_is_known_by_its_width_and_digits(text, batch):
    assert batch_line(scene_of(text), candidate_of(text.partition("\n3")[0])) is batch


def test_reasons_are_added_with_the_rule_s_weight_or_their_own():
    found = tally()
    assert (found.score, found.reasons, found.labelled) == (0.0, [], False)
    found.add("check")
    found.add("near", 1.2345, word="個人番号", n=7)
    assert found.reasons == [Reason("check", 2.4), Reason("near", 1.23, "個人番号", 7)]
    assert found.score == 2.4 + 1.2345


@pytest.mark.parametrize(
    ("score", "level"),
    [
        (5.5, Level.HIGH), (9.0, Level.HIGH), (5.4999996, Level.HIGH), (5.499999, Level.MEDIUM),
        (3.5, Level.MEDIUM), (3.4999996, Level.MEDIUM), (3.499999, Level.LOW), (2.2, Level.LOW),
        (2.1999996, Level.LOW), (2.199999, None), (0.0, None), (-9.0, None),
    ],
)  # fmt: skip
def test_level_is_reached_at_its_score_a_rounding_error_aside(score, level):
    found = tally()
    assert found.rule.levels == (2.2, 3.5, 5.5)
    found.add("check", score)
    assert found.level() == level
