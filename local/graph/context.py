"""What every handler reaches: world, faults, notifier; and the lookups that answer 404."""

from __future__ import annotations

from aiohttp import web

from local.graph.faults import Faults
from local.graph.notify import Notifier
from local.graph.permissions import Permissions
from local.graph.rich import Signer
from local.graph.state.drive import Drive, Item
from local.graph.state.mailbox import Folder, Message
from local.graph.state.world import User, World
from local.graph.throttle import Throttle
from local.graph.wire.errors import fail, file_not_found, not_found

THROTTLE = web.AppKey("throttle", Throttle)
SIGNER = web.AppKey("signer", Signer)
WORLD = web.AppKey("world", World)
FAULTS = web.AppKey("faults", Faults)
NOTIFIER = web.AppKey("notifier", Notifier)
PERMISSIONS = web.AppKey("permissions", Permissions)


def world(request: web.Request) -> World:
    """The tenant."""
    return request.app[WORLD]


def user(request: web.Request) -> User:
    """The ``{user}`` of the path, or 404."""
    key = request.match_info["user"]
    found = world(request).user(key)
    if found is None:
        fail(
            404,
            "Request_ResourceNotFound",
            f"Resource '{key}' does not exist.",
        )
    return found


def folder(request: web.Request) -> Folder:
    """The ``{folder}`` of the path, or 404."""
    found = user(request).mailbox.folder(request.match_info["folder"])
    if found is None:
        raise not_found()
    return found


def message(request: web.Request) -> Message:
    """The ``{message}`` of the path (in ``{folder}``, where the path has one), or 404."""
    found = user(request).mailbox.find(request.match_info["message"])
    inside = folder(request).id if "folder" in request.match_info else None
    if found is None or (inside and found.folder != inside):
        raise not_found()
    return found


def drive(request: web.Request) -> Drive:
    """The ``{drive}`` of the path, or 404."""
    found = world(request).drives.get(request.match_info["drive"])
    if found is None:
        raise file_not_found()
    return found


def item(request: web.Request) -> Item:
    """The ``{item}`` of the path (the root, where it has none), or 404."""
    found = drive(request).find(request.match_info.get("item", "root"))
    if found is None:
        raise file_not_found()
    return found


def owner(request: web.Request, where: Drive) -> User | None:
    """Whose drive it is."""
    return world(request).users.get(where.owner)
