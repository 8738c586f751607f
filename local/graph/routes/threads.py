"""Teams: the teams, channels and chats themselves, and what their messages host."""

from __future__ import annotations

from aiohttp import web

from local.graph import context
from local.graph.routes.teams import (
    CHANNEL,
    CHAT,
    REPLIES,
    C,
    T,
    message,
    not_found,
    team,
    tenant,
    thread,
)
from local.graph.routes.users import is_guest
from local.graph.state.directory import transitive
from local.graph.state.teams import Hosted, Team, Thread
from local.graph.wire import odata, teams


def _team(one: Team) -> odata.Json:
    return {"id": one.id, "displayName": one.name, "description": None}


def _channel(one: Thread) -> odata.Json:
    return {
        "id": one.id,
        "displayName": one.name,
        "createdDateTime": teams.when(one.created),
        "membershipType": "standard",
    }


def _chat(request: web.Request, one: Thread) -> odata.Json:
    return {
        "id": one.id,
        "topic": one.name or None,
        "chatType": "group" if len(one.members) != 2 else "oneOnOne",  # noqa: PLR2004 - one on one
        "createdDateTime": teams.when(one.created),
        "lastUpdatedDateTime": teams.when(one.created),
        "tenantId": context.world(request).tenant_id,
    }


async def list_teams(request: web.Request) -> web.Response:
    """GET /teams."""
    return odata.collection(request, "teams", [_team(t) for t in tenant(request).teams.values()])


async def list_channels(request: web.Request) -> web.Response:
    """GET /teams/{id}/channels."""
    found = [_channel(each) for each in team(request).channels.values()]
    return odata.collection(request, "channels", found)


async def get_channel(request: web.Request) -> web.Response:
    """GET /teams/{id}/channels/{id}; who is in it (``summary``) only where ``$select`` asks."""
    one, select = thread(request), request.query.get("$select")
    shown = _channel(one)
    if "summary" in (select or "").lower():
        shown["summary"] = _summary(request, one)
    return web.json_response(odata.select(shown, select))


def _summary(request: web.Request, one: Thread) -> odata.Json:
    """A channel's own members, or where it has none those of its team's group."""
    world = context.world(request)
    group = world.groups.get(one.team)
    keys = one.members or (list(transitive(world.groups, group)) if group else [])
    people = [world.users[key] for key in keys if key in world.users]
    guests = sum(map(is_guest, people))
    return {
        "ownersCount": 0,
        "membersCount": len(people) - guests + len(one.outside),
        "guestsCount": guests,
        "hasMembersFromOtherTenants": bool(one.outside),
    }


async def list_chats(request: web.Request) -> web.Response:
    """GET /users/{id}/chats."""
    member = context.user(request).id
    found = [_chat(request, t) for t in tenant(request).chats.values() if member in t.members]
    return odata.collection(request, "chats", found)


async def get_chat(request: web.Request) -> web.Response:
    """GET /chats/{id}; its members only where ``$expand`` asks."""
    one, shown = thread(request), _chat(request, thread(request))
    if request.query.get("$expand", "").lower() == "members":
        shown["members"] = _members(request, one)
    return web.json_response(shown)


def _members(request: web.Request, one: Thread) -> list[odata.Json]:
    """As Graph names the roles: ``owner`` of who may add people, ``guest`` of who was invited."""
    world = context.world(request)
    people = [world.users[key] for key in one.members if key in world.users]
    inside = [
        {
            "roles": ["guest"] if is_guest(each) else ["owner"],
            "displayName": each.name,
            "userId": each.id,
            "email": each.upn,
            "tenantId": world.tenant_id,
        }
        for each in people
    ]
    kind = {"@odata.type": "#microsoft.graph.aadUserConversationMember"}
    told = [*inside, *({"roles": ["owner"], **each} for each in one.outside)]
    return [{**kind, "id": str(number), **each} for number, each in enumerate(told)]


def _hosted(one: Hosted) -> odata.Json:
    return {"id": one.id, "contentBytes": None, "contentType": None}  # Graph leaves both empty


async def list_hosted(request: web.Request) -> web.Response:
    """GET …/hostedContents."""
    found = [_hosted(each) for each in message(request).hosted]
    return odata.collection(request, "hostedContents", found)


def _one(request: web.Request) -> Hosted:
    for each in message(request).hosted:
        if each.id == request.match_info["hosted"]:
            return each
    raise not_found()


async def get_hosted(request: web.Request) -> web.Response:
    """GET …/hostedContents/{id}."""
    return web.json_response(_hosted(_one(request)))


async def get_hosted_value(request: web.Request) -> web.Response:
    """GET …/hostedContents/{id}/$value: the bytes."""
    found = _one(request)
    return web.Response(body=found.data, content_type=found.kind)


ROUTES = [
    web.get(T, list_teams, allow_head=False),
    web.get(f"{T}/{{team}}/channels", list_channels, allow_head=False),
    web.get(f"{T}/{{team}}/channels/{{channel}}", get_channel, allow_head=False),
    web.get(f"{C}/{{chat}}", get_chat, allow_head=False),
    web.get("/v1.0/users/{user}/chats", list_chats, allow_head=False),
    web.get(f"{CHAT}/{{message}}/hostedContents/{{hosted}}", get_hosted, allow_head=False),
    web.get(f"{CHANNEL}/{{message}}/hostedContents/{{hosted}}", get_hosted, allow_head=False),
    *(
        route
        for base in (f"{CHAT}/{{message}}", f"{CHANNEL}/{{message}}", f"{REPLIES}/{{reply}}")
        for route in (
            web.get(f"{base}/hostedContents", list_hosted, allow_head=False),
            web.get(f"{base}/hostedContents/{{hosted}}/$value", get_hosted_value, allow_head=False),
        )
    ),
]
