"""HTTP routes: ASP.NET route templates with constraints."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from local.host.errors import HostRefusedError

_PART = re.compile(
    r"(?P<slash>/?)\{(?P<all>\*{0,2})(?P<name>\w+)"
    r"(?P<constraints>(?::\w+(?:\([^)]*\))?)*)(?P<optional>\?)?(?:=(?P<default>[^}]*))?\}"
)
_CONSTRAINT = re.compile(r":(\w+)(?:\(([^)]*)\))?")
_GUID = re.compile(r"\{?[0-9a-fA-F]{8}(-?[0-9a-fA-F]{4}){3}-?[0-9a-fA-F]{12}\}?")

type Check = Callable[[str], bool]


def _is_int(bits: int) -> Check:
    edge = 2 ** (bits - 1)
    return lambda text: bool(re.fullmatch(r"-?\d+", text)) and -edge <= int(text) < edge


def _between(low: str, high: str | None) -> Check:
    def check(text: str) -> bool:
        if not re.fullmatch(r"-?\d+", text):
            return False
        return int(low) <= int(text) and (high is None or int(text) <= int(high))

    return check


def _length(low: str, high: str) -> Check:
    return lambda text: int(low) <= len(text) <= int(high)


# learn.microsoft.com/aspnet/core/fundamentals/routing#route-constraints
CONSTRAINTS: Mapping[str, Callable[[list[str]], Check]] = {
    "int": lambda _: _is_int(32),
    "long": lambda _: _is_int(64),
    "guid": lambda _: lambda text: bool(_GUID.fullmatch(text)),
    "alpha": lambda _: lambda text: bool(re.fullmatch(r"[A-Za-z]*", text)),
    "bool": lambda _: lambda text: text.lower() in {"true", "false"},
    "min": lambda a: _between(a[0], None),
    "max": lambda a: _between(str(-(2**63)), a[0]),
    "range": lambda a: _between(a[0], a[1]),
    "length": lambda a: _length(a[0], a[-1]),
    "minlength": lambda a: _length(a[0], str(2**31)),
    "maxlength": lambda a: _length("0", a[0]),
}


@dataclass(frozen=True, slots=True)
class Route:
    """A parsed template; ``order`` sorts the more specific route first."""

    template: str
    pattern: re.Pattern[str]
    checks: Mapping[str, tuple[Check, ...]]
    defaults: Mapping[str, str]
    order: tuple[int, ...]

    @classmethod
    def parse(cls, template: str, *, where: str) -> Route:
        """Parse a template without its prefix.

        Raises:
            HostRefusedError: a constraint that is not done here, or braces that do not parse.
        """
        pattern, position = "", 0
        checks: dict[str, tuple[Check, ...]] = {}
        defaults: dict[str, str] = {}
        for part in _PART.finditer(template):
            pattern += re.escape(template[position : part.start()])
            position = part.end()
            name = part["name"]
            checks[name] = _checks(part["constraints"], where=where)
            if part["default"] is not None:
                defaults[name] = part["default"]
            body = f"(?P<{name}>{'.*' if part['all'] else '[^/]+'})"
            absent = part["optional"] or part["all"] or part["default"] is not None
            pattern += f"(?:{part['slash']}{body})?" if absent else f"{part['slash']}{body}"
        rest = template[position:]
        if re.search(r"[{}]", re.sub(_PART, "", template)):
            message = f"{where}: the route {template!r} is not understood by the local host"
            raise HostRefusedError(message)
        compiled = re.compile(f"{pattern}{re.escape(rest)}/?", re.IGNORECASE)
        return cls(template, compiled, checks, defaults, _order(template))

    def match(self, path: str) -> dict[str, str] | None:
        """The route's parameters for a path without its prefix, or None."""
        found = self.pattern.fullmatch(path)
        if found is None:
            return None
        given = {name: text for name, text in found.groupdict().items() if text is not None}
        for name, text in given.items():
            if not all(check(text) for check in self.checks[name]):
                return None
        return {**self.defaults, **given}


def _checks(text: str, *, where: str) -> tuple[Check, ...]:
    checks = []
    for name, argument in _CONSTRAINT.findall(text):
        make = CONSTRAINTS.get(name)
        if make is None:
            message = f"{where}: the route constraint {name!r} is not done by the local host"
            raise HostRefusedError(message)
        try:
            checks.append(make([each.strip() for each in argument.split(",") if each.strip()]))
        except IndexError as error:
            message = f"{where}: the route constraint {name!r} lacks its argument"
            raise HostRefusedError(message) from error
    return tuple(checks)


def _order(template: str) -> tuple[int, ...]:
    kinds = {True: 2, False: 1}
    return tuple(kinds["{*" in segment] if "{" in segment else 0 for segment in template.split("/"))
