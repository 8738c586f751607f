"""The Graph stand-in without sockets: ``Graph``'s calls go straight into its handlers.

Everything else is as it is over HTTP: routing, tokens, ids, ETags, deltas, faults, subscriptions
with their handshake, and a notification for each change, our own changes included.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from types import SimpleNamespace
from typing import Any
from urllib.parse import quote, urlencode

import msgspec
from aiohttp import EMPTY_PAYLOAD, HttpVersion11, web
from aiohttp.http_parser import RawRequestMessage
from multidict import CIMultiDict, CIMultiDictProxy
from yarl import URL

from local.graph import context
from local.graph.bodies import notifications
from local.graph.server import create_app
from local.graph.state.world import Change
from shared.errors import SekishoError
from shared.graph.answers import Answer, Json, error_for
from shared.graph.batch import Ask
from shared.graph.calls import LINK, Call
from shared.graph.client import IMMUTABLE, Graph
from shared.graph.credential import StaticTokenCredential

HOST = "127.0.0.1:1"
BASE = f"http://{HOST}/v1.0"
WRITES = frozenset({"PATCH", "DELETE", "POST"})


class DirectGraph(Graph):
    """``Graph`` over the application itself; counts calls, calls a mailbox, and acts an item."""

    def __init__(self, app: web.Application) -> None:
        super().__init__(StaticTokenCredential(BASE), base_url=BASE)
        self._app = app
        self._protocol: Any = SimpleNamespace(
            ssl_context=None, peername=None, sockname=None, transport=None
        )
        self.calls: Counter[str] = Counter()
        self.mailbox: Counter[str] = Counter()
        self.acts: Counter[tuple[str, str]] = Counter()

    async def send(
        self,
        call: Call,
        params: Mapping[str, str] | None = None,
        *,
        query: Mapping[str, str] | None = None,
        headers: Mapping[str, str] | None = None,
        body: Json | None = None,
        data: bytes | None = None,
        accept: Collection[int] = (),
    ) -> Answer:
        """One call; see ``Graph.send``."""
        params = params or {}
        path = call.path.format_map({k: quote(v, safe="") for k, v in params.items()})
        names = {
            k if k.endswith("DateTime") or k[0] == "@" else f"${k}": v
            for k, v in (query or {}).items()
        }
        target = f"/v1.0{path}" + (f"?{urlencode(names)}" if names else "")
        content = msgspec.json.encode(body) if body is not None else data or b""
        user = params.get("user", "")
        self.mailbox[user] += 1
        async with self.pace.place(call, user):
            answer = await self._direct(call, target, dict(headers or {}), content, accept)
        acted = params.get("message") if call.method in WRITES else None
        if acted and answer.status // 100 == 2:
            self.acts[acted, str(call)] += 1
        return answer

    async def link(
        self,
        url: str,
        *,
        prefer: str = "",
        accept: Collection[int] = (),
        call: Call = LINK,
        params: Mapping[str, str] | None = None,
    ) -> Answer:
        """A next or delta link; see ``Graph.link``."""
        headers = {"Prefer": prefer} if prefer else {}
        target = url.removeprefix(f"http://{HOST}")
        async with self.pace.place(call, (params or {}).get("user", "")):
            return await self._direct(call, target, headers, b"", accept)

    async def batch(self, asks: Sequence[Ask]) -> list[Answer | SekishoError]:
        """Each by itself: what a batch saves is round trips."""
        found: list[Answer | SekishoError] = []
        for ask in asks:
            try:
                found.append(await self.send(ask.call, ask.params, query=ask.query))
            except SekishoError as error:
                found.append(error)
        return found

    async def _direct(
        self,
        call: Call,
        target: str,
        headers: dict[str, str],
        body: bytes,
        accept: Collection[int],
    ) -> Answer:
        self.calls[str(call)] += 1
        prefer = ", ".join(filter(None, (headers.pop("Prefer", ""), IMMUTABLE)))
        given = CIMultiDict(
            {"Host": HOST, "Authorization": "Bearer local", "Prefer": prefer, **headers}
        )
        if body:
            given.setdefault("Content-Type", "application/json")
        message = RawRequestMessage(
            call.method,
            target,
            HttpVersion11,
            CIMultiDictProxy(given),
            (),
            False,  # noqa: FBT003 - aiohttp's shape
            None,
            False,  # noqa: FBT003 - aiohttp's shape
            False,  # noqa: FBT003 - aiohttp's shape
            URL(target, encoded=True),
        )
        writer: Any = None
        task: Any = None
        loop = asyncio.get_running_loop()
        request = web.Request(message, EMPTY_PAYLOAD, self._protocol, writer, task, loop)
        request._read_bytes = body  # noqa: SLF001 - the body without a stream
        await asyncio.sleep(0)  # others go on meanwhile, as they do while a request is away
        response = await self._app._handle(request)  # noqa: SLF001 - the application without a server
        self._app[context.WORLD].log.clear()
        content = getattr(response, "body", None) or b""
        named = {name.lower(): value for name, value in response.headers.items()}
        answer = Answer(response.status, named, bytes(content))
        failure = None if answer.status in accept else error_for(call, answer)
        if failure is not None:
            raise failure
        await asyncio.sleep(0)
        return answer


class Tenant:
    """The stand-in's application; ``told`` gathers notifications that were not delivered yet."""

    def __init__(self) -> None:
        self.app = create_app()
        self.world = self.app[context.WORLD]
        self.told: list[Json] = []
        self._runner = web.AppRunner(self.app)

    async def start(self, handshake: Callable[[str], Awaitable[str]]) -> DirectGraph:
        """Start without a port; subscriptions are validated by ``handshake``."""
        await self._runner.setup()
        self.world.listener = self._hear
        self.app[context.NOTIFIER].handshake = handshake  # type: ignore[method-assign] # no socket
        return DirectGraph(self.app)

    async def stop(self) -> None:
        """Stop the application."""
        await self._runner.cleanup()

    def _hear(self, change: Change) -> None:
        for owner in (change.owner, *change.also):
            for one in self.world.watching(change.kind, owner):
                self.told.extend(notifications(self.world, one, change, lambda: ""))
