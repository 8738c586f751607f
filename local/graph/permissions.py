"""Which application permission a call needs, from a description's ``x-app-permissions``."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import unquote

# learn.microsoft.com/graph/api/subscription-post-subscriptions#permissions
SUBSCRIPTIONS = {
    "message": frozenset({"Mail.Read", "Mail.ReadWrite"}),
    "event": frozenset({"Calendars.Read", "Calendars.ReadWrite"}),
    "drive": frozenset({"Files.ReadWrite.All"}),
    "chat": frozenset({"Chat.Read.All", "Chat.ReadWrite.All"}),
    "channel": frozenset({"ChannelMessage.Read.All"}),
}


@dataclass(frozen=True, slots=True)
class Operation:
    """One path of the description with the permissions of each method."""

    path: re.Pattern[str]
    methods: dict[str, frozenset[str] | None]


class Permissions:
    """What a run was granted, against what each operation asks for (any one of them is enough)."""

    def __init__(self, contract: Path, granted: frozenset[str]) -> None:
        paths: dict[str, Any] = json.loads(contract.read_text(encoding="utf-8"))["paths"]
        self._granted = granted
        ordered = sorted(paths.items(), key=lambda pair: (pair[0].count("{"), -len(pair[0])))
        self._operations = [Operation(_pattern(path), _needs(item)) for path, item in ordered]

    def refuses(self, method: str, path: str) -> frozenset[str]:
        """What would have been enough; empty where the call may pass.

        ``path`` is relative to the version. A call that the description names no permission for
        passes; bytes (``$value``) ask for what their entity asks, and ``items/root`` (which is how
        the SDK reaches a drive's root) for what ``root`` asks.
        """
        path = "/".join(unquote(each).replace("/", "%2F") for each in path.split("/"))
        shorter = path.removesuffix("/$value")
        needed: frozenset[str] = frozenset()
        for candidate in (path, shorter, path.replace("/items/root", "/root", 1)):
            for operation in self._operations:
                if method in operation.methods and operation.path.fullmatch(candidate):
                    needed |= operation.methods[method] or frozenset()
                    break
        return frozenset() if needed & self._granted else needed

    def refuses_resource(self, kind: str) -> bool:
        """Whether a subscription to such a resource lacks the permission to read it."""
        return not SUBSCRIPTIONS[kind] & self._granted


def _pattern(path: str) -> re.Pattern[str]:
    parts = re.split(r"(\{[^}]+\})", path)
    return re.compile("".join("[^/]+" if part[:1] == "{" else re.escape(part) for part in parts))


def _needs(item: dict[str, Any]) -> dict[str, frozenset[str] | None]:
    result: dict[str, frozenset[str] | None] = {}
    for method in {"get", "post", "put", "patch", "delete"} & set(item):
        named = item[method].get("x-app-permissions")
        needed = frozenset(named["least"]) | frozenset(named["also"]) if named else None
        result[method.upper()] = needed or None
    return result
