"""Bicep's functions, as far as ``infra/`` uses them; what Azure alone knows is in brackets."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

ENVIRONMENT = {
    "suffixes": {"storage": "core.windows.net"},
    "authentication": {"loginEndpoint": "https://login.microsoftonline.com/"},
}


class Later(str):
    """A value that is known only once Azure has it; everything read from it is one too."""

    __slots__ = ()

    def part(self, name: object) -> Later:
        """A property or an element of it."""
        return Later(f"{self[:-1]}.{name}>")


def _union(*parts: Any) -> Any:
    if isinstance(parts[0], dict):
        merged: dict[str, Any] = {}
        for part in parts:
            merged |= part
        return merged
    found: list[Any] = []
    for part in parts:
        found += [each for each in part if each not in found]
    return found


def _concat(*parts: Any) -> Any:
    return (
        [each for part in parts for each in part] if isinstance(parts[0], list) else "".join(parts)
    )


def _filter(values: Any, keep: Callable[[Any], Any]) -> list[Any]:
    return [values.part("found")] if isinstance(values, Later) else [v for v in values if keep(v)]


def table(folder: Path) -> dict[str, Callable[..., Any]]:
    """The functions by name, for a file in ``folder``."""
    return {
        "cidrSubnet": lambda prefix, size, index: f"{prefix}→/{size}#{index}",
        "concat": _concat,
        "contains": lambda where, what: what in where,
        "empty": lambda value: not value,
        "environment": lambda: ENVIRONMENT,
        "filter": _filter,
        "flatten": lambda lists: [each for one in lists for each in one],
        "guid": lambda *parts: "guid(" + ",".join(map(str, parts)) + ")",
        "indexOf": lambda where, what: where.index(what) if what in where else -1,
        "items": lambda value: [{"key": k, "value": v} for k, v in sorted(value.items())],
        "loadJsonContent": lambda name: json.loads((folder / name).read_text(encoding="utf-8")),
        "loadTextContent": lambda name: (folder / name).read_text(encoding="utf-8"),
        "map": lambda values, make: [make(each) for each in values],
        "max": max,
        "resourceGroup": lambda: {"id": Later("<group.id>"), "location": "japaneast"},
        "resourceId": lambda kind, *names: f"{kind}/{'/'.join(names)}",
        "split": lambda text, by: text.split(by),
        "subscription": lambda: {"id": Later("<subscription.id>")},
        "subscriptionResourceId": lambda kind, *names: f"{kind}/{'/'.join(names)}",
        "take": lambda value, count: value[:count],
        "tenant": lambda: {"tenantId": Later("<tenant.id>")},
        "toObject": lambda values, key, make: {key(each): make(each) for each in values},
        "union": _union,
        "uniqueString": lambda *_: "abcdefghijklm",
        "utcNow": lambda *_: "2026-04-01",
    }
