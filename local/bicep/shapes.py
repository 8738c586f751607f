"""Every resource of ``infra/`` against Azure's own model of it.

A misspelt or mis-cased property, a value that is no member of its enumeration and a kind that does
not fit are problems; so is a type that ``models.json`` does not list, so that none goes unread.
"""

from __future__ import annotations

import difflib
import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from local.bicep.models import ANYTHING, Fields, Leaf, Many, Map, Shape, shape_of
from local.bicep.names import ANY, Checker
from local.bicep.nodes import For, Node, Ref, alternatives
from local.bicep.template import Resource, Template

TABLE = json.loads((Path(__file__).parent / "models.json").read_text(encoding="utf-8"))
MODELS: dict[str, str] = TABLE["models"]  # resource type → module:Class
WITHOUT: dict[str, str] = TABLE["without"]  # resource type → why it has no model
OWN = {"name", "parent", "scope", "dependsOn"}  # Bicep's own words in a resource


@dataclass
class _Reader:
    template: Template
    checker: Checker

    def resource(self, resource: Resource) -> Iterator[str]:
        where = f"{self.template.path.name}: {resource.name}"
        path = MODELS.get(resource.kind)
        if path is None:
            if (
                resource.kind not in WITHOUT
                and f"{resource.kind}@{resource.version}" not in WITHOUT
            ):
                yield f"{where}: {resource.kind} has no model here (local/bicep/shapes.py)"
            return
        body = {key: value for key, value in resource.body.items() if key not in OWN}
        yield from self.value(body, shape_of(path), where)

    def value(self, node: Node, shape: Shape, where: str) -> Iterator[str]:
        for each in alternatives(self._resolved(node)):
            if each is not None:
                yield from self._one(each, shape, where)

    def _resolved(self, node: Node) -> Node:
        """A variable's value in place of its name."""
        while isinstance(node, Ref) and node.name in self.template.variables:
            node = self.template.variables[node.name]
        return node

    def _one(self, node: Node, shape: Shape, where: str) -> Iterator[str]:
        match shape:
            case Many(of):
                yield from self._list(node, of, where)
            case Map(of):
                if isinstance(node, dict):
                    for key, value in node.items():
                        yield from self.value(value, of, f"{where}.{key}")
                else:
                    yield from self._kind(node, "object", where)
            case Fields():
                yield from self._object(node, shape, where)
            case Leaf(kind, choices):
                yield from self._kind(node, kind, where)
                if choices and isinstance(node, str) and node not in choices:
                    yield f"{where}: {node!r} is not one of {', '.join(sorted(choices))}"

    def _list(self, node: Node, of: Shape, where: str) -> Iterator[str]:
        if isinstance(node, list):
            for index, each in enumerate(node):
                yield from self.value(each, of, f"{where}[{index}]")
        elif isinstance(node, For):
            yield from self.value(node.body, of, f"{where}[]")
        else:
            yield from self._kind(node, "array", where)

    def _object(self, node: Node, shape: Fields, where: str) -> Iterator[str]:
        if not isinstance(node, dict):
            yield from self._kind(node, "object", where)
            return
        members = dict(shape.members)
        told: Any = node.get(shape.told) if shape.told else None
        if told is not None:
            chosen = shape.kinds.get(told)
            if chosen is None:
                yield f"{where}.{shape.told}: {told!r} is not one of {', '.join(shape.kinds)}"
            elif isinstance(chosen, Fields):
                members |= chosen.members
        for key, value in node.items():
            if key not in members:
                near = difflib.get_close_matches(str(key).lower(), {m.lower(): m for m in members})
                words = next((m for m in members if near and m.lower() == near[0]), "")
                hint = f" (meant: {words}?)" if words else ""
                yield f"{where}.{key}: {shape.name} has no such property{hint}"
                continue
            yield from self.value(value, members.get(key, ANYTHING), f"{where}.{key}")

    def _kind(self, node: Node, kind: str, where: str) -> Iterator[str]:
        found = self.checker.kind_of(node)
        if ANY not in (found, kind) and found != kind:
            yield f"{where} is a {found}, not a {kind}"


def problems(template: Template) -> list[str]:
    """What Azure's models do not know in one file."""
    reader = _Reader(template, Checker(template))
    found: list[str] = []
    for resource in template.resources.values():
        if not resource.existing:
            found += reader.resource(resource)
    return found
