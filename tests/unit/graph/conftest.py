"""A scripted Graph: answers what it is told to and remembers what it was asked."""

from __future__ import annotations

import pytest
from aiohttp import web

from shared.graph.client import Graph
from shared.graph.credential import StaticTokenCredential


class Scripted:
    """``answers`` are taken one a request; with none left, an empty JSON object."""

    def __init__(self):
        self.answers = []
        self.requests = []
        self.origin = ""

    def answer(self, status=200, body=b"{}", **headers):
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        self.answers.append((status, body, named))

    async def handle(self, request):
        await request.read()
        headers = {name.title(): value for name, value in request.headers.items()}
        self.requests.append((request.method, request.raw_path, headers))
        status, body, headers = self.answers.pop(0) if self.answers else (200, b"{}", {})
        if status == 0:
            request.transport.abort()
            return web.Response()
        return web.Response(status=status, body=body, headers=headers)


@pytest.fixture
async def scripted():
    made = Scripted()
    app = web.Application(client_max_size=1 << 26)
    app.router.add_route("*", "/{tail:.*}", made.handle)
    runner = web.AppRunner(app)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    made.origin = f"http://127.0.0.1:{site._server.sockets[0].getsockname()[1]}"
    yield made
    await runner.cleanup()


@pytest.fixture
async def graph(scripted):
    base = f"{scripted.origin}/v1.0"
    made = Graph(StaticTokenCredential(base), base_url=base)
    yield made
    await made.close()
