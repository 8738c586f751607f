"""How a value is written in an exact data match table: folded, and a date as one kind of date."""

from __future__ import annotations

import re
from typing import Final

from shared.detect.edm import fold

_ERAS: Final = {"明治": 1867, "大正": 1911, "昭和": 1925, "平成": 1988, "令和": 2018}
_LETTERS: Final = dict(zip("MTSHRＭＴＳＨＲ", [*_ERAS.values()] * 2, strict=True))
_MARK = r"[ \u3000]?[年月/.\-／．－‐][ \u3000]?"
DATE = re.compile(
    rf"(?<!\d)(?:(明治|大正|昭和|平成|令和|[MTSHRＭＴＳＨＲ])[ \u3000]?(\d{{1,2}}|元)"
    rf"|([1１][8-9８９]\d\d|[2２][0０]\d\d)){_MARK}(\d{{1,2}}){_MARK}(\d{{1,2}})(?!\d)日?"
)
"""A date with its parts apart, in any width, by an era or a year."""

_COMPACT = re.compile(r"((?:1[89]|20)\d\d)(\d\d)(\d\d)")
_LAST_MONTH, _LAST_DAY = 12, 31


def canonical(value: str) -> str:
    """The folded value; 昭和50年3月14日, S50.3.14, 1975/3/14 and 19750314 are the same one."""
    text = value.strip()
    match = DATE.fullmatch(text)
    if match and (date := of_date(match)):
        return date
    folded = fold(text)
    compact = _COMPACT.fullmatch(folded)
    return (compact and _date(*map(int, compact.groups()))) or folded


def of_date(match: re.Match[str]) -> str:
    """A match of ``DATE`` as ``YYYY-MM-DD``, or nothing where it is no date."""
    era, of_era, year, month, day = match.groups()
    if era:
        first = _ERAS.get(era) or _LETTERS[era]
        return _date(first + (1 if of_era == "元" else int(of_era)), int(month), int(day))
    return _date(int(year), int(month), int(day))


def _date(year: int, month: int, day: int) -> str:
    good = 1 <= month <= _LAST_MONTH and 1 <= day <= _LAST_DAY
    return f"{year}-{month:02}-{day:02}" if good else ""
