"""What words near a number weigh: by distance, of whom, and which of two labels is the number's."""

from __future__ import annotations

from functools import cache

import pytest

from shared.detect.rulebook import load
from shared.detect.scene import Tally
from shared.detect.scoring import Surroundings
from tests.unit.detect.scenes_for_detect import N, candidate_of, scene_of, told

WORDS = """
words:
  rivals: {speaks: against, words: [敵符]}
  faint: {speaks: against, factor: 0.5, words: [薄符]}
  fainter: {speaks: against, factor: 0.25, words: [微符]}
  faintest: {speaks: against, factor: 0.2, words: [弱符]}
  friends: {speaks: against, words: [友符]}
  folk: {speaks: person, words: [甲符, 乙符, 丙符, 丁符]}
"""
TICKET = """
entity: ticket
ja: 札
en: Ticket
source: an example
labels: [札番, 札番帳, Tag]
"""
STEPS = "near: [[60, 5.0]], against: [[60, %s]]"


@cache
def book_of(more=""):
    """The package's rules and the ticket's, with the lines of ``more`` laid over it."""
    return load([WORDS, TICKET, f"{{entity: ticket, {more}}}"])


def weighed(text, more="", *, shape="n12", subject=(), part=N):
    """The reasons of the last number in the text, under the rule with ``more`` in it."""
    book = book_of(more)
    rule = book.rules["ticket"]
    tally = Tally(rule)
    indices = [book.vocabulary.words.index(word) for word in subject]
    scene = scene_of(text, book.vocabulary, indices)
    Surroundings(rule, book).weigh(scene, candidate_of(text, part, shape), tally)
    assert tally.labelled == bool({"near", "header", "subject", "spaced"} & {*_codes(tally)})
    return told(tally)


def _codes(tally):
    return [each.code for each in tally.reasons]


@pytest.mark.parametrize(
    ("distance", "weight"),
    [(0, 5.0), (12, 5.0), (13, 4.0), (40, 4.0), (41, 2.5), (120, 2.5), (121, 1.5), (300, 1.5),
     (301, 0.0)],
)  # fmt: skip
def test_label_before_weighs_by_its_distance(distance, weight):
    expected = [("near", weight, "札番", distance)] if weight else []
    assert weighed("、" * 400 + "札番" + "。" * distance + N) == expected


@pytest.mark.parametrize(
    ("gap", "weight"),
    [(0, 4.0), (10, 4.0), (11, 2.5), (50, 2.5), (51, 1.5), (140, 1.5), (141, 0.0)],
)
def test_label_behind_weighs_as_one_twice_as_far_and_twenty_more(gap, weight):
    expected = [("near", weight, "札番", 20 + 2 * gap)] if weight else []
    assert weighed(N + "。" * gap + "札番") == expected
    assert weighed(N + "。" * gap + "札番" + "。" * 600) == expected


@pytest.mark.parametrize(("length", "seen"), [(2, True), (16, True), (17, False)])
def test_label_of_up_to_sixteen_characters_is_seen_at_the_full_distance(length, seen):
    label = "札" + "符" * (length - 1)
    text = "、" * 400 + label + "。" * 300 + N
    expected = [("near", 1.5, label, 300)] if seen else []
    assert weighed(text, f"spaced: [無], labels: [{label}]") == expected


@pytest.mark.parametrize(
    ("distance", "weight"),
    [(0, 4.5), (12, 4.5), (13, 3.0), (30, 3.0), (31, 1.0), (80, 1.0), (81, 0.2), (300, 0.2),
     (301, 0.0)],
)  # fmt: skip
def test_another_label_before_speaks_against_by_its_distance(distance, weight):
    expected = [("against", -weight, "敵符", distance)] if weight else []
    assert weighed("、" * 400 + "敵符" + "。" * distance + N) == expected


@pytest.mark.parametrize(
    ("gap", "weight"), [(0, 1.0), (20, 1.0), (21, 0.2), (130, 0.2), (131, 0.0)]
)
def test_another_label_behind_speaks_against_twenty_less(gap, weight):
    expected = [("against", -weight, "敵符", 20 + 2 * gap)] if weight else []
    assert weighed(N + "。" * gap + "敵符") == expected


