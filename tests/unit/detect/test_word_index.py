"""Words of a text, found a block at a time, whole words only."""

from __future__ import annotations

import pytest

from shared.detect.matcher import PlainMatcher, Vocabulary
from shared.detect.skeleton import skeleton
from shared.detect.words import BLOCK, WordIndex

WORDS = ("個人番号", "tel", "no.", "-x", "q.r")


class Asked(PlainMatcher):
    """A matcher that remembers where it was asked to look."""

    def __init__(self, vocabulary):
        super().__init__((), vocabulary)
        self.ranges = []

    def words(self, text, skeleton, start, end):
        self.ranges.append((start, end))
        return super().words(text, skeleton, start, end)


def index_of(text):
    vocabulary = Vocabulary(WORDS)
    matcher = Asked(vocabulary)
    return WordIndex(matcher, vocabulary, text, skeleton(text)), matcher.ranges


@pytest.mark.parametrize("at", [0, 1, BLOCK - 4, BLOCK - 3, BLOCK - 1, BLOCK, BLOCK + 1, 1500])
@pytest.mark.parametrize(("word", "number"), [("個人番号", 0), ("tel", 1)])
def test_word_is_found_where_it_starts_in_the_range(at, word, number):
    text = "。" * at + word + "。" * (1600 - at)
    index, _ = index_of(text)
    hit = (at, at + len(word), number)
    assert list(index.between(0, len(text))) == [hit]
    assert list(index.between(-5, len(text) + 600)) == [hit]
    assert list(index.between(at, at + 1)) == [hit]
    assert list(index.between(at, at)) == []
    assert list(index.between(0, at)) == []
    assert list(index.between(at + 1, len(text))) == []


def test_words_come_in_order_and_those_outside_the_range_are_left_out():
    text = "個人番号 tel " * 200
    index, _ = index_of(text)
    everything = sorted(
        [(9 * n, 9 * n + 4, 0) for n in range(200)]
        + [(9 * n + 5, 9 * n + 8, 1) for n in range(200)]
    )
    assert list(index.between(0, len(text))) == everything
    assert list(index.between(400, 1100)) == [w for w in everything if 400 <= w[0] < 1100]


@pytest.mark.parametrize(
    ("low", "high", "ranges"),
    [
        (0, 1, [(0, 512)]),
        (0, 512, [(0, 512)]),
        (0, 513, [(0, 512), (512, 1024)]),
        (511, 512, [(0, 512)]),
        (512, 513, [(512, 1024)]),
        (-9, 9, [(0, 512)]),
        (1024, 5000, [(1024, 1300)]),
        (600, 1300, [(512, 1024), (1024, 1300)]),
        (1536, 2000, []),
    ],
)
def test_only_the_blocks_of_the_range_are_searched_and_each_once(low, high, ranges):
    index, asked = index_of("。" * 1300)
    for _ in range(2):
        assert list(index.between(low, high)) == []
        assert asked == ranges


def test_search_goes_no_farther_than_the_first_word_behind_the_range():
    index, asked = index_of("。" * 10 + "tel" + "。" * 1200)
    assert list(index.between(0, 5)) == []
    assert next(index.between(0, 1200)) == (10, 13, 1)
    assert asked == [(0, 512)]


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("tel", True), ("TEL", True), ("ｔｅｌ", True), ("hotel", False), ("tels", False),
        ("Ｓｔｅｌ", False), ("telｓ", False), ("03tel", True), ("tel03", True), ("-tel_", True),
        ("個tel人", True), ("étel", True), ("telé", True), ("。tel", True), (" tel ", True),
        ("ano.", False), ("no.x", True), ("no.1", True), ("a-x", True), ("-xy", False),
        ("-x", True), ("aq.r", False), ("q.rs", False), ("tels。", False), ("tel。s", True),
        ("q.r", True), ("q.r.", True), ("個人番号", True), ("a個人番号b", True),
    ],
)  # fmt: skip
def test_latin_word_is_no_part_of_a_longer_one(text, found):
    for before in ("", "。", "z ", "。" * 511):
        index, _ = index_of(before + text)
        assert bool(list(index.between(0, 600))) is found
