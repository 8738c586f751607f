"""New messages: drafts from JSON or base64 MIME, and mail that is sent."""

from __future__ import annotations

import base64
import binascii
import hashlib
from typing import Any

from aiohttp import web

from local.graph import context
from local.graph.routes.messages import merge_extended, shown
from local.graph.state import ids
from local.graph.state.mailbox import Message
from local.graph.state.world import User, World
from local.graph.wire import mime, odata
from local.graph.wire.errors import fail, folder_not_found

PEOPLE = ("toRecipients", "ccRecipients", "bccRecipients")


def received(user: User, raw: bytes, folder: str) -> Message:
    """A message from its MIME, in the folder named by id or well-known name."""
    values, attachments = mime.properties(raw)
    found = user.mailbox.folder(folder)
    if found is None:
        raise folder_not_found()
    return user.mailbox.add(Message(found.id, raw, values, attachments))


async def _from_mime(request: web.Request) -> bytes:
    try:
        raw = base64.b64decode(b"".join((await request.read()).split()), validate=True)
    except (binascii.Error, ValueError):
        raw = b""
    if not raw:
        fail(400, "ErrorMimeContentInvalidBase64String", "Invalid base64 string for MIME content.")
    return raw


def _from_json(user: User, body: odata.Json) -> Message:
    """A message as the client described it, with its MIME composed."""
    when = ids.timestamp(ids.now())
    me = {"emailAddress": {"name": user.name, "address": user.upn}}
    values: dict[str, Any] = {
        "createdDateTime": when,
        "receivedDateTime": when,
        "sentDateTime": when,
        "internetMessageId": f"<{ids.guid()}@stand-in.invalid>",
        "subject": "",
        "body": {"contentType": "text", "content": ""},
        "from": me,
        "sender": me,
        **{name: [] for name in (*PEOPLE, "replyTo")},
    }
    skipped = {"attachments", "singleValueExtendedProperties", "id"}
    values |= {
        key: value
        for key, value in body.items()
        if key not in skipped and not key.startswith("@") and value is not None
    }
    attachments = [new_attachment(each) for each in body.get("attachments") or []]
    values["hasAttachments"] = any(not each["isInline"] for each in attachments)
    values["bodyPreview"] = str((values["body"] or {}).get("content", ""))[:255]
    message = Message("", mime.compose(values, attachments), values, attachments)
    merge_extended(message.extended, body)
    return message


def new_attachment(body: odata.Json) -> odata.Json:
    """An attachment from a client's JSON; 400 where its bytes are not base64."""
    data = body.get("contentBytes") or ""
    try:
        size = len(base64.b64decode(data, validate=True))
    except (binascii.Error, ValueError):
        fail(
            400, "RequestBodyRead", "Cannot convert the literal to the expected type 'Edm.Binary'."
        )
    return {
        "isInline": False,
        "contentType": "application/octet-stream",
        **body,
        "id": ids.attachment_id(),
        "lastModifiedDateTime": ids.timestamp(ids.now()),
        "size": size,
    }


async def create_message(request: web.Request) -> web.Response:
    """POST messages: a draft, from JSON or (text/plain) base64 MIME; 201."""
    user = context.user(request)
    folder = context.folder(request) if "folder" in request.match_info else None
    target = folder or user.mailbox.folder("drafts")
    assert target is not None
    if request.content_type == "text/plain":
        raw = await _from_mime(request)
        values, attachments = mime.properties(raw)
        message = Message(target.id, raw, values, attachments)
    else:
        message = _from_json(user, await odata.json_body(request))
        message.folder = target.id
    message.values["isDraft"] = True
    user.mailbox.add(message)
    return web.json_response(shown(request, message), status=201)


async def send_mail(request: web.Request) -> web.Response:
    """POST sendMail: 202; kept in Sent Items, and received by the users that are in this tenant."""
    user, world = context.user(request), context.world(request)
    if request.content_type == "text/plain":
        raw = await _from_mime(request)
        values, attachments = mime.properties(raw)
        message, save = Message("", raw, values, attachments), True
    else:
        body = await odata.json_body(request)
        described = odata.get(body, "message")
        if not isinstance(described, dict):
            fail(400, "RequestBodyRead", "The property 'Message' is required.")
        message = _from_json(user, described)
        save = odata.get(body, "saveToSentItems") is not False
    _send(world, user, message, save=save)
    return web.Response(status=202)


async def send_draft(request: web.Request) -> web.Response:
    """POST messages/{id}/send: 202; the draft becomes the sent item."""
    user, draft = context.user(request), context.message(request)
    if draft.values.get("isDraft") is not True:
        fail(403, "ErrorAccessDenied", "The item is not a draft.")
    sent = user.mailbox.folder("sentitems")
    assert sent is not None
    draft.values["isDraft"] = False
    user.mailbox.move(draft, sent.id)
    _send(context.world(request), user, draft, save=False)
    return web.Response(status=202)


def _send(world: World, user: User, message: Message, *, save: bool) -> None:
    people = [
        each["emailAddress"]["address"]
        for name in PEOPLE
        for each in message.values.get(name) or []
    ]
    if not people:
        fail(400, "ErrorInvalidRecipients", "At least one recipient is not valid.")
    sha256 = hashlib.sha256(message.raw).hexdigest()
    world.sent.append({"from": user.upn, "to": people, "sha256": sha256})
    if save:
        sent = user.mailbox.folder("sentitems")
        assert sent is not None
        message.folder = sent.id
        user.mailbox.add(message)
    for address in dict.fromkeys(people):
        receiver = world.user(address)
        if receiver is not None:
            received(receiver, message.raw, "inbox")


U = "/v1.0/users/{user}"
ROUTES = [
    web.post(f"{U}/messages", create_message),
    web.post(f"{U}/mailFolders/{{folder}}/messages", create_message),
    web.post(f"{U}/messages/{{message}}/send", send_draft),
    web.post(f"{U}/sendMail", send_mail),
]
