"""What every recognizer does with its candidates: order, check digit, label, bounds of work."""

from __future__ import annotations

from dataclasses import replace
from functools import cache
from typing import ClassVar

import pytest

from shared.detect.matcher import PlainMatcher
from shared.detect.parts import Parts, compiled
from shared.detect.recognizer import Recognizer
from shared.detect.rulebook import Reason, load
from shared.detect.scene import Candidate, Draft, Scene
from shared.detect.shapes import Shape
from shared.detect.skeleton import skeleton
from shared.detect.tables import Tables
from shared.detect.vector import VectorMatcher
from shared.detect.words import WordIndex
from shared.model import Level

RULE = """
entity: staff
ja: 職員番号
en: Staff number
source: an example
labels: [職員証]
levels: {low: 1.0, medium: 2.0, high: 5.0}
near: [[4, 3.0]]
against: []
weights: {base: 1.5, personal: 0.0, subject: 0.25}
"""


@cache
def book():
    return load([RULE])


class Staff(Recognizer):
    """Weighs every candidate by its last two digits and remembers which ones it weighed."""

    entity = "staff"
    shapes = (Shape("six", "[KS]", "[0-9]{6}"), Shape("some", "K", "[0-9]{4,6}"))

    def __init__(self, **lines):
        super().__init__(replace(book().rules["staff"], **lines), book())
        self.weighed: list[int] = []

    def weigh(self, scene, candidate, tally):  # noqa: ARG002 - as it is called
        self.weighed.append(candidate.start)
        tally.add("own", int(candidate.value[-2:]) / 1000)


class Sure(Staff):
    sure_shapes: ClassVar[frozenset[str]] = frozenset({"six"})


class Slotted(Staff):
    slotted: ClassVar[bool] = True


def scene_of(text, notes=None):
    classes = skeleton(text)
    hits = PlainMatcher((*Staff.shapes, Shape("x", "X", "X")), book().vocabulary).shapes(classes)
    matcher = PlainMatcher((), book().vocabulary)
    index = WordIndex(matcher, book().vocabulary, text, classes)
    scene = Scene(text, classes, hits, index, Tables(text), {}, frozenset)
    return replace(scene, notes={"staff": notes}) if notes is not None else scene


def test_candidates_are_in_order_and_once_at_a_span():
    scene = scene_of("K1234 S123456 K234567 XX K12345")
    assert Staff().spans(scene) == [
        ("six", (6, 13)), ("six", (14, 21)),
        ("some", (0, 5)), ("some", (14, 21)), ("some", (25, 31)),
    ]  # fmt: skip
    assert Staff().candidates(scene) == [
        Candidate("some", 0, 5, b"1234"),
        Candidate("six", 6, 13, b"123456"),
        Candidate("six", 14, 21, b"234567"),
        Candidate("some", 25, 31, b"12345"),
    ]
    assert [each.start for each in Staff().candidates(scene_of("S123456 S234567"))] == [0, 8]
    assert [each.shape for each in Staff().candidates(scene_of("K123456"))] == ["six"]
    assert Staff().candidates(scene_of("none")) == Staff().drafts(scene_of("none")) == []


def test_candidates_that_overlap_stay_apart():
    class Two(Staff):
        def spans(self, scene):  # noqa: ARG002 - as it is called
            return [("a", (0, 3)), ("b", (0, 2)), ("c", (0, 3)), ("d", (1, 3)), ("e", (1, 3))]

    told = [(each.shape, each.start, each.end) for each in Two().candidates(scene_of("123"))]
    assert told == [("b", 0, 2), ("a", 0, 3), ("d", 1, 3)]


def test_candidate_of_digits_alone_is_their_value_and_kanji_are_digits_too():
    scene = scene_of("1234 1-2三x")
    assert Staff().value(scene, "s", (0, 4)) == Candidate("s", 0, 4, b"1234")
    assert Staff().value(scene, "s", (5, 10)) == Candidate("s", 5, 10, b"123")


def test_draft_tells_reasons_score_and_level():
    (draft,) = Staff().drafts(scene_of("職員証 S123410"))
    assert draft == Draft(
        Candidate("six", 4, 11, b"123410"),
        "staff",
        4.51,
        Level.MEDIUM,
        (Reason("base", 1.5), Reason("near", 3.0, "職員証", 1), Reason("own", 0.01)),
    )
    weights = {**book().rules["staff"].weights, "base": 0.0}
    (bare,) = Staff(weights=weights, levels=(0.0, 1.0, 2.0)).drafts(scene_of("S123410"))
    assert (bare.reasons, bare.level) == ((Reason("own", 0.01),), Level.LOW)


