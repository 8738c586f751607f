"""Policy text as values that know where they were written."""

from __future__ import annotations

import pytest

from shared.errors import PolicyError
from shared.policy.tree import MAX_CHARS, MAX_DEPTH, merge, parse


def test_words_of_a_policy_are_yamls_of_2009():
    text = "[true, false, null, ~, 0, 12, 012, yes, off, 1.5, '7', 2026-07-01, 1234567890]"
    assert parse(text, "x").plain() == [
        True, False, None, None, 0, 12, "012", "yes", "off", "1.5", "7", "2026-07-01", "1234567890",
    ]  # fmt: skip


def test_node_knows_where_it_was_written():
    root = parse("a:\n  - b: 1\n    c: [2, 3]\n", "x")
    assert (root.line, root.column, root.origin) == (1, 1, "x")
    inner = root.at(["a", 0, "c", 1])
    assert (inner.value, inner.line, inner.column) == (3, 3, 12)
    assert root.at(["a", 0, "nothing", "at", "all"]) == root.at(["a", 0])
    assert root.at([]) == root
    assert (root.get("nothing"), inner.get("a"), list(inner.items()), list(inner.children())) == (
        None, None, [], [],
    )  # fmt: skip
    with pytest.raises(PolicyError, match=r"^x: line 3, column 12: wrong$"):
        inner.fail("wrong")


def test_depth_and_length_are_bounded_and_the_bound_itself_is_not_over_it():
    assert parse("[" * MAX_DEPTH + "]" * MAX_DEPTH, "x").plain() is not None
    with pytest.raises(PolicyError, match=f"nested deeper than {MAX_DEPTH}"):
        parse("[" * (MAX_DEPTH + 2) + "]" * (MAX_DEPTH + 2), "x")
    assert parse("a" + " " * (MAX_CHARS - 1), "x").value == "a"
    with pytest.raises(PolicyError, match=r"^x: longer than 1000000 characters$"):
        parse("a" + " " * MAX_CHARS, "x")


def test_key_that_is_no_word_is_told_where_it_stands():
    with pytest.raises(PolicyError, match=r"line 2, column 3: a key must be a word"):
        parse("a:\n  [1]: 2\n", "x")


def test_files_are_merged_by_key_and_rules_by_their_id():
    base = parse("a: {b: 1, c: 2}\nl: [1, 2]\nrules: [{id: x, v: 1, w: 2}, {id: y}]", "base")
    over = parse("a: {c: 3}\nl: [4]\nd: 5\nrules: [{id: z}, {id: x, v: 6}]", "over")
    merged = merge(base, over)
    assert merged.plain() == {
        "a": {"b": 1, "c": 3}, "l": [4], "d": 5,
        "rules": [{"id": "x", "v": 6, "w": 2}, {"id": "y"}, {"id": "z"}],
    }  # fmt: skip
    assert (merged.origin, merged.at(["rules"]).origin) == ("over", "over")
    assert (merged.at(["a", "b"]).origin, merged.at(["a", "c"]).origin) == ("base", "over")
    assert merged.at(["rules", 0]).origin == "over"
    assert merge(base.at(["l"]), over.at(["a"])).plain() == {"c": 3}


@pytest.mark.parametrize(
    ("text", "where"),
    [
        ("a: 1\nb: c: d", "line 2, column 5"),
        ("a: [1\nb: 2", "line 2, column 2"),
        ("\t", "line 1, column 1"),
    ],
)
def test_what_is_no_yaml_is_told_where_it_stands(text, where):
    with pytest.raises(PolicyError, match=f"^x: {where}: not YAML: "):
        parse(text, "x")
