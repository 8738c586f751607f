"""Drives, items, permissions and versions as Graph's JSON."""

from __future__ import annotations

import mimetypes
from typing import Any
from urllib.parse import quote

from local.graph.state import ids
from local.graph.state.drive import Drive, Item, Site, Version
from local.graph.state.world import User

type Json = dict[str, Any]
SITE = "https://contoso-my.sharepoint.com/personal"
LIBRARY = "https://contoso.sharepoint.com/sites"


def drive(item: Drive, owner: User | None) -> Json:
    """A drive. A library is its site's: of the group that the site belongs to, or the system's."""
    holder: Json = {"user": identity(owner)} if owner else {}
    if item.site is not None:
        group = {"id": item.site.group, "displayName": item.site.name}
        holder = (
            {"group": group} if item.site.group else {"user": {"displayName": "System Account"}}
        )
    return {
        "id": item.id,
        "driveType": kind_of(item),
        "name": item.name,
        "createdDateTime": ids.timestamp(item.root.created),
        "lastModifiedDateTime": ids.timestamp(item.root.modified),
        "webUrl": _address(item, owner),
        "owner": holder,
        "quota": {
            "state": "normal",
            "total": 1 << 40,
            "used": 0,
            "remaining": 1 << 40,
            "deleted": 0,
        },
    }


def kind_of(where: Drive) -> str:
    """What Graph calls this type of drive."""
    return "documentLibrary" if where.site else "business"


def identity(user: User | None) -> Json:
    """An identity; ``email`` is an open property, as Graph sends it."""
    if user is None:
        return {"displayName": "app@sharepoint"}
    return {"id": user.id, "displayName": user.name, "email": user.upn}


def item(where: Drive, one: Item, owner: User | None) -> Json:
    """A driveItem."""
    path = "" if not one.parent else f"{where.path(one).split(':', 1)[1]}/{one.name}"
    by = {"user": one.by or identity(owner)}
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
        "webUrl": f"{_address(where, owner)}{quote(path)}",
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
    reference = {"driveId": where.id, "driveType": kind_of(where), "id": one.parent}
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
    result: Json = {"driveId": where.id, "driveType": kind_of(where)}
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

    The owner's grant stands on the drive's root, so every item inherits it; in a site's library
    those of the site's three groups do.
    """
    result = list(one.permissions)
    for above in where.ancestors(one):
        source = {"driveId": where.id, "id": above.id, "path": f"{where.path(above)}/{above.name}"}
        result += [{**each, "inheritedFrom": source} for each in above.permissions]
    root = {"driveId": where.id, "id": where.root.id, "path": f"/drives/{where.id}/root:"}
    if where.site is not None:
        return [*result, *({**each, "inheritedFrom": root} for each in _site_groups(where.site))]
    grant: Json = {
        "id": f"owner-{where.root.guid.lower()}",
        "roles": ["owner"],
        "grantedToV2": {"user": identity(owner)},
        "inheritedFrom": root,
    }
    return [*result, grant]


def _site_groups(site: Site) -> list[Json]:
    """Owners, visitors and members of a site, as every item of its libraries is granted to them."""
    kinds = (("3", "Owners", "owner"), ("4", "Visitors", "read"), ("5", "Members", "write"))
    return [
        {
            "id": f"group-{number}",
            "roles": [role],
            "grantedToV2": {
                "siteGroup": {
                    "id": number,
                    "displayName": f"{site.name} {kind}",
                    "loginName": f"{site.name} {kind}",
                }
            },
        }
        for number, kind, role in kinds
    ]


def version(one: Version) -> Json:
    """A driveItemVersion."""
    return {"id": one.id, "lastModifiedDateTime": ids.timestamp(one.when), "size": len(one.data)}


def _address(where: Drive, owner: User | None) -> str:
    """Where people find the library."""
    if where.site is not None:
        return f"{LIBRARY}/{quote(where.site.name)}/{quote(where.name)}"
    return f"{SITE}/{_personal(owner)}/Documents"


def _personal(owner: User | None) -> str:
    return (owner.upn if owner else "unknown").replace("@", "_").replace(".", "_").lower()
