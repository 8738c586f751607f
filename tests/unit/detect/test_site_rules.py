"""A site's own rules, what is wrong with one, and texts longer than a block."""

from __future__ import annotations

import pytest

from shared.detect import Engine, FingerprintKey
from shared.detect.rulebook import load
from shared.detect.shapes import LONGEST, Shape
from shared.detect.skeleton import CHUNK, skeleton
from shared.detect.vector import BLOCK
from shared.errors import PolicyError
from shared.model import Level, Segment
from tests.unit.detect import numbers_for_detect as made
from tests.unit.detect.test_rules import FAST

KEY = FingerprintKey("test", bytes(range(32)))
OWN = """
entity: staff_number
ja: 職員番号
en: Staff number
source: an example
labels: [職員証番号]
pattern: {shape: {head: "S", tail: "[0-9]{6}"}, PATTERN}
weights: {base: 3.0}
"""


def own(pattern="", more=""):
    return OWN.replace(", PATTERN", f", {pattern}" if pattern else "") + more


def found(text, *rules, table=False):
    engine = Engine(KEY, site_rules=rules, plain=True)
    return [
        (text[each.start : each.end], each.level, each.masked)
        for each in engine.scan([Segment("本文", text, table=table)])
        if each.entity == "staff_number"
    ]


def test_rule_of_a_site_finds_its_own():
    assert found("職員証番号 S123456", own()) == [("S123456", Level.HIGH, "12****")]
    assert found("S1234567 XS123456 S12345", own()) == []


def test_rule_of_a_site_may_need_its_label_and_show_less():
    text = "番号 S123456" + "。" * 300 + "職員証番号 S654321"
    told = found(text, own("value: text", more="needs_label: true\nshow: 1\n"))
    assert [(part, mask) for part, _, mask in told] == [("S654321", "S******")]


@pytest.mark.parametrize(
    ("pattern", "text", "parts"),
    [
        ('lead: "号:"', "職員証番号:S123456", ["号:S123456"]),
        ('text: "S9.*"', "職員証番号 S912345 S123456", ["S912345"]),
        ('after_label: "[0-9]{6}"', "職員証番号 123456", ["123456"]),
    ],
)
def test_rule_of_a_site_may_ask_for_what_stands_around(pattern, text, parts):
    assert [part for part, _, _ in found(text, own(pattern))] == parts


def test_site_changes_single_lines_and_leaves_the_rest():
    before = load().rules["my_number"]
    after = load(["entity: my_number\nshow: 0\nweights: {base: 9.5}\n"]).rules["my_number"]
    assert (after.show, after.weights["base"]) == (0, 9.5)
    assert (after.labels, after.levels, after.check) == (before.labels, before.levels, before.check)
    assert {**after.weights, "base": before.weights["base"]} == before.weights
    assert load().rules["my_number"] == before, "the package's own rules stay as they are"


def test_site_adds_words_that_speak_against():
    words = "words: {ours: {speaks: against, words: [庁内管理コード]}}"
    text = f"庁内管理コード {made.MY_NUMBER}"
    plain, told = (
        [each.level for each in Engine(KEY, plain=True, site_rules=rules).scan([Segment("", text)])]
        for rules in ((), (words,))
    )
    assert max(plain, default=0) >= max(told, default=0)
    assert Level.HIGH not in told


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("entity: [", "site rule 1, line "),
        ("- a", "site rule 1: a mapping is expected"),
        ("show: 1", "site rule 1: name the entity"),
        ("entity: x\nja: あ", "rule x: KeyError"),
        ("entity: my_number\nshow: many", "rule my_number: ValueError"),
        ("entity: my_number\nlevels: {low: high}", "rule my_number: ValueError"),
        ("entity: my_number\ngazetteer: ../x.txt", "rule my_number: ValueError: no such list"),
        ("entity: my_number\ngazetteer: nothing.txt", "rule my_number: ValueError: no such list"),
        ("entity: my_number\nnear: 7", "rule my_number: TypeError"),
    ],
)
def test_rule_that_is_wrong_is_named(text, words):
    with pytest.raises(PolicyError) as error:
        load([text])
    assert str(error.value).startswith(words)


def test_second_rule_that_is_wrong_is_the_second():
    with pytest.raises(PolicyError, match="site rule 2: name the entity"):
        load(["words: {}", "show: 1"])


@pytest.mark.parametrize(
    ("pattern", "words"),
    [
        ('{shape: {head: "S", tail: "[0-9]+"}}', "its length must be bounded"),
        ('{shape: {head: "S", tail: "(["}}', "shape staff_number: .* at 1"),
        ('{after_label: "[0-9]*"}', "its length must be bounded"),
        ("{value: text}", "pattern needs a shape or after_label"),
    ],
)
def test_pattern_that_is_unbounded_broken_or_missing_is_refused(pattern, words):
    rule = "\n".join(
        f"pattern: {pattern}" if line.startswith("pattern") else line for line in OWN.splitlines()
    )
    with pytest.raises(PolicyError, match=words):
        Engine(KEY, site_rules=[rule], plain=True).scan([Segment("", "x")])


def test_longest_shape_is_bounded_and_the_bound_itself_is_over_it():
    assert Shape("x", "a", f"b{{{LONGEST - 1}}}").length == LONGEST
    with pytest.raises(PolicyError):
        Shape("x", "a", f"b{{{LONGEST}}}")
    assert (Shape("x", "a", "b{3}").fixed, Shape("x", "a", "b{2,3}").fixed) == (True, False)


def test_skeleton_of_a_long_text_is_that_of_its_pieces():
    piece = "個人番号 123-４５６ 𠮷😀\n"
    text = piece * (CHUNK // len(piece) + 2)
    assert skeleton(text) == skeleton(piece) * (CHUNK // len(piece) + 2)
    assert len(skeleton(piece)) == len(piece)


@pytest.mark.parametrize("behind", [1, 511, 2_000])
@pytest.mark.parametrize("offset", [-12, -6, 0])
def test_number_across_two_blocks_is_found_once(offset, behind):
    label = "個人番号 "
    text = "。" * (BLOCK + offset - len(label)) + f"{label}{made.MY_NUMBER}" + "。" * behind
    told = [each for each in FAST.scan([Segment("本文", text)]) if each.entity == "my_number"]
    assert [(each.start, each.end) for each in told] == [(BLOCK + offset, BLOCK + offset + 12)]
