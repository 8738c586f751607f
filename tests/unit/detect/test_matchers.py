"""Both matchers alike: which shapes and words are found, at every edge of a text and of a block."""

from __future__ import annotations

import threading

import hyperscan
import pytest

from shared.detect import vector
from shared.detect.matcher import PlainMatcher, Vocabulary, longest
from shared.detect.shapes import LONGEST, Shape
from shared.detect.skeleton import skeleton
from shared.detect.vector import VectorMatcher

BOTH = pytest.mark.parametrize("kind", [PlainMatcher, VectorMatcher])
NONE = Vocabulary([])
FIXED = Shape("n12", "[0-9]", "[0-9]{3}")
VARYING = Shape("varying", "[p-r]", "[p-r]{1,5}")
GATED = Shape("gated", "[x]", "y{0,6}zy{0,6}x", gate="z")
HELD = Shape("held", "[k]", "lmll", gate="m")
FREE = Shape("free", "[#]", "[0-9]", before="", after="")
BOUNDED = Shape("bounded", "[!]", "[a-z]{2}", ends="(?![-]{8})", alone="(?<![-]{3}!)")
ALL = (FIXED, VARYING, GATED, HELD, FREE, BOUNDED)


def words_of(kind, words, text):
    """(start, word) of what is found."""
    matcher = kind((), Vocabulary(words))
    return [(at, words[index]) for at, index in matcher.words(text, skeleton(text), 0, len(text))]


def test_vocabulary_knows_latin_words_in_lower_case_and_others_as_they_are():
    vocabulary = Vocabulary(["Tel", "個人番号", "É", "ab"])
    assert vocabulary.words == ("Tel", "個人番号", "É", "ab")
    assert vocabulary.lengths == [3, 4, 1, 2]
    assert vocabulary.longest == 4
    assert vocabulary.latin == {"tel": 0, "ab": 3}
    assert vocabulary.other == {"個人番号": 1, "É": 2}
    none = Vocabulary([])
    assert (none.words, none.lengths, none.longest, none.latin, none.other) == ((), [], 1, {}, {})


@BOTH
@pytest.mark.parametrize(
    ("words", "text", "found"),
    [
        (["番号", "番号簿"], "番号 番号簿", [(0, "番号"), (3, "番号簿")]),
        (["番号簿", "番号"], "番号 番号簿", [(0, "番号"), (3, "番号簿")]),
        (["a", "abc", "ab"], "ab abc a", [(0, "ab"), (3, "abc"), (7, "a")]),
        (["個人番号", "番号", "人"], "個人番号番号", [(0, "個人番号"), (4, "番号")]),
        (["個人番", "番号", "人"], "個人番号", [(0, "個人番"), (2, "番号")]),
        (["個", "号"], "個人番号", [(0, "個"), (3, "号")]),
        (["a", "個"], "a個a", [(0, "a"), (1, "個"), (2, "a")]),
        (["TEL", "Fax"], "tel Tel ＴＥＬ fAX", [(0, "TEL"), (4, "TEL"), (8, "TEL"), (12, "Fax")]),
        (["Ａ"], "A a Ａ ａ", [(4, "Ａ")]),
        (["no.", "a+b", "]x", "^y", "-z"], "no. nox a+b aab ]x ^y -z",
         [(0, "no."), (8, "a+b"), (16, "]x"), (19, "^y"), (22, "-z")]),
        (["（個人）", "・"], "（個人）・", [(0, "（個人）"), (4, "・")]),
        (["É"], "É é", [(0, "É")]),
        (["tel"], "個人番号", []),
        (["個人番号"], "tel", []),
        (["個人番号"], "", []),
        ([], "個人番号 tel", []),
        (["改\n行"], "改\n行 改行", [(0, "改\n行")]),
        # UTF-16 reads U+4200 U+0030 as 00 42 30 00: the bytes of あ stand across the two.
        (["あ"], "\u42000あ", [(2, "あ")]),
        (["ああ"], "\u4200\u4230\u4230\u0030ああ", [(4, "ああ")]),
        (["𠮷番号", "番"], "x𠮷番号 番😀𠮷番号", [(1, "𠮷番号"), (5, "番"), (7, "𠮷番号")]),
        (["個人", "Tel"], "😀個人😀tel𠮷個人", [(1, "個人"), (4, "Tel"), (8, "個人")]),
        (["個人"], "\ud800個人\uffff😀個人", [(1, "個人"), (5, "個人")]),
        (["個人"], "\uffff😀\uffff個人", [(3, "個人")]),
        (["個人"], "\U00010000個人", [(1, "個人")]),
        (["個人"], "\ud800個人", [(1, "個人")]),
    ],
)  # fmt: skip
def test_longest_word_at_each_place_is_found(kind, words, text, found):
    assert words_of(kind, words, text) == found


