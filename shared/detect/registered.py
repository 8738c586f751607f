"""Registered people in a text: its numbers, dates and names, looked up in a register.

How much a match says is counted, not guessed: of the 10^L numbers of L digits the register holds
n, so that a number of chance matches with n / 10^L, and the log-odds are ln(10^L / n). Names of
single columns are weighed low, as many people share one; together with a date or a number, high.
"""

from __future__ import annotations

import math
import re
import unicodedata
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field

from shared.detect.edm import fold
from shared.detect.edm_values import DATE, canonical, of_date
from shared.detect.register import Column, Part, Register
from shared.detect.rulebook import Reason, Rule
from shared.detect.scene import Candidate, Draft, Tally
from shared.detect.skeleton import digits_of

ENTITY = "registered_person"
_NUMBERS = re.compile(rb"[0-9](?:[\-. \x9f]{0,2}[0-9]){2,}")
_GROUPS = (re.compile(rb"[^ ]+"), re.compile(rb"[0-9]+"))
_WORDS = re.compile(rb"[A-Za-z0-9][A-Za-z0-9@._+\-]{2,63}")
_LETTERS = re.compile(r"[^\W\d_]+(?:[ \u3000][^\W\d_]+)?")
_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_REACH = 100
_MOST_ANCHORS = 20_000
_MOST_SCORE = 8.0
_JOINT_SCORE = 7.0
_NAME_SCORE = 2.4
_LONGEST_NAME = 24
_BEFORE_NAME = "名者："


@dataclass(frozen=True, slots=True)
class Piece:
    """A piece of a text that may be registered; ``value`` is canonical."""

    start: int
    end: int
    value: str = field(repr=False)


def drafts(
    registers: Sequence[Register], rule: Rule, text: str, skeleton: bytes
) -> Iterator[Draft]:
    """One draft for each registered value in the text."""
    for register in registers:
        for column in register.columns:
            if not len(column.table):
                continue
            find = _single if len(column.parts) == 1 else _joint
            seen: set[tuple[int, int]] = set()
            for piece, score in find(column, text, skeleton):
                if (piece.start, piece.end) not in seen:
                    seen.add((piece.start, piece.end))
                    yield _draft(rule, column, piece, score)


def _draft(rule: Rule, column: Column, piece: Piece, score: float) -> Draft:
    tally = Tally(rule)
    tally.add("registered", score, word=column.name)
    candidate = Candidate("registered", piece.start, piece.end, piece.value.encode())
    reasons: tuple[Reason, ...] = tuple(tally.reasons)
    return Draft(candidate, ENTITY, tally.score, tally.level(), reasons)


def _single(column: Column, text: str, skeleton: bytes) -> Iterator[tuple[Piece, float]]:
    (part,) = column.parts
    for piece in _pieces(part, text, skeleton):
        if column.table.has_canonical(piece.value):
            possible = _possible(piece.value)
            if possible:
                chance = possible / len(column.table)
                yield piece, min(_MOST_SCORE, math.log(chance)) if chance > 1 else 0.0
            else:
                yield piece, _of_text(piece.value)


def _possible(value: str) -> int:
    """How many values of this form there are: numbers, and a century of days; 0: not so simple."""
    if value.isdigit():
        return int(10 ** len(value))
    return 36_525 if _DATE.fullmatch(value) else 0


def _of_text(value: str) -> float:
    """Log-odds of a registered text alone: a code of many letters says much, a name little."""
    return min(_JOINT_SCORE, 1.0 + 0.75 * len(value)) if value.isascii() else _NAME_SCORE


def _pieces(part: Part, text: str, skeleton: bytes) -> Iterator[Piece]:
    yield from _anchors(part, text, skeleton)
    if not part.texts:
        return
    lengths = set(part.texts)
    for word in _WORDS.finditer(skeleton):
        if not word.group().isdigit():
            yield from _if_long(word.start(), word.end(), word.group().decode(), lengths)
    for run in _LETTERS.finditer(text):
        yield from _if_long(run.start(), run.end(), run.group(), lengths)