@pytest.mark.parametrize(
    ("between", "reason"),
    [
        ("\n" + "。" * 19, ("against", -3.0, "敵符", 20)),
        ("。\n" + "。" * 18, ("against", -3.0, "敵符", 20)),
        ("。\n" + "。" * 19, ("against_line", -0.7, "敵符", 21)),
        ("\n" + "。" * 20, ("against", -3.0, "敵符", 21)),
        (" \n" + "。" * 20, ("against_line", -0.7, "敵符", 22)),
        ("X\n" + "。" * 20, ("against_line", -0.7, "敵符", 22)),
        ("。" * 20 + "\n", ("against", -3.0, "敵符", 21)),
        ("。" * 320 + "\n。", None),
    ],
)
def test_another_label_on_another_line_says_little(between, reason):
    expected = [reason] if reason else []
    assert weighed("敵符" + between + N) == expected


def test_label_on_another_line_says_nothing_where_others_are_not_looked_for():
    assert weighed("敵符。\n" + "。" * 30 + N, "against: []") == []


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("薄符" + N, ("against", -2.25, "薄符", 0)),
        ("弱符" + N, ("against", -0.9, "弱符", 0)),
        ("微符" + "。" * 100 + N, ("against", -0.05, "微符", 100)),
        ("弱符" + "。" * 100 + N, None),
        ("敵符" + "。" * 9 + "薄符" + N, ("against", -4.5, "敵符", 11)),
        ("敵符" + "。" * 40 + "薄符" + N, ("against", -2.25, "薄符", 0)),
        ("敵符。敵符" + N, ("against", -4.5, "敵符", 3)),
    ],
)
def test_group_of_words_counts_by_its_factor_and_the_strongest_word_is_said(text, reason):
    assert weighed(text) == ([reason] if reason else [])


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("札番" + "。" * 60 + "札番" + "。" * 30 + N, ("near", 4.0, "札番", 30)),
        ("札番" + "。" * 30 + N + "札番", ("near", 4.0, "札番", 30)),
        ("札番。" + N + "札番", ("near", 5.0, "札番", 1)),
        ("札番札番" + N, ("near", 5.0, "札番", 2)),
        ("札番帳" + N, ("near", 5.0, "札番帳", 0)),
        ("ＴＡＧ " + N, ("near", 5.0, "tag", 1)),
    ],
)
def test_strongest_label_is_the_evidence_the_first_of_two_alike(text, reason):
    assert weighed(text) == [reason]


@pytest.mark.parametrize("part", ["札番" + N, N + "札番", "12札番3456789018", "1" + N + "札番1"])
def test_word_within_the_candidate_is_no_evidence(part):
    assert weighed("。" + part + "。", part=part) == []


@pytest.mark.parametrize("part", ["番" + N, N + "札"])
def test_word_that_overlaps_the_candidate_is_no_evidence(part):
    text = ("札" + part + "番").replace("札番1", "。札番1", 1)
    assert "札番" in text
    assert weighed(text, part=part) == []


@pytest.mark.parametrize(
    ("text", "part", "reason"),
    [
        ("12札番3456789018札番", "12札番3456789018", ("near", 4.0, "札番", 20)),
        ("友符札番" + N, N, ("near", 5.0, "札番", 0)),
        ("友符敵符" + N, N, ("against", -4.5, "敵符", 0)),
    ],
)
def test_word_that_says_nothing_hides_none_behind_it(text, part, reason):
    assert weighed(text, "friends: [friends]", part=part) == [reason]


@pytest.mark.parametrize(
    ("text", "weight", "n"),
    [
        ("甲符" + "。" * 200 + N, 0.5, 1),
        ("甲符" + "。" * 201 + N, 0.0, 0),
        (N + "。" * 90 + "甲符", 0.5, 1),
        (N + "。" * 91 + "甲符", 0.0, 0),
        ("甲符甲符" + N + "甲符", 0.5, 1),
        ("甲符乙符" + N, 1.0, 2),
        ("甲符乙符" + N + "丙符", 1.5, 3),
        ("甲符乙符" + N + "丙符丁符", 1.5, 4),
    ],
)
def test_words_of_a_person_add_up_to_a_most_within_200_characters(text, weight, n):
    for more in ("", "near: [[10, 5.0]], against: [[10, 4.5]]"):
        assert weighed(text, more) == ([("personal", weight, "", n)] if n else [])


def test_words_of_a_person_say_nothing_where_they_weigh_nothing():
    assert weighed("甲符札番" + N, "weights: {personal: 0}") == [("near", 5.0, "札番", 0)]


