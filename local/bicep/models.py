"""Azure's SDK models as one kind of shape, whatever generation of generator made them.

Three are in use: TypedDicts (newest), models with ``rest_field`` and models with
``_attribute_map``. All three know the names on the wire, which are Bicep's.
"""

from __future__ import annotations

import importlib
import re
import types
import typing
from dataclasses import dataclass, field
from enum import Enum
from functools import cache
from typing import Any

import typing_extensions

type Shape = Leaf | Many | Map | Fields


@dataclass(frozen=True)
class Leaf:
    """A value without parts: string, int, bool or any; ``choices`` where it is an enumeration."""

    kind: str
    choices: frozenset[str] = frozenset()


@dataclass(frozen=True)
class Many:
    """A list of one shape."""

    of: Shape


@dataclass(frozen=True)
class Map:
    """An object whose keys are free."""

    of: Shape


@dataclass
class Fields:
    """An object with these members; ``kinds`` by the value of the member ``told``."""

    name: str
    members: dict[str, Shape] = field(default_factory=dict)
    told: str = ""
    kinds: dict[str, Shape] = field(default_factory=dict)


ANYTHING = Leaf("any")
PLAIN = {
    "str": "string", "int": "int", "long": "int", "float": "int", "bool": "bool",
    "iso-8601": "string", "date": "string", "duration": "string", "rfc-1123": "string",
}  # fmt: skip


@cache
def shape_of(path: str) -> Shape:
    """The shape of ``module:Class``."""
    module, _, name = path.partition(":")
    return _of_class(getattr(importlib.import_module(module), name))


@cache
def _of_class(cls: type) -> Shape:
    made = Fields(cls.__name__)
    _shapes[cls] = made
    if hasattr(cls, "_attribute_map"):
        _by_attribute_map(made, cls)
    else:
        for name, hint in _hints(cls).items():
            made.members[name] = _of_hint(hint)
    return made


_shapes: dict[type, Fields] = {}


def _known(cls: type) -> Shape:
    return _shapes.get(cls) or _of_class(cls)


def _hints(cls: type) -> dict[str, Any]:
    """Wire name → annotation."""
    module = importlib.import_module(cls.__module__)
    package = re.split(r"\.(?:models|types)\b", cls.__module__)[0]
    models = importlib.import_module(f"{package}.models")
    spaces = {**vars(typing), **vars(models), **vars(module), "_models": models}
    found = typing_extensions.get_type_hints(cls, globalns=spaces)
    if typing_extensions.is_typeddict(cls):
        return found
    made: Any = object.__new__(cls)
    cls.__new__(cls)  # type: ignore[call-overload] # fills the class's table of wire names
    table: dict[str, Any] = made._attr_to_rest_field  # noqa: SLF001 - the SDK has no public one
    names = {key: each._rest_name for key, each in table.items()}  # noqa: SLF001 - the same
    return {wire: found.get(key, Any) for key, wire in names.items()}


def _of_hint(hint: Any) -> Shape:
    origin, args = typing.get_origin(hint), typing.get_args(hint)
    if origin in {typing.Union, types.UnionType}:
        return _of_union([each for each in args if each is not type(None)])
    if origin in {list, typing.List}:  # noqa: UP006 - what an annotation may hold
        return Many(_of_hint(args[0]))
    if origin in {dict, typing.Dict}:  # noqa: UP006 - the same
        return Map(_of_hint(args[1]))
    if origin is typing.Literal:
        return Leaf("string", frozenset(str(getattr(each, "value", each)) for each in args))
    if origin is typing.Required or origin is typing.NotRequired:
        return _of_hint(args[0])
    return _of_plain(hint)


def _of_plain(hint: Any) -> Shape:
    if isinstance(hint, type):
        if issubclass(hint, Enum):
            return Leaf("string", frozenset(str(each.value) for each in hint))
        if hint.__name__ in PLAIN:
            return Leaf(PLAIN[hint.__name__])
        if hint.__name__ in {"datetime", "date", "timedelta"}:
            return Leaf("string")
        if (
            typing_extensions.is_typeddict(hint)
            or hasattr(hint, "_attribute_map")
            or _is_model(hint)
        ):
            return _known(hint)
    return ANYTHING


def _is_model(hint: type) -> bool:
    return any(base.__name__ == "Model" and "azure" in base.__module__ for base in hint.__mro__)


def _of_union(hints: list[Any]) -> Shape:
    shapes = [_of_hint(each) for each in hints]
    choices = frozenset[str]().union(*(s.choices for s in shapes if isinstance(s, Leaf)))
    if choices:  # "str | AnEnum": what the service takes is the enumeration
        return Leaf("string", choices)
    return shapes[0] if len(shapes) == 1 else ANYTHING


def _by_attribute_map(made: Fields, cls: Any) -> None:
    space = importlib.import_module(cls.__module__)
    for entry in cls._attribute_map.values():
        *above, last = [part.replace("\\.", ".") for part in re.split(r"(?<!\\)\.", entry["key"])]
        target = made
        for part in above:
            inner = target.members.setdefault(part, Fields(f"{made.name}.{part}"))
            assert isinstance(inner, Fields)
            target = inner
        target.members[last] = _of_text(entry["type"], space)
    for told, classes in getattr(cls, "_subtype_map", {}).items():
        made.told = cls._attribute_map[told]["key"].replace("\\.", ".")
        made.kinds = {value: _known(getattr(space, name)) for value, name in classes.items()}


def _of_text(text: str, space: Any) -> Shape:
    if text.startswith("["):
        return Many(_of_text(text[1:-1], space))
    if text.startswith("{"):
        return Map(_of_text(text[1:-1], space))
    if text in PLAIN:
        return Leaf(PLAIN[text])
    found = getattr(space, text, None)
    return _known(found) if isinstance(found, type) else ANYTHING
