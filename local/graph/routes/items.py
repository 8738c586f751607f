"""Drive items: read, list, make folders, rename, move, columns, remove, delta."""

from __future__ import annotations

from typing import Any

from aiohttp import web

from local.graph import context
from local.graph.state.drive import Drive, Item
from local.graph.wire import files, odata
from local.graph.wire.errors import fail, file_changed

LONGEST_NAME = 400
FORBIDDEN = set('"*:<>?/\\|')
# An item by path (root:/a/b:): its slashes may come raw or as %2F.
ITEM = "{item:[^/:]+:/[^:]+:?|[^/]+}"
BASES = (f"/v1.0/drives/{{drive}}/items/{ITEM}", "/v1.0/drives/{drive}/root")


def shown(request: web.Request, where: Drive, one: Item) -> odata.Json:
    """The item's JSON, with a pre-authenticated address for a file's content."""
    entity = files.item(where, one, context.owner(request, where))
    if not one.folder:
        entity["@microsoft.graph.downloadUrl"] = download_url(request, where, one)
    return odata.select(entity, request.query.get("$select"))


def download_url(request: web.Request, where: Drive, one: Item, version: str = "") -> str:
    """An address that needs no token, for the current content or one version."""
    token = odata.seal(d=where.id, i=one.id, v=version or one.versions[-1].id)
    return f"{odata.origin(request)}/_content/{token}"


def check_etag(request: web.Request, one: Item) -> None:
    """412 where If-Match names neither the eTag nor the cTag."""
    if request.headers.get("If-Match") != one.ctag:
        odata.if_match(request, one.etag, file_changed())


def check_name(name: Any) -> str:
    """The name, or 400 invalidRequest."""
    if (
        not isinstance(name, str)
        or not name.strip()
        or FORBIDDEN & set(name)
        or len(name) > LONGEST_NAME
    ):
        fail(400, "invalidRequest", "The provided name cannot contain these characters.")
    return name


async def get_drive(request: web.Request) -> web.Response:
    """GET a drive."""
    where = context.drive(request)
    return web.json_response(files.drive(where, context.owner(request, where)))


async def get_item(request: web.Request) -> web.Response:
    """GET an item."""
    return web.json_response(shown(request, context.drive(request), context.item(request)))


async def list_children(request: web.Request) -> web.Response:
    """GET …/children."""
    where, one = context.drive(request), context.item(request)
    found = [shown(request, where, each) for each in where.children(one)]
    return odata.collection(request, "driveItems", found)


async def create_folder(request: web.Request) -> web.Response:
    """POST …/children: a folder; conflictBehavior fail (409, the default), rename or replace."""
    where, parent = context.drive(request), context.item(request)
    body = await odata.json_body(request)
    if "folder" not in body or not parent.folder:
        fail(400, "invalidRequest", "Only folders can be created here.")
    name = check_name(body.get("name"))
    behaviour = body.get("@microsoft.graph.conflictBehavior", "fail")
    there = where.child(parent, name)
    if there is not None and behaviour == "replace":
        return web.json_response(shown(request, where, there), status=200)
    made = where.add(parent, free_name(where, parent, name, behaviour), None)
    return web.json_response(shown(request, where, made), status=201)


def free_name(where: Drive, parent: Item, name: str, behaviour: str) -> str:
    """The name, or with ``rename`` the next free one; 409 nameAlreadyExists otherwise."""
    if where.child(parent, name) is None:
        return name
    if behaviour != "rename":
        fail(
            409, "nameAlreadyExists", "An item with the same name already exists under the parent."
        )
    stem, dot, suffix = name.rpartition(".") if "." in name else (name, "", "")
    number = 1
    while where.child(parent, f"{stem} {number}{dot}{suffix}") is not None:
        number += 1
    return f"{stem} {number}{dot}{suffix}"


async def patch_item(request: web.Request) -> web.Response:
    """PATCH name and parentReference (of the same drive); If-Match → 412."""
    where, one = context.drive(request), context.item(request)
    body = await odata.json_body(request)
    check_etag(request, one)
    if not one.parent:
        fail(403, "accessDenied", "The root cannot be renamed or moved.")
    target = where.items[one.parent]
    reference = body.get("parentReference")
    if isinstance(reference, dict):
        target = _target(where, one, reference)
    name = check_name(body.get("name", one.name))
    there = where.child(target, name)
    if there is not None and there is not one:
        name = free_name(where, target, name, body.get("@microsoft.graph.conflictBehavior", "fail"))
    one.name, one.parent = name, target.id
    where.touch(one)
    return web.json_response(shown(request, where, one))


def _target(where: Drive, one: Item, reference: odata.Json) -> Item:
    if reference.get("driveId") not in {None, where.id}:
        fail(400, "invalidRequest", "Moving between drives is not supported.")
    found = where.find(str(reference.get("id") or ""))
    if found is None or not found.folder or found is one or one in where.ancestors(found):
        fail(400, "invalidRequest", "The destination is not a folder of this drive.")
    return found


