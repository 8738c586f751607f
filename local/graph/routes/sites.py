"""SharePoint sites and their libraries; the admin side makes them and puts files there."""

from __future__ import annotations

import uuid

from aiohttp import web

from local.graph import context
from local.graph.state.drive import Drive, Site
from local.graph.state.world import User
from local.graph.wire import files, odata
from local.graph.wire.errors import fail, file_not_found

PERSONAL = "contoso-my.sharepoint.com"


def _json(request: web.Request, one: Site) -> odata.Json:
    entity = {
        "id": one.id,
        "name": one.name,
        "displayName": one.name,
        "isPersonalSite": False,
        "webUrl": f"{files.LIBRARY}/{one.name}",
    }
    return odata.select(entity, request.query.get("$select"))


def _personal(request: web.Request, one: User) -> odata.Json:
    """The site that a OneDrive is: listed with the others, as Graph does."""
    key = uuid.uuid5(uuid.NAMESPACE_OID, one.id)
    entity = {"id": f"{PERSONAL},{key},{key}", "name": one.name, "isPersonalSite": True}
    return odata.select(entity, request.query.get("$select"))


def _found(request: web.Request) -> Site:
    found = context.world(request).sites.get(request.match_info["site"])
    if found is None:
        raise file_not_found()
    return found


async def all_sites(request: web.Request) -> web.Response:
    """GET /sites/getAllSites(): those of people too."""
    world = context.world(request)
    every: list[Site | User] = [*world.sites.values(), *world.users.values()]

    def show(one: Site | User) -> odata.Json:
        return _json(request, one) if isinstance(one, Site) else _personal(request, one)

    return odata.listing(request, "sites", every, show)


async def get_site(request: web.Request) -> web.Response:
    """GET /sites/{id}."""
    return web.json_response(_json(request, _found(request)))


def _library(request: web.Request, one: Drive) -> odata.Json:
    return odata.select(files.drive(one, None), request.query.get("$select"))


async def get_drive(request: web.Request) -> web.Response:
    """GET /sites/{id}/drive: the first library."""
    drives = _found(request).drives
    if not drives:
        raise file_not_found()
    return web.json_response(_library(request, drives[0]))


async def list_drives(request: web.Request) -> web.Response:
    """GET /sites/{id}/drives."""
    found = [_library(request, each) for each in _found(request).drives]
    return odata.collection(request, "drives", found)


def described(one: Site) -> odata.Json:
    """A site's ids and those of its libraries."""
    drives = [{"id": each.id, "name": each.name, "root_id": each.root.id} for each in one.drives]
    return {"id": one.id, "name": one.name, "drives": drives}


async def add_site(request: web.Request) -> web.Response:
    """POST _admin/sites {name, group?, drives?: [name]}: {id, name, drives: [{id, name}]}."""
    world, body = context.world(request), await odata.json_body(request)
    names = [str(each) for each in body.get("drives") or ["ドキュメント"]]
    group = str(body.get("group") or "")
    return web.json_response(
        described(world.add_site(str(body.get("name") or "site"), names, group=group))
    )


async def add_library(request: web.Request) -> web.Response:
    """POST _admin/sites/{s}/drives {name}: {id, name}."""
    name = str((await odata.json_body(request)).get("name") or "library")
    made = context.world(request).add_library(_found(request), name)
    return web.json_response({"id": made.id, "name": made.name})


async def remove_site(request: web.Request) -> web.Response:
    """DELETE _admin/sites/{s}: with its libraries."""
    world, one = context.world(request), _found(request)
    del world.sites[one.id]
    for each in one.drives:
        del world.drives[each.id]
    return web.json_response({})


async def add_file(request: web.Request) -> web.Response:
    """POST _admin/drives/{d}/files?name=…&folder=a/b&by=upn (bytes), or its next version."""
    drive, name = context.drive(request), request.query.get("name") or ""
    person = context.world(request).user(request.query.get("by", ""))
    if not name:
        fail(400, "BadRequest", "name is required")
    parent, data = drive.folder(request.query.get("folder", "")), await request.read()
    there = drive.child(parent, name)
    if there is None:
        there = drive.add(parent, name, data)
        there.by = files.identity(person) if person else None
    else:
        drive.write(there, data)
    return web.json_response({"id": there.id, "drive_id": drive.id, "parent_id": parent.id})


S = "/v1.0/sites/{site}"
ROUTES = [
    web.get("/v1.0/sites/getAllSites()", all_sites, allow_head=False),
    web.get("/v1.0/sites/getAllSites", all_sites, allow_head=False),
    web.get(S, get_site, allow_head=False),
    web.get(f"{S}/drive", get_drive, allow_head=False),
    web.get(f"{S}/drives", list_drives, allow_head=False),
    web.post("/_admin/sites", add_site),
    web.post("/_admin/sites/{site}/drives", add_library),
    web.delete("/_admin/sites/{site}", remove_site),
    web.post("/_admin/drives/{drive}/files", add_file),
]
