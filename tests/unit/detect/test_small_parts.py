"""Parts of the engine by themselves: classes of characters, masks, dates, rivals, explanations."""

from __future__ import annotations

import pytest

import shared.detect
from shared.detect import explain, mask
from shared.detect.chars import INVISIBLE, KANJI_ZERO, OTHER, SIZE, table
from shared.detect.edm_values import canonical
from shared.detect.rivals import degenerate, timestamp
from shared.detect.scoring import weight_at
from shared.detect.shapes import Shape
from shared.detect.skeleton import digits_of, skeleton
from shared.detect.winnow import known, winnow
from shared.model import Level
from tests.unit.detect import numbers_for_detect as made

KEY = bytes(range(32))


@pytest.mark.parametrize(
    ("characters", "stands_for"),
    [
        ("0０⓪٠𝟎", b"0"), ("9９⑨", b"9"), ("²", b"2"), ("aａ", b"a"), ("ZＺ", b"Z"), ("~～", b"~"),
        ("-ー‐−―ｰ－", b"-"), (" \u3000\u00a0\u2009", b" "), ("\u200b\u00ad\ufeff\u20e3", b"\x9f"),
        ("\n\r\u2028\x85", b"\n"), ("\t", b"\t"), ("|｜│", b"|"), (",，、､", b","),
        ("・．。", b"."), ("\u2019'", b"'"),
        ("個あア亜é\x00\x7f\x1f😀", b"\x80"), ("〇零○", b"\x90"),
        ("一壱", b"\x91"), ("二弐", b"\x92"), ("三参", b"\x93"),
        ("四", b"\x94"), ("八", b"\x98"), ("九", b"\x99"),
    ],
)  # fmt: skip
def test_character_stands_for_its_class(characters, stands_for):
    assert skeleton(characters) == stands_for * len(characters)


def test_table_covers_two_planes_and_names_its_own_classes():
    assert (len(table()), SIZE, OTHER, KANJI_ZERO, INVISIBLE) == (
        0x20000,
        0x20000,
        0x80,
        0x90,
        0x9F,
    )
    assert table()[0x104A7] == ord("7"), "digits of plane 1"
    assert skeleton("\U000e0001\U0010ffff") == b"\x80\x80"


def test_digits_of_a_part_are_its_digits_alone():
    assert digits_of(skeleton("１２-３ 〇九\u200bａ個④")) == b"123094"


@pytest.mark.parametrize(
    ("value", "show", "shown"),
    [
        ("123456789018", 4, "1234********"), ("123456789018", 9, "1234********"),
        ("123456789018345678", 9, "1234" + "*" * 14),
        ("123456789018", 1, "1***********"), ("123456789018", 0, "*" * 12),
        ("123456789", 4, "123******"), ("12345678", 4, "12******"), ("123", 4, "1**"),
        ("12", 4, "1*"), ("1", 4, "*"), ("", 4, ""), ("123456789018", -1, "*" * 12),
    ],
)  # fmt: skip
def test_mask_shows_a_third_at_most_and_never_more_than_four(value, show, shown):
    assert mask(value, show) == shown


@pytest.mark.parametrize(
    ("written", "date"),
    [
        ("明治元年1月25日", "1868-01-25"), ("大正15年12月24日", "1926-12-24"),
        ("昭和64年1月7日", "1989-01-07"), ("平成31年4月30日", "2019-04-30"),
        ("令和元年5月1日", "2019-05-01"), ("R7.12.31", "2025-12-31"),
        ("Ｈ１．１．８", "1989-01-08"),
        ("M45/7/30", "1912-07-30"), ("T1-8-1", "1912-08-01"), ("2026年 11月 28日", "2026-11-28"),
        (" 20261231 ", "2026-12-31"), ("1899.1.1", "1899-01-01"),
    ],
)  # fmt: skip
def test_date_of_any_era_is_one_value(written, date):
    assert canonical(written) == date


@pytest.mark.parametrize(
    "written", ["2026-00-10", "2026-13-01", "2026-01-00", "2026-01-32", "20261301"]
)
def test_day_that_no_calendar_has_is_no_date(written):
    assert canonical(written).replace("-", "") == written.replace("-", "")
    assert "-" not in canonical(written)


