"""The console behind a plain HTTP server on loopback, over stores in memory, in a thread."""

from __future__ import annotations

import asyncio
import threading
from types import TracebackType
from typing import Self

from aiohttp import web

from shared.codec import decode
from shared.console.web import BASE, Request
from shared.model import Envelope
from tests.unit.console.conftest import House


class Served:
    """A context manager; ``url`` is the console's address, ``house`` what is behind it."""

    def __init__(self, count: int = 160) -> None:
        self.loop = asyncio.new_event_loop()
        self.house = House()
        self._count = count
        self._thread = threading.Thread(target=self.loop.run_forever, daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        self.run(self._start())
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.run(self._runner.cleanup())
        self.loop.call_soon_threadsafe(self.loop.stop)
        self._thread.join(5)
        self.loop.close()

    def run(self, work):
        """Do something in the server's thread."""
        return asyncio.run_coroutine_threadsafe(work, self.loop).result(60)

    async def _start(self) -> None:
        self.house.ids = await self.house.fill(self._count)
        app = web.Application()
        app.router.add_route("*", BASE + r"{tail:[\s\S]*}", self._handle)
        self._runner = web.AppRunner(app)
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", 0)
        await site.start()
        port = self._runner.addresses[0][1]
        self.url = f"http://127.0.0.1:{port}{BASE}"
        object.__setattr__(self.house.console, "origin", f"http://127.0.0.1:{port}")

    async def _handle(self, request: web.Request) -> web.Response:
        answer = await self.house.console.handle(
            Request(
                request.method,
                request.match_info["tail"].lstrip("/"),
                dict(request.query),
                {name.lower(): value for name, value in request.headers.items()},
                await request.read(),
                request.host,
            )
        )
        headers = {"Content-Type": answer.media_type, **answer.headers()}
        return web.Response(status=answer.status, body=answer.body, headers=headers)

    async def _record(self) -> None:
        """What the audit function does with what the console told."""
        for message in self.house.results.visible():
            await self.house.incidents.open(decode(message.body, Envelope).event)

    def record(self) -> None:
        """Carry to the record what was told so far."""
        self.run(self._record())
