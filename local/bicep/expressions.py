"""pycep's parse tree of an expression → ``nodes``.

The grammar nests every operator to the right, whatever binds stronger: the operands are taken out
in order and put together again by Bicep's precedence
(learn.microsoft.com/azure/azure-resource-manager/bicep/operators).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Any

from lark import Token, Tree

from local.bicep.nodes import Call, Dot, For, If, Index, Join, Lambda, Node, Op, Ref

type Branch = Tree[Token]

SIGNS = {
    "multiply": ("*", 6), "divide": ("/", 6), "modulo": ("%", 6),
    "add": ("+", 5), "substract": ("-", 5),
    "greater_than": (">", 4), "greater_than_or_equals": (">=", 4),
    "less_than": ("<", 4), "less_than_or_equals": ("<=", 4),
    "equals": ("==", 3), "not_equals": ("!=", 3),
    "equals_case_insens": ("=~", 3), "not_equals_case_insens": ("!~", 3),
    "and_op": ("&&", 2), "or_op": ("||", 1), "coalesce": ("??", 0),
}  # fmt: skip
STRENGTH = dict(SIGNS.values())
PREFIX = {"not_op": "!", "minus": "-"}
_ESCAPES = {"n": "\n", "r": "\r", "t": "\t", "'": "'", "\\": "\\", "$": "$"}


class NotReadError(ValueError):
    """Something of Bicep that this reader does not know."""


def expression(tree: Any, parse: Callable[[str], Branch]) -> Node:
    """The node of an expression; ``parse`` gives the tree of the text inside an interpolation."""
    return _Reader(parse).node(tree)


def literal(text: str) -> str:
    """A quoted string without interpolation."""
    return re.sub(r"\\(.)", lambda found: _ESCAPES.get(found[1], found[1]), text[1:-1])


class _Reader:
    def __init__(self, parse: Callable[[str], Branch]) -> None:
        self._parse = parse

    def node(self, tree: Any) -> Node:
        if tree is None:
            return None
        if not isinstance(tree, Tree):
            return self._word(str(tree))
        make = getattr(self, f"_{tree.data}", None)
        if make is None:
            message = f"not read: {tree.data}"
            raise NotReadError(message)
        return make(tree.children)

    def _word(self, text: str) -> Node:
        return self._quoted(text) if text.startswith("'") else Ref(text)

    def _string(self, children: list[Any]) -> Node:
        return self._word(str(children[0]))

    def _multi_line_string(self, children: list[Any]) -> Node:
        return str(children[0])[3:-3].removeprefix("\n")

    def _int_type(self, children: list[Any]) -> int:
        return int(children[0])

    def _true(self, _children: list[Any]) -> bool:
        return True

    def _false(self, _children: list[Any]) -> bool:
        return False

    def _null(self, _children: list[Any]) -> None:
        return None

    def _array(self, children: list[Any]) -> list[Node]:
        return [self.node(each) for each in children if each is not None]

    def _object(self, children: list[Any]) -> dict[Any, Node]:
        made: dict[Any, Node] = {}
        for each in children:
            if each is None:
                continue
            if each.data != "pair":
                message = f"not read in an object: {each.data}"
                raise NotReadError(message)
            key = self._key_of(each.children[0])
            if key in made:
                message = f"twice in one object: {key}"
                raise NotReadError(message)
            made[key] = self.node(each.children[1])
        return made

    def _key_of(self, key: Any) -> Any:
        word = str(key.children[0]) if isinstance(key, Tree) else str(key)
        return self._quoted(word) if word.startswith("'") else word

    def _function(self, children: list[Any]) -> Call:
        name = str(children[0]).rstrip("(").strip().rpartition(".")[2]
        return Call(name, tuple(self.node(each) for each in children[1:] if each is not None))

    def _lambda_expression(self, children: list[Any]) -> Lambda:
        *names, body = [self.node(each) for each in children]
        return Lambda(tuple(each.name for each in names), body)

    def _loop(self, children: list[Any]) -> For:
        head, body = children[0], children[-1]
        words = [str(each) for each in head.children[:-1]]
        over = self.node(head.children[-1])
        if head.data == "loop_object":
            over = Call("items", (over,))
        return For(words[0], words[1] if len(words) > 1 else "", over, self.node(body))

    def _operator(self, children: list[Any]) -> Node:
        return _Group(list(self._flat(children[0]))).whole()

    def _flat(self, tree: Any) -> Iterator[tuple[str, Node]]:
        """Operands and signs from left to right."""
        if not isinstance(tree, Tree) or tree.data not in (*SIGNS, *PREFIX, *_SPECIAL):
            yield "", self.node(tree)
            return
        first, *others = tree.children
        if tree.data in PREFIX:
            yield PREFIX[tree.data] + "1", None
            yield from self._rest(first)
            return
        yield "", self.node(first)
        if tree.data == "index_accessor":
            yield "[", self.node(others[-1])
        elif tree.data == "conditional":
            yield "?", self.node(others[0])
            yield from self._rest(others[1])
        elif tree.data == "function_accessor":
            name, *args = others
            yield ".", None
            yield "", Call(str(name), tuple(self.node(each) for each in args if each is not None))
        else:
            sign = "." if tree.data in _SPECIAL else SIGNS[tree.data][0]
            yield sign, None
            yield from self._rest(others[-1])

    def _rest(self, tree: Any) -> Iterator[tuple[str, Node]]:
        """The right side, whose own operators belong to the same row."""
        inner = tree.children[0] if isinstance(tree, Tree) and tree.data == "operator" else tree
        yield from self._flat(inner)

    def _quoted(self, text: str) -> Node:
        parts: list[Node] = []
        plain, at, end = "", 1, len(text) - 1
        while at < end:
            if text[at] == "\\":
                plain += _ESCAPES.get(text[at + 1], text[at + 1])
                at += 2
            elif text.startswith("${", at):
                close = _closing(text, at + 2)
                parts += [plain, self.node(self._parse(text[at + 2 : close]))]
                plain, at = "", close + 1
            else:
                plain += text[at]
                at += 1
        if not parts:
            return plain
        return Join(tuple(each for each in (*parts, plain) if each != ""))


_SPECIAL = ("index_accessor", "conditional", "function_accessor", "property_accessor",
            "nested_resource_accessor")  # fmt: skip


def _closing(text: str, at: int) -> int:
    depth = 1
    while depth:
        depth += {"{": 1, "}": -1}.get(text[at], 0)
        at += 1
    return at - 1


class _Group:
    """Precedence climbing over the row of operands and signs."""

    def __init__(self, row: list[tuple[str, Node]]) -> None:
        self._row = row
        self._at = 0

    def whole(self) -> Node:
        made = self._binary(0)
        if self._sign() == "?":
            yes = self._take()[1]
            return If(made, yes, self.whole())
        return made

    def _sign(self) -> str:
        return self._row[self._at][0] if self._at < len(self._row) else "end"

    def _take(self) -> tuple[str, Node]:
        self._at += 1
        return self._row[self._at - 1]

    def _binary(self, least: int) -> Node:
        left = self._unary()
        while self._sign() in STRENGTH and STRENGTH[self._sign()] >= least:
            sign = self._take()[0]
            left = Op(sign, (left, self._binary(STRENGTH[sign] + 1)))
        return left

    def _unary(self) -> Node:
        if self._sign() in {"!1", "-1"}:
            return Op(self._take()[0][0], (self._unary(),))
        made = self._take()[1]
        while self._sign() in {".", "["}:
            sign, value = self._take()
            made = Index(made, value) if sign == "[" else _graft(made, self._take()[1])
        return made


def _graft(left: Node, right: Node) -> Node:
    """``left.right`` where the grammar read ``right`` as something of its own."""
    match right:
        case Ref(name):
            return Dot(left, name)
        case Dot(of, name):
            return Dot(_graft(left, of), name)
        case Index(of, index):
            return Index(_graft(left, of), index)
        case Call(name, args, None):
            return Call(name, args, left)
        case _:
            message = f"not read after a dot: {right}"
            raise NotReadError(message)
