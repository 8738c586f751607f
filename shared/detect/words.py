"""Words near a candidate, searched lazily block by block."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator

from shared.detect.matcher import Matcher, Vocabulary, WordHit

BLOCK = 512


class WordIndex:
    """The words of one text; a block of it is searched when someone first asks, and once only."""

    def __init__(
        self, matcher: Matcher, vocabulary: Vocabulary, text: str, skeleton: bytes
    ) -> None:
        self._matcher = matcher
        self._vocabulary = vocabulary
        self._text = text
        self._skeleton = skeleton
        self._blocks: dict[int, list[WordHit]] = {}

    def between(self, low: int, high: int) -> Iterator[tuple[int, int, int]]:
        """(start, end, index of the word) of the words that start in ``low:high``, in order."""
        words = self._vocabulary.words
        low = max(0, low)
        for block in range(low // BLOCK, max(0, min(high, len(self._text)) - 1) // BLOCK + 1):
            hits = self._block(block)
            for at in range(bisect_left(hits, (low, -1)), len(hits)):
                start, index = hits[at]
                if start >= high:
                    return
                yield start, start + len(words[index]), index

    def _block(self, block: int) -> list[WordHit]:
        hits = self._blocks.get(block)
        if hits is None:
            start = block * BLOCK
            end = min(start + BLOCK, len(self._text))
            found = self._matcher.words(self._text, self._skeleton, start, end)
            hits = [hit for hit in found if self._whole(hit)]
            self._blocks[block] = hits
        return hits

    def _whole(self, hit: WordHit) -> bool:
        """A word in Latin letters must not be a part of a longer one (``tel`` in ``hotel``)."""
        start, index = hit
        word = self._vocabulary.words[index]
        if not word.isascii():
            return True
        end = start + len(word)
        before = self._skeleton[start - 1 : start]
        after = self._skeleton[end : end + 1]
        return not (_is_letter(before) and _is_letter(word[:1].encode())) and not (
            _is_letter(after) and _is_letter(word[-1:].encode())
        )


def _is_letter(byte: bytes) -> bool:
    return byte.isalpha() and byte.isascii()
