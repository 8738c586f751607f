"""The admin side of Teams: make teams, channels and chats; send, edit and take back messages."""

from __future__ import annotations

import base64
import binascii
from urllib.parse import quote

from aiohttp import web

from local.graph import context
from local.graph.routes.teams import message, team, tenant, thread
from local.graph.state import ids
from local.graph.state.directory import Group
from local.graph.state.teams import ChatMessage, Hosted, Team, Thread
from local.graph.wire import odata, teams
from local.graph.wire.errors import fail

type Json = odata.Json


def _user(request: web.Request, key: object) -> str:
    found = context.world(request).user(str(key))
    if found is None:
        fail(404, "notFound", f"there is no user {key}")
    return found.id


async def add_team(request: web.Request) -> web.Response:
    """POST teams {name, id?, channels?, members?}: {id, name, channels: [{id, name}], site}.

    A team is a group of the same id with a site; each channel has a folder in the site's library.
    """
    world, body = context.world(request), await odata.json_body(request)
    made = Team(str(body.get("id") or ids.guid()), str(body.get("name") or "team"))
    tenant(request).teams[made.id] = made
    members = [_user(request, each) for each in body.get("members") or []]
    world.groups[made.id] = Group(made.name, made.id, members)
    site = world.add_site(made.name, ["ドキュメント"], group=made.id)
    for name in body.get("channels") or ["一般"]:
        tenant(request).add_channel(made, str(name))
        site.drives[0].folder(str(name))
    channels = [{"id": each.id, "name": each.name} for each in made.channels.values()]
    told = {"id": site.id, "drive_id": site.drives[0].id}
    shown = {"id": made.id, "name": made.name, "channels": channels, "site": told}
    return web.json_response(shown)


async def add_channel(request: web.Request) -> web.Response:
    """POST teams/{t}/channels {name}: {id, name}."""
    name = str((await odata.json_body(request)).get("name") or "channel")
    made = tenant(request).add_channel(team(request), name)
    return web.json_response({"id": made.id, "name": made.name})


async def add_chat(request: web.Request) -> web.Response:
    """POST chats {members: [upn | {tenantId, displayName?, …} of a stranger], topic?}: {id}."""
    body = await odata.json_body(request)
    given = body.get("members") or []
    members = [_user(request, each) for each in given if not isinstance(each, dict)]
    outside = [each for each in given if isinstance(each, dict)]
    made = tenant(request).add_chat(str(body.get("topic") or ""), members, outside)
    return web.json_response({"id": made.id})


async def add_members(request: web.Request) -> web.Response:
    """POST …/members {members: [upn | {tenantId, …} of a stranger]}: they join."""
    where, body = thread(request), await odata.json_body(request)
    for each in body.get("members") or []:
        if isinstance(each, dict):
            where.outside.append(each)
        else:
            where.members.append(_user(request, each))
    return web.json_response({"id": where.id})


def _sender(request: web.Request, given: object) -> Json:
    """A UPN or user id of this tenant; or an identity as Graph writes it, for a stranger."""
    if isinstance(given, dict):
        user = {"@odata.type": "#microsoft.graph.teamworkUserIdentity", "id": ids.guid(), **given}
        return {"application": None, "device": None, "user": user}
    found = context.world(request).users[_user(request, given)]
    user = {
        "@odata.type": "#microsoft.graph.teamworkUserIdentity",
        "id": found.id,
        "displayName": found.name,
        "userIdentityType": "aadUser",
        "tenantId": context.world(request).tenant_id,
    }
    return {"application": None, "device": None, "user": user}


def _hosted(body: Json) -> list[Hosted]:
    try:
        return [
            Hosted(
                base64.b64encode(f"id=,type=1,url={ids.guid()}".encode()).decode(),
                str(each.get("contentType") or "image/png"),
                base64.b64decode(each["contentBytes"], validate=True),
            )
            for each in body.get("hosted") or []
        ]
    except (binascii.Error, KeyError, TypeError, ValueError):
        fail(400, "BadRequest", "hosted: [{contentType?, contentBytes (base64)}]")


def _body(body: Json) -> Json:
    text = str(body.get("text") or body.get("html") or "")
    return {"contentType": "html" if "html" in body else "text", "content": text}


def _show(request: web.Request, where: Thread, one: ChatMessage) -> None:
    """Hosted contents appear in the text as pictures, by the address that gives their bytes."""
    if not one.hosted:
        return
    base = f"{odata.origin(request)}/v1.0{quote(teams.path(where, one), safe='/')}/hostedContents"
    tags = "".join(f'<img src="{base}/{quote(h.id, safe="")}/$value">' for h in one.hosted)
    one.body = {"contentType": "html", "content": one.body["content"] + tags}


async def send(request: web.Request) -> web.Response:
    """POST …/messages {from, text | html, subject?, reply_to?, attachments?, hosted?}: {id}."""
    where, body = thread(request), await odata.json_body(request)
    root = str(body.get("reply_to") or "")
    if root and root not in where.messages:
        fail(404, "notFound", f"there is no message {root}")
    now = ids.now()
    made = ChatMessage(
        id="",
        sender=_sender(request, body.get("from")),
        body=_body(body),
        created=now,
        modified=now,
        subject=body.get("subject"),
        reply_to=root,
        attachments=list(body.get("attachments") or []),
        hosted=_hosted(body),
    )
    tenant(request).stamp(made)
    _show(request, where, made)
    tenant(request).post(where, made)
    return web.json_response({"id": made.id, "hosted": [each.id for each in made.hosted]})


def _any(request: web.Request) -> ChatMessage:
    found = thread(request).messages.get(request.match_info["message"])
    return found if found is not None else message(request)


async def edit(request: web.Request) -> web.Response:
    """PATCH …/messages/{m} {text | html}: the sender changes it (replies by their own id)."""
    tenant(request).edit(thread(request), _any(request), _body(await odata.json_body(request)))
    return web.json_response({"etag": _any(request).etag})


async def take_back(request: web.Request) -> web.Response:
    """DELETE …/messages/{m}: the sender deletes it."""
    tenant(request).delete(thread(request), _any(request))
    return web.json_response({"etag": _any(request).etag})


def described(where: Thread) -> Json:
    """A thread for the state: everything, also the text of deleted messages."""
    messages = [
        {
            "id": one.id,
            "reply_to": one.reply_to,
            "from": one.sender,
            "body": one.body,
            "removed_body": one.removed_body,
            "edited": teams.when(one.edited),
            "deleted": teams.when(one.deleted),
            "policy_violation": one.violation,
            "hosted": [{"id": each.id, "size": len(each.data)} for each in one.hosted],
            "etag": one.etag,
        }
        for one in where.messages.values()
    ]
    return {"id": where.id, "name": where.name, "members": where.members, "messages": messages}


A = "/_admin"
ROUTES = [
    web.post(f"{A}/teams", add_team),
    web.post(f"{A}/teams/{{team}}/channels", add_channel),
    web.post(f"{A}/chats", add_chat),
    *(
        route
        for base in (f"{A}/teams/{{team}}/channels/{{channel}}", f"{A}/chats/{{chat}}")
        for route in (
            web.post(f"{base}/members", add_members),
            web.post(f"{base}/messages", send),
            web.patch(f"{base}/messages/{{message}}", edit),
            web.delete(f"{base}/messages/{{message}}", take_back),
        )
    ),
]
