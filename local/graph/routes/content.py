"""Bytes of files: read by redirect, written whole or in chunks, and their older versions."""

from __future__ import annotations

import re
from datetime import timedelta

from aiohttp import web

from local.graph import context
from local.graph.routes.items import BASES, ITEM, check_etag, check_name, download_url, shown
from local.graph.state import ids
from local.graph.state.drive import Drive, Item, Version
from local.graph.state.world import Upload
from local.graph.wire import files, odata
from local.graph.wire.errors import fail, file_not_found

CHUNK = 320 * 1024
LARGEST_CHUNK = 60 * 1024 * 1024


async def get_content(request: web.Request) -> web.Response:
    """GET …/content: 302 to an address that needs no token."""
    where, one = context.drive(request), context.item(request)
    if one.folder:
        fail(400, "invalidRequest", "You cannot get content for a folder.")
    return web.Response(status=302, headers={"Location": download_url(request, where, one)})


async def download(request: web.Request) -> web.Response:
    """The pre-authenticated address."""
    state = odata.unseal(request.match_info["token"])
    where = context.world(request).drives.get(str(state.get("d")))
    one = where.items.get(str(state.get("i"))) if where else None
    versions = one.versions if one else []
    for each in versions:
        if each.id == state.get("v"):
            return web.Response(body=each.data, content_type="application/octet-stream")
    raise file_not_found()


def _place(request: web.Request) -> tuple[Drive, Item | None, Item, str]:
    """The drive, the item if it exists, its parent, and its name; new files come by path."""
    where = context.drive(request)
    reference = request.match_info.get("item", "root")
    found = where.find(reference)
    if found is not None:
        return where, found, where.items.get(found.parent, where.root), found.name
    key, _, path = reference.partition(":")
    folder, _, name = path.strip(":").strip("/").rpartition("/")
    start = where.root if key == "root" else where.items.get(key)
    if start is None or not path:
        raise file_not_found()
    for each in filter(None, folder.split("/")):  # Graph makes the folders on the way
        start = where.child(start, each) or where.add(start, each, None)
    return where, None, start, check_name(name)


async def put_content(request: web.Request) -> web.Response:
    """PUT …/content: a new version (200), or by path a new file (201)."""
    where, found, parent, name = _place(request)
    data = await request.read()
    if found is None:
        made = where.add(parent, name, data)
        return web.json_response(shown(request, where, made), status=201)
    if found.folder:
        fail(400, "invalidRequest", "You cannot set content for a folder.")
    check_etag(request, found)
    where.write(found, data)
    return web.json_response(shown(request, where, found))


async def create_session(request: web.Request) -> web.Response:
    """POST …/createUploadSession."""
    where, found, parent, name = _place(request)
    if found is not None:
        check_etag(request, found)
    body = await request.json() if request.can_read_body else {}
    item = body.get("item") if isinstance(body, dict) else None
    times = (item.get("fileSystemInfo") if isinstance(item, dict) else None) or {}
    if not isinstance(times, dict):
        fail(400, "invalidRequest", "fileSystemInfo is no object.")
    upload = Upload(
        times=times,
        id=ids.share_token(),
        drive=where,
        parent=parent.id,
        name=name,
        item=found.id if found else "",
        expires=ids.now() + timedelta(minutes=15),
    )
    context.world(request).uploads[upload.id] = upload
    return web.json_response(_progress(request, upload))


def _progress(request: web.Request, upload: Upload) -> odata.Json:
    return {
        "uploadUrl": f"{odata.origin(request)}/_upload/{upload.id}",
        "expirationDateTime": ids.timestamp(upload.expires),
        "nextExpectedRanges": [f"{len(upload.received)}-"],
    }


def _upload(request: web.Request) -> Upload:
    if "Authorization" in request.headers:
        fail(
            401,
            "unauthenticated",
            "The upload URL is pre-authenticated: do not send Authorization.",
        )
    found = context.world(request).uploads.get(request.match_info["upload"])
    if found is None or found.expires < ids.now():
        raise file_not_found()
    return found


