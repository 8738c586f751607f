"""The fast matcher: Vectorscan says where a match may end, the exact rule decides around it."""

from __future__ import annotations

import re
import threading
from collections import defaultdict
from collections.abc import Iterable, Sequence
from typing import Any

from shared.detect.matcher import Vocabulary, WordHit, longest
from shared.detect.shapes import Shape, Span

_TWELVE = "n12"
BLOCK = 1 << 20
"""Characters searched at once; blocks overlap by more than any shape's length."""


class VectorMatcher:
    """Vectorscan; raises what the library raises where it is missing or does not fit the CPU."""

    def __init__(self, shapes: Iterable[Shape], vocabulary: Vocabulary) -> None:
        import hyperscan  # noqa: PLC0415 - loaded with the first engine only; may be missing

        self._hyperscan = hyperscan
        self._shapes = tuple(shapes)
        self._vocabulary = vocabulary
        self._local = threading.local()
        # Compiled together, the shapes of 12 digits and the others take twice as long (190 ms).
        twelve = [i for i, shape in enumerate(self._shapes) if shape.name.startswith(_TWELVE)]
        others = sorted(set(range(len(self._shapes))).difference(twelve))
        self._shape_dbs = [
            self._compile([self._shapes[i].superset for i in indices], 0, indices)
            for indices in (twelve, others)
            if indices
        ]
        self._latin = tuple(vocabulary.latin.values())
        self._other = tuple(vocabulary.other.values())
        self._latin_db = self._compile(
            [re.escape(word).encode("latin-1") for word in vocabulary.latin],
            hyperscan.HS_FLAG_CASELESS,
        )
        self._units = [len(word.encode("utf-16-le")) // 2 for word in vocabulary.other]
        self._other_db = self._compile(
            [
                "".join(f"\\x{byte:02x}" for byte in word.encode("utf-16-le")).encode()
                for word in vocabulary.other
            ],
            hyperscan.HS_FLAG_DOTALL,
        )

    def shapes(self, skeleton: bytes) -> dict[str, list[Span]]:
        """Every hit of every shape, in order of start."""
        if len(skeleton) <= BLOCK:
            return self._in_block(skeleton, 0, len(skeleton))
        found: dict[str, dict[int, int]] = defaultdict(dict)
        for at in range(0, len(skeleton), BLOCK):
            for name, hits in self._in_block(skeleton, max(0, at - 512), at + BLOCK).items():
                found[name].update(hits)
        return {name: sorted(hits.items()) for name, hits in found.items()}

    def _in_block(self, skeleton: bytes, start: int, end: int) -> dict[str, list[Span]]:
        part = skeleton if start == 0 and end >= len(skeleton) else skeleton[start:end]
        ends: list[tuple[int, int]] = []
        for database in self._shape_dbs:
            self._scan(database, part, ends)
        if not ends:
            return {}
        by_shape: dict[int, list[int]] = defaultdict(list)
        for index, to in ends:
            by_shape[index].append(start + to)
        found = {}
        for index in sorted(by_shape):
            shape = self._shapes[index]
            if hits := _in_windows(shape, skeleton, by_shape[index]):
                found[shape.name] = hits
        return found

    def words(self, text: str, skeleton: bytes, start: int, end: int) -> list[WordHit]:
        """The words that start in ``start:end``."""
        stop = end + self._vocabulary.longest
        latin: list[tuple[int, int]] = []
        self._scan(self._latin_db, skeleton[start:stop], latin)
        other: list[tuple[int, int]] = []
        units = text[start:stop].encode("utf-16-le", "surrogatepass")
        self._scan(self._other_db, units, other)
        if not latin and not other:
            return []
        lengths = self._vocabulary.lengths
        # A match at an odd byte straddles two characters. Offsets are code units, see _characters.
        ids, units_of = self._other, self._units
        pairs = [((to >> 1) - units_of[i], ids[i]) for i, to in other if not to & 1]
        if len(units) != 2 * min(len(text) - start, stop - start):
            pairs = _characters(text[start:stop], pairs)
        ids = self._latin
        pairs += [(to - lengths[ids[i]], ids[i]) for i, to in latin]
        span = end - start
        return longest([pair for pair in pairs if pair[0] < span], self._vocabulary, start)

    def _compile(
        self, expressions: Sequence[bytes], flags: int, ids: Sequence[int] | None = None
    ) -> Any:
        database = self._hyperscan.Database(mode=self._hyperscan.HS_MODE_BLOCK)
        if expressions:
            database.compile(
                expressions=list(expressions),
                ids=list(range(len(expressions)) if ids is None else ids),
                flags=[flags] * len(expressions),
            )
        return database if expressions else None

    def _scratch(self, database: Any) -> Any:
        """This thread's scratch space for a database, made with its first scan."""
        scratches = self._local.__dict__.setdefault("scratches", {})
        return scratches.setdefault(database, self._hyperscan.Scratch(database))

    def _scan(self, database: Any, data: bytes, into: list[tuple[int, int]]) -> None:
        if database is None or not data:
            return
        try:
            scratch = self._local.scratches[database]
        except (AttributeError, KeyError):
            scratch = self._scratch(database)
        append = into.append

        def found(index: int, _start: int, end: int, _flags: int, _context: object) -> None:
            append((index, end))

        database.scan(data, match_event_handler=found, scratch=scratch)


def _in_windows(shape: Shape, skeleton: bytes, ends: list[int]) -> list[Span]:
    """The exact rule, wherever a match may end near one of ``ends`` (ascending)."""
    if shape.fixed and not shape.gate:
        return _at_ends(shape, skeleton, ends)
    hits: list[Span] = []
    reach = shape.length + 2
    ahead = shape.length if shape.gate else 0
    low, high = ends[0] - reach, ends[0] + ahead
    for end in ends[1:]:
        if end - reach <= high:
            high = end + ahead
        else:
            _search(shape, skeleton, low, high, hits)
            low, high = end - reach, end + ahead
    _search(shape, skeleton, low, high, hits)
    return hits


def _at_ends(shape: Shape, skeleton: bytes, ends: list[int]) -> list[Span]:
    """The same for a shape of one length: it can start in two places only."""
    match = shape.pattern.match
    starts = {
        end - shape.length - back for end in ends for back in (0, 1) if end > shape.length - 1
    }
    found = ((start, match(skeleton, start)) for start in sorted(starts) if start >= 0)
    return [(start, hit.end(1)) for start, hit in found if hit]


def _search(shape: Shape, skeleton: bytes, low: int, high: int, into: list[Span]) -> None:
    for match in shape.pattern.finditer(skeleton, max(0, low), high + shape.length + 8):
        if match.start() >= high:
            break
        into.append((match.start(), match.end(1)))


def _characters(text: str, pairs: list[WordHit]) -> list[WordHit]:
    """Code-unit starts to character starts, where a text has characters above U+FFFF."""
    import numpy as np  # noqa: PLC0415 - there already when this is called

    points = np.frombuffer(text.encode("utf-32-le", "surrogatepass"), dtype=np.uint32)
    wide = points > 0xFFFF  # noqa: PLR2004 - the last code point of one unit
    units = np.cumsum(1 + wide) - (1 + wide)
    starts = np.searchsorted(units, [at for at, _ in pairs])
    return [(int(at), index) for at, (_, index) in zip(starts, pairs, strict=True)]
