"""Drives, items, permissions and versions as Graph's JSON."""

from __future__ import annotations

import mimetypes
from typing import Any
from urllib.parse import quote

from local.graph.state import ids
from local.graph.state.drive import Drive, Item, Version
from local.graph.state.world import User

type Json = dict[str, Any]
SITE = "https://contoso-my.sharepoint.com/personal"


def drive(item: Drive, owner: User | None) -> Json:
    """A drive."""
    return {
        "id": item.id,
        "driveType": "business",
        "name": "OneDrive",
        "createdDateTime": ids.timestamp(item.root.created),
        "lastModifiedDateTime": ids.timestamp(item.root.modified),
        "webUrl": f"{SITE}/{_personal(owner)}/Documents",
        "owner": {"user": identity(owner)} if owner else {},
        "quota": {
            "state": "normal",
            "total": 1 << 40,
            "used": 0,
            "remaining": 1 << 40,
            "deleted": 0,
        },
    }


def identity(user: User | None) -> Json:
    """An identity; ``email`` is an open property, as Graph sends it."""
    if user is None:
        return {"displayName": "app@sharepoint"}
    return {"id": user.id, "displayName": user.name, "email": user.upn}


def item(where: Drive, one: Item, owner: User | None) -> Json:
    """A driveItem."""
    path = "" if not one.parent else f"{where.path(one).split(':', 1)[1]}/{one.name}"
    by = {"user": identity(owner)}
    created, modified = ids.timestamp(one.created), ids.timestamp(one.modified)
    result: Json = {
        "@odata.etag": one.etag,
        "id": one.id,
        "name": one.name,
        "eTag": one.etag,
        "cTag": one.ctag,
        "createdDateTime": created,
        "lastModifiedDateTime": modified,
        "createdBy": by,
        "lastModifiedBy": by,
        "fileSystemInfo": {
            "createdDateTime": created,
            "lastModifiedDateTime": modified,
            **one.own_times,
        },
        "parentReference": parent_reference(where, one),
        "size": size(where, one),
        "webUrl": f"{SITE}/{_personal(owner)}/Documents{quote(path)}",
    }
    if one.folder:
        result["folder"] = {"childCount": len(where.children(one))}
    else:
        kind = mimetypes.guess_type(one.name)[0] or "application/octet-stream"
        result["file"] = {"mimeType": kind}
    if not one.parent:
        result["root"] = {}
    scope = sharing_scope(one)
    if scope:
        result["shared"] = {"scope": scope}
    return result


def deleted(where: Drive, one: Item) -> Json:
    """An item in the delta that is there no more: OneDrive for Business gives no name."""
    reference = {"driveId": where.id, "driveType": "business", "id": one.parent}
    facet = {"state": "deleted"}
    return {
        "id": one.id,
        "eTag": one.etag,
        "cTag": one.ctag,
        "size": 0,
        "deleted": facet,
        "parentReference": reference,
    }


def parent_reference(where: Drive, one: Item) -> Json:
    """Where the item is; the root has a drive alone."""
    result: Json = {"driveId": where.id, "driveType": "business"}
    if one.parent:
        parent = where.items[one.parent]
        result |= {"id": parent.id, "name": parent.name, "path": where.path(one)}
    return result


def size(where: Drive, one: Item) -> int:
    """Bytes; a folder's are its content's."""
    if one.folder:
        return sum(size(where, each) for each in where.children(one))
    return len(one.data)


def sharing_scope(one: Item) -> str:
    """The widest scope of the item's own permissions, or nothing."""
    scopes = {each["link"]["scope"] for each in one.permissions if "link" in each}
    scopes |= {"users" for each in one.permissions if "link" not in each}
    order = ("anonymous", "organization", "users")
    return next((each for each in order if each in scopes), "")


def permissions(where: Drive, one: Item, owner: User | None) -> list[Json]:
    """The item's own, then those inherited from each folder above, then the owner's.

    The owner's grant stands on the drive's root, so every item inherits it.
    """
    result = list(one.permissions)
    for above in where.ancestors(one):
        source = {"driveId": where.id, "id": above.id, "path": f"{where.path(above)}/{above.name}"}
        result += [{**each, "inheritedFrom": source} for each in above.permissions]
    grant: Json = {
        "id": f"owner-{where.root.guid.lower()}",
        "roles": ["owner"],
        "grantedToV2": {"user": identity(owner)},
        "inheritedFrom": {
            "driveId": where.id,
            "id": where.root.id,
            "path": f"/drives/{where.id}/root:",
        },
    }
    return [*result, grant]


def version(one: Version) -> Json:
    """A driveItemVersion."""
    return {"id": one.id, "lastModifiedDateTime": ids.timestamp(one.when), "size": len(one.data)}


def _personal(owner: User | None) -> str:
    return (owner.upn if owner else "unknown").replace("@", "_").replace(".", "_").lower()
