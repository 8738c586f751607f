"""Permissions: list, links, invitations, and their removal."""

from __future__ import annotations

from typing import Any

from aiohttp import web

from local.graph import context
from local.graph.routes.items import BASES, check_etag
from local.graph.state import ids
from local.graph.state.drive import Drive, Item
from local.graph.wire import files, odata
from local.graph.wire.errors import fail, file_not_found

SCOPES = {"anonymous", "organization", "users"}
ROLES = {"view": "read", "edit": "write", "embed": "read", "blocksDownload": "read"}


def add_link(where: Drive, one: Item, kind: str, scope: str, people: list[str]) -> odata.Json:
    """A sharing link; the same kind and scope again gives the one that is there."""
    for each in one.permissions:
        link = each.get("link", {})
        if (link.get("type"), link.get("scope")) == (kind, scope) and scope != "users":
            return each
    web_url = f"https://contoso-my.sharepoint.com/:u:/g/personal/{ids.share_token()}"
    made: odata.Json = {
        "id": ids.guid(),
        "roles": [ROLES[kind]],
        "shareId": f"u!{ids.share_token()}",
        "hasPassword": False,
        "link": {"type": kind, "scope": scope, "webUrl": web_url, "preventsDownload": False},
    }
    if people:
        made["grantedToIdentitiesV2"] = [_person(each) for each in people]
    one.permissions.append(made)
    where.share(one)
    return made


def _person(address: str) -> odata.Json:
    user = {"id": ids.guid(), "displayName": address.partition("@")[0], "email": address}
    return {"user": user}


async def list_permissions(request: web.Request) -> web.Response:
    """GET …/permissions: own ones, and inherited ones with ``inheritedFrom``."""
    where, one = context.drive(request), context.item(request)
    found = files.permissions(where, one, context.owner(request, where))
    return odata.collection(request, "permissions", found)


def _permission(request: web.Request) -> odata.Json:
    where, one = context.drive(request), context.item(request)
    for each in files.permissions(where, one, context.owner(request, where)):
        if each["id"] == request.match_info["permission"]:
            return each
    raise file_not_found()


async def get_permission(request: web.Request) -> web.Response:
    """GET …/permissions/{id}."""
    return web.json_response(_permission(request))


async def delete_permission(request: web.Request) -> web.Response:
    """DELETE …/permissions/{id}: 204; 403 for an inherited one; If-Match → 412."""
    where, one, permission = context.drive(request), context.item(request), _permission(request)
    check_etag(request, one)
    if "inheritedFrom" in permission:
        fail(403, "accessDenied", "Inherited permissions cannot be removed from this item.")
    one.permissions.remove(permission)
    where.share(one)
    return web.Response(status=204)


async def create_link(request: web.Request) -> web.Response:
    """POST …/createLink: 201 for a new link, 200 for the one that is there."""
    where, one = context.drive(request), context.item(request)
    body = await odata.json_body(request)
    kind, scope = odata.get(body, "type", "view"), odata.get(body, "scope", "organization")
    if kind not in ROLES or scope not in SCOPES:
        fail(400, "invalidRequest", "The link type or scope is not valid.")
    before = len(one.permissions)
    made = add_link(where, one, kind, scope, _emails(body))
    return web.json_response(made, status=201 if len(one.permissions) > before else 200)


def _emails(body: odata.Json) -> list[str]:
    people: list[Any] = odata.get(body, "recipients") or []
    return [each["email"] for each in people if isinstance(each, dict) and each.get("email")]


async def invite(request: web.Request) -> web.Response:
    """POST …/invite: a direct grant for each recipient."""
    where, one = context.drive(request), context.item(request)
    body = await odata.json_body(request)
    people, roles = _emails(body), odata.get(body, "roles") or []
    if not people or not set(roles) <= {"read", "write"} or not roles:
        fail(400, "invalidRequest", "Recipients and roles are required.")
    made = [
        {"id": ids.guid(), "roles": list(roles), "grantedToV2": _person(each)} for each in people
    ]
    one.permissions += made
    where.share(one)
    return web.json_response({"value": made})


ROUTES = [
    route
    for base in BASES
    for route in (
        web.get(f"{base}/permissions", list_permissions, allow_head=False),
        web.get(f"{base}/permissions/{{permission}}", get_permission, allow_head=False),
        web.delete(f"{base}/permissions/{{permission}}", delete_permission),
        web.post(f"{base}/createLink", create_link),
        web.post(f"{base}/invite", invite),
    )
]
