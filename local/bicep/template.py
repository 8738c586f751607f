"""A Bicep file as statements."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

from lark import Lark, Token, Tree
from lark.exceptions import LarkError
from pycep.main import BicepParser

from local.bicep.expressions import NotReadError, expression, literal
from local.bicep.nodes import For, Node


@dataclass(frozen=True)
class Param:
    """A parameter; ``required`` where it has no default."""

    name: str
    kind: str
    required: bool
    default: Node
    allowed: tuple[Any, ...]


@dataclass(frozen=True)
class Resource:
    """A resource. ``body`` is what is inside a loop or a condition, ``loop`` the loop itself."""

    name: str
    kind: str
    version: str
    existing: bool
    body: dict[Any, Node]
    condition: Node = None
    loop: For | None = None


@dataclass(frozen=True)
class Module:
    """Another file, with parameters. As a resource otherwise."""

    name: str
    path: str
    body: dict[Any, Node]
    condition: Node = None
    loop: For | None = None


@dataclass(frozen=True)
class Output:
    """A value that the file gives."""

    kind: str
    value: Node


@dataclass
class Template:
    """One file."""

    path: Path
    scope: str = "resourceGroup"
    extensions: list[str] = field(default_factory=list)
    params: dict[str, Param] = field(default_factory=dict)
    variables: dict[str, Node] = field(default_factory=dict)
    resources: dict[str, Resource] = field(default_factory=dict)
    modules: dict[str, Module] = field(default_factory=dict)
    outputs: dict[str, Output] = field(default_factory=dict)

    def of_kind(self, kind: str) -> list[Resource]:
        """The resources of a type that are made here."""
        return [each for each in self.resources.values() if each.kind == kind and not each.existing]


@cache
def _grammar() -> Lark:
    return BicepParser().lark_parser


def _parsed(text: str) -> Tree[Token]:
    try:
        return _grammar().parse(text if text.endswith("\n") else text + "\n")
    except LarkError as error:
        message = f"no Bicep: {str(error)[:300]}"
        raise NotReadError(message) from None


def _inner(text: str) -> Any:
    """The tree of an expression that stands in a string."""
    return _parsed(f"var x = {text}").children[0].children[-1]  # type: ignore[union-attr] # a tree


def _value(tree: Any) -> Node:
    return expression(tree, _inner)


@cache
def load(path: Path, text: str | None = None) -> Template:
    """Read a file (or ``text`` in its place); NotReadError for what is no Bicep or not known."""
    made = Template(path)
    for statement in _parsed(path.read_text(encoding="utf-8") if text is None else text).children:
        if isinstance(statement, Tree):
            _add(made, statement.data, statement.children)
    return made


def _add(made: Template, kind: str, parts: list[Any]) -> None:
    match kind:
        case "scope":
            made.scope = literal(str(parts[0]))
        case "extension":
            made.extensions.append(str(parts[0]))
        case "param":
            decorators, name, data, default = parts
            _once(made, str(name))
            made.params[str(name)] = _param(decorators, str(name), data, default)
        case "var":
            _once(made, str(parts[1]))
            made.variables[str(parts[1])] = _value(parts[-1])
        case "output":
            made.outputs[str(parts[1])] = Output(_kind(parts[2]), _value(parts[-1]))
        case "resource":
            _decorators, name, pair, existing, value = parts
            _once(made, str(name))
            type_name, _, version = literal(str(pair.children[0])).partition("@")
            body, condition, loop = _body(value)
            made.resources[str(name)] = Resource(
                str(name), type_name, version, existing is not None, body, condition, loop
            )
        case "module":
            _once(made, str(parts[1]))
            body, condition, loop = _body(parts[3])
            path = literal(str(parts[2].children[0]))
            made.modules[str(parts[1])] = Module(str(parts[1]), path, body, condition, loop)
        case _:
            message = f"{made.path.name}: not read: {kind}"
            raise NotReadError(message)


def _once(made: Template, name: str) -> None:
    if any(name in each for each in (made.params, made.variables, made.resources, made.modules)):
        message = f"{made.path.name}: {name} is there twice"
        raise NotReadError(message)


def _param(decorators: Any, name: str, data: Any, default: Any) -> Param:
    allowed: tuple[Any, ...] = ()
    for each in decorators.children if decorators is not None else ():
        if str(each.children[0]) == "allowed":
            allowed = tuple(_value(each.children[1]))
    return Param(name, _kind(data), default is None, _value(default), allowed)


def _kind(data: Tree[Token]) -> str:
    return "".join(str(token) for token in data.scan_values(lambda _: True))


def _body(tree: Tree[Token]) -> tuple[dict[Any, Node], Node, For | None]:
    if tree.data == "deploy_condition":
        condition, value = tree.children
        return _value(value), _value(condition), None
    value = _value(tree)
    return (value.body, None, value) if isinstance(value, For) else (value, None, None)