async def delete_item(request: web.Request) -> web.Response:
    """DELETE: to the recycle bin, out of the drive."""
    return _remove(request, permanently=False)


async def purge_item(request: web.Request) -> web.Response:
    """POST …/permanentDelete: with all its versions."""
    return _remove(request, permanently=True)


def _remove(request: web.Request, *, permanently: bool) -> web.Response:
    where, one = context.drive(request), context.item(request)
    check_etag(request, one)
    if not one.parent:
        fail(403, "accessDenied", "The root cannot be deleted.")
    where.remove(one, permanently=permanently)
    return web.Response(status=204)


async def get_list_item(request: web.Request) -> web.Response:
    """GET …/listItem with its columns."""
    where, one = context.drive(request), context.item(request)
    position = str(list(where.items).index(one.id) + 1)
    fields = {"@odata.etag": one.etag, "id": position, "FileLeafRef": one.name, **one.fields}
    return web.json_response(
        {"@odata.etag": one.etag, "id": position, "eTag": one.etag, "fields": fields}
    )


async def patch_fields(request: web.Request) -> web.Response:
    """PATCH …/listItem/fields: a column that the library does not have is 400."""
    where, one = context.drive(request), context.item(request)
    body = await odata.json_body(request)
    check_etag(request, one)
    values = {key: value for key, value in body.items() if "@" not in key and key != "id"}
    for name in values:
        if name not in where.columns:
            fail(400, "invalidRequest", f"Field '{name}' is not recognized")
    one.fields |= values
    where.touch(one)
    return web.json_response({"@odata.etag": one.etag, "FileLeafRef": one.name, **one.fields})


async def delta(request: web.Request) -> web.Response:
    """GET root/delta: pages, then a deltaLink; ``token=latest`` gives the link alone.

    Changes of sharing alone are shown only with ``Prefer: deltashowsharingchanges``.
    """
    where = context.drive(request)
    token = request.match_info.get("token") or request.query.get("token") or ""
    base = f"{odata.origin(request)}/v1.0/drives/{where.id}/root/delta()"
    body: odata.Json = {"@odata.context": odata.context(request, "Collection(driveItem)")}
    if token == "latest":  # noqa: S105 - a word of the protocol, not a secret
        follow = odata.seal(drive=where.id, born=where.seq, since=where.seq)
        return web.json_response(body | {"value": [], "@odata.deltaLink": f"{base}?token={follow}"})
    state = odata.unseal(token) if token else {"drive": where.id}
    if state.get("drive") != where.id:
        fail(400, "invalidRequest", "The provided token is not valid.")
    since, born = int(state.get("since", -1)), int(state.get("born", where.seq))
    sharing = odata.prefers(request, "deltashowsharingchanges")
    entries = where.since(since, born, sharing=sharing)
    size = odata.page_size(request, 200)
    page, more = entries[:size], len(entries) > size
    body["value"] = _page(request, where, page, sharing=sharing)
    follow = odata.seal(drive=where.id, born=born, since=page[-1][0] if more else where.seq)
    body["@odata.nextLink" if more else "@odata.deltaLink"] = f"{base}?token={follow}"
    return web.json_response(body)


def _page(
    request: web.Request, where: Drive, page: list[tuple[int, Item]], *, sharing: bool
) -> list[odata.Json]:
    """Each item after the folders on the way to it, each once: Graph lists those too."""
    known: dict[str, odata.Json] = {}
    for seq, one in page:
        if one.id not in where.items:
            known.setdefault(one.id, files.deleted(where, one))
            continue
        for each in (*reversed(list(where.ancestors(one))), one):
            if each.id not in known:
                known[each.id] = shown(request, where, each)
        if sharing and seq == one.sharing_seq > one.seq:
            known[one.id]["@microsoft.graph.sharedChanged"] = "True"
    return list(known.values())


DELTAS = [
    f"/v1.0/drives/{{drive}}/{root}/{name}"
    for root in ("root", "items/root")
    for name in ("delta()", "delta", "delta(token='{token}')")
]
ROUTES = [
    web.get("/v1.0/drives/{drive}", get_drive, allow_head=False),
    *(web.get(path, delta, allow_head=False) for path in DELTAS),
    *(
        route
        for base in BASES
        for route in (
            web.get(base, get_item, allow_head=False),
            web.patch(base, patch_item),
            web.delete(base, delete_item),
            web.get(f"{base}/children", list_children, allow_head=False),
            web.post(f"{base}/children", create_folder),
            web.post(f"{base}/permanentDelete", purge_item),
            web.get(f"{base}/listItem", get_list_item, allow_head=False),
            web.patch(f"{base}/listItem/fields", patch_fields),
        )
    ),
]
