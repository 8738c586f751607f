"""Finding a text again in whatever way it is written, and covering it.

A value that was found as ``1234-5678-9012`` may stand there in full width, with other separators,
or in pieces of markup; letters and digits count, in either width, with separators between them.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Iterable, Sequence

COVER = "●"
_BETWEEN = r"[\s\-‐‑–—−－ー・.．/_　]{0,3}"
_SEPARATOR = re.compile(r"[\s\-‐‑–—−－ー・.．/_　]+")
_WIDE = 0xFEE0  # from U+0021…U+007E to its full width form
BREAK = "\uffff"
"""Stands between texts that do not touch: a value never goes across it."""


class Values:
    """The texts to cover; ``seen`` are those that were met."""

    def __init__(self, values: Sequence[str]) -> None:
        self._patterns = {
            value: re.compile(_pattern(value), re.IGNORECASE)
            for value in dict.fromkeys(values)
            if _SEPARATOR.sub("", value)
        }
        self.seen: set[str] = set()
        self.count = 0

    def spans(self, text: str) -> list[tuple[int, int]]:
        """Where they stand in ``text``; they may overlap."""
        found = []
        for value, pattern in self._patterns.items():
            for match in pattern.finditer(text):
                found.append(match.span())
                self.seen.add(value)
        self.count += len(found)
        return sorted(found)

    def covered(self, text: str) -> str:
        """The text with every letter of them covered."""
        spans = self.spans(text)
        if not spans:
            return text
        letters = list(text)
        for start, end in spans:
            letters[start:end] = COVER * (end - start)
        return "".join(letters)

    @property
    def missing(self) -> bool:
        """Whether one of them was never met."""
        return len(self.seen) < len(self._patterns)


type Run = tuple[str, Callable[[str], None]]
"""A text node, and what writes another text into it."""


def cover_runs(runs: Iterable[Run], values: Values) -> bool:
    """Cover what stands across several text nodes; whether there was something."""
    nodes = list(runs)
    whole = "".join(text for text, _ in nodes)
    covered = values.covered(whole)
    if covered == whole:
        return False
    at = 0
    for text, write in nodes:
        piece = covered[at : at + len(text)]
        at += len(text)
        if piece != text:
            write(piece)
    return True


def _pattern(value: str) -> str:
    plain = _SEPARATOR.sub("", unicodedata.normalize("NFKC", value))
    return _BETWEEN.join(_either(letter) for letter in plain)


def _either(letter: str) -> str:
    if "!" <= letter <= "~":
        return f"[{re.escape(letter)}{chr(ord(letter) + _WIDE)}]"
    return re.escape(letter)
