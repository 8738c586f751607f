"""What a rule file may say and what holds where it says nothing; what each word then means."""

from __future__ import annotations

from importlib.resources import files

import pytest
import yaml

from shared.detect.rulebook import PACKAGE, Rule, load
from shared.errors import PolicyError

SCORING = yaml.safe_load((files(PACKAGE) / "_scoring.yaml").read_text("utf-8"))
FULL = """
entity: kou
ja: 甲の番号
en: Number of A
source: an example
check: luhn
labels: [甲番号, Kou No, IDカード, 12]
spaced: [甲の番号, 34]
levels: {medium: 4}
near: [[40, 2], [12, 5.5]]
against: [[30, 1], [3, 4]]
weights: {base: 9.5, own: 1}
confidence: {scale: 2}
show: '2'
needs_label: true
pattern: {shape: {head: K, tail: '[0-9]{6}'}, value: text}
hits: [K123456]
misses: [K1]
friends: [otsu]
speaks: none
gazetteer: municipalities.txt
"""
LEAST = "{entity: otsu, ja: 乙の番号, en: Number of B, source: an example}"
OTSU = LEAST.replace("}", ", labels: [乙番号, 甲乙, kou no], speaks: person}")
HEI = LEAST.replace("otsu", "hei").replace("}", ", labels: [丙番号, 甲乙]}")
WORDS = """
words:
  ours: {speaks: against, words: [庁内コード, 共通, Own Code], factor: 0.5}
  folk: {speaks: person, words: [住人, 共通], factor: 0.2}
  mute: {speaks: none, words: [だまり, 丙番号], factor: 0.3}
  plain: {words: [無指定]}
"""


def municipalities():
    lines = (files(PACKAGE) / "municipalities.txt").read_text("utf-8").splitlines()
    return [name for line in lines if not line.startswith("#") for name in line.split()]


def test_rule_says_everything():
    rule = load([FULL]).rules["kou"]
    assert rule == Rule(
        entity="kou",
        ja="甲の番号",
        en="Number of A",
        source="an example",
        check="luhn",
        labels=("甲番号", "Kou No", "IDカード", "12"),
        spaced=("甲の番号", "34"),
        levels=(SCORING["levels"]["low"], 4.0, SCORING["levels"]["high"]),
        near=((12, 5.5), (40, 2.0)),
        against=((3, 4.0), (30, 1.0)),
        weights={**SCORING["weights"], "base": 9.5, "own": 1},
        midpoint=SCORING["confidence"]["midpoint"],
        scale=2.0,
        show=2,
        needs_label=True,
        pattern={"shape": {"head": "K", "tail": "[0-9]{6}"}, "value": "text"},
        hits=("K123456",),
        misses=("K1",),
        friends=("otsu",),
        speaks="none",
        gazetteer=tuple(dict.fromkeys(municipalities())),
    )
    assert (rule.needs_label, type(rule.show), type(rule.scale)) == (True, int, float)
    assert [type(each) for each in rule.levels] == [float, float, float]


def test_rule_says_the_least():
    rule = load([LEAST]).rules["otsu"]
    assert rule == Rule(
        entity="otsu",
        ja="乙の番号",
        en="Number of B",
        source="an example",
        check="",
        labels=(),
        spaced=(),
        levels=tuple(SCORING["levels"].values()),
        near=tuple(map(tuple, SCORING["near"])),
        against=tuple(map(tuple, SCORING["against"])),
        weights=SCORING["weights"],
        midpoint=SCORING["confidence"]["midpoint"],
        scale=SCORING["confidence"]["scale"],
        show=4,
        needs_label=False,
        pattern={},
        hits=(),
        misses=(),
        friends=(),
        speaks="against",
        gazetteer=(),
    )
    assert rule.needs_label is False


def test_rules_of_the_package_are_its_files_in_order():
    names = sorted(entry.name for entry in files(PACKAGE).iterdir())
    entities = [name[:-5] for name in names if name.endswith(".yaml") and name[0] != "_"]
    assert list(load().rules) == entities
    assert list(load([LEAST]).rules) == [*entities, "otsu"]


