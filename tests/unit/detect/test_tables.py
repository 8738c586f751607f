"""Lines, cells, blocks and headers: what a position of a text is in, and how far it looks."""

from __future__ import annotations

import pytest

from shared.detect.tables import Tables


def cell(text, part):
    at = text.index(part)
    return Tables(text).cell(at, at + len(part))


def header(text, part):
    found = cell(text, part)
    assert found is not None
    return Tables(text).header(text.index(part), *found)


def test_line_starts_behind_the_line_end_or_2000_characters_before():
    text = "ab\ncd\n" + "x" * 3000
    assert [Tables(text).line_start(at) for at in (0, 1, 2, 3, 4, 5, 6, 7)] == [
        0, 0, 0, 3, 3, 3, 6, 6,
    ]  # fmt: skip
    assert [Tables(text).line_start(at) for at in (2005, 2006, 2007, 2999)] == [6, 6, 7, 999]
    assert Tables("\n" + "x" * 1999).line_start(2000) == 1


@pytest.mark.parametrize(
    ("text", "found"),
    [
        # between tabs, commas or bars, the first one and the last one
        ("a\tb\t123\tc", ("\t", 2)), ("a\t123", ("\t", 1)), ("123\ta", ("\t", 0)),
        ("a,b,123,c", (",", 2)), ("123,a", (",", 0)), ("a|123|b", ("|", 1)), ("123|a", ("|", 0)),
        ("|123|", ("|", 1)), ("x,y\n123,a", (",", 0)), ("x,y\na,123", (",", 1)),
        # a tab counts first, and only the separator that stands before
        ("a,b\t123", ("\t", 1)), ("a\tb,123", (",", 1)), ("a\tb|c|123,d", ("|", 2)),
        ("a|b,123", (",", 1)), ("a\tb\tc,d\t123,e", ("\t", 3)),
        # quotes, spaces and the formula's equals sign belong to the cell
        ('a,"123",b', (",", 1)), ("a, '123' ,b", (",", 1)), ('a\t="123"', ("\t", 1)),
        ('"123",a', (",", 0)), ('="123"\ta', ("\t", 0)), ("  123  \ta", ("\t", 0)),
        ("a\t123   x", ("\t", 1)), ("123   \ta", ("\t", 0)), ("123    \ta", None),
        # no cell
        ("123", None), ("a 123", None), ("a 123\tb", None), ("a,b 123,c", None), ("", None),
        ("123 a\tb", None), ("a;123;b", None), ("aX123Xb", None), ("a\t\n123", None),
        ("a,b\n123\nc", None), ("123x,", None),
        ("a\tX123\tb", None), ("123X,a", None),
    ],
)  # fmt: skip
def test_cell_is_what_stands_between_separators(text, found):
    assert cell(text, "123" if text else "") == found


@pytest.mark.parametrize(("filling", "found"), [(1998, 2), (1999, 1), (2500, 1)])
def test_cells_before_are_counted_in_2000_characters(filling, found):
    text = "\t" + "x" * filling + "\t123"
    assert cell(text, "123") == ("\t", found)


def test_block_begins_behind_a_blank_line_or_a_page_end():
    text = "a\nb\n\nc\n ,\t\r\nd\fe\n-\nf"
    starts = [Tables(text).block(text.index(letter)) for letter in "abcdef"]
    assert starts == [0, 0, 5, 12, 14, 14]
    assert [Tables(text).block(at) for at in (4, 5)] == [0, 5]
    assert Tables("a\nb").block(2) == 0
    assert Tables("\n\na").block(2) == 2
    tables = Tables(text)
    assert [tables.block(at) for at in (20, 0, 6)] == [14, 0, 5]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("氏名\t番号\n甲\t123\n", "番号"), ("番号,氏名\n123,甲\n", "番号"),
        ("番号|氏名\n123|甲\n", "番号"),
        # folded: width, case, spaces, quotes
        ('a,"Ｍｙ ＮＵＭＢＥＲ" \n甲,123\n', "mynumber"),
        ("a\t' 個 人\u3000番 号'\n甲\t123\n", "個人番号"),
        # the first five rows of cells above, of those that have the column, in words
        ("a\tb\nc\td\ne\tf\ng\th\ni\tj\nk\tl\n甲\t123\n", "b\nd\nf\nh\nj"),
        ("a\tb\nc\n e,f\nd\tg\n甲\t123\n", "b\ng"),
        ("a\nb\tc\td\ne\tf\n甲\t乙\t123\n", "d"),
        ("氏名\t番号\n甲\t2026-11-28\n乙\t123\n", "番号"), ("番号1\t第2号\n甲\t123\n", "第2号"),
        ("a\t１２\n甲\t123\n", ""), ("a\t--_\n甲\t123\n", ""), ("a\t\n甲\t123\n", ""),
        # not the own row, nor what stands below
        ("甲\t123\nb\tc\n", ""), ("甲\t123番\n", ""), ("a\tb\n甲\t123\n乙\td\n", "b"),
        ("\na\tb\n甲\t123\n", "b"),
        # not over a blank line
        ("a\tb\n\n甲\t123\n", ""), ("a\tb\n\nc\td\n甲\t123\n", "d"), ("a\tb\fc\td\n甲\t123\n", "d"),
        ("a\tb\n\n\n甲\t123\n", ""),
    ],
)  # fmt: skip
def test_header_is_what_the_cells_above_say_in_words(text, said):
    assert header(text, "123") == said


@pytest.mark.parametrize(("before", "said"), [(3999, "b"), (4000, "")])
def test_header_is_looked_for_in_4000_characters_of_the_block(before, said):
    text = "x" * (before - 1) + "\na\tb\n甲\t123\n"
    assert header(text, "123") == said


def test_first_row_is_cut_at_4000_characters():
    row = "a\t" + "b" * 3997
    assert header(row + "c\n甲\t123\n", "123") == "b" * 3997 + "c"
    assert header(row + "cd\n甲\t123\n", "123") == "b" * 3997 + "c"
    assert header("a\tb\n甲\t乙" + "x" * 4100 + "\n丙\t123\n", "123") == "b\n乙" + "x" * 3997


def test_headers_of_many_blocks_are_told_apart_again():
    blocks = [f"a\tb{n}\n甲\t{n:03}\n" for n in range(600)]
    text = "\n".join(blocks)
    tables = Tables(text)
    places = [text.index(f"甲\t{n:03}") + 2 for n in range(600)]
    for _ in range(2):
        assert [tables.header(at, "\t", 1) for at in places] == [f"b{n}" for n in range(600)]
    assert tables.header(places[0], ",", 1) == ""
    assert tables.header(places[0], "\t", 0) == "a"