def _if_long(start: int, end: int, raw: str, lengths: set[int]) -> Iterator[Piece]:
    if len(raw) < max(lengths) + 8:
        value = fold(raw)
        if len(value) in lengths:
            yield Piece(start, end, value)


def _anchors(part: Part, text: str, skeleton: bytes) -> Iterator[Piece]:
    """Numbers and dates of the part's lengths."""
    if part.digits:
        yield from _numbers(skeleton, set(part.digits))
    if part.dates:
        for date in DATE.finditer(text):
            if value := of_date(date):
                yield Piece(date.start(), date.end(), value)
        for piece in _numbers(skeleton, {8}):
            if (value := canonical(piece.value)) != piece.value:
                yield Piece(piece.start, piece.end, value)


def _numbers(skeleton: bytes, lengths: set[int]) -> Iterator[Piece]:
    """The whole of grouped digits, what spaces separate, and each run of digits."""
    for found in _NUMBERS.finditer(skeleton):
        low = found.start()
        spans = {found.span()}
        for pattern in _GROUPS:
            spans.update((low + m.start(), low + m.end()) for m in pattern.finditer(found.group()))
        for start, end in sorted(spans):
            value = digits_of(skeleton[start:end])
            if len(value) in lengths:
                yield Piece(start, end, value.decode())


def _joint(column: Column, text: str, skeleton: bytes) -> Iterator[tuple[Piece, float]]:
    """Two values together, at most 100 characters apart; one of them a number or a date."""
    first, second = column.parts
    has = column.table.has_canonical
    if second.dates or second.digits:
        anchors, other = list(_anchors(second, text, skeleton)), first

        def match(value: str, anchor: str) -> bool:
            return has(value, anchor)
    else:
        anchors, other = list(_anchors(first, text, skeleton)), second

        def match(value: str, anchor: str) -> bool:
            return has(anchor, value)

    others = list(_anchors(other, text, skeleton))
    for anchor in anchors[:_MOST_ANCHORS]:
        low = max(text.rfind("\n\n", 0, anchor.start) + 1, anchor.start - _REACH)
        near = [p for p in others if abs(p.start - anchor.start) <= _REACH and p != anchor]
        near += _names(text, low, min(len(text), anchor.end + _REACH), other.texts)
        yield from _matches(near, anchor, match)


def _matches(
    near: Sequence[Piece], anchor: Piece, match: Callable[[str, str], bool]
) -> Iterator[tuple[Piece, float]]:
    for piece in near:
        if match(piece.value, anchor.value):
            start, end = min(piece.start, anchor.start), max(piece.end, anchor.end)
            yield Piece(start, end, f"{piece.value}\x1f{anchor.value}"), _JOINT_SCORE


def _names(text: str, low: int, high: int, lengths: Sequence[int]) -> list[Piece]:
    """What may be a registered name in a window: a start of a word, and one of the lengths."""
    folded: list[str] = []
    places: list[int] = []
    starts: list[int] = []
    before = " "
    for at in range(low, high):
        character = text[at]
        for each in fold(unicodedata.normalize("NFKC", character)):
            if _starts(before, character):
                starts.append(len(folded))
            folded.append(each)
            places.append(at)
        before = character
    whole = "".join(folded)
    return [
        Piece(places[start], places[start + length - 1] + 1, whole[start : start + length])
        for start in starts
        for length in lengths
        if length <= _LONGEST_NAME and start + length <= len(whole)
    ]


def _starts(before: str, character: str) -> bool:
    """Whether a name may start here: not inside a run of kanji, kana or Latin letters."""
    if not character.isalpha():
        return False
    return not before.isalpha() or before in _BEFORE_NAME or _script(before) != _script(character)


def _script(character: str) -> int:
    code = ord(character)
    return 0 if code < 0x3040 else 1 if code < 0x30A0 else 2 if code < 0x3100 else 3  # noqa: PLR2004 - hiragana, katakana, what follows
