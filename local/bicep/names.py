"""What a compiler would say of names: symbols, functions, module parameters and outputs, kinds.

Kinds are those that can be told without running anything (string, int, bool, array, object);
``any`` where they cannot.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from local.bicep.nodes import (
    Call,
    Dot,
    For,
    Index,
    Join,
    Node,
    Op,
    Ref,
    alternatives,
    inside,
    walk,
)
from local.bicep.template import Module, Resource, Template, load

ANY = "any"
# learn.microsoft.com/azure/azure-resource-manager/bicep/bicep-functions: those in use, with what
# they give.
FUNCTIONS = {
    "cidrSubnet": "string", "concat": ANY, "contains": "bool", "empty": "bool",
    "environment": "object",
    "filter": "array", "flatten": "array", "guid": "string", "indexOf": "int", "items": "array",
    "loadJsonContent": ANY, "loadTextContent": "string", "map": "array", "max": "int",
    "resourceGroup": "object", "resourceId": "string", "split": "array", "subscription": "object",
    "subscriptionResourceId": "string", "take": ANY, "tenant": "object", "toObject": "object",
    "union": ANY,
    "uniqueString": "string", "utcNow": "string",
}  # fmt: skip
OWN = {
    bool: "bool", int: "int", str: "string", Join: "string",
    list: "array", For: "array", dict: "object",
}  # fmt: skip
FILES = ("loadJsonContent", "loadTextContent")
MODULE_KEYS = {"name", "scope", "params", "dependsOn"}


@dataclass
class Checker:
    """One file, and the files that it calls."""

    template: Template

    def problems(self) -> Iterator[str]:
        """One line each."""
        where = self.template.path.name
        for text in self._all():
            yield f"{where}: {text}"

    def _all(self) -> Iterator[str]:
        used: set[str] = set()
        for node, known in self._expressions():
            yield from self._refs(node, known, used)
        for name in (*self.template.params, *self.template.variables):
            if name not in used:
                yield f"{name} is used nowhere"
        for module in self.template.modules.values():
            yield from self._module(module)
        for param in self.template.params.values():
            yield from self._fits(f"param {param.name}", param.kind, param.default, param.allowed)
        for name, output in self.template.outputs.items():
            yield from self._fits(f"output {name}", output.kind, output.value, ())

    def _expressions(self) -> Iterator[tuple[Node, frozenset[str]]]:
        empty: frozenset[str] = frozenset()
        made = self.template
        for param in made.params.values():
            yield param.default, empty
        for value in made.variables.values():
            yield value, empty
        for output in made.outputs.values():
            yield output.value, empty
        bodies: list[Resource | Module] = [*made.resources.values(), *made.modules.values()]
        for each in bodies:
            yield each.condition, empty
            yield (each.loop if each.loop is not None else each.body), empty

    def _symbols(self) -> set[str]:
        made = self.template
        return {*made.params, *made.variables, *made.resources, *made.modules}

    def _refs(self, node: Node, local: frozenset[str], used: set[str]) -> Iterator[str]:
        """Names that nothing declares, below ``node``; ``used`` gathers those that are read."""
        match node:
            case Ref(name):
                used.add(name)
                if name not in local and name not in self._symbols():
                    yield f"{name} is not declared"
            case Call(name, args, None):
                yield from self._function(name, args)
            case Dot(of, name):
                yield from self._output(of, name)
        for child, names in inside(node):
            yield from self._refs(child, local | names, used)

    def _function(self, name: str, args: tuple[Node, ...]) -> Iterator[str]:
        if name not in FUNCTIONS:
            yield f"{name}() is no function that is known here"
        if name in FILES and not (self.template.path.parent / str(args[0])).is_file():
            yield f"{args[0]} is not there"

    def _output(self, of: Node, name: str) -> Iterator[str]:
        """``module.outputs.name`` is one of the module's; a loop's module has an index."""
        module = self._module_of(of)
        if module is None:
            return
        if name not in self._called(module).outputs:
            yield f"{module.name} has no output {name}"
        indexed = isinstance(of, Dot) and isinstance(of.of, Index)
        if indexed != (module.loop is not None):
            yield f"{module.name} is {'a' if module.loop else 'no'} collection of modules"

    def _module_of(self, of: Node) -> Module | None:
        """The module, if ``of`` is its ``outputs``."""
        if not (isinstance(of, Dot) and of.name == "outputs"):
            return None
        base = of.of.of if isinstance(of.of, Index) else of.of
        return self.template.modules.get(base.name) if isinstance(base, Ref) else None

    def _called(self, module: Module) -> Template:
        return load(self.template.path.parent / module.path)

    def _module(self, module: Module) -> Iterator[str]:
        path: Path = self.template.path.parent / module.path
        if not path.is_file():
            yield f"{module.name}: {module.path} is not there"
            return
        given, wanted = module.body.get("params", {}), self._called(module).params
        for key in module.body.keys() - MODULE_KEYS:
            yield f"{module.name}: a module has no {key}"
        for name in given.keys() - wanted.keys():
            yield f"{module.name}: {module.path} has no parameter {name}"
        for param in wanted.values():
            if param.name in given:
                value = given[param.name]
                what = f"{module.name}: {param.name}"
                yield from self._fits(what, param.kind, value, param.allowed)
            elif param.required:
                yield f"{module.name}: {param.name} is missing"

    def _fits(self, what: str, kind: str, value: Node, allowed: tuple[Any, ...]) -> Iterator[str]:
        for each in alternatives(value):
            found = self.kind_of(each)
            if each is not None and ANY not in (found, kind) and found != kind:
                yield f"{what} is a {found}, not a {kind}"
            if allowed and isinstance(each, (str, int)) and each not in allowed:
                yield f"{what}: {each!r} is not one of {', '.join(map(str, allowed))}"

    def kind_of(self, node: Node) -> str:
        """string, int, bool, array, object, or any."""
        if type(node) in OWN:
            return OWN[type(node)]
        match node:
            case Call(name, _, None):
                return FUNCTIONS.get(name, ANY)
            case Op(sign, _):
                return "int" if sign in {"+", "-", "*", "/", "%"} else "bool"
            case Ref(name):
                return self._declared(name)
            case Dot(of, name) if (module := self._module_of(of)) is not None:
                output = self._called(module).outputs.get(name)
                return output.kind if output else ANY
        return ANY

    def _declared(self, name: str) -> str:
        param = self.template.params.get(name)
        if param is not None:
            return param.kind
        variable = self.template.variables.get(name)
        return ANY if variable is None else self.kind_of(variable)


def problems(template: Template) -> list[str]:
    """What a compiler would refuse or warn of in one file."""
    return sorted(set(Checker(template).problems()))


def references(node: Node) -> set[str]:
    """The symbols below a node."""
    return {each.name for each in walk(node) if isinstance(each, Ref)}
