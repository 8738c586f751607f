"""The stand-in in this process, over real HTTP, and a receiver of notifications."""

from __future__ import annotations

import asyncio
from urllib.parse import quote

import pytest
from aiohttp import web
from aiohttp.test_utils import TestClient, TestServer

from local.graph.server import create_app

UPN = "hanako@city.example"
IMMUTABLE = {"Prefer": 'IdType="ImmutableId"'}


class Answer:
    """A response that was read."""

    def __init__(self, status, headers, body, json):
        self.status, self.headers, self.body, self.json = status, headers, body, json

    @property
    def code(self):
        return self.json["error"]["code"]


class Tenant:
    """One user, and calls that carry a token."""

    def __init__(self, client, user):
        self.client, self.user = client, user
        self.me = f"/v1.0/users/{user['id']}"
        self.drive = f"/v1.0/drives/{user['drive_id']}"

    async def call(self, method, path, *, token=True, headers=None, **kwargs):
        sent = {"Authorization": "Bearer synthetic"} if token else {}
        sent |= headers or {}
        async with self.client.request(
            method, path, headers=sent, allow_redirects=False, **kwargs
        ) as answer:
            body = await answer.read()
            is_json = answer.content_type == "application/json" and body
            return Answer(
                answer.status, answer.headers, body, await answer.json() if is_json else None
            )

    async def admin(self, method, path, **kwargs):
        answer = await self.call(method, f"/_admin/{path}", token=False, **kwargs)
        assert answer.status == 200, answer.body
        return answer.json

    async def receive(self, raw, folder="inbox"):
        path = f"users/{UPN}/messages?folder={folder}"
        return (await self.admin("POST", path, data=raw))["id"]

    async def put_file(self, name, data, folder=""):
        path = f"users/{UPN}/files?name={name}&folder={folder}"
        return f"{self.drive}/items/{(await self.admin('POST', path, data=data))['id']}"

    def message(self, key):
        return f"{self.me}/messages/{quote(key, safe='')}"

    async def state(self):
        return (await self.admin("GET", "state"))["users"][0]


@pytest.fixture
async def tenant():
    async with TestClient(TestServer(create_app())) as client:
        async with client.post("/_admin/users", json={"upn": UPN, "name": "花子"}) as answer:
            user = await answer.json()
        yield Tenant(client, user)


class Hook:
    """A webhook; ``statuses`` are given in turn, then 202; ``validation`` answers the handshake."""

    def __init__(self):
        self.bodies, self.validations, self.statuses = [], [], []
        self.validation = lambda token: web.Response(text=token)
        self.url = ""
        self.heard = asyncio.Event()

    async def answer(self, request):
        token = request.query.get("validationToken")
        if token is not None:
            self.validations.append(token)
            return self.validation(token)
        self.bodies.append(await request.json())
        self.heard.set()
        return web.Response(status=self.statuses.pop(0) if self.statuses else 202)

    def notifications(self):
        return [each for body in self.bodies for each in body["value"]]

    async def wait(self, count):
        async with asyncio.timeout(10):
            while len(self.notifications()) < count:
                self.heard.clear()
                await self.heard.wait()
        return self.notifications()


@pytest.fixture
async def hook():
    made = Hook()
    app = web.Application()
    app.router.add_post("/hook", made.answer)
    async with TestServer(app) as server:
        made.url = str(server.make_url("/hook"))
        yield made