@pytest.mark.parametrize(
    ("more", "looked_for"),
    [
        ("", True),
        ("near: [], against: []", True),
        ("near: [], against: [], weights: {personal: 0}", False),
        ("near: [], weights: {personal: 0}", True),
        ("against: [], weights: {personal: 0}", True),
    ],
)
def test_words_are_looked_for_where_any_of_them_weighs_something(more, looked_for):
    book = book_of(more)
    assert Surroundings(book.rules["ticket"], book).looked_for is looked_for


def test_label_is_one_of_the_rule_s_own():
    book = book_of()
    words = book.vocabulary.words
    around = Surroundings(book.rules["ticket"], book)
    assert {words[i] for i in range(len(words)) if around.is_label(i)} == {"札番", "札番帳", "tag"}


@pytest.mark.parametrize(
    ("text", "reasons"),
    [
        # The nearer of two labels is the number's: the other counts a quarter.
        ("敵符" + "。" * 26 + "札番" + "。" * 13 + N, [("near", 4.0, "札番", 13),
                                                        ("against", -0.25, "敵符", 41)]),
        ("敵符" + "。" * 5 + "札番" + "。" * 20 + N, [("near", 4.0, "札番", 20),
                                                       ("against", -0.75, "敵符", 27)]),
        # Just before the number, the other one is: ours counts half.
        ("札番" + "。" * 20 + "敵符" + N, [("near", 2.0, "札番", 22),
                                            ("against", -4.5, "敵符", 0)]),
        ("札番" + "。" * 8 + "敵符" + N, [("near", 2.5, "札番", 10),
                                           ("against", -4.5, "敵符", 0)]),
        ("敵符" + "。" * 12 + N + "札番", [("near", 2.0, "札番", 20),
                                            ("against", -4.5, "敵符", 12)]),
        # Neither, where the other is farther than a label stands, or says little.
        ("札番" + "。" * 20 + "敵符" + "。" * 13 + N, [("near", 4.0, "札番", 35),
                                                        ("against", -3.0, "敵符", 13)]),
        ("札番" + "。" * 20 + "薄符" + N, [("near", 4.0, "札番", 22),
                                            ("against", -2.25, "薄符", 0)]),
        ("敵符" + "。" * 20 + N + "札番", [("near", 4.0, "札番", 20),
                                            ("against", -3.0, "敵符", 20)]),
        # A label at hand silences all but the strongest that could be said against it.
        ("敵符" + "。" * 18 + "札番" + "。" * 10 + N, [("near", 5.0, "札番", 10)]),
        ("敵符。\n" + "。" * 30 + "札番" + "。" * 20 + N, [("near", 4.0, "札番", 20),
                                                            ("against_line", -0.7, "敵符", 54)]),
        ("敵符。\n" + "。" * 30 + "札番" + N, [("near", 5.0, "札番", 0)]),
    ],
)  # fmt: skip
def test_of_two_labels_the_nearer_one_is_the_number_s(text, reasons):
    assert weighed(text) == reasons


@pytest.mark.parametrize(
    ("most", "text", "near", "against"),
    [
        (4.0, "札番" + "。" * 20 + "敵符" + "。" * 12 + N, 2.5, -4.0),
        (4.0, "札番" + "。" * 20 + "敵符" + "。" * 13 + N, 5.0, -4.0),
        (3.9, "札番" + "。" * 20 + "敵符" + "。" * 12 + N, 5.0, -3.9),
        (4.5, "札番" + "。" * 20 + "敵符" + "。" * 13 + N, 5.0, -4.5),
        (4.5, "敵符" + "。" * 20 + N + "札番", 5.0, -4.5),
        (9.0, "札番" + "。" * 20 + "薄符" + "。" * 13 + N, 5.0, 0.0),
    ],
)
def test_other_label_takes_half_of_ours_within_twelve_characters(most, text, near, against):
    told_ = [(code, weight) for code, weight, _, _ in weighed(text, STEPS % most)]
    assert told_ == [("near", near), *([("against", against)] if against else [])]


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("札 番 " + N, ("spaced", 5.0, "札番", 0)),
        ("札 番：" + N, ("spaced", 5.0, "札番", 1)),
        ("札・番 帳" + N, ("spaced", 5.0, "札番帳", 0)),
        ("Ｔ ａ ｇ " + N, ("spaced", 5.0, "tag", 0)),
        ("札_番" + "。" * 12 + N, ("spaced", 5.0, "札番", 12)),
        ("札-番" + "。" * 13 + N, ("spaced", 2.5, "札番", 13)),
        ("札 番。札 番。。" + N, ("spaced", 5.0, "札番", 2)),
        ("札 番" + "。" * 77 + N, ("spaced", 2.5, "札番", 77)),
        ("札 番" + "。" * 78 + N, None),
        # One that stands as it should, at hand, is enough; a far one gives way.
        ("札番" + "。" * 30 + "札 番" + N, ("near", 4.0, "札番", 33)),
        ("札番" + "。" * 40 + "札 番" + N, ("spaced", 5.0, "札番", 0)),
        ("札番" + "。" * 40 + "札 番" + "。" * 13 + N, ("near", 2.5, "札番", 56)),
    ],
)
def test_label_written_apart_is_read_in_the_80_characters_before(text, reason):
    assert weighed(text) == ([reason] if reason else [])