def test_what_reaches_no_level_is_no_draft_but_is_shown():
    scene = scene_of("S123410")
    strict = Staff(levels=(3.0, 4.0, 5.0))
    assert strict.drafts(scene) == []
    (shown,) = strict.everything(scene)
    assert (shown.level, shown.score, len(shown.reasons)) == (None, 1.51, 2)


def test_check_digit_that_is_wrong_is_no_draft_but_is_shown():
    scene = scene_of("S123455 S123456")
    checked = Staff(check="luhn")
    assert checked.passes(checked.candidates(scene)) == [True, False]
    (draft,) = checked.drafts(scene)
    assert [reason.code for reason in draft.reasons] == ["base", "check", "own"]
    assert draft.reasons[1].weight == 2.4
    right, wrong = checked.everything(scene)
    assert right == draft
    failed = (Reason("check_fails", 0.0),)
    assert wrong == Draft(Candidate("six", 8, 15, b"123456"), "staff", 0.0, None, failed)
    optional = Staff(check="luhn", pattern={"check_optional": True})
    assert "check" not in {reason.code for reason in optional.drafts(scene)[0].reasons}
    assert Staff().passes(Staff().candidates(scene)) == [True, True]
    (behind,) = checked.drafts(scene_of("S123456 S123455"))
    assert behind.candidate.start == 8


def test_label_that_led_to_a_value_is_its_evidence():
    note = Reason("near", 2.0, "職員証", 7)
    (draft,) = Staff(needs_label=True).drafts(scene_of("S123410", {(0, 7): note}))
    assert draft.reasons == (Reason("base", 1.5), note, Reason("own", 0.01))
    assert draft.score == 3.51
    assert Staff(needs_label=True).drafts(scene_of("S123410", {(0, 6): note})) == []
    (shown,) = Staff(needs_label=True).everything(scene_of("S123410"))
    assert shown.level is None
    assert Staff(needs_label=True).drafts(scene_of("職員証 S123410"))


def test_shape_that_is_sure_has_one_verdict_and_looks_for_no_word():
    sure = Sure()
    scene = scene_of("職員証 S123410 S123420")
    first, second = sure.drafts(scene)
    assert first.reasons == (Reason("base", 1.5), Reason("own", 0.01))
    assert second.reasons is first.reasons
    assert (second.score, second.level, second.entity) == (1.51, Level.LOW, "staff")
    assert (second.candidate.start, sure.weighed) == (12, [4])
    assert sure.drafts(scene) == [first, second]
    assert sure.weighed == [4], "nor is it weighed again in the next text"
    assert Sure(levels=(3.0, 4.0, 5.0)).drafts(scene) == []


@pytest.mark.parametrize(
    ("text", "weighed"),
    [
        ("S123410 K1234 K2345 S123420", [0, 8, 14]),
        ("S123410 S123420 K1234", [0, 8, 16]), ("K1234 S123420 S123421", [0, 6, 14]),
    ],
)  # fmt: skip
def test_shape_that_is_not_sure_is_weighed_each_time(text, weighed):
    sure = Sure()
    drafts = sure.drafts(scene_of("職員証\n" + text))
    assert [at - 4 for at in sure.weighed] == weighed
    assert len(drafts) == len(text.split())


def test_form_is_decisive_where_it_is_sure_or_no_word_is_looked_for():
    six, some = Candidate("six", 0, 1, b""), Candidate("some", 0, 1, b"")
    assert [Sure().decisive(each) for each in (six, some)] == [True, False]
    assert [Staff().decisive(each) for each in (six, some)] == [False, False]
    assert Staff(near=()).decisive(some) is True


def test_word_of_the_vocabulary_is_the_entitys_own_or_not():
    words = book().vocabulary.words
    assert Staff().says(words.index("職員証")) is True
    assert Staff().says(words.index("個人番号")) is False


def rows(count, before="甲\t", first=10):
    return "".join(f"{before}S1234{first + n % 90}\n" for n in range(count))


@pytest.mark.parametrize(("count", "weighed"), [(200, 200), (201, 50)])
def test_of_many_values_in_one_place_50_are_weighed(count, weighed):
    staff = Staff()
    drafts = staff.drafts(scene_of(rows(count)))
    assert (len(drafts), len(staff.weighed)) == (count, weighed)
    last = drafts[weighed - 1]
    for draft in drafts[weighed:]:
        assert (draft.score, draft.level, draft.reasons) == (last.score, last.level, last.reasons)
        assert draft.entity == "staff"
    assert [each.candidate.start for each in drafts] == [2 + 10 * n for n in range(count)]
    assert round(drafts[49].score, 3) == 1.559