@BOTH
@pytest.mark.parametrize("other", ["", "😀"])
@pytest.mark.parametrize("word", ["個人番", "phone"])
def test_words_that_start_in_a_range_are_found_whole(kind, word, other):
    text = f"{other}。。{word}。{word}。"
    first, second = text.index(word), text.rindex(word)
    matcher = kind((), Vocabulary([word, "無"]))
    for start in range(len(text)):
        for end in range(start + 1, len(text) + 3):
            inside = [(at, 0) for at in (first, second) if start <= at < end]
            assert matcher.words(text, skeleton(text), start, end) == inside


def test_of_words_that_overlap_those_inside_another_are_left_out():
    vocabulary = Vocabulary(["abcd", "bc", "cd", "de", "a", "xy"])
    pairs = [(2, 2), (0, 4), (3, 3), (1, 1), (0, 0), (9, 5)]
    assert longest(pairs, vocabulary, 0) == [(0, 0), (3, 3), (9, 5)]
    assert longest(pairs, vocabulary, 100) == [(100, 0), (103, 3), (109, 5)]
    assert longest([(0, 4)], vocabulary, 0) == [(0, 4)]
    assert longest([(0, 4), (1, 4)], vocabulary, 0) == [(0, 4), (1, 4)]
    assert longest([], vocabulary, 5) == []


@BOTH
@pytest.mark.parametrize(
    ("text", "hits"),
    [
        ("1234", {"n12": [(0, 4)]}),
        ("1234 5678", {"n12": [(0, 4), (5, 9)]}),
        ("-1234", {"n12": [(1, 5)]}),
        ("12345", {}),
        ("1234a", {}),
        ("a1234", {}),
        ("123", {}),
        ("", {}),
        ("。", {}),
        ("pqr", {"varying": [(0, 3)]}),
        ("pq.pqrpqr rp", {"varying": [(0, 2), (3, 9), (10, 12)]}),
        ("pqrpqrp", {}),
        ("xzx", {"gated": [(0, 3)]}),
        ("xyyyyyyzyyyyyyx", {"gated": [(0, 15)]}),
        ("xyyyyyyyzx xzx z", {"gated": [(11, 14)]}),
        ("klmll", {"held": [(0, 5)]}),
        ("klmll klmllk .klmll", {"held": [(0, 5), (14, 19)]}),
        ("#1#2a#3", {"free": [(0, 2), (2, 4), (5, 7)]}),
        ("!ab", {"bounded": [(0, 3)]}),
        ("!ab-------", {"bounded": [(0, 3)]}),
        ("!ab--------", {}),
        ("--!ab", {"bounded": [(2, 5)]}),
        ("---!ab", {}),
        ("#1 1234 pq xzx", {"n12": [(3, 7)], "varying": [(8, 10)], "gated": [(11, 14)],
                            "free": [(0, 2)]}),
    ],
)  # fmt: skip
def test_shapes_are_found_where_they_stand_alone(kind, text, hits):
    assert kind(ALL, NONE).shapes(skeleton(text)) == hits


@BOTH
@pytest.mark.parametrize("shapes", [(), (FIXED,), (VARYING,)])
def test_matcher_of_some_shapes_finds_only_those(kind, shapes):
    matcher = kind(shapes, NONE)
    found = matcher.shapes(b"1234 pqr xzx #1")
    assert set(found) == {shape.name for shape in shapes}
    assert matcher.words("1234", b"1234", 0, 4) == []


def test_hits_at_any_distance_of_each_other_are_found_by_both():
    plain, fast = PlainMatcher(ALL, NONE), VectorMatcher(ALL, NONE)
    for part in ("1234", "pqrpqr", "pq", "xyyyyyyzx", "xzyyyyyyx", "xzx", "klmll", "#1", "!ab"):
        for gap in (*range(1, 9), 12, 17, 31, 33, 34, 60):
            for ends in ("", ".", "-" * 9):
                text = skeleton(ends + (part + "." * gap) * 3 + part + ends)
                found = fast.shapes(text)
                assert found == plain.shapes(text)
                assert [len(hits) for hits in found.values()] in ([4], [3], [2])


