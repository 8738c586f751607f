"""The HTTP side: functions under the route prefix, /admin and the Event Grid webhook."""

from __future__ import annotations

import json
import logging
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import unquote, urlsplit

from aiohttp import web
from azure.core.exceptions import AzureError

from local.host.functions import Function
from local.host.invoker import Call, Invoker, Outcome
from local.host.keys import Keys
from local.host.routes import Route
from local.host.wire import HttpRequest, HttpResponse

log = logging.getLogger("local.host.web")

_MOST_BYTES = 210 * 2**20  # the platform's limit on a request on Flex Consumption
_ALL_METHODS = frozenset({"GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS", "TRACE"})


@dataclass(frozen=True, slots=True)
class HttpFunction:
    """An HTTP function and where it answers."""

    function: Function
    route: Route
    methods: frozenset[str]
    level: str

    @classmethod
    def of(cls, function: Function) -> HttpFunction:
        """From its trigger; HostRefusedError for a route that is not understood."""
        trigger = function.trigger
        template = trigger.text("route", function.name).strip("/")
        methods = frozenset(str(each).upper() for each in trigger.properties.get("methods") or [])
        return cls(
            function,
            Route.parse(template, where=f"{function.name}.route"),
            methods or _ALL_METHODS,
            trigger.text("authLevel", "function").lower(),
        )


@dataclass(frozen=True, slots=True)
class Admin:
    """What the administrative paths do.

    ``notify`` takes function, container, blob and ETag; False where there is no such function.
    """

    status: Callable[[], Mapping[str, Any]]
    run: Callable[[str, str], bool | None]
    notify: Callable[[str, str, str, str], Awaitable[bool]]


class Web:
    """The HTTP server on loopback; ``port`` 0 takes a free one."""

    def __init__(
        self,
        functions: Iterable[Function],
        invoker: Invoker,
        admin: Admin,
        keys: Keys,
        prefix: str,
    ) -> None:
        self._routes = sorted(
            (HttpFunction.of(each) for each in functions), key=lambda each: each.route.order
        )
        self._invoker = invoker
        self._admin = admin
        self._keys = keys
        self._prefix = f"{prefix}/" if prefix else ""
        app = web.Application(client_max_size=_MOST_BYTES)
        app.router.add_get("/admin/host/status", self._status)
        app.router.add_post("/admin/functions/{name}", self._run)
        app.router.add_post("/runtime/webhooks/blobs", self._events)
        app.router.add_route("*", "/{path:.*}", self._call)
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=10)

    async def start(self, port: int) -> int:
        """Listen; the port. OSError if it is taken."""
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", port, backlog=1024)
        await site.start()
        bound: Sequence[Any] = self._runner.addresses[0]
        return int(bound[1])

    async def stop(self) -> None:
        """Accept no more and wait up to ten seconds for the requests in hand."""
        await self._runner.cleanup()

    def _check(self, request: web.Request, level: str) -> None:
        given = request.headers.get("x-functions-key") or request.query.get("code")
        if not self._keys.opens(level, given):
            raise web.HTTPUnauthorized

    async def _call(self, request: web.Request) -> web.StreamResponse:
        path = request.path.lstrip("/")
        if not path.lower().startswith(self._prefix.lower()):
            raise web.HTTPNotFound
        path = path[len(self._prefix) :]
        for each in self._routes:
            # A known path with another method is 404 on the platform, not 405.
            params = each.route.match(path) if request.method in each.methods else None
            if params is not None:
                self._check(request, each.level)
                return await self._answer(each.function, request, params)
        raise web.HTTPNotFound

    async def _answer(
        self, function: Function, request: web.Request, params: dict[str, str]
    ) -> web.StreamResponse:
        value = HttpRequest(
            method=request.method,
            url=str(request.url),
            headers=_joined((name.lower(), value) for name, value in request.headers.items()),
            params=params,
            query=_joined(request.query.items()),
            body=await request.read(),
        )
        data = {**params, "query": value.query, "headers": value.headers}
        outcome, returned = await self._invoker.call(function, Call(value, data=data))
        if outcome is not Outcome.DONE:
            return web.Response(status=503 if outcome is Outcome.ABORTED else 500)
        if returned is None:
            return web.Response(status=204)
        if not isinstance(returned, HttpResponse):
            body = returned.raw
            return web.Response(body=body, content_type="text/plain", charset="utf-8")
        response = web.Response(
            status=returned.status, body=returned.body, headers=returned.headers
        )
        for cookie in returned.cookies:
            response.headers.add("Set-Cookie", cookie)
        return response

    async def _status(self, request: web.Request) -> web.Response:
        self._check(request, "admin")
        return web.json_response(self._admin.status())

    async def _run(self, request: web.Request) -> web.Response:
        """202 at once, as the platform answers; the body is ``{"input": "…"}``."""
        self._check(request, "admin")
        name = request.match_info["name"]
        try:
            text = (await request.json()).get("input", "") if request.can_read_body else ""
        except ValueError as error:
            raise web.HTTPBadRequest(text='the body is {"input": "…"}') from error
        started = self._admin.run(name, text if isinstance(text, str) else json.dumps(text))
        if started is None:
            raise web.HTTPNotFound
        if not started:
            raise web.HTTPBadRequest(text=f"{name} is run by its own trigger alone")
        return web.Response(status=202)

    async def _events(self, request: web.Request) -> web.Response:
        """Event Grid's BlobCreated, and its validation handshake (Event Grid schema)."""
        self._check(request, "system")
        name = request.query.get("functionName", "").removeprefix("Host.Functions.")
        try:
            events = await request.json()
            for event in events:
                if event["eventType"].endswith("SubscriptionValidationEvent"):
                    return web.json_response(
                        {"validationResponse": event["data"]["validationCode"]}
                    )
            blobs = [_blob(event["data"]) for event in events]
        except (ValueError, KeyError, TypeError) as error:
            raise web.HTTPBadRequest(text="not a list of Event Grid events") from error
        try:
            for container, blob, etag in blobs:
                if not await self._admin.notify(name, container, blob, etag):
                    raise web.HTTPNotFound
        except AzureError as error:
            log.warning("an event is not taken: %s", error.message)
            raise web.HTTPServiceUnavailable from error  # Event Grid sends it again
        return web.Response(status=202)


def _joined(pairs: Iterable[tuple[str, str]]) -> dict[str, str]:
    """Repeated names joined by a comma, as the platform's RPC has them."""
    result: dict[str, str] = {}
    for name, value in pairs:
        result[name] = f"{result[name]},{value}" if name in result else value
    return result


def _blob(data: Mapping[str, Any]) -> tuple[str, str, str]:
    """Container, name and ETag; an emulator's address carries the account in its path."""
    url = urlsplit(str(data["url"]))
    path = unquote(url.path).lstrip("/")
    if ".blob." not in (url.hostname or ""):
        path = path.partition("/")[2]
    container, _, name = path.partition("/")
    return container, name, str(data["eTag"])
