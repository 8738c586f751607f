"""Scenes and candidates for tests of what stands around a number."""

from __future__ import annotations

from functools import cache, partial

from shared.detect.matcher import PlainMatcher, Vocabulary
from shared.detect.scene import Candidate, Scene
from shared.detect.skeleton import digits_of, skeleton
from shared.detect.tables import Tables
from shared.detect.words import WordIndex

NO_WORDS = Vocabulary([])
matcher_of = cache(partial(PlainMatcher, ()))
N = "123456789018"


def scene_of(text, vocabulary=NO_WORDS, subject=()):
    """The scene of a text, with the words of the vocabulary."""
    classes = skeleton(text)
    words = WordIndex(matcher_of(vocabulary), vocabulary, text, classes)
    return Scene(text, classes, {}, words, Tables(text), {}, lambda: frozenset(subject))


def candidate_of(text, part=N, shape="n12"):
    """The candidate that is the last such part of the text."""
    start = text.rindex(part)
    return Candidate(shape, start, start + len(part), digits_of(skeleton(part)))


def told(tally):
    """(code, weight, word, n) of each reason."""
    return [(each.code, each.weight, each.word, each.n) for each in tally.reasons]