LONG = Shape("long", "[a]", f"[bc]{{{LONGEST - 2}}}d?")
LONG_GATED = Shape("long_gated", "[e]", f"f{{{LONGEST - 3}}}ge", gate="ge")


@pytest.mark.parametrize("place", [1024, 2048])
def test_hit_that_lies_across_blocks_is_found_once(monkeypatch, place):
    shapes = (FIXED, LONG, LONG_GATED)
    plain, fast = PlainMatcher(shapes, NONE), VectorMatcher(shapes, NONE)
    monkeypatch.setattr(vector, "BLOCK", 1024)
    parts = {"n12": b"1234", "long": b"a" + b"b" * (LONGEST - 2) + b"d"}
    parts["long_gated"] = b"e" + b"f" * (LONGEST - 3) + b"ge"
    for name, part in parts.items():
        for start in (*range(place - len(part) - 2, place + 3, max(1, len(part) // 16)), place):
            text = b"." * start + part + b"." * (2500 - start)
            expected = {name: [(start, start + len(part))]}
            assert plain.shapes(text) == fast.shapes(text) == expected
    for text in (b"1234" + b"." * 3000, b"." * 3000 + b"1234"):
        assert fast.shapes(text) == plain.shapes(text) != {}
    many = b"".join(b".%04d" % n for n in range(700))
    assert fast.shapes(many) == {"n12": [(5 * n + 1, 5 * n + 5) for n in range(700)]}
    for length in (1023, 1024, 1025, 2048):
        text = many[: length - 5] + b".1234"
        assert fast.shapes(text)["n12"][-1] == (length - 4, length)
        assert fast.shapes(text) == plain.shapes(text)


class Watched:
    """A database that notes the length of each text, the thread, and the scratch space."""

    def __init__(self, database, seen):
        self.database, self._seen = database, seen

    def scan(self, data, *, match_event_handler, scratch):
        self._seen.append((len(data), threading.current_thread(), scratch))
        self.database.scan(data, match_event_handler=match_event_handler, scratch=scratch)


def watched(shapes, words):
    """A matcher, and what its databases note."""
    seen = []
    matcher = VectorMatcher(shapes, Vocabulary(words))
    matcher._shape_dbs = [Watched(each, seen) for each in matcher._shape_dbs]
    matcher._latin_db = Watched(matcher._latin_db, seen)
    matcher._other_db = Watched(matcher._other_db, seen)
    return matcher, seen


def scratch_counted(monkeypatch):
    """The databases for which scratch spaces are made from now on."""
    made = []

    def scratch(watched):
        made.append(watched)
        return real(watched.database)

    real = hyperscan.Scratch
    monkeypatch.setattr(hyperscan, "Scratch", scratch)
    return made


def test_each_thread_has_scratch_space_of_its_own_made_once(monkeypatch):
    matcher, seen = watched(ALL, ["個人番号", "tel"])
    made = scratch_counted(monkeypatch)
    text = "1234 pqr tel 個人番号"

    def scans():
        for _ in range(3):
            assert set(matcher.shapes(skeleton(text))) == {"n12", "varying"}
            assert len(matcher.words(text, skeleton(text), 0, len(text))) == 2

    for threads in (1, 2):
        thread = threading.Thread(target=scans)
        thread.start()
        thread.join()
        assert len(made) == 4 * threads
    owners = {(thread, scratch) for _, thread, scratch in seen}
    assert len(owners) == len({scratch for _, scratch in owners}) == 8
    assert None not in {scratch for _, scratch in owners}


def test_no_more_than_a_block_and_what_overlaps_is_searched_at_once(monkeypatch):
    matcher, seen = watched((FIXED, LONG), ["個人番号", "tel"])
    scratch_counted(monkeypatch)
    monkeypatch.setattr(vector, "BLOCK", 1024)
    assert matcher.shapes(b"." * 3500 + b"1234") == {"n12": [(3500, 3504)]}
    assert [length for length, _, _ in seen[::2]] == [1024, 1536, 1536, 944]
    seen.clear()
    assert matcher.shapes(b".1234") == {"n12": [(1, 5)]}
    assert [length for length, _, _ in seen] == [5, 5]


def test_characters_are_counted_only_where_some_take_two_code_units(monkeypatch):
    matcher = VectorMatcher((), Vocabulary(["個人"]))
    monkeypatch.setattr(vector, "_characters", None)
    text = "。。個人。。個人。"
    for start in range(8):
        for end in (start + 1, 7, 9, 20):
            inside = [(at, 0) for at in (2, 6) if start <= at < end]
            assert matcher.words(text, skeleton(text), start, end) == inside
