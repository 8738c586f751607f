"""What an expression of Bicep is made of; text, numbers, lists and dicts are Python's own."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, fields, is_dataclass
from typing import Any

type Node = Any


@dataclass(frozen=True)
class Ref:
    """A symbol."""

    name: str


@dataclass(frozen=True)
class Join:
    """An interpolated string: text and expressions in turn."""

    parts: tuple[Node, ...]


@dataclass(frozen=True)
class Dot:
    """A property of something."""

    of: Node
    name: str


@dataclass(frozen=True)
class Index:
    """An element of something."""

    of: Node
    index: Node


@dataclass(frozen=True)
class Call:
    """A function of Bicep, or (``of``) of a resource."""

    name: str
    args: tuple[Node, ...]
    of: Node = None


@dataclass(frozen=True)
class Op:
    """An operator with one operand or two."""

    sign: str
    args: tuple[Node, ...]


@dataclass(frozen=True)
class If:
    """``test ? yes : no``."""

    test: Node
    yes: Node
    no: Node


@dataclass(frozen=True)
class For:
    """``[for item in over: body]``; ``index`` is empty where there is none."""

    item: str
    index: str
    over: Node
    body: Node


@dataclass(frozen=True)
class Lambda:
    """``arg => body``."""

    args: tuple[str, ...]
    body: Node


def inside(node: Node) -> Iterator[tuple[Node, frozenset[str]]]:
    """What stands directly in a node, with the names that it binds there."""
    none: frozenset[str] = frozenset()
    match node:
        case dict():
            yield from ((key, none) for key in node if not isinstance(key, str))
            yield from ((value, none) for value in node.values())
        case list() | tuple():
            yield from ((each, none) for each in node)
        case Lambda(args, body):
            yield body, frozenset(args)
        case For(item, index, over, body):
            yield over, none
            yield body, frozenset({item, index})
        case _ if is_dataclass(node) and not isinstance(node, type):
            yield from ((getattr(node, field.name), none) for field in fields(node))


def walk(node: Node) -> Iterator[Node]:
    """The node and everything below it."""
    yield node
    for child, _ in inside(node):
        yield from walk(child)


def alternatives(node: Node) -> Iterator[Node]:
    """What a value may be: both sides of a condition."""
    if isinstance(node, If):
        yield from alternatives(node.yes)
        yield from alternatives(node.no)
    else:
        yield node
