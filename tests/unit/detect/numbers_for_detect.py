"""Numbers for tests: computed by check digit from obviously fake stems; none is anyone's."""

from __future__ import annotations

import random

MY_NUMBER = "123456789018"
"""Stem 12345678901, the textbook example."""


def my_number(rng: random.Random) -> str:
    """A My Number with the stem 9 and ten random digits in front of its check digit."""
    stem = "9" + "".join(rng.choice("0123456789") for _ in range(10))
    return stem + str(my_number_digit(stem))


def my_number_digit(stem: str) -> int:
    """The check digit by the ordinance's own formula: Σ P(n)·Q(n), n counted from the right."""
    total = sum(
        int(digit) * (n + 1 if n <= 6 else n - 5) for n, digit in enumerate(reversed(stem), 1)
    )
    return 0 if total % 11 <= 1 else 11 - total % 11


def forced(stem12: str) -> str:
    """The same digits with the last replaced so that the My Number check digit is right."""
    return stem12[:11] + str(my_number_digit(stem12[:11]))


def kanji(digits: str) -> str:
    """〇一二三…"""
    return digits.translate(str.maketrans("0123456789", "〇一二三四五六七八九"))


def circled(digits: str) -> str:
    """⓪①②③…"""
    return digits.translate(str.maketrans("0123456789", "⓪①②③④⑤⑥⑦⑧⑨"))


def full_width(text: str) -> str:
    """ASCII in full width."""
    return "".join(chr(ord(c) + 0xFEE0) if "!" <= c <= "~" else c for c in text)


def _fours(number: str, separator: str) -> str:
    return separator.join((number[:4], number[4:8], number[8:]))


FORMATS = {
    "plain": lambda n: n,
    "space": lambda n: _fours(n, " "),
    "hyphen": lambda n: _fours(n, "-"),
    "u2010": lambda n: _fours(n, "\u2010"),
    "long_vowel_mark": lambda n: _fours(n, "ー"),
    "full_width": full_width,
    "cells_space": " ".join,
    "cells_tab": "\t".join,
    "cells_u3000": "\u3000".join,
    "cells_bar": "|".join,
    "across_lines": lambda n: n[:7] + "\n" + n[7:],
    "across_quoted_line": lambda n: n[:4] + "-" + n[4:8] + "\n> " + n[8:],
    "kanji": kanji,
    "circled": circled,
}
"""The ways a My Number is written (the issue's list: both across-line forms, U+2010 apart)."""
