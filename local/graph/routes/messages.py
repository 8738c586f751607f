"""Messages: read, tag, move, remove, and the delta of a folder."""

from __future__ import annotations

import base64
import re

from aiohttp import web

from local.graph import context
from local.graph.state.mailbox import Message
from local.graph.wire import mail, mime, odata
from local.graph.wire.errors import fail, folder_not_found, mail_changed, not_found

IMMUTABLE_AFTER_RECEIPT = {"subject", "body", "toRecipients", "ccRecipients", "from", "sender"}
WRITABLE = {"categories", "isRead", "flag", "importance", "inferenceClassification"}
EXTENDED_ID = re.compile(
    r"(String|Integer|Boolean|SystemTime|Binary) "
    r"(\{[0-9a-fA-F-]{36}\} (Name|Id) \S.*|0x[0-9a-fA-F]+)"
)
BY_EXTENDED = re.compile(
    r"singleValueExtendedProperties/any\((\w+):\s*\1/id eq '([^']*)' "
    r"and \1/value (eq|ne) (?:'([^']*)'|null)\)",
    re.IGNORECASE,
)
RECEIVED_SINCE = re.compile(r"receivedDateTime ge (\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ)")


def shown(request: web.Request, one: Message) -> odata.Json:
    """The message as this request asked for it."""
    return mail.message(
        one,
        immutable=odata.immutable(request),
        select=request.query.get("$select"),
        expand=request.query.get("$expand"),
    )


def _filtered(messages: list[Message], text: str) -> list[Message]:
    """The filters in use; any other is 400, so that none is silently ignored."""
    if not text:
        return messages
    if found := re.fullmatch(r"internetMessageId eq '((?:[^']|'')*)'", text):
        wanted = found[1].replace("''", "'")
        return [each for each in messages if each.values.get("internetMessageId") == wanted]
    if found := BY_EXTENDED.fullmatch(text):
        key, equal, value = found[2].lower(), found[3] == "eq", found[4]
        values = [({k.lower(): v for k, v in m.extended.items()}.get(key), m) for m in messages]
        return [each for have, each in values if have is not None and (have == value) is equal]
    if found := RECEIVED_SINCE.fullmatch(text):
        since = found[1]
        return [each for each in messages if each.values.get("receivedDateTime", "") >= since]
    return fail(400, "ErrorInvalidUrlQueryFilter", "The stand-in has no such filter.")


async def list_messages(request: web.Request) -> web.Response:
    """GET messages of the mailbox or of one folder, newest first."""
    folder = context.folder(request).id if "folder" in request.match_info else None
    found = _filtered(
        context.user(request).mailbox.listed(folder), request.query.get("$filter", "")
    )
    return odata.collection(request, "messages", [shown(request, each) for each in found])


async def get_message(request: web.Request) -> web.Response:
    """GET a message."""
    return web.json_response(shown(request, context.message(request)))


async def get_mime(request: web.Request) -> web.Response:
    """GET …/$value: the bytes as they were received."""
    return web.Response(body=context.message(request).raw, content_type="text/plain")


async def patch_message(request: web.Request) -> web.Response:
    """PATCH: categories replaced, extended properties merged, a new change key; If-Match → 412.

    What a draft says may be changed too, and its MIME with it.
    """
    one, body = context.message(request), await odata.json_body(request)
    odata.if_match(request, one.etag, mail_changed())
    draft = one.values.get("isDraft") is True
    for key, value in body.items():
        if key.startswith("@") or key in {"id", "singleValueExtendedProperties"}:
            continue
        if key not in WRITABLE and not (draft and key in IMMUTABLE_AFTER_RECEIPT):
            fail(
                400,
                "ErrorInvalidPropertySet",
                f"The property '{key}' is read-only or cannot be set on this item.",
            )
        one.values[key] = value
    if IMMUTABLE_AFTER_RECEIPT & set(body):
        one.values["bodyPreview"] = mime.preview((one.values.get("body") or {}).get("content"))
        one.raw = mime.compose(one.values, one.attachments)
    merge_extended(one.extended, body)
    context.user(request).mailbox.touch(one)
    return web.json_response(shown(request, one))


def merge_extended(extended: dict[str, str], body: odata.Json) -> None:
    """Set those that are named, leave the others; null removes."""
    for each in body.get("singleValueExtendedProperties") or []:
        key, value = each.get("id", ""), each.get("value")
        if not EXTENDED_ID.fullmatch(key):
            fail(400, "ErrorInvalidProperty", "The extended property id has a wrong format.")
        same = next((have for have in extended if have.lower() == key.lower()), key)
        extended.pop(same, None)
        if value is not None:
            extended[same] = str(value)


async def move_message(request: web.Request) -> web.Response:
    """POST …/move: 201, a new mutable id, the immutable one kept."""
    box, one = context.user(request).mailbox, context.message(request)
    target = box.folder(str(odata.get(await odata.json_body(request), "destinationId", "")))
    if target is None:
        raise folder_not_found()
    moved = one if one.folder == target.id else box.move(one, target.id)
    return web.json_response(shown(request, moved), status=201)


