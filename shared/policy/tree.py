"""Policy text to values that remember their place, and one text merged over another.

A *node* is a value with the line and column where it was written, so that every complaint about
the merged policy still points into the file it came from. YAML is read as YAML 1.2 reads words
(``off`` is a word, not False), without anchors or tags: a policy is data of a few hundred lines.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import NoReturn

import yaml

from shared.errors import PolicyError

type Plain = dict[str, Plain] | list[Plain] | str | int | bool | None
type Inner = dict[str, Node] | list[Node] | str | int | bool | None

MAX_CHARS = 1_000_000
MAX_DEPTH = 20
_CORE = "tag:yaml.org,2002:"
_TAGS = {_CORE + kind for kind in ("map", "seq", "str", "int", "bool", "null")}


@dataclass(frozen=True, slots=True)
class Node:
    """A value and where it was written (lines and columns from 1, ``origin`` a file's name)."""

    value: Inner
    origin: str
    line: int
    column: int

    def fail(self, message: str) -> NoReturn:
        """Raise the PolicyError for this place."""
        text = f"{self.origin}: line {self.line}, column {self.column}: {message}"
        raise PolicyError(text)

    def get(self, key: str) -> Node | None:
        """The value under a key of a mapping; None where there is none, or none is meant (null)."""
        inner = self.value.get(key) if isinstance(self.value, dict) else None
        return None if inner is None or inner.value is None else inner

    def items(self) -> Iterator[tuple[str, Node]]:
        """A mapping's pairs, nothing for other values."""
        if isinstance(self.value, dict):
            yield from self.value.items()

    def children(self) -> Iterator[Node]:
        """A sequence's elements, nothing for other values."""
        if isinstance(self.value, list):
            yield from self.value

    def at(self, path: Sequence[str | int]) -> Node:
        """The deepest node along a path of keys and indices."""
        here = self
        for step in path:
            if isinstance(here.value, dict) and step in here.value:
                here = here.value[str(step)]
            elif isinstance(here.value, list) and isinstance(step, int):
                here = here.value[step]
        return here

    def plain(self) -> Plain:
        """The value alone."""
        if isinstance(self.value, dict):
            return {key: node.plain() for key, node in self.value.items()}
        if isinstance(self.value, list):
            return [node.plain() for node in self.value]
        return self.value


class _Loader(yaml.SafeLoader):
    """YAML 1.2's core words: true and false alone are booleans, no dates, no octal numbers."""

    yaml_implicit_resolvers = {}  # noqa: RUF012 - typed, as an instance's, by the base class


for _tag, _pattern, _first in (
    (_CORE + "bool", r"^(?:true|false)$", "tf"),
    (_CORE + "null", r"^(?:null|~|)$", ["n", "~", ""]),
    (_CORE + "int", r"^(?:0|[1-9][0-9]{0,8})$", "0123456789"),
):
    _Loader.add_implicit_resolver(_tag, re.compile(_pattern), list(_first))


def parse(text: str, origin: str) -> Node:
    """One policy text; PolicyError with line and column where it is not plain, small YAML."""
    if len(text) > MAX_CHARS:
        message = f"{origin}: longer than {MAX_CHARS} characters"
        raise PolicyError(message)
    try:
        loader = _Loader(text)
    except yaml.reader.ReaderError as error:  # a character that YAML does not know
        line = text.count("\n", 0, error.position) + 1
        column = error.position - text.rfind("\n", 0, error.position)
        message = f"{origin}: line {line}, column {column}: not YAML: a control character"
        raise PolicyError(message) from None
    try:
        root = loader.get_single_node()
        if root is None:
            message = f"{origin}: line 1, column 1: the file is empty"
            raise PolicyError(message)
        return _convert(root, origin, 0, set())
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        where = f"line {mark.line + 1}, column {mark.column + 1}: " if mark else ""
        message = f"{origin}: {where}not YAML: {error.problem}"
        raise PolicyError(message) from None
    except (yaml.YAMLError, RecursionError) as error:
        message = f"{origin}: not YAML: {type(error).__name__}"
        raise PolicyError(message) from None
    finally:
        loader.dispose()


def _convert(raw: yaml.Node, origin: str, depth: int, seen: set[int]) -> Node:
    mark = raw.start_mark
    here = Node(None, origin, mark.line + 1, mark.column + 1)
    if depth > MAX_DEPTH:
        here.fail(f"nested deeper than {MAX_DEPTH}")
    if id(raw) in seen:
        here.fail("anchors and aliases are not supported: write the value out")
    seen.add(id(raw))
    if raw.tag not in _TAGS:
        here.fail(f"the tag {raw.tag!r} is not supported")
    value: Inner
    if isinstance(raw, yaml.MappingNode):
        value = _mapping(raw, origin, depth, seen)
    elif isinstance(raw, yaml.SequenceNode):
        value = [_convert(each, origin, depth + 1, seen) for each in raw.value]
    else:
        value = _scalar(raw)
    return Node(value, origin, here.line, here.column)


def _mapping(raw: yaml.MappingNode, origin: str, depth: int, seen: set[int]) -> dict[str, Node]:
    pairs: dict[str, Node] = {}
    for key, inner in raw.value:
        place = Node(None, origin, key.start_mark.line + 1, key.start_mark.column + 1)
        if not isinstance(key, yaml.ScalarNode):
            place.fail("a key must be a word")
        if key.value in pairs:
            place.fail(f"the key {key.value!r} is here twice")
        node = _convert(inner, origin, depth + 1, seen)
        # Complaints about a key's value point at the key: that is where a person looks.
        pairs[key.value] = Node(node.value, origin, place.line, place.column)
    return pairs


def _scalar(raw: yaml.Node) -> Inner:
    kind = raw.tag.removeprefix(_CORE)
    text = str(raw.value)
    if kind == "int":
        return int(text)
    if kind == "bool":
        return text == "true"
    return None if kind == "null" else text


def merge(base: Node, over: Node) -> Node:
    """``over`` laid on ``base``: mappings by key, rules by id, all else replaced. Associative."""
    if not isinstance(base.value, dict) or not isinstance(over.value, dict):
        return over
    merged = dict(base.value)
    for key, node in over.value.items():
        if key not in merged:
            merged[key] = node
        elif key == "rules":
            merged[key] = _merge_rules(merged[key], node)
        else:
            merged[key] = merge(merged[key], node)
    return Node(merged, over.origin, over.line, over.column)


def _merge_rules(base: Node, over: Node) -> Node:
    rules: dict[Plain, Node] = {}
    for rule in (*base.children(), *over.children()):
        name = rule.at(["id"]).value
        key = name if isinstance(name, str) else None
        rules[key] = merge(rules[key], rule) if key in rules else rule
    return Node(list(rules.values()), over.origin, over.line, over.column)
