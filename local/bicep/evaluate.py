"""What a deployment with given parameters would make: every resource with its values.

No compiler and no Azure: what only Azure knows (ids, addresses, principals) is a word in brackets,
the same wherever it is used, so that it can be followed from an identity to its roles.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from local.bicep.functions import Later, table
from local.bicep.nodes import Call, Dot, For, If, Index, Join, Lambda, Node, Op, Ref
from local.bicep.template import Module, Resource, Template, load

type Scope = Mapping[str, Any]
type Loader = Callable[[Any], Template]

SIGNS: dict[str, Callable[[Any, Any], Any]] = {
    "==": operator.eq, "!=": operator.ne, ">": operator.gt, ">=": operator.ge,
    "<": operator.lt, "<=": operator.le, "+": operator.add, "-": operator.sub,
    "*": operator.mul,
}  # fmt: skip


@dataclass(frozen=True)
class Made:
    """One resource of a deployment. ``name`` has its parents' names before it."""

    kind: str
    version: str
    name: str
    body: dict[str, Any]
    where: str

    @property
    def properties(self) -> dict[str, Any]:
        """``properties``, empty where there are none."""
        found = self.body.get("properties", {})
        return found if isinstance(found, dict) else {}


@dataclass(frozen=True)
class Handle:
    """What a symbol of a resource stands for."""

    kind: str
    name: str

    @property
    def id(self) -> str:
        """Its resource id."""
        return f"{self.kind}/{self.name}"

    def part(self, name: str) -> Any:
        """A property: id and name are known, everything else later."""
        known = {"id": self.id, "name": self.name.rpartition("/")[2] or self.name}
        return known.get(name) or Later(f"<{self.kind.rpartition('/')[2]} {self.name}.{name}>")


@dataclass
class Deployment:
    """One file with its parameters; ``made`` is everything, its modules' too."""

    template: Template
    given: dict[str, Any]
    loader: Loader = load
    where: str = "main"
    made: list[Made] = field(default_factory=list)
    _variables: dict[str, Any] = field(default_factory=dict)
    _modules: dict[tuple[str, int], Deployment | None] = field(default_factory=dict)

    def run(self) -> list[Made]:
        """Every resource, in the order of the files."""
        for resource in self.template.resources.values():
            if not resource.existing:
                self._make(resource)
        for module in self.template.modules.values():
            for index in range(len(self._rounds(module))):
                inner = self._module(module, index)
                if inner is not None:
                    self.made += inner.made
        return self.made

    def outputs(self) -> dict[str, Any]:
        """Name → value."""
        return {name: self.value(each.value, {}) for name, each in self.template.outputs.items()}

    def _rounds(self, each: Resource | Module) -> list[Scope]:
        """The loop variables of each round; one empty round where there is no loop."""
        if each.loop is None:
            return [{}]
        return self._bound(each.loop, {})

    def _bound(self, loop: For, scope: Scope) -> list[Scope]:
        over = self.value(loop.over, scope)
        return [
            {**scope, loop.item: item, **({loop.index: index} if loop.index else {})}
            for index, item in enumerate(over)
        ]

    def _wanted(self, each: Resource | Module, scope: Scope) -> bool:
        return each.condition is None or bool(self.value(each.condition, scope))

    def _make(self, resource: Resource) -> None:
        for scope in self._rounds(resource):
            if self._wanted(resource, scope):
                body = self.value(resource.body, scope)
                name = self._handle(resource, scope).name
                self.made.append(Made(resource.kind, resource.version, name, body, self.where))

    def _handle(self, resource: Resource, scope: Scope) -> Handle:
        name = self.value(resource.body.get("name"), scope) or ""
        if "parent" in resource.body:
            parent = self.value(resource.body["parent"], scope)
            name = f"{parent.name}/{name}"
        return Handle(resource.kind, name)

    def _module(self, module: Module, index: int) -> Deployment | None:
        key = (module.name, index)
        if key not in self._modules:
            scope = self._rounds(module)[index]
            self._modules[key] = self._call(module, scope) if self._wanted(module, scope) else None
        return self._modules[key]

    def _call(self, module: Module, scope: Scope) -> Deployment:
        given = self.value(module.body.get("params", {}), scope)
        name = self.value(module.body["name"], scope)
        path = self.template.path.parent / module.path
        inner = Deployment(self.loader(path), given, self.loader, f"{self.where}/{name}")
        inner.run()
        return inner

    # ---- values

    def value(self, node: Node, scope: Scope) -> Any:
        """An expression's value."""
        match node:
            case Ref() | Dot() | Index():
                return self._reached(node, scope)
            case If(test, yes, no):
                return self.value(yes if self.value(test, scope) else no, scope)
            case Op(sign, args):
                return self._operate(sign, args, scope)
            case Call(name, args, None):
                return table(self.template.path.parent)[name](*(self.value(a, scope) for a in args))
        return self._composed(node, scope)

    def _reached(self, node: Ref | Dot | Index, scope: Scope) -> Any:
        if isinstance(node, Ref):
            return scope[node.name] if node.name in scope else self._symbol(node.name)
        of = self.value(node.of, scope)
        return self._part(of, node.name if isinstance(node, Dot) else self.value(node.index, scope))

    def _composed(self, node: Node, scope: Scope) -> Any:
        match node:
            case Join(parts):
                return "".join(str(self.value(each, scope)) for each in parts)
            case For():
                return [self.value(node.body, each) for each in self._bound(node, scope)]
            case Lambda((arg,), body):
                return lambda item: self.value(body, {**scope, arg: item})
            case dict():
                keys = [k if isinstance(k, str) else self.value(k, scope) for k in node]
                values = [self.value(each, scope) for each in node.values()]
                return dict(zip(keys, values, strict=True))
            case list():
                return [self.value(each, scope) for each in node]
        return node

    def _operate(self, sign: str, args: tuple[Node, ...], scope: Scope) -> Any:
        first = self.value(args[0], scope)
        if len(args) == 1:
            return not first if sign == "!" else -first
        if sign in {"&&", "||"}:
            decided = bool(first) if sign == "||" else not first
            return bool(first) if decided else bool(self.value(args[1], scope))
        if sign == "??":
            return first if first is not None else self.value(args[1], scope)
        return SIGNS[sign](first, self.value(args[1], scope))

    def _part(self, of: Any, name: Any) -> Any:
        if isinstance(of, Deployment):
            return of.outputs() if name == "outputs" else Later(f"<{of.where}.{name}>")
        if isinstance(of, (Later, Handle)):
            return of.part(name)
        return of[name]

    def _symbol(self, name: str) -> Any:
        made = self.template
        if name in made.params:
            return (
                self.given[name]
                if name in self.given
                else self.value(made.params[name].default, {})
            )
        if name in made.variables:
            if name not in self._variables:
                self._variables[name] = self.value(made.variables[name], {})
            return self._variables[name]
        if name in made.resources:
            resource = made.resources[name]
            handles = [self._handle(resource, scope) for scope in self._rounds(resource)]
            return handles if resource.loop is not None else handles[0]
        module = made.modules[name]
        called = [self._module(module, index) for index in range(len(self._rounds(module)))]
        return called if module.loop is not None else called[0]
