"""The table of characters, all of it: what no character of a text may change without a word."""

from __future__ import annotations

import unicodedata

from shared.detect.chars import KANJI_ZERO, OTHER, SIZE, table


def test_every_printable_character_of_ascii_stands_for_itself_in_any_width():
    classes = table()
    assert classes[0x20:0x7F] == bytes(range(0x20, 0x7F))
    assert classes[0xFF01:0xFF5F] == bytes(range(0x21, 0x7F))


def test_every_other_character_of_ascii_is_a_line_end_a_tab_or_nothing():
    classes = table()
    stands = {code: classes[code] for code in (*range(0x20), 0x7F)}
    lines = dict.fromkeys(b"\n\r\x0b\x0c", ord("\n"))
    assert stands == dict.fromkeys(stands, OTHER) | lines | {ord("\t"): ord("\t")}


def test_every_digit_that_unicode_knows_is_its_digit():
    classes = table()
    digits = {code: unicodedata.digit(chr(code)) for code in range(SIZE) if chr(code).isdigit()}
    assert {code: classes[code] - ord("0") for code in digits} == digits
    assert len(digits) > 500


def test_every_kanji_digit_is_of_a_class_of_its_own():
    classes = table()
    assert [classes[ord(each)] - KANJI_ZERO for each in "〇一二三四五六七八九"] == list(range(10))
    assert [classes[ord(each)] - KANJI_ZERO for each in "零○◯壱弐参"] == [0, 0, 0, 1, 2, 3]