def test_site_lays_lines_over_mappings_and_puts_the_rest_in_place():
    later = (
        "{entity: kou, weights: {own: 2}, pattern: {value: digits}, labels: [別の番号], show: 0}"
    )
    first, rule = load([FULL]).rules["kou"], load([FULL, later]).rules["kou"]
    assert rule.weights == {**first.weights, "own": 2}
    assert rule.pattern == {**first.pattern, "value": "digits"}
    assert (rule.labels, rule.show, rule.near) == (("別の番号",), 0, first.near)
    card = load(["{entity: credit_card, weights: {base: 7}}"]).rules["credit_card"]
    assert card.weights == {**load().rules["credit_card"].weights, "base": 7}


def test_word_says_for_each_entity_what_its_groups_say():
    book = load([FULL, OTSU, HEI, WORDS])

    def says(word):
        index = book.vocabulary.words.index(word)
        return [book.roles[entity][index] for entity in ("kou", "otsu", "hei")]

    assert {word: says(word) for word in (
        "甲番号", "kou no", "IDカード", "12", "乙番号", "甲乙", "丙番号",
        "庁内コード", "own code", "住人", "共通", "だまり", "無指定",
    )} == {
        "甲番号": ["near", "", ""], "IDカード": ["near", "", ""], "12": ["near", "", ""],
        "kou no": ["near", "near", "person"], "乙番号": ["", "near", "person"],
        "甲乙": ["against", "near", "near"], "丙番号": ["against", "against", "near"],
        "庁内コード": ["against"] * 3, "own code": ["against"] * 3, "住人": ["person"] * 3,
        "共通": ["person"] * 3, "だまり": [""] * 3, "無指定": ["against"] * 3,
    }  # fmt: skip
    assert list(book.vocabulary.words) == sorted(book.vocabulary.words)
    assert {len(roles) for roles in book.roles.values()} == {len(book.vocabulary.words)}


def test_word_counts_as_much_as_the_strongest_of_its_groups():
    book = load([FULL, OTSU, HEI, WORDS])
    factor = dict(zip(book.vocabulary.words, book.factors, strict=True))
    words = ("甲番号", "庁内コード", "own code", "住人", "共通", "だまり", "丙番号", "無指定")
    assert [factor[word] for word in words] == [1.0, 0.5, 0.5, 0.2, 0.5, 0.3, 1.0, 1.0]


def test_site_takes_the_place_of_a_group_of_words():
    words = load(["words: {parcel: {words: [貨物札]}}"]).vocabulary.words
    assert "貨物札" in words
    assert "送り状番号" not in words
    assert "注文番号" in words
    assert "送り状番号" in load().vocabulary.words


def test_label_that_announces_tells_whose_it_is():
    vocabulary, owners = load([FULL, OTSU, HEI]).labels_of(["otsu", "kou"])
    told = dict(zip(vocabulary.words, owners, strict=True))
    places = dict.fromkeys(municipalities(), ("kou",))
    assert told == {
        **places,
        "甲番号": ("kou",), "IDカード": ("kou",), "12": ("kou",),
        "kou no": ("otsu", "kou"), "乙番号": ("otsu",), "甲乙": ("otsu",),
    }  # fmt: skip
    assert list(vocabulary.words) == sorted(told)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("a: 1\nb: ]\nc: 2", "site rule 1, line 2: not YAML"), ("a: \x00", "site rule 1: not YAML"),
        ("[a]", "site rule 1: a mapping is expected"),
        ("{show: 1}", "site rule 1: name the entity"),
        ("entity: x", "rule x: KeyError: 'ja'"),
        ("{entity: x, ja: x, en: x}", "rule x: KeyError: 'source'"),
    ],
)  # fmt: skip
def test_wrong_rule_is_refused_in_these_words(text, words):
    with pytest.raises(PolicyError) as error:
        load([text])
    assert str(error.value) == words


@pytest.mark.parametrize("name", ["Cities.txt", "address.yaml", "no.txt", "../x.txt"])
def test_list_of_names_that_is_not_there_is_refused(name):
    with pytest.raises(PolicyError) as error:
        load([LEAST.replace("}", f", gazetteer: {name}}}")])
    assert str(error.value) == "rule otsu: ValueError: no such list of names"
