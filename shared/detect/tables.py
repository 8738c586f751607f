"""Rows, columns and headers, in table segments and in CSV-like text."""

from __future__ import annotations

import re
import unicodedata
from bisect import bisect_right
from collections import OrderedDict

_BLOCK = re.compile(r"\n[ \t,\r]*\n|\f")
_BACK = 2000
_HEADER_ROWS = 5
_HEADER_CHARACTERS = 4000
_KEPT = 512
_NOT_WORDS = re.compile(r"[\d\W_]+")


class Tables:
    """Knows, for a position in a text, its line, its column and the column's header.

    A block ends at a blank line. The header of a column is what its cells say in words in the
    first rows of the block, above the position. Looking back is bounded: past 2,000 characters a
    line counts as starting there.
    """

    def __init__(self, text: str) -> None:
        self._text = text
        self._blocks: list[int] | None = None
        self._headers: OrderedDict[tuple[int, str], list[tuple[int, list[str]]]] = OrderedDict()

    def line_start(self, at: int) -> int:
        """Where the line of ``at`` begins (or 2,000 characters before)."""
        low = max(0, at - _BACK)
        return max(self._text.rfind("\n", low, at) + 1, low)

    def cell(self, start: int, end: int) -> tuple[str, int] | None:
        """(separator, column) if ``start:end`` fills a cell; the column counts from 0."""
        text = self._text
        low = max(0, start - _BACK)
        stripped = text[max(text.rfind("\n", low, start) + 1, low) : start].rstrip(" \"'=")
        before = stripped[-1:]
        if before == "\t":
            return before, stripped.count(before)
        after = text[end : end + 4].lstrip(" \"'")[:1]
        for separator in "\t,|":
            if before == separator or (after == separator and not stripped):
                return separator, stripped.count(separator)
        return None

    def block(self, at: int) -> int:
        """Where the block of ``at`` begins."""
        if self._blocks is None:
            self._blocks = [0, *(match.end() for match in _BLOCK.finditer(self._text))]
        if len(self._blocks) == 1:
            return 0
        return self._blocks[bisect_right(self._blocks, at) - 1]

    def header(self, at: int, separator: str, column: int) -> str:
        """The folded words (NFKC, no spaces, lower case) above the cell, or nothing."""
        line = self.line_start(at)
        said = [
            cells[column]
            for start, cells in self._rows(self.block(line), separator)
            if start < line and column < len(cells)
        ]
        return "\n".join(text for text in map(_folded, said) if text)

    def _rows(self, block: int, separator: str) -> list[tuple[int, list[str]]]:
        key = (block, separator)
        rows = self._headers.get(key)
        if rows is None:
            rows = []
            at = block
            while len(rows) < _HEADER_ROWS and at < min(
                len(self._text), block + _HEADER_CHARACTERS
            ):
                end = self._text.find("\n", at, at + _HEADER_CHARACTERS)
                stop = end if end >= 0 else at + _HEADER_CHARACTERS
                line = self._text[at:stop]
                if separator in line:
                    rows.append((at, line.split(separator)))
                at = stop + 1
            self._headers[key] = rows
            if len(self._headers) > _KEPT:
                self._headers.popitem(last=False)
        return rows


def _folded(cell: str) -> str:
    text = re.sub(r"[\s\"']+", "", unicodedata.normalize("NFKC", cell)).lower()
    # A cell of a number or a date is not a header.
    return text if _NOT_WORDS.sub("", text) else ""