def test_label_written_apart_weighs_by_the_rule_s_own_steps():
    more = "near: [[12, 5.0], [40, 3.9], [41, 3.0], [90, 2.0]]"
    assert weighed("札 番" + "。" * 12 + N, more) == [("spaced", 5.0, "札番", 12)]
    assert weighed("札 番" + "。" * 13 + N, more) == [("spaced", 3.0, "札番", 13)]
    assert weighed("札番" + "。" * 30 + "札 番" + N, more) == [("spaced", 5.0, "札番", 0)]


def test_rule_says_which_labels_are_read_apart():
    more = "spaced: [Tag]"
    assert weighed("札 番" + N, more) == []
    assert weighed("T a g" + N, more) == [("spaced", 5.0, "tag", 0)]


COLUMN = "甲\t{}\t乙\n某\t" + N + "\t075\n"


@pytest.mark.parametrize(
    ("text", "reasons"),
    [
        (COLUMN.format("札番"), [("header", 5.0, "札番", 0)]),
        (COLUMN.format("札 番 帳"), [("header", 5.0, "札番帳", 0)]),
        (COLUMN.format("本人のＴＡＧ"), [("header", 5.0, "tag", 0)]),
        (COLUMN.format("札番とキー"), [("header", 5.0, "札番", 0)]),
        (COLUMN.format("キー"), [("header_other", -3.5, "", 0)]),
        (COLUMN.format("備考"), []),
        ("某\t" + N, []),
        ("札番\t備考\n某\t" + N + "\n", [("near", 5.0, "札番", 6)]),
        ("敵符は札番\n" + COLUMN.format("札番"), [("header", 5.0, "札番", 0)]),
        (COLUMN.format("札番").replace("某", "甲符"), [("header", 5.0, "札番", 0),
                                                       ("personal", 0.5, "", 1)]),
        # A rival at hand says more than a column of another; a weaker one does not.
        (COLUMN.format("キー").replace("某", "敵符"), [("against", -4.5, "敵符", 1)]),
        (COLUMN.format("キー").replace("某", "薄符"), [("header_other", -3.5, "", 0)]),
    ],
)  # fmt: skip
def test_header_of_the_column_says_whose_number_it_is(text, reasons):
    assert weighed(text) == reasons


@pytest.mark.parametrize(("most", "code"), [(3.5, "header_other"), (3.51, "against")])
def test_column_of_another_is_said_unless_a_rival_weighs_more(most, code):
    text = "甲\tキー\n敵符\t" + N + "\n"
    assert [each[0] for each in weighed(text, STEPS % most)] == [code]


def test_digits_in_cells_have_no_header():
    text = COLUMN.format("札番")
    assert weighed(text, shape="n12_cells") == [("near", 5.0, "札番", 5)]
    assert weighed(COLUMN.format("キー"), shape="n12_cells") == []


def test_subject_says_it_where_nothing_near_does():
    assert weighed(N, subject=["敵符", "札番帳", "札番"]) == [("subject", 1.5, "札番", 0)]
    assert weighed(N, subject=["敵符"]) == []
    assert weighed("札番" + N, subject=["札番帳"]) == [("near", 5.0, "札番", 0)]
    assert weighed("敵符" + N, subject=["札番"]) == [
        ("subject", 1.5, "札番", 0),
        ("against", -4.5, "敵符", 0),
    ]
