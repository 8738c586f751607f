"""Values that only their label makes known: behind the label, or in the column under it."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache

from shared.detect.matcher import Matcher, Vocabulary
from shared.detect.scene import Scene
from shared.detect.shapes import Span

_CHUNK = 1 << 17
_MOST_ROWS = 20_000
_SLACK = 48


class Triggers:
    """Finds the labels of the entities that are found by label; one pass over the text."""

    def __init__(
        self, matcher: Matcher, vocabulary: Vocabulary, owners: Sequence[tuple[str, ...]]
    ) -> None:
        self._matcher = matcher
        self._vocabulary = vocabulary
        self._owners = owners

    def find(self, text: str, skeleton: bytes) -> dict[str, list[Span]]:
        """The spans of labels by the entity that they announce, in order."""
        found: dict[str, list[Span]] = {}
        lengths = self._vocabulary.lengths
        for at in range(0, len(text) if lengths else 0, _CHUNK):
            stop = min(at + _CHUNK, len(text))
            for start, index in self._matcher.words(text, skeleton, at, stop):
                span = (start, start + lengths[index])
                for entity in self._owners[index]:
                    if entity in found:
                        found[entity].append(span)
                    else:
                        found[entity] = [span]
        return found


@dataclass(frozen=True, slots=True)
class Reach:
    """Where a value may stand in relation to its label.

    ``pattern`` (over the skeleton) must start at most ``within`` characters behind the label (just
    behind it for 0), what stands between matching ``gap``; with ``columns`` the cells under a label
    in a row of cells are looked at as well.
    """

    pattern: re.Pattern[bytes]
    within: int
    gap: re.Pattern[str] | None = None
    columns: bool = True

    def behind(self, scene: Scene, end: int) -> re.Match[bytes] | None:
        """The value behind a label that ends at ``end``."""
        if not self.within:
            return self.pattern.match(scene.skeleton, end)
        match = self.pattern.search(scene.skeleton, end, end + self.within + _SLACK)
        if match is None or match.start() >= end + self.within:
            return None
        if self.gap and not self.gap.fullmatch(scene.text, end, match.start()):
            return None
        return match


def values(scene: Scene, labels: Sequence[Span], reach: Reach) -> Iterator[tuple[Span, Span, bool]]:
    """(value, label, in the column under it) for every label that has a value.

    Under a label in a row of cells: every cell until a blank line (20,000 rows at most), also where
    the first of them is near enough to stand behind the label as well.
    """
    seen: set[tuple[int, int]] = set()
    reached = 0
    for label in labels:
        end = label[1]
        match = reach.behind(scene, end)
        below = match is None or "\n" in scene.text[end : match.start()]
        column = _column(scene, end) if reach.columns and below else None
        under = False
        if column is not None and (key := (scene.tables.block(end), column[1])) not in seen:
            seen.add(key)
            for span in _under(scene, end, *column, reach.pattern):
                under = True
                yield span, label, True
        if match and not under and match.start() >= reached:
            reached = match.end()
            yield match.span(), label, False


def _column(scene: Scene, end: int) -> tuple[str, int] | None:
    """(separator, column) of a label in a row of cells."""
    before = scene.text[scene.tables.line_start(end) : end]
    after = scene.text[end : end + 200].split("\n", 1)[0]
    for separator in "\t,":
        if separator in before or separator in after:
            return separator, before.count(separator)
    return None


def _under(
    scene: Scene, at: int, separator: str, column: int, pattern: re.Pattern[bytes]
) -> Iterator[Span]:
    text, skeleton = scene.text, scene.skeleton
    row = _row(separator, column)
    at = text.find("\n", at) + 1
    for _ in range(_MOST_ROWS if at else 0):
        cell = row.match(text, at)
        if cell is None:  # a blank line, or a row with fewer cells
            stop = text.find("\n", at)
            if stop < 0 or not text[at:stop].strip():
                return
            at = stop + 1
            continue
        start, end = cell.span(1)
        match = pattern.search(skeleton, start, end)
        if match:
            span = match.span()
            if end - start <= span[1] - span[0] + 2:
                yield span
        elif start == end and not cell.group().strip():
            return
        at = cell.end()
        if text[at - 1 : at] != "\n":
            return


@cache
def _row(separator: str, column: int) -> re.Pattern[str]:
    """A row up to its end, with the cell of one column as group 1."""
    cell = f"[^{separator}\\n]*"
    return re.compile(f"(?:{cell}{separator}){{{column}}}({cell})[^\\n]*\\n?")
