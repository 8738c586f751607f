"""What a subscription may watch, and whose it is."""

from __future__ import annotations

import re

from local.graph.state.world import World
from local.graph.wire.errors import fail

TEAMS = {"chat", "channel"}
MODEL = re.compile(r"\?model=[AB]$")  # how a Teams resource is licensed
RESOURCES = [
    ("message", re.compile(r"users/(?P<user>[^/]+)/messages", re.IGNORECASE)),
    (
        "message",
        re.compile(
            r"users/(?P<user>[^/]+)/mailFolders(?:/(?P<folder>[^/]+)|\('(?P<named>[^']+)'\))/messages",
            re.IGNORECASE,
        ),
    ),
    ("event", re.compile(r"users/(?P<user>[^/]+)/events", re.IGNORECASE)),
    ("drive", re.compile(r"users/(?P<user>[^/]+)/drive/root", re.IGNORECASE)),
    ("drive", re.compile(r"drives/(?P<drive>[^/]+)/root", re.IGNORECASE)),
    ("chat", re.compile(r"chats/getAllMessages(?:\(\))?", re.IGNORECASE)),
    ("chat", re.compile(r"users/(?P<user>[^/]+)/chats/getAllMessages(?:\(\))?", re.IGNORECASE)),
    ("chat", re.compile(r"chats/(?P<chat>[^/]+)/messages", re.IGNORECASE)),
    ("channel", re.compile(r"teams/getAllMessages(?:\(\))?", re.IGNORECASE)),
    (
        "channel",
        re.compile(r"teams/(?P<team>[^/]+)/channels/(?P<channel>[^/]+)/messages", re.IGNORECASE),
    ),
]


def resource(world: World, text: str) -> tuple[str, str, str]:
    """(kind, owner, folder) of a resource; 400 for one that is not known, 404 for a stranger."""
    for kind, pattern in RESOURCES:
        path = text.strip("/").removeprefix("v1.0/")
        path = MODEL.sub("", path) if kind in TEAMS else path
        match = pattern.fullmatch(path)
        if match is None:
            continue
        parts = match.groupdict()
        if kind in TEAMS and "user" not in parts:
            return kind, _thread(world, parts), ""
        if "drive" in parts:
            drive = world.drives.get(parts["drive"])
            if drive is None:
                fail(404, "itemNotFound", "The drive was not found.")
            return kind, drive.id, ""
        user = world.user(parts["user"])
        if user is None:
            fail(404, "ResourceNotFound", "The user was not found.")
        if kind in TEAMS:
            return kind, user.id, ""
        if kind == "drive":
            return kind, user.drive.id, ""
        name = parts.get("folder") or parts.get("named") or ""
        folder = user.mailbox.folder(name) if name else None
        if name and folder is None:
            fail(404, "ErrorItemNotFound", "The folder was not found.")
        return kind, user.id, folder.id if folder else ""
    return fail(400, "InvalidRequest", f"Unsupported resource: {text}")


def _thread(world: World, parts: dict[str, str]) -> str:
    """The id of a chat or channel, or "" for all of them; 404 for a stranger."""
    if "chat" in parts:
        found = world.teams.chats.get(parts["chat"])
    elif "channel" in parts:
        team = world.teams.teams.get(parts["team"])
        found = team.channels.get(parts["channel"]) if team else None
    else:
        return ""
    if found is None:
        fail(404, "NotFound", "The chat or channel was not found.")
    return found.id