async def delete_message(request: web.Request) -> web.Response:
    """DELETE: to Deleted Items."""
    one = context.message(request)
    odata.if_match(request, one.etag, mail_changed())
    context.user(request).mailbox.delete(one, permanently=False)
    return web.Response(status=204)


async def purge_message(request: web.Request) -> web.Response:
    """POST …/permanentDelete: to the purges, out of everybody's reach."""
    context.user(request).mailbox.delete(context.message(request), permanently=True)
    return web.Response(status=204)


async def list_attachments(request: web.Request) -> web.Response:
    """GET …/attachments."""
    found = [mail.attachment(each) for each in context.message(request).attachments]
    chosen = [odata.select(each, request.query.get("$select")) for each in found]
    return odata.collection(request, "attachments", chosen)


def _attachment(request: web.Request) -> odata.Json:
    key = request.match_info["attachment"]
    for each in context.message(request).attachments:
        if each["id"] == key:
            return each
    raise not_found()


async def get_attachment(request: web.Request) -> web.Response:
    """GET …/attachments/{id}."""
    entity = mail.attachment(_attachment(request))
    return web.json_response(odata.select(entity, request.query.get("$select")))


async def get_attachment_value(request: web.Request) -> web.Response:
    """GET …/attachments/{id}/$value: a file's bytes, an item's MIME."""
    return attachment_value(_attachment(request))


def attachment_value(one: odata.Json) -> web.Response:
    """An attachment's bytes."""
    data = one["_raw"] if "_raw" in one else base64.b64decode(one.get("contentBytes") or "")
    return web.Response(body=data, content_type="application/octet-stream")


def _removed(key: str) -> odata.Json:
    kind = "#microsoft.graph.message"
    return {"@odata.type": kind, "id": key, "@removed": {"reason": "deleted"}}


async def delta(request: web.Request) -> web.Response:
    """GET mailFolders/{id}/messages/delta(): pages, then a link that gives what changed since."""
    box, folder = context.user(request).mailbox, context.folder(request)
    token = request.query.get("$skiptoken") or request.query.get("$deltatoken") or ""
    state: odata.Json = {"folder": folder.id, "select": request.query.get("$select")}
    state = odata.unseal(token) if token else state
    if state.get("folder") != folder.id:
        fail(400, "SyncStateInvalid", "The delta token belongs to another folder.")
    since, born = int(state.get("since", 0)), int(state.get("born", box.seq))
    immutable, size = odata.immutable(request), odata.page_size(request, 10)
    changed, gone = box.changes(folder.id, since)
    entities: list[tuple[int, odata.Json]] = [
        (each.seq, mail.message(each, immutable=immutable, select=state.get("select")))
        for each in changed
    ]
    entities += [
        (each.seq, _removed(each.immutable_id if immutable else each.mutable_id))
        for each in gone
        if each.seq > born  # the first round tells of no removals
    ]
    entities.sort(key=lambda pair: pair[0])
    page = entities[:size]
    body: odata.Json = {"@odata.context": odata.context(request, "Collection(message)")}
    body["value"] = [entity for _, entity in page]
    base, keep = str(request.url.with_query(None)), {"folder": folder.id, "born": born}
    if len(entities) > size:
        # The cursor is a sequence number: what changes while pages are read comes again, later.
        follow = odata.seal(**keep, select=state.get("select"), since=page[-1][0])
        body["@odata.nextLink"] = f"{base}?$skiptoken={follow}"
    else:
        follow = odata.seal(**keep, select=state.get("select"), since=box.seq)
        body["@odata.deltaLink"] = f"{base}?$deltatoken={follow}"
    return web.json_response(body)


U = "/v1.0/users/{user}"
F = f"{U}/mailFolders/{{folder}}"
ROUTES = [
    web.get(f"{F}/messages/delta()", delta, allow_head=False),
    web.get(f"{F}/messages/delta", delta, allow_head=False),
    *(
        route
        for base in (f"{U}/messages", f"{F}/messages")
        for route in (
            web.get(base, list_messages, allow_head=False),
            web.get(f"{base}/{{message}}", get_message, allow_head=False),
            web.patch(f"{base}/{{message}}", patch_message),
            web.delete(f"{base}/{{message}}", delete_message),
            web.get(f"{base}/{{message}}/$value", get_mime, allow_head=False),
            web.post(f"{base}/{{message}}/move", move_message),
            web.post(f"{base}/{{message}}/permanentDelete", purge_message),
            web.get(f"{base}/{{message}}/attachments", list_attachments, allow_head=False),
            web.get(
                f"{base}/{{message}}/attachments/{{attachment}}", get_attachment, allow_head=False
            ),
            web.get(
                f"{base}/{{message}}/attachments/{{attachment}}/$value",
                get_attachment_value,
                allow_head=False,
            ),
        )
    ),
]
