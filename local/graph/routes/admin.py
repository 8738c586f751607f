"""The admin side: make the world and break it. Plain JSON; no token."""

from __future__ import annotations

import re
from datetime import datetime
from typing import Any

from aiohttp import web

from local.graph import context
from local.graph.faults import Fault, Loss
from local.graph.rich import FORGERIES
from local.graph.routes.drafts import received
from local.graph.routes.items import ITEM
from local.graph.routes.readback import described
from local.graph.routes.sharing import add_link
from local.graph.state import ids
from local.graph.wire import odata
from local.graph.wire.errors import fail

type Json = dict[str, Any]


async def add_user(request: web.Request) -> web.Response:
    """POST users {upn, name?, id?}, or many under ``users``; a UPN that is there gives its user."""
    world, body = context.world(request), await odata.json_body(request)
    many: list[Json] = body.get("users", [body])
    if not all(isinstance(each.get("upn"), str) for each in many):
        fail(400, "BadRequest", "upn is required")
    made = [
        described(
            world.add_user(each["upn"], each.get("name") or each["upn"], each.get("id") or "")
        )
        for each in many
    ]
    return web.json_response({"users": made} if "users" in body else made[0])


async def add_message(request: web.Request) -> web.Response:
    """POST users/{u}/messages (raw MIME; ?folder=inbox&modified=…): arrives; the immutable id."""
    folder = request.query.get("folder", "inbox")
    made = received(context.user(request), await request.read(), folder)
    if (when := _modified(request)) is not None:
        made.values["lastModifiedDateTime"] = ids.timestamp(when)
    return web.json_response({"id": made.immutable_id, "mutable_id": made.mutable_id})


def _modified(request: web.Request) -> datetime | None:
    """When it was changed, where the caller says that it is old."""
    try:
        text = request.query.get("modified")
        return datetime.fromisoformat(text) if text else None
    except ValueError:
        fail(400, "BadRequest", "modified is no time")


async def add_file(request: web.Request) -> web.Response:
    """POST users/{u}/files?name=…&folder=a/b&modified=… (bytes): a file, or its next version."""
    drive = context.user(request).drive
    name = request.query.get("name") or ""
    if not name:
        fail(400, "BadRequest", "name is required")
    parent, data = drive.folder(request.query.get("folder", "")), await request.read()
    there = drive.child(parent, name)
    if there is None:
        there = drive.add(parent, name, data)
    else:
        drive.write(there, data)
    there.modified = _modified(request) or there.modified
    return web.json_response({"id": there.id, "drive_id": drive.id, "parent_id": parent.id})


async def add_link_to(request: web.Request) -> web.Response:
    """POST drives/{d}/items/{i}/links {type?, scope?, recipients?}: someone shares the item."""
    where, one = context.drive(request), context.item(request)
    body = await odata.json_body(request)
    kind, scope = body.get("type", "view"), body.get("scope", "anonymous")
    return web.json_response(add_link(where, one, kind, scope, body.get("recipients") or []))


async def add_column(request: web.Request) -> web.Response:
    """POST drives/{d}/columns {name}: a column of the library, so that fields can be set."""
    context.drive(request).columns.add(str((await odata.json_body(request))["name"]))
    return web.json_response({"columns": sorted(context.drive(request).columns)})


async def faults(request: web.Request) -> web.Response:
    """POST faults: one, a list under ``faults``, {drop,duplicate,…}_notifications, or ``lossy``."""
    body, armed = await odata.json_body(request), request.app[context.FAULTS]
    armed.drop_notifications += int(body.pop("drop_notifications", 0))
    armed.duplicate_notifications += int(body.pop("duplicate_notifications", 0))
    armed.reorder_notifications += int(body.pop("reorder_notifications", 0))
    armed.fail_labels += int(body.pop("fail_labels", 0))
    forgeries = list(body.pop("forge_notifications", []))
    if not set(forgeries) <= FORGERIES:
        fail(400, "BadRequest", f"forge_notifications: of {sorted(FORGERIES)}")
    armed.forgeries += forgeries
    try:
        if (lossy := body.pop("lossy", None)) is not None:
            armed.loss = Loss.parse(lossy)
        many = body.pop("faults", None)
        each_one = many if many is not None else ([body] if body else [])
        armed.armed += [Fault.parse(each) for each in each_one]
    except (ValueError, TypeError, AttributeError, re.error) as error:
        fail(400, "BadRequest", str(error))
    return web.json_response({"armed": len(armed.armed)})


async def show_faults(request: web.Request) -> web.Response:
    """GET faults: how many are armed, and what a lossy line did so far."""
    armed = request.app[context.FAULTS]
    shown: odata.Json = {"armed": len(armed.armed)}
    if armed.loss is not None:
        counts = armed.loss.told, armed.loss.dropped, armed.loss.doubled
        shown |= dict(zip(("told", "dropped", "doubled"), counts, strict=True))
    return web.json_response(shown)


async def clear_faults(request: web.Request) -> web.Response:
    """DELETE faults."""
    request.app[context.FAULTS].clear()
    request.app[context.NOTIFIER].release()
    return web.json_response({"armed": 0})


async def lifecycle(request: web.Request) -> web.Response:
    """POST lifecycle {event, subscription_id?}: for one subscription, or for all."""
    world, body = context.world(request), await odata.json_body(request)
    event = body.get("event")
    if event not in {"reauthorizationRequired", "subscriptionRemoved", "missed"}:
        fail(400, "BadRequest", "event: reauthorizationRequired, subscriptionRemoved or missed")
    wanted = body.get("subscription_id")
    chosen = [each for each in world.subscriptions.values() if wanted in {None, each.id}]
    sent = [each.id for each in chosen if request.app[context.NOTIFIER].lifecycle(each, event)]
    if event == "subscriptionRemoved":
        for each in chosen:
            world.unsubscribe(each)
    return web.json_response({"sent": sent})


async def expire(request: web.Request) -> web.Response:
    """POST expire {subscription_id?}: a subscription ends now, without a word."""
    world, wanted = context.world(request), (await odata.json_body(request)).get("subscription_id")
    for each in world.subscriptions.values():
        if wanted in {None, each.id}:
            each.expires = ids.now()
    return web.json_response({})


async def reset(request: web.Request) -> web.Response:
    """POST reset: an empty tenant without faults."""
    context.world(request).reset()
    request.app[context.FAULTS].clear()
    return web.json_response({})


async def unknown(request: web.Request) -> web.Response:
    """Anything else of the admin side."""
    fail(404, "notFound", f"the admin side has no {request.method} {request.path}")


A = "/_admin"
ROUTES = [
    web.post(f"{A}/users", add_user),
    web.post(f"{A}/users/{{user}}/messages", add_message),
    web.post(f"{A}/users/{{user}}/files", add_file),
    web.post(f"{A}/drives/{{drive}}/items/{ITEM}/links", add_link_to),
    web.post(f"{A}/drives/{{drive}}/columns", add_column),
    web.post(f"{A}/faults", faults),
    web.get(f"{A}/faults", show_faults, allow_head=False),
    web.delete(f"{A}/faults", clear_faults),
    web.post(f"{A}/lifecycle", lifecycle),
    web.post(f"{A}/expire", expire),
    web.post(f"{A}/reset", reset),
    web.route("*", f"{A}/{{tail:.*}}", unknown),
]