def test_of_many_values_the_rest_is_nothing_where_the_50th_is_nothing():
    drafts = Staff(levels=(1.535, 2.0, 3.0)).drafts(
        scene_of(rows(49, first=40) + rows(201, first=10))
    )
    assert len(drafts) == 49


@pytest.mark.parametrize(
    ("text", "weighed"),
    [
        (rows(120) + "\n" + rows(120), 100), (rows(120) + rows(120, "甲\t乙\t"), 100),
        (rows(120) + rows(120, "甲,"), 100), (rows(30) + rows(220, "甲\t乙\t"), 80),
        ("".join(f"S{n:06} " for n in range(240)), 50), (rows(120, "番:") + rows(120, "号:"), 100),
    ],
)  # fmt: skip
def test_place_is_a_column_or_a_label_in_a_block(text, weighed):
    staff = Staff()
    assert len(staff.drafts(scene_of(text))) > 200
    assert len(staff.weighed) == weighed


@pytest.mark.parametrize(
    ("notes", "weighed"),
    [
        ([Reason("header", 2.5, "甲")], 50), ([Reason("near", 2.5, "甲")], 240),
        ([Reason("header", 2.5, "甲"), Reason("header", 2.5, "乙")], 100),
    ],
)  # fmt: skip
def test_place_under_a_header_is_that_of_its_word(notes, weighed):
    said = [chr(0x4E00 + n) for n in range(240)]
    text = "".join(f"{word}:S1234{10 + n % 90}\n" for n, word in enumerate(said))
    spans = [(10 * n + 2, 10 * n + 9) for n in range(240)]
    staff = Staff()
    noted = {span: notes[n % len(notes)] for n, span in enumerate(spans)}
    assert len(staff.drafts(scene_of(text, noted))) == 240
    assert len(staff.weighed) == weighed


def test_slot_has_its_pass_rate_and_of_it_too_50_are_weighed():
    slotted = Slotted(check="luhn")
    values = [n for n in range(100_000, 101_000) if Staff(check="luhn").passes(
        [Candidate("six", 0, 7, str(n).encode())])[0]][:60]  # fmt: skip
    text = "".join(f"甲\tS{n}\n" for n in values)
    drafts = slotted.drafts(scene_of(text))
    assert (len(drafts), len(slotted.weighed)) == (60, 50)
    assert {reason.code: reason.n for reason in drafts[0].reasons}["same_slot"] == 60
    loose = Slotted(check="luhn")
    bare = loose.drafts(scene_of(" ".join(f"S{n}" for n in values)))
    assert (len(bare), len(loose.weighed)) == (60, 60), "without a label each is weighed"
    assert {reason.code: reason.n for reason in bare[-1].reasons}["same_slot"] == 60
    (shown, *_) = Slotted(check="luhn").everything(scene_of(text))
    assert shown.reasons == drafts[0].reasons


def test_recognizers_are_concerned_by_a_shape_or_by_a_label():
    labels = {f"label{n}": 1 for n in range(1_001)}
    shapes = {"six": (2, 0), "staff": (3,)}
    parts = Parts(book(), ("a", "b", "c", "d"), None, None, shapes, labels | {"staff": 1}, ())

    empty = scene_of("")

    def concerned(hits, *triggers):
        hits, triggers = dict.fromkeys(hits), dict.fromkeys(triggers)
        return parts.concerned(replace(empty, hits=hits, triggers=triggers))

    assert concerned(["six"]) == ["a", "c"]
    assert concerned(["six", "staff"]) == ["a", "c", "d"]
    assert concerned([], "staff") == ["b"]
    assert concerned(["staff"]) == ["d"]
    assert concerned(["staff"], "staff") == concerned(["staff"], "label0") == ["b", "d"]
    assert concerned([]) == []
    assert concerned(["six"]) is concerned(["six"]), "found once"
    for label in labels:
        assert concerned(["six"], label) == ["a", "b", "c"]
    assert len(parts.known) == 1_000, "of so many are kept"


def test_engine_is_accelerated_unless_it_is_to_be_plain(monkeypatch):
    asked = []

    class Watched(VectorMatcher):
        def __init__(self, shapes, vocabulary):
            asked.append((len(shapes), len(vocabulary.words)))
            super().__init__(shapes, vocabulary)

    monkeypatch.setattr("shared.detect.parts.VectorMatcher", Watched)
    plain = compiled((), plain=True, names=False)
    assert asked == []
    assert isinstance(plain.matcher, PlainMatcher)
    fast = compiled((), plain=False, names=False)
    assert isinstance(fast.matcher, VectorMatcher)
    shapes = {shape.name for each in fast.recognizers for shape in each.shapes}
    labels = fast.book.labels_of(fast.by_label)[0].words
    assert asked == [(len(shapes), len(fast.book.vocabulary.words)), (0, len(labels))]
