"""Where shapes and words are: one promise, two engines that keep it alike.

``PlainMatcher`` is the rule itself, in ``re``. ``VectorMatcher`` lets Vectorscan say where a match
may end and applies the same rule in windows around those ends. Words are searched in blocks, only
around candidates, so a text without candidates costs no word search at all.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Sequence
from typing import Protocol

from shared.detect.shapes import Shape, Span

type WordHit = tuple[int, int]
"""(start, index of the word): at each start the longest word only."""


class Matcher(Protocol):
    """Finds shapes in skeletons and words in texts."""

    def shapes(self, skeleton: bytes) -> dict[str, list[Span]]:
        """Every hit of every shape, in order of start; one hit a shape and start."""

    def words(self, text: str, skeleton: bytes, start: int, end: int) -> list[WordHit]:
        """The words that start in ``start:end``, in order."""


class Vocabulary:
    """The words to find: ASCII ones without regard to case or width, others as they are written."""

    def __init__(self, words: Sequence[str]) -> None:
        self.words = tuple(words)
        self.lengths = [len(word) for word in words]
        self.longest = max((len(word) for word in words), default=1)
        self.latin = {word.lower(): i for i, word in enumerate(words) if word.isascii()}
        self.other = {word: i for i, word in enumerate(words) if not word.isascii()}


class PlainMatcher:
    """The reference: ``re`` over everything. Always there."""

    def __init__(self, shapes: Iterable[Shape], vocabulary: Vocabulary) -> None:
        self._shapes = tuple(shapes)
        self._vocabulary = vocabulary
        self._latin = _by_first(vocabulary.latin)
        self._other = _by_first(vocabulary.other)
        self._first_latin = _first_class(self._latin, re.IGNORECASE)
        self._first_other = _first_class(self._other, re.NOFLAG)

    def shapes(self, skeleton: bytes) -> dict[str, list[Span]]:
        """Every hit of every shape, in order of start."""
        found = {}
        for shape in self._shapes:
            hits = [(m.start(), m.end(1)) for m in shape.pattern.finditer(skeleton)]
            if hits:
                found[shape.name] = hits
        return found

    def words(self, text: str, skeleton: bytes, start: int, end: int) -> list[WordHit]:
        """The words that start in ``start:end``."""
        latin = skeleton[start : end + self._vocabulary.longest].decode("latin-1").lower()
        other = text[start : end + self._vocabulary.longest]
        pairs = [
            *_starts(latin, self._first_latin, self._latin, end - start),
            *_starts(other, self._first_other, self._other, end - start),
        ]
        return longest(pairs, self._vocabulary, start)


def _by_first(words: dict[str, int]) -> dict[str, list[tuple[str, int]]]:
    grouped: dict[str, list[tuple[str, int]]] = defaultdict(list)
    for word in sorted(words, key=len, reverse=True):
        grouped[word[0]].append((word, words[word]))
    return grouped


def _first_class(grouped: dict[str, list[tuple[str, int]]], flags: re.RegexFlag) -> re.Pattern[str]:
    characters = "".join(re.escape(first) for first in sorted(grouped))
    return re.compile(f"[{characters}]" if characters else "(?!)", flags)


def _starts(
    text: str, first: re.Pattern[str], words: dict[str, list[tuple[str, int]]], span: int
) -> list[WordHit]:
    found = []
    for match in first.finditer(text, 0, span):
        at = match.start()
        for word, index in words[text[at]]:
            if text.startswith(word, at):
                found.append((at, index))
                break
    return found


def longest(pairs: list[WordHit], vocabulary: Vocabulary, offset: int) -> list[WordHit]:
    """The longest word at each start, without words that lie inside another one."""
    lengths = vocabulary.lengths
    kept: list[WordHit] = []
    reached = -1
    for start, size, index in sorted([(start, -lengths[i], i) for start, i in pairs]):
        if start - size > reached:
            kept.append((start + offset, index))
            reached = start - size
    return kept