@pytest.mark.parametrize(
    ("digits", "is_time"),
    [
        (b"202611281530", True), (b"202612312359", True), (b"202611282400", False),
        (b"202611281560", False), (b"202611280999", True), (b"202613281530", False),
        (b"202600281530", False), (b"202611321530", False), (b"202611001530", False),
        (b"195001010000", True), (b"194912312359", False), (b"205001011259", False),
        (b"261128153059", True), (b"261128153060", False), (b"361128153059", False),
        (b"151231235959", True), (b"141231235959", False), (b"202611281999", False),
    ],
)  # fmt: skip
def test_number_is_a_time_where_the_calendar_has_it(digits, is_time):
    assert timestamp(digits) is is_time


@pytest.mark.parametrize(
    ("digits", "poor"),
    [
        (b"111111111111", True), (b"121212121212", True), (b"123412341200", False),
        (b"123456780000", True), (b"123456780001", False), (b"000001234567", True),
        (b"000012345678", False), (b"123456123456", True), (b"123456123457", False),
        (b"112233112233", True), (b"112211223311", False),
    ],
)  # fmt: skip
def test_number_of_little_variety_is_degenerate(digits, poor):
    assert degenerate(digits) is poor


def test_weight_of_a_word_is_that_of_the_first_step_that_reaches():
    steps = ((5, 3.0), (20, 1.0))
    assert [weight_at(steps, n) for n in (0, 5, 6, 20, 21)] == [3.0, 3.0, 1.0, 1.0, 0.0]


def test_explanation_is_masked_sorted_and_worded():
    rows = explain(f"電話 075-222-0000 個人番号 {made.MY_NUMBER}、{made.MY_NUMBER[:-1]}9")
    assert [row.level for row in rows] == sorted(
        (row.level for row in rows), key=lambda level: -(level or 0)
    )
    best = next(row for row in rows if row.entity == "my_number")
    assert (best.ja, best.masked, best.level) == ("個人番号", "1234********", Level.HIGH)
    assert 0.9 < best.confidence < 1.0
    assert best.score == round(best.score, 2) > 5
    assert all(each.ja and each.en for each in best.evidence)
    worst = [row for row in rows if row.entity == "my_number"][-1]
    assert (worst.level, worst.score, worst.evidence[0].code) == (None, 0.0, "check_fails")
    assert worst.confidence < best.confidence


def test_forms_that_are_known_come_with_their_share_the_fullest_first():
    form = "".join(chr(0x4E00 + 7 * n) for n in range(400))
    whole = winnow(form, KEY)
    few = frozenset(sorted(whole)[: len(whole) // 2]) | frozenset(range(len(whole) // 4))
    told = known(form, {"whole": whole, "some": few, "none": frozenset()}, KEY)
    assert [name for name, _ in told] == ["whole", "some"]
    assert told[0][1] == 1.0
    assert 0.6 <= told[1][1] < 0.75
    assert known(form, {"some": few}, KEY, least=0.8) == ()
    assert winnow("1234", KEY) == frozenset()
    assert len(winnow("12345", KEY)) == 1
    assert winnow("1 2＿3…4 5", KEY) == winnow("12345", KEY)
    assert winnow("あ\ud800いうえお", KEY)


@pytest.mark.parametrize("name", sorted(shared.detect.__all__))
def test_package_gives_what_it_names_and_nothing_else(name):
    assert getattr(shared.detect, name).__name__ == name
    with pytest.raises(AttributeError, match="'NOTHING'"):
        _ = shared.detect.NOTHING


def test_shape_stands_alone_by_default():
    plain = Shape("x", "[1-9]", "[0-9]{2}")
    spans = [(hit.start(), hit.end(1)) for hit in plain.pattern.finditer(b"123 4567 a890 901b,234")]
    assert spans == [(0, 3), (19, 22)]
    free = Shape("x", "[1-9]", "[0-9]{2}", before="", after="")
    assert [hit.start() for hit in free.pattern.finditer(b"a1234")] == [1, 2]
    assert Shape("x", "1", "2", gate="y").superset == b"y"
    assert plain.superset == b"(?:^|[^0-9A-Za-z])[1-9][0-9]{2}(?:[^0-9A-Za-z]|$)"
