"""The application: routes, and around each its log, record, faults, token and permissions."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path
from urllib.parse import unquote

from aiohttp import web

from local.graph import context
from local.graph.faults import CODES, RESYNC, Fault, Faults
from local.graph.notify import Notifier
from local.graph.permissions import Permissions
from local.graph.recording import Recorder
from local.graph.rich import Signer
from local.graph.routes import (
    admin,
    batch,
    calendar,
    content,
    drafts,
    events,
    groups,
    items,
    keys,
    labels,
    messages,
    readback,
    sharing,
    sites,
    subscriptions,
    teams,
    teams_admin,
    threads,
    users,
)
from local.graph.state import ids
from local.graph.state.world import World
from local.graph.throttle import Throttle
from local.graph.wire.errors import GraphError, fail

type Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]
RECORDER = web.AppKey("recorder", Recorder)
ROOMS = (
    readback,
    users,
    groups,
    messages,
    drafts,
    calendar,
    events,
    items,
    content,
    sharing,
    sites,
    subscriptions,
    teams,
    threads,
    teams_admin,
    keys,
    labels,
    batch,
    admin,  # last: its catch-all answers what the others do not know
)
LARGEST_BODY = 256 * 1024 * 1024


def create_app(
    *,
    record: Path | None = None,
    contract: Path | None = None,
    granted: frozenset[str] | None = None,
    throttle: bool = False,
) -> web.Application:
    """A stand-in with an empty tenant. ``granted`` needs ``contract``; without it all may pass."""
    app = web.Application(middlewares=[_outer, _inner], client_max_size=LARGEST_BODY)
    app[context.WORLD] = World()
    app[context.FAULTS] = Faults()
    app[context.SIGNER] = Signer()
    app[context.THROTTLE] = Throttle(on=throttle)
    app[labels.LABELLINGS] = {}
    known = app[context.WORLD], app[context.FAULTS], app[context.SIGNER]
    app[context.NOTIFIER] = Notifier(*known)
    app[RECORDER] = Recorder(record)
    if granted is not None:
        if contract is None:
            message = "permissions need the description that names them: give contract too"
            raise ValueError(message)
        app[context.PERMISSIONS] = Permissions(contract, granted)
    for each in ROOMS:
        app.add_routes(each.ROUTES)
    app.on_startup.append(_start)
    app.on_cleanup.append(_stop)
    return app


async def _start(app: web.Application) -> None:
    await app[context.NOTIFIER].start()


async def _stop(app: web.Application) -> None:
    await app[context.NOTIFIER].stop()


@web.middleware
async def _outer(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Errors become answers; Graph's own requests are logged, recorded and go wrong on demand."""
    if request.path.startswith("/_admin"):
        return await _answer(request, handler)
    path = unquote(request.raw_path)
    fault = request.app[context.FAULTS].take(request.method, path) or Fault(times=0)
    if fault.delay:
        await asyncio.sleep(fault.delay)
    response: web.StreamResponse | None
    if fault.drop and not fault.after:
        response = None
    elif fault.status:
        response = _fault_answer(request, fault)
    else:
        response = await _answer(request, handler)
        response = _truncated(response) if fault.truncate else response
        response = None if fault.drop else response
    _log(request, response)
    await request.app[RECORDER].write(request, response, truncated=fault.truncate)
    if response is None:
        return _hang_up(request)
    return response


def _hang_up(request: web.Request) -> web.Response:
    if request.transport is not None:
        request.transport.abort()
    return web.Response()


def _fault_answer(request: web.Request, fault: Fault) -> web.Response:
    headers = dict(fault.headers)
    if fault.status == RESYNC and "Location" not in headers:
        headers["Location"] = str(request.url.with_query(None))
    code = CODES.get(fault.status, "generalException")
    text = "A scripted fault."
    return GraphError(fault.status, code, text, headers).response()


def _truncated(response: web.StreamResponse) -> web.StreamResponse:
    body = getattr(response, "body", None)
    if isinstance(response, web.Response) and isinstance(body, bytes):
        response.body = body[: len(body) // 2]
    return response


async def _answer(request: web.Request, handler: Handler) -> web.StreamResponse:
    try:
        response = await handler(request)
    except GraphError as error:
        response = error.response()
    except web.HTTPNotFound:
        text = f"Resource not found for the segment '{request.path}'."
        response = GraphError(400, "BadRequest", text).response()
    except web.HTTPMethodNotAllowed:
        response = GraphError(405, "Request_BadRequest", "Method not allowed.").response()
    response.headers.setdefault("request-id", ids.guid())
    return response


def _log(request: web.Request, response: web.StreamResponse | None) -> None:
    log = context.world(request).log
    resource = request.match_info.route.resource
    log.append(
        {
            "n": len(log),
            "time": ids.now().isoformat(),
            "method": request.method,
            "path": unquote(request.raw_path),
            "template": resource.canonical if resource else None,
            "ids": dict(request.match_info),
            "status": response.status if response is not None else None,
            "authorization": "Authorization" in request.headers,
        }
    )


@web.middleware
async def _inner(request: web.Request, handler: Handler) -> web.StreamResponse:
    """A token and a granted permission for Graph's paths; none for the pre-authenticated ones."""
    if request.path.startswith("/v1.0"):
        if not request.headers.get("Authorization", "").startswith("Bearer "):
            code, text = "InvalidAuthenticationToken", "Access token is empty."
            fail(401, code, text, {"WWW-Authenticate": "Bearer"})
        permissions = request.app.get(context.PERMISSIONS)
        path = request.rel_url.raw_path.removeprefix("/v1.0")
        if permissions is not None and permissions.refuses(request.method, path):
            fail(403, "Authorization_RequestDenied", "Missing role permissions on the request.")
    async with request.app[context.THROTTLE].slot(unquote(request.path)):
        return await handler(request)
