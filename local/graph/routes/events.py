"""Calendar events: read, tag, change, remove; meetings reach the attendees' calendars."""

from __future__ import annotations

import copy
import re

from aiohttp import web

from local.graph import context
from local.graph.routes.drafts import new_attachment
from local.graph.routes.messages import attachment_value, merge_extended
from local.graph.state import ids
from local.graph.state.calendar import Event
from local.graph.state.world import User
from local.graph.wire import events, mail, odata
from local.graph.wire.errors import fail, mail_changed, not_found


def found(request: web.Request) -> Event:
    """The ``{event}`` of the path, or 404."""
    one = context.user(request).calendar.events.get(request.match_info["event"])
    if one is None:
        raise not_found()
    return one


def shown(request: web.Request, one: Event, select: str | None = None) -> odata.Json:
    """The event as this request asked for it."""
    prefer = ",".join(request.headers.getall("Prefer", []))
    tz = re.search(r'outlook\.timezone="([^"]+)"', prefer)
    query = request.query
    asked = query.get("$select") if select is None else select
    expand = query.get("$expand")
    return events.event(one, tz=tz[1] if tz else "UTC", select=asked, expand=expand)


def _copies(request: web.Request, user: User, one: Event) -> list[tuple[User, Event | None]]:
    """The attendees of this tenant with their copy of the meeting, if the user called it."""
    if not one.values["isOrganizer"]:
        return []
    people = [each.get("emailAddress") or {} for each in one.values.get("attendees") or []]
    users = [context.world(request).user(str(each.get("address"))) for each in people]
    uid = one.values["iCalUId"]
    return [(each, each.calendar.same(uid)) for each in users if each and each.id != user.id]


def _invite(request: web.Request, user: User, one: Event) -> None:
    """Attendees get their own event with the same iCalUId, or its new content."""
    for attendee, there in _copies(request, user, one):
        values = {k: copy.deepcopy(v) for k, v in one.values.items() if k in events.CONTENT}
        values["bodyPreview"] = one.values["bodyPreview"]
        if there is not None:
            there.values |= values
            there.start, there.end = one.start, one.end
            attendee.calendar.touch(there)
            continue
        status = {"response": "notResponded", "time": ids.timestamp(ids.now())}
        mine = {"isOrganizer": False, "responseStatus": status, "categories": []}
        values = copy.deepcopy(one.values) | values | mine
        attached = copy.deepcopy(one.attachments)
        attendee.calendar.add(Event(one.start, one.end, values, attached))


def create(request: web.Request, user: User, body: odata.Json) -> Event:
    """A new event in the user's calendar, and in those of the attendees of this tenant."""
    me = {"emailAddress": {"name": user.name, "address": user.upn}}
    one = events.made(body, me)
    one.attachments += [new_attachment(each) for each in body.get("attachments") or []]
    merge_extended(one.extended, body)
    user.calendar.add(one)
    _invite(request, user, one)
    return one


async def list_events(request: web.Request) -> web.Response:
    """GET events, newest first."""
    if request.query.get("$filter"):
        fail(400, "ErrorInvalidUrlQueryFilter", "The stand-in has no such filter.")
    every = sorted(
        context.user(request).calendar.events.values(), key=lambda each: each.start, reverse=True
    )
    return odata.collection(request, "events", [shown(request, each) for each in every])


async def create_event(request: web.Request) -> web.Response:
    """POST events: 201."""
    made = create(request, context.user(request), await odata.json_body(request))
    return web.json_response(shown(request, made), status=201)


async def get_event(request: web.Request) -> web.Response:
    """GET an event."""
    return web.json_response(shown(request, found(request)))


async def patch_event(request: web.Request) -> web.Response:
    """PATCH: categories replaced, extended properties merged; content goes on to the attendees."""
    user, one, body = context.user(request), found(request), await odata.json_body(request)
    odata.if_match(request, one.etag, mail_changed())
    events.change(one, body)
    merge_extended(one.extended, body)
    user.calendar.touch(one)
    if set(body) & (events.CONTENT | events.TIMES):
        _invite(request, user, one)
    return web.json_response(shown(request, one))


def _remove(request: web.Request, *, permanently: bool) -> web.Response:
    user, one = context.user(request), found(request)
    for attendee, there in _copies(request, user, one):
        if there is not None:  # the cancellation arrives
            there.values |= {"isCancelled": True, "subject": f"Canceled: {one.values['subject']}"}
            attendee.calendar.touch(there)
    user.calendar.remove(one, permanently=permanently)
    return web.Response(status=204)


async def delete_event(request: web.Request) -> web.Response:
    """DELETE: to Deleted Items; the attendees' copies are cancelled."""
    odata.if_match(request, found(request).etag, mail_changed())
    return _remove(request, permanently=False)


async def purge_event(request: web.Request) -> web.Response:
    """POST …/permanentDelete: out of everybody's reach, and cancelled."""
    return _remove(request, permanently=True)


async def list_attachments(request: web.Request) -> web.Response:
    """GET …/attachments."""
    every = [mail.attachment(each) for each in found(request).attachments]
    chosen = [odata.select(each, request.query.get("$select")) for each in every]
    return odata.collection(request, "attachments", chosen)


async def add_attachment(request: web.Request) -> web.Response:
    """POST …/attachments: 201."""
    one, made = found(request), new_attachment(await odata.json_body(request))
    one.attachments.append(made)
    context.user(request).calendar.touch(one)
    return web.json_response(mail.attachment(made), status=201)


def _attachment(request: web.Request) -> odata.Json:
    for each in found(request).attachments:
        if each["id"] == request.match_info["attachment"]:
            return each
    raise not_found()


async def get_attachment(request: web.Request) -> web.Response:
    """GET …/attachments/{id}."""
    entity = mail.attachment(_attachment(request))
    return web.json_response(odata.select(entity, request.query.get("$select")))


async def get_attachment_value(request: web.Request) -> web.Response:
    """GET …/attachments/{id}/$value."""
    return attachment_value(_attachment(request))


async def delete_attachment(request: web.Request) -> web.Response:
    """DELETE …/attachments/{id}."""
    one = found(request)
    one.attachments.remove(_attachment(request))
    context.user(request).calendar.touch(one)
    return web.Response(status=204)


async def add_event(request: web.Request) -> web.Response:
    """POST _admin/users/{u}/events (as Graph's JSON, attachments too): what somebody enters."""
    made = create(request, context.user(request), await odata.json_body(request))
    return web.json_response({"id": made.id, "change_key": made.change_key})


E = "/v1.0/users/{user}/events"
ONE = f"{E}/{{event}}"
ROUTES = [
    web.post("/_admin/users/{user}/events", add_event),
    web.get(E, list_events, allow_head=False),
    web.post(E, create_event),
    web.get(ONE, get_event, allow_head=False),
    web.patch(ONE, patch_event),
    web.delete(ONE, delete_event),
    web.post(f"{ONE}/permanentDelete", purge_event),
    web.get(f"{ONE}/attachments", list_attachments, allow_head=False),
    web.post(f"{ONE}/attachments", add_attachment),
    web.get(f"{ONE}/attachments/{{attachment}}", get_attachment, allow_head=False),
    web.delete(f"{ONE}/attachments/{{attachment}}", delete_attachment),
    web.get(f"{ONE}/attachments/{{attachment}}/$value", get_attachment_value, allow_head=False),
]
