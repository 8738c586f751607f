"""Groups: who is in them, directly or through other groups; the admin side fills them."""

from __future__ import annotations

from collections.abc import Iterable

from aiohttp import web

from local.graph import context
from local.graph.routes.users import user_json
from local.graph.state.directory import Group, transitive
from local.graph.wire import odata
from local.graph.wire.errors import fail

USERS = ("/graph.user", "/microsoft.graph.user")


def _json(one: Group) -> odata.Json:
    return {"@odata.type": "#microsoft.graph.group", "id": one.id, "displayName": one.name}


def _found(request: web.Request) -> Group:
    key = request.match_info["group"]
    found = context.world(request).groups.get(key)
    if found is None:
        fail(404, "Request_ResourceNotFound", f"Resource '{key}' does not exist.")
    return found


def _page(request: web.Request, keys: Iterable[str]) -> web.Response:
    """Members as directory objects; with the cast at the path's end users alone, without a type."""
    world, cast = context.world(request), request.path.endswith(USERS)
    found = [key for key in keys if not cast or key in world.users]

    def show(key: str) -> odata.Json:
        if key in world.users:
            kind = {} if cast else {"@odata.type": "#microsoft.graph.user"}
            return kind | user_json(request, world.users[key])
        return odata.select(_json(world.groups[key]), request.query.get("$select"))

    return odata.listing(request, "users" if cast else "directoryObjects", found, show)


async def get_group(request: web.Request) -> web.Response:
    """GET /groups/{id}."""
    return web.json_response(odata.select(_json(_found(request)), request.query.get("$select")))


async def list_members(request: web.Request) -> web.Response:
    """GET /groups/{id}/members: direct members."""
    return _page(request, _found(request).members)


async def list_transitive(request: web.Request) -> web.Response:
    """GET /groups/{id}/transitiveMembers: also those of the groups inside."""
    return _page(request, transitive(context.world(request).groups, _found(request)))


async def put_group(request: web.Request) -> web.Response:
    """POST _admin/groups {name, id?, members?}: makes one, or sets the members of that id."""
    world, body = context.world(request), await odata.json_body(request)
    one = world.groups.get(str(body.get("id") or ""))
    if one is None:
        one = Group(str(body.get("name") or "group"))
        one.id = str(body.get("id") or one.id)
    one.members = _keys(request, body.get("members") or [])
    world.groups[one.id] = one
    return web.json_response(_described(one))


async def change_members(request: web.Request) -> web.Response:
    """POST _admin/groups/{id}/members {add?, remove?}: of UPNs, user ids or group ids."""
    one, body = _found(request), await odata.json_body(request)
    leaving = set(_keys(request, body.get("remove") or []))
    joining = _keys(request, body.get("add") or [])
    one.members = list(dict.fromkeys([*(m for m in one.members if m not in leaving), *joining]))
    return web.json_response(_described(one))


def _keys(request: web.Request, named: list[str]) -> list[str]:
    world, keys = context.world(request), []
    for each in named:
        found = world.user(each) or world.groups.get(each)
        if found is None:
            fail(404, "notFound", f"there is no user or group {each}")
        keys.append(found.id)
    return list(dict.fromkeys(keys))


def _described(one: Group) -> odata.Json:
    return {"id": one.id, "name": one.name, "members": list(one.members)}


G = "/v1.0/groups/{group}"
ROUTES = [
    web.post("/_admin/groups", put_group),
    web.post("/_admin/groups/{group}/members", change_members),
    web.get(G, get_group, allow_head=False),
    *(
        route
        for cast in ("", *USERS)
        for route in (
            web.get(f"{G}/members{cast}", list_members, allow_head=False),
            web.get(f"{G}/transitiveMembers{cast}", list_transitive, allow_head=False),
        )
    ),
]
