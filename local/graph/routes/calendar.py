"""Views of a calendar: a range, and what changed in it (or anywhere) since a link was given."""

from __future__ import annotations

from datetime import datetime

from aiohttp import web

from local.graph import context
from local.graph.routes.events import shown
from local.graph.state.calendar import Event
from local.graph.wire import events, odata
from local.graph.wire.errors import fail


def _range(request: web.Request) -> tuple[datetime, datetime]:
    start = events.bound(request.query.get("startDateTime"), "startDateTime")
    end = events.bound(request.query.get("endDateTime"), "endDateTime")
    if end < start:
        fail(400, "ErrorInvalidParameter", "endDateTime is before startDateTime.")
    return start, end


async def view(request: web.Request) -> web.Response:
    """GET calendarView: what overlaps the range, earliest first. Series are not expanded."""
    start, end = _range(request)
    every = context.user(request).calendar.events.values()
    inside = sorted((e for e in every if e.within(start, end)), key=lambda e: e.start)
    return odata.collection(request, "calendarView", [shown(request, e) for e in inside])


def _removed(one: Event) -> odata.Json:
    kind = "#microsoft.graph.event"
    return {"@odata.type": kind, "id": one.id, "@removed": {"reason": "deleted"}}


def _state(request: web.Request, kind: str) -> odata.Json:
    """What the token keeps; a first call to calendarView/delta names its range."""
    token = request.query.get("$skiptoken") or request.query.get("$deltatoken") or ""
    if token:
        state = odata.unseal(token)
        if state.get("kind") != kind or state.get("user") != context.user(request).id:
            fail(400, "SyncStateInvalid", "The delta token belongs to another calendar or view.")
        return state
    if kind == "calendarView" and request.query.get("$select"):
        fail(400, "ErrorInvalidUrlQuery", "calendarView/delta takes no $select.")
    state = {"kind": kind, "user": context.user(request).id, "since": 0}
    state["born"] = context.user(request).calendar.seq
    if kind == "calendarView":
        start, end = _range(request)
        state |= {"start": start.isoformat(), "end": end.isoformat()}
    return state


def _entities(request: web.Request, state: odata.Json) -> list[tuple[int, odata.Json]]:
    """(seq, event or removal) after the token; what moved out of the range is removed from it."""
    here, gone = context.user(request).calendar.changes(int(state["since"]))
    born, found = int(state["born"]), []
    bounds = [datetime.fromisoformat(state[k]) for k in ("start", "end") if k in state]
    for one in here:
        if not bounds or one.within(bounds[0], bounds[1]):
            found.append((one.seq, shown(request, one, "")))
        elif one.seq > born:
            found.append((one.seq, _removed(one)))
    found += [(each.seq, _removed(each.event)) for each in gone if each.seq > born]
    return sorted(found, key=lambda pair: pair[0])


async def delta(request: web.Request) -> web.Response:
    """GET calendarView/delta() or events/delta(): pages, then a link for what changes later."""
    kind = "calendarView" if "/calendarView/" in request.path else "events"
    state = _state(request, kind)
    found, size = _entities(request, state), odata.page_size(request, 10)
    body: odata.Json = {"@odata.context": odata.context(request, "Collection(event)")}
    body["value"] = [entity for _, entity in found[:size]]
    base = str(request.url.with_query(None))
    if len(found) > size:
        state["since"] = found[size - 1][0]
        body["@odata.nextLink"] = f"{base}?$skiptoken={odata.seal(**state)}"
    else:
        state["since"] = context.user(request).calendar.seq
        body["@odata.deltaLink"] = f"{base}?$deltatoken={odata.seal(**state)}"
    return web.json_response(body)


U = "/v1.0/users/{user}"
ROUTES = [
    web.get(f"{U}/calendarView", view, allow_head=False),
    *(
        web.get(f"{U}/{kind}/delta{end}", delta, allow_head=False)
        for kind in ("calendarView", "events")
        for end in ("()", "")
    ),
]