async def put_chunk(request: web.Request) -> web.Response:
    """PUT to the upload URL: n × 320 KiB but for the last; in order; refuses Authorization."""
    upload, data = _upload(request), await request.read()
    header = request.headers.get("Content-Range", "")
    match = re.fullmatch(r"bytes (\d+)-(\d+)/(\d+)", header)
    if match is None:
        fail(400, "invalidRequest", "The Content-Range header is missing or malformed.")
    first, last, total = (int(each) for each in match.groups())
    if last - first + 1 != len(data) or len(data) > LARGEST_CHUNK or last >= total:
        fail(400, "invalidRequest", "The Content-Range header length does not match.")
    if first != len(upload.received):
        fail(416, "invalidRange", "The range is not the one that is expected next.")
    if last + 1 != total and len(data) % CHUNK:
        fail(400, "invalidRequest", "A fragment must be a multiple of 320 KiB.")
    upload.received += data
    if len(upload.received) < total:
        body = _progress(request, upload)
        del body["uploadUrl"]
        return web.json_response(body, status=202)
    return _finish(request, upload)


def _finish(request: web.Request, upload: Upload) -> web.Response:
    where, data = upload.drive, bytes(upload.received)
    del context.world(request).uploads[upload.id]
    there = where.items.get(upload.item)
    parent = where.items.get(upload.parent)
    if parent is None:
        raise file_not_found()
    there = there or where.child(parent, upload.name)
    if there is None:
        made = where.add(parent, upload.name, data)
        made.own_times = upload.times
        return web.json_response(shown(request, where, made), status=201)
    where.write(there, data)
    there.own_times = upload.times
    return web.json_response(shown(request, where, there))


async def get_session(request: web.Request) -> web.Response:
    """GET the upload URL: what is expected next."""
    return web.json_response(_progress(request, _upload(request)))


async def cancel_session(request: web.Request) -> web.Response:
    """DELETE the upload URL."""
    del context.world(request).uploads[_upload(request).id]
    return web.Response(status=204)


async def list_versions(request: web.Request) -> web.Response:
    """GET …/versions, newest first."""
    found = [files.version(each) for each in reversed(context.item(request).versions)]
    return odata.collection(request, "driveItemVersions", found)


def _version(request: web.Request) -> Version:
    for each in context.item(request).versions:
        if each.id == request.match_info["version"]:
            return each
    raise file_not_found()


async def get_version(request: web.Request) -> web.Response:
    """GET …/versions/{id}."""
    return web.json_response(files.version(_version(request)))


async def get_version_content(request: web.Request) -> web.Response:
    """GET …/versions/{id}/content: 302, as for the item."""
    where, one, version = context.drive(request), context.item(request), _version(request)
    url = download_url(request, where, one, version.id)
    return web.Response(status=302, headers={"Location": url})


async def delete_version(request: web.Request) -> web.Response:
    """DELETE …/versions/{id}: an older one; the current version is refused."""
    one, version = context.item(request), _version(request)
    if version is one.versions[-1]:
        fail(400, "invalidRequest", "You cannot delete the current version.")
    one.versions.remove(version)
    return web.Response(status=204)


ROUTES = [
    web.get("/_content/{token}", download, allow_head=False),
    web.put("/_upload/{upload}", put_chunk),
    web.get("/_upload/{upload}", get_session, allow_head=False),
    web.delete("/_upload/{upload}", cancel_session),
    web.post(f"/v1.0/drives/{{drive}}/items/{ITEM}/createUploadSession", create_session),
    *(
        route
        for base in BASES
        for route in (
            web.get(f"{base}/content", get_content, allow_head=False),
            web.put(f"{base}/content", put_content),
            web.get(f"{base}/versions", list_versions, allow_head=False),
            web.get(f"{base}/versions/{{version}}", get_version, allow_head=False),
            web.delete(f"{base}/versions/{{version}}", delete_version),
            web.get(f"{base}/versions/{{version}}/content", get_version_content, allow_head=False),
        )
    ),
]
