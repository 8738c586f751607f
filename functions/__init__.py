"""Triggers: each parses an event, calls shared and maps errors; nothing else.

One blueprint a file. A role is an app of its own in the cloud, with an identity of its own; the
modules of other roles are not even imported.
"""

from __future__ import annotations

import importlib
from collections.abc import Iterator

import azure.functions as func

from shared.errors import SettingsError

ROLES: dict[str, tuple[str, ...]] = {
    "intake": ("notifications", "hub", "resolve", "blobs", "subscriptions", "health"),
    "scan": ("scan", "relay", "exceptions", "notices", "passwords", "health"),
    "audit": ("audit", "dead_letters", "health"),
    "console": ("console", "health"),
}
ROLES["all"] = tuple(dict.fromkeys(name for names in ROLES.values() for name in names))


def blueprints(role: str) -> Iterator[func.Blueprint]:
    """The blueprints of ``role``; SettingsError for a role that does not exist."""
    if role not in ROLES:
        message = f"SEKISHO_ROLE must be one of {', '.join(ROLES)}"
        raise SettingsError(message)
    for name in ROLES[role]:
        yield importlib.import_module(f"functions.{name}").bp
