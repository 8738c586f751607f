"""Between the host and Azurite: a storage that is throttled, busy, cut off, late or away.

An HTTP proxy a service (blobs, queues, tables) in a thread of its own. What is carried out although
its answer is lost matters most: who asked cannot know.
"""

from __future__ import annotations

import asyncio
import random
import threading
from collections import Counter
from collections.abc import Awaitable, Callable
from types import TracebackType
from typing import Self

import aiohttp
from aiohttp import web
from yarl import URL

from local.azurite import Azurite

KINDS = ("429", "503", "reset", "reset_after", "timed_out_after")
LATE = 2.0  # seconds
TABLES = 2  # of the ports: blobs, queues, tables
_HOPS = frozenset({"connection", "keep-alive", "transfer-encoding", "content-length"})
_XML = '<?xml version="1.0" encoding="utf-8"?>'
_BIG = 64 * 1024 * 1024

type Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


class StorageFaults:
    """A context manager: requests that fail.

    All of them while ``away``, then those that ``script`` names one after the other, then ``share``
    (0 to 1) of them by chance (``seed``). ``late`` (seconds) is how long the service has a request
    in hand that it gives up on. ``done`` counts what failed and how.
    """

    def __init__(self, azurite: Azurite, seed: int, *, late: float = LATE) -> None:
        self.share, self.away = 0.0, False
        self.script: list[str] = []
        self.done: Counter[str] = Counter()
        self.ports: list[int] = []
        self._azurite, self._late = azurite, late
        self._rng = random.Random(seed)
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._session: aiohttp.ClientSession
        self._runners: list[web.AppRunner] = []

    @property
    def connection_string(self) -> str:
        """Azurite's, by way of here."""
        text = self._azurite.connection_string
        for there, here in zip(self._azurite.ports, self.ports, strict=True):
            text = text.replace(f":{there}/", f":{here}/")
        return text

    def __enter__(self) -> Self:
        self._thread.start()
        asyncio.run_coroutine_threadsafe(self._start(), self._loop).result(30)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        asyncio.run_coroutine_threadsafe(self._stop(), self._loop).result(60)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(10)
        self._loop.close()

    async def _start(self) -> None:
        self._session = aiohttp.ClientSession(
            auto_decompress=False,
            connector=aiohttp.TCPConnector(limit=0),
            timeout=aiohttp.ClientTimeout(total=None),
        )
        for port in self._azurite.ports:
            app = web.Application(client_max_size=_BIG)
            app.router.add_route("*", "/{rest:.*}", self._handler(port))
            runner = web.AppRunner(app, access_log=None, shutdown_timeout=1)
            await runner.setup()
            site = web.TCPSite(runner, "127.0.0.1", 0)
            await site.start()
            self.ports.append(runner.addresses[0][1])
            self._runners.append(runner)

    async def _stop(self) -> None:
        for runner in self._runners:
            await runner.cleanup()
        await self._session.close()

    def _handler(self, port: int) -> Handler:
        async def handle(request: web.Request) -> web.StreamResponse:
            body = await request.read()
            kind = self._kind()
            self.done[kind] += bool(kind)
            if kind in {"429", "503"}:
                return self._refusal(port, int(kind), "ServerBusy", {"Retry-After": "1"})
            if kind in {"away", "reset"}:
                return _cut(request)
            try:
                answer = await self._forward(port, request, body)
            except aiohttp.ClientError:
                return _cut(request)
            if kind == "reset_after":
                return _cut(request)
            if kind == "timed_out_after":
                await asyncio.sleep(self._late)
                return self._refusal(port, 500, "OperationTimedOut", {})
            return answer

        return handle

    def _kind(self) -> str:
        """How the next request fails; empty where it does not."""
        if self.away:
            return "away"
        if self.script:
            return self.script.pop(0)
        return self._rng.choice(KINDS) if self._rng.random() < self.share else ""

    def _refusal(self, port: int, status: int, code: str, headers: dict[str, str]) -> web.Response:
        """As each service says it: tables in JSON, the others in XML."""
        given = {"x-ms-error-code": code, **headers}
        if port == self._azurite.ports[TABLES]:
            said = {"code": code, "message": {"lang": "en-US", "value": code}}
            return web.json_response({"odata.error": said}, status=status, headers=given)
        text = f"{_XML}<Error><Code>{code}</Code><Message>{code}</Message></Error>"
        given["Content-Type"] = "application/xml"
        return web.Response(status=status, headers=given, text=text)

    async def _forward(self, port: int, request: web.Request, body: bytes) -> web.Response:
        url = URL(f"http://127.0.0.1:{port}{request.raw_path}", encoded=True)
        headers = [(k, v) for k, v in request.headers.items() if k.lower() not in _HOPS]
        if body or "Content-Length" in request.headers:
            headers.append(("Content-Length", str(len(body))))
        async with self._session.request(
            request.method,
            url,
            headers=headers,
            data=body or None,
            allow_redirects=False,
            skip_auto_headers=("User-Agent", "Accept", "Accept-Encoding", "Content-Type"),
        ) as answer:
            data = await answer.read()
            given = [(k, v) for k, v in answer.headers.items() if k.lower() not in _HOPS]
            if request.method == "HEAD":
                given += [("Content-Length", answer.headers.get("Content-Length", "0"))]
                return web.Response(status=answer.status, headers=dict(given))
            return web.Response(status=answer.status, headers=dict(given), body=data)


def _cut(request: web.Request) -> web.Response:
    """The connection is reset, without a word."""
    if request.transport is not None:
        request.transport.abort()
    return web.Response()
