"""The admin side, reading: what a tenant holds now; contents one by one, never in bulk."""

from __future__ import annotations

import hashlib
from typing import Any

from aiohttp import web

from local.graph import context
from local.graph.routes.items import ITEM
from local.graph.routes.subscriptions import shown
from local.graph.routes.teams_admin import described as described_thread
from local.graph.state import ids
from local.graph.state.calendar import Event
from local.graph.state.drive import Drive, Item, Site
from local.graph.state.mailbox import Mailbox, Message
from local.graph.state.world import User
from local.graph.wire import files
from local.graph.wire.errors import file_not_found, not_found

type Json = dict[str, Any]


def _sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def described(one: User) -> Json:
    """A user's names and ids."""
    return {
        "id": one.id,
        "upn": one.upn,
        "name": one.name,
        "drive_id": one.drive.id,
        "root_id": one.drive.root.id,
    }


async def get_raw_message(request: web.Request) -> web.Response:
    """GET users/{u}/messages/{m}/raw: the MIME, also of a purged message."""
    key = request.match_info["message"]
    for each in [
        *context.user(request).mailbox.messages.values(),
        *context.user(request).mailbox.retained,
    ]:
        if key in {each.immutable_id, each.mutable_id}:
            return web.Response(body=each.raw, content_type="application/octet-stream")
    raise not_found()


async def get_raw_item(request: web.Request) -> web.Response:
    """GET drives/{d}/items/{i}/raw (?version=1.0): the bytes."""
    one = context.item(request)
    wanted = request.query.get("version")
    for each in reversed(one.versions):
        if wanted in {None, each.id}:
            return web.Response(body=each.data, content_type="application/octet-stream")
    raise file_not_found()


def _message(box: Mailbox, one: Message) -> Json:
    folder = box.folders[one.folder]
    return {
        "id": one.immutable_id,
        "mutable_id": one.mutable_id,
        "folder": folder.well_known or folder.id,
        "folder_name": folder.name,
        "subject": one.values.get("subject", ""),
        "internet_message_id": one.values.get("internetMessageId", ""),
        "categories": one.values.get("categories", []),
        "extended": dict(one.extended),
        "is_draft": one.values.get("isDraft", False),
        "change_key": one.change_key,
        "size": len(one.raw),
        "sha256": _sha256(one.raw),
    }


def _event(one: Event) -> Json:
    return {
        "id": one.id,
        "subject": one.values.get("subject", ""),
        "body": (one.values.get("body") or {}).get("content", ""),
        "start": ids.timestamp(one.start),
        "end": ids.timestamp(one.end),
        "is_organizer": one.values["isOrganizer"],
        "is_cancelled": one.values["isCancelled"],
        "ical_uid": one.values["iCalUId"],
        "categories": one.values.get("categories", []),
        "extended": dict(one.extended),
        "attachments": [each.get("name", "") for each in one.attachments],
        "change_key": one.change_key,
    }


def _item(where: Drive, one: Item, owner: User | None) -> Json:
    return {
        "id": one.id,
        "name": one.name,
        "path": f"{where.path(one).split(':', 1)[1]}/{one.name}" if one.parent else "/",
        "folder": one.folder,
        "etag": one.etag,
        "ctag": one.ctag,
        "size": len(one.data),
        "sha256": _sha256(one.data) if one.versions else None,
        "versions": [{"id": each.id, "sha256": _sha256(each.data)} for each in one.versions],
        "permissions": files.permissions(where, one, owner) if one.parent in where.items else [],
        "own_permissions": list(one.permissions),
        "fields": dict(one.fields),
        "labels": list(one.labels),
    }


def _site(one: Site) -> Json:
    drives = [
        {
            "id": drive.id,
            "name": drive.name,
            "items": [_item(drive, each, None) for each in drive.items.values()],
        }
        for drive in one.drives
    ]
    return {"id": one.id, "name": one.name, "group": one.group, "drives": drives}


def _gone(one: Item) -> Json:
    versions = [{"id": each.id, "sha256": _sha256(each.data)} for each in one.versions]
    return {"id": one.id, "name": one.name, "versions": versions}


async def state(request: web.Request) -> web.Response:
    """GET state: everything, with hashes for contents."""
    world = context.world(request)
    users = []
    for one in world.users.values():
        box, drive = one.mailbox, one.drive
        users.append(
            {
                **described(one),
                "messages": [_message(box, each) for each in box.messages.values()],
                "retained": [_message(box, each) for each in box.retained],
                "folders": [
                    {"id": f.id, "name": f.name, "hidden": f.hidden, "well_known": f.well_known}
                    for f in box.folders.values()
                ],
                "events": [_event(each) for each in one.calendar.events.values()],
                "deleted_events": [_event(each) for each in one.calendar.deleted],
                "retained_events": [_event(each) for each in one.calendar.retained],
                "categories": list(box.categories),
                "items": [_item(drive, each, one) for each in drive.items.values()],
                "removed_items": [_gone(each.item) for each in drive.tombstones],
                "purged_items": [_gone(each) for each in drive.retained],
            }
        )
    return web.json_response(
        {
            "tenant_id": world.tenant_id,
            "application_id": world.application_id,
            "users": users,
            "sites": [_site(each) for each in world.sites.values()],
            "teams": [
                {
                    "id": t.id,
                    "name": t.name,
                    "channels": [described_thread(c) for c in t.channels.values()],
                }
                for t in world.teams.teams.values()
            ],
            "chats": [described_thread(each) for each in world.teams.chats.values()],
            "subscriptions": [shown(each) for each in world.subscriptions.values()],
            "sent": world.sent,
            "deliveries": world.deliveries,
        }
    )


async def log(request: web.Request) -> web.Response:
    """GET log (?since=n): each Graph request: n, time, method, path, template, status."""
    since = int(request.query.get("since", "0"))
    return web.json_response({"log": context.world(request).log[since:]})


A = "/_admin"
ROUTES = [
    web.get(f"{A}/users/{{user}}/messages/{{message}}/raw", get_raw_message, allow_head=False),
    web.get(f"{A}/drives/{{drive}}/items/{ITEM}/raw", get_raw_item, allow_head=False),
    web.get(f"{A}/state", state, allow_head=False),
    web.get(f"{A}/log", log, allow_head=False),
]
