"""Users, mail folders and categories."""

from __future__ import annotations

from aiohttp import web

from local.graph import context
from local.graph.state import ids
from local.graph.state.world import User
from local.graph.wire import files, mail, odata
from local.graph.wire.errors import fail


def is_guest(one: User) -> bool:
    """Whether somebody of another organisation was invited under this name."""
    return "#ext#" in one.upn.lower()


def user_json(request: web.Request, one: User) -> odata.Json:
    """A user with what ``$select`` asked for."""
    entity = {
        "id": one.id,
        "userPrincipalName": one.upn,
        "displayName": one.name,
        "mail": one.upn,
    }
    if "usertype" in request.query.get("$select", "").lower():  # Graph gives it where asked alone
        entity["userType"] = "Guest" if is_guest(one) else "Member"
    return odata.select(entity, request.query.get("$select"))


async def list_users(request: web.Request) -> web.Response:
    """GET /users."""
    everyone = list(context.world(request).users.values())
    return odata.listing(request, "users", everyone, lambda each: user_json(request, each))


async def get_user(request: web.Request) -> web.Response:
    """GET /users/{id or UPN}."""
    return web.json_response(user_json(request, context.user(request)))


async def get_manager(request: web.Request) -> web.Response:
    """GET /users/{id}/manager: 404 where none is named."""
    world, one = context.world(request), context.user(request)
    manager = world.user(one.manager) if one.manager else None
    if manager is None:
        fail(404, "Request_ResourceNotFound", "Resource 'manager' does not exist.")
    kind = {"@odata.type": "#microsoft.graph.user"}
    return web.json_response(kind | user_json(request, manager))


async def put_manager(request: web.Request) -> web.Response:
    """POST _admin/users/{u}/manager {upn}: who is in charge of them; empty for nobody."""
    body = await odata.json_body(request)
    context.user(request).manager = str(body.get("upn") or "")
    return web.json_response({})


async def get_drive(request: web.Request) -> web.Response:
    """GET /users/{id}/drive."""
    one = context.user(request)
    return web.json_response(files.drive(one.drive, one))


async def list_drives(request: web.Request) -> web.Response:
    """GET /users/{id}/drives."""
    one = context.user(request)
    return odata.collection(request, "drives", [files.drive(one.drive, one)])


async def list_folders(request: web.Request) -> web.Response:
    """GET mailFolders or childFolders; hidden ones only with includeHiddenFolders=true."""
    box = context.user(request).mailbox
    parent = context.folder(request).id if "folder" in request.match_info else box.root
    hidden = request.query.get("includeHiddenFolders", "").lower() == "true"
    found = [
        mail.folder(box, each)
        for each in box.folders.values()
        if each.parent == parent and (hidden or not each.hidden)
    ]
    return odata.collection(request, "mailFolders", found)


async def create_folder(request: web.Request) -> web.Response:
    """POST mailFolders or childFolders; 409 where the name is taken."""
    box, body = context.user(request).mailbox, await odata.json_body(request)
    parent = context.folder(request).id if "folder" in request.match_info else box.root
    name = body.get("displayName")
    if not isinstance(name, str) or not name.strip():
        fail(
            400,
            "RequestBodyRead",
            "The property 'DisplayName' is required when creating the entity.",
        )
    if any(each.parent == parent and each.name == name for each in box.folders.values()):
        fail(409, "ErrorFolderExists", "A folder with the specified name exists.")
    made = box.add_folder(name, parent, hidden=body.get("isHidden") is True)
    return web.json_response(mail.folder(box, made), status=201)


async def get_folder(request: web.Request) -> web.Response:
    """GET mailFolders/{id or well-known name}."""
    entity = mail.folder(context.user(request).mailbox, context.folder(request))
    return web.json_response(odata.select(entity, request.query.get("$select")))


async def list_categories(request: web.Request) -> web.Response:
    """GET outlook/masterCategories."""
    return odata.collection(request, "masterCategories", context.user(request).mailbox.categories)


async def create_category(request: web.Request) -> web.Response:
    """POST outlook/masterCategories; 409 where the name is taken."""
    box, body = context.user(request).mailbox, await odata.json_body(request)
    name = body.get("displayName")
    if not isinstance(name, str) or not name:
        fail(
            400,
            "RequestBodyRead",
            "The property 'DisplayName' is required when creating the entity.",
        )
    if any(each["displayName"].lower() == name.lower() for each in box.categories):
        fail(409, "ErrorItemExists", "The category exists.")
    made = {"id": ids.guid(), "displayName": name, "color": body.get("color", "none")}
    box.categories.append(made)
    return web.json_response(made, status=201)


U = "/v1.0/users/{user}"
ROUTES = [
    web.get("/v1.0/users", list_users, allow_head=False),
    web.get(U, get_user, allow_head=False),
    web.get(f"{U}/manager", get_manager, allow_head=False),
    web.post("/_admin/users/{user}/manager", put_manager),
    web.get(f"{U}/drive", get_drive, allow_head=False),
    web.get(f"{U}/drives", list_drives, allow_head=False),
    web.get(f"{U}/mailFolders", list_folders, allow_head=False),
    web.post(f"{U}/mailFolders", create_folder),
    web.get(f"{U}/mailFolders/{{folder}}", get_folder, allow_head=False),
    web.get(f"{U}/mailFolders/{{folder}}/childFolders", list_folders, allow_head=False),
    web.post(f"{U}/mailFolders/{{folder}}/childFolders", create_folder),
    web.get(f"{U}/outlook/masterCategories", list_categories, allow_head=False),
    web.post(f"{U}/outlook/masterCategories", create_category),
]
