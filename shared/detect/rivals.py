"""Rival explanations of a number: what else the same digits may be.

Each function looks at the skeleton around a candidate and is true where its explanation holds.
"""

from __future__ import annotations

import re

from shared.detect.checks import drivers_licence, ean, parcel
from shared.detect.scene import Candidate, Scene, Tally

_UNITS_AFTER = re.compile(
    r"\s?(?:円|千円|百万円|ドル|[¥￥%％件個名人枚冊点台票]|(?:yen|jpy|usd|km|kg|bytes?|件)\b)"
)
_CURRENCY_BEFORE = re.compile(r"[¥￥$＄€△▲][ \u3000]?$")
_ADDRESS_BEFORE = re.compile(rb"(?:https?:|www\.|[?&=/_%#@\\])[^ \x80\n\t]{0,64}$")
_NUMBER_BEFORE = re.compile(rb"[0-9][\-.:/]$|[A-Za-z0-9]{2,}[\-_/=.]$")
_CONTINUES = re.compile(rb"[\-.][0-9]|[A-Za-z_%]|:[0-9]{2}")
_THOUSANDS = re.compile(rb"[0-9]{1,3}(?:,[0-9]{3})+,?$")
_HEX_BEFORE = re.compile(
    rb"(?:^|[^0-9A-Za-z])(?:0x|[0-9A-Fa-f]{4,}[\-:])(?:[0-9A-Fa-f]{2,}[\-:])*$"
)
_HEX_AFTER = re.compile(rb"[\-:]?[0-9]{0,8}[A-Fa-f][0-9A-Fa-f]*(?:[^g-zG-Z]|$)")
_DECIMAL_BEFORE = re.compile(rb"(?:^|[^0-9.])[0-9]{1,4}\.$")
_PHONE_PAIR = re.compile(rb"0[1-9][0-9]{0,3}[\-(]?[0-9]{1,4}[\-)]?[0-9]{4}")
_BATCH_LINE = 100
_YEARS, _SHORT_YEARS = range(1950, 2050), range(15, 36)
_ZEROS = b"0000"


def timestamp(digits: bytes) -> bool:
    """YYYYMMDDhhmm, YYMMDDhhmmss, or YYYYMMDD and four more digits of a counter."""
    year, month, day, hour, minute = (
        int(digits[a:b]) for a, b in ((0, 4), (4, 6), (6, 8), (8, 10), (10, 12))
    )
    if year in _YEARS and _date(month, day):
        return _clock(hour, minute, 0) or digits[8:9] == b"0"
    year, month, day, hour, minute, second = (int(digits[i : i + 2]) for i in range(0, 12, 2))
    return year in _SHORT_YEARS and _date(month, day) and _clock(hour, minute, second)


def _date(month: int, day: int) -> bool:
    return 1 <= month <= 12 and 1 <= day <= 31  # noqa: PLR2004 - the calendar


def _clock(hour: int, minute: int, second: int) -> bool:
    return hour < 24 and minute < 60 and second < 60  # noqa: PLR2004 - the clock


def degenerate(digits: bytes) -> bool:
    """Two different digits at most, zeros in front or behind, or one half twice."""
    return (
        len(set(digits)) <= 2  # noqa: PLR2004 - see above
        or digits.endswith(_ZEROS)
        or digits.startswith(b"00000")
        or digits[:6] == digits[6:]
    )


def amount(scene: Scene, candidate: Candidate) -> bool:
    """A currency sign before, a unit behind."""
    text = scene.text
    return bool(
        _UNITS_AFTER.match(text, candidate.end, candidate.end + 8)
        or _CURRENCY_BEFORE.search(text[max(0, candidate.start - 2) : candidate.start])
    )


def weigh_neighbours(scene: Scene, candidate: Candidate, tally: Tally, *, cells: bool) -> None:
    """URL, longer number, hexadecimal, decimal fraction, thousands: what touches the candidate."""
    before = scene.skeleton[max(0, candidate.start - 80) : candidate.start]
    after = scene.skeleton[candidate.end : candidate.end + 24]
    if cells:
        return
    if _DECIMAL_BEFORE.search(before):
        tally.add("decimal")
    elif _hexadecimal(before, after):
        tally.add("hexadecimal")
    elif (
        _ADDRESS_BEFORE.search(before) or _NUMBER_BEFORE.search(before) or _THOUSANDS.search(before)
    ):
        tally.add("inside_longer")
    if _CONTINUES.match(after):
        tally.add("continues")


def _hexadecimal(before: bytes, after: bytes) -> bool:
    if _HEX_AFTER.match(after):
        return True
    found = _HEX_BEFORE.search(before)
    return bool(found and (b"0x" in found.group() or re.search(rb"[A-Fa-f]", found.group())))


def weigh_rivals(scene: Scene, candidate: Candidate, tally: Tally) -> None:
    """The rivals of a 12-digit number."""
    digits = candidate.value
    plain = candidate.shape in {"n12", "n12_odd", "n12_lines"}
    if amount(scene, candidate):
        tally.add("amount")
    if plain and timestamp(digits):
        tally.add("timestamp")
    if degenerate(digits):
        tally.add("degenerate")
    if plain and parcel(digits):
        tally.add("parcel")
    elif plain and drivers_licence(digits):
        tally.add("licence")
    if plain and ean(digits):
        tally.add("barcode", -0.5)
    if phone_pair(scene, candidate):
        tally.add("phone_pair")
    if batch_line(scene, candidate):
        tally.add("batch")


def phone_pair(scene: Scene, candidate: Candidate) -> bool:
    """The digits are the tail of one telephone number and the head of another."""
    if candidate.shape == "n12":
        return False
    low = scene.tables.line_start(candidate.start)
    line = scene.skeleton[max(low, candidate.start - 12) : candidate.end + 12]
    spans = [match.span() for match in _PHONE_PAIR.finditer(line)]
    offset = max(low, candidate.start - 12)
    inside = [s for s in spans if s[0] + offset < candidate.end and s[1] + offset > candidate.start]
    return len(inside) > 1


def batch_line(scene: Scene, candidate: Candidate) -> bool:
    """A fixed-width line of 120 characters of a bank's batch file (全銀協), mostly digits."""
    low = scene.tables.line_start(candidate.start)
    end = scene.skeleton.find(b"\n", candidate.end, candidate.end + 200)
    line = scene.skeleton[low : end if end >= 0 else candidate.end + 120]
    if not _BATCH_LINE <= len(line) <= 122 or line[:1] not in b"1289":  # noqa: PLR2004 - 120 and a line end
        return False
    return sum(48 <= byte <= 57 for byte in line) >= 30  # noqa: PLR2004 - a record holds bank, branch, account, amount
