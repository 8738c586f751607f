"""The Logs Ingestion API by Microsoft's client, against a stand-in that speaks its wire."""

from __future__ import annotations

import gzip
import json

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer
from azure.core.credentials import AccessToken

from shared.audit.formats import Entry
from shared.errors import PermanentError, ThrottledError, UnavailableError
from shared.export.workspace import LIMIT, Workspace, batches
from tests.unit.audit.payloads import event

RULE = "dcr-00000000000000000000000000000001"


class Identity:
    def __init__(self):
        self.scopes = []

    async def get_token(self, *scopes, **_):
        self.scopes += scopes
        return AccessToken("token", 4_000_000_000)

    async def close(self):
        pass


class Collector:
    """POST /dataCollectionRules/{rule}/streams/{stream}: answers in turn, then 204."""

    def __init__(self, *answers):
        self.answers = list(answers)
        self.calls = []

    async def receive(self, request):
        raw = await request.read()
        assert request.headers["Content-Encoding"] == "gzip"
        assert request.headers["Authorization"] == "Bearer token"
        rows = json.loads(gzip.decompress(raw) if raw[:2] == b"\x1f\x8b" else raw)
        self.calls.append((request.path, request.query["api-version"], raw, rows))
        status = self.answers.pop(0) if self.answers else 204
        return web.Response(status=status, headers={"Retry-After": "0"})


@pytest.fixture
async def serve():
    servers = []

    async def start(*answers):
        collector = Collector(*answers)
        app = web.Application(client_max_size=4_000_000)
        app.router.add_post("/dataCollectionRules/{rule}/streams/{stream}", collector.receive)
        server = TestServer(app)
        await server.start_server()
        servers.append(server)
        identity = Identity()
        url = str(server.make_url("")).rstrip("/")
        return collector, identity, Workspace(url, RULE, identity, retry_backoff_factor=0)

    yield start
    for each in servers:
        await each.close()


def entries(count):
    return [Entry(n, "ab" * 32, event(f"m{n}")) for n in range(1, count + 1)]


async def test_rows_go_to_the_rules_stream_as_the_managed_identity(serve):
    collector, identity, workspace = await serve()
    async with workspace:
        await workspace.put(1, 3, entries(3))
    [(path, version, _, rows)] = collector.calls
    assert path == f"/dataCollectionRules/{RULE}/streams/Custom-SekishoAudit_CL"
    assert version == "2023-01-01"
    assert [row["RecordNumber"] for row in rows] == [1, 2, 3]
    assert identity.scopes == ["https://monitor.azure.com/.default"]


async def test_a_call_stays_below_what_the_api_takes(serve):
    collector, _, workspace = await serve()
    async with workspace:
        await workspace.put(1, 3000, entries(3000))
    assert len(collector.calls) > 1
    assert all(len(json.dumps(rows)) < 1_000_000 for *_, rows in collector.calls)
    numbers = [row["RecordNumber"] for *_, rows in collector.calls for row in rows]
    assert numbers == list(range(1, 3001))


@pytest.mark.parametrize("status", [429, 503, 500])
async def test_what_may_get_better_is_tried_again(serve, status):
    collector, _, workspace = await serve(status, status)
    async with workspace:
        await workspace.put(1, 1, entries(1))
    assert len(collector.calls) == 3


@pytest.mark.parametrize(
    ("status", "error"), [(429, ThrottledError), (500, UnavailableError), (413, PermanentError)]
)
async def test_what_does_not_get_better_is_an_error_of_ours(serve, status, error):
    _, _, workspace = await serve(*[status] * 9)
    async with workspace:
        with pytest.raises(error, match="logs ingestion"):
            await workspace.put(1, 1, entries(1))


def test_batches_keep_every_row_in_order_and_below_the_limit():
    rows = [{"n": n, "words": "済" * (n % 50), "more": [1, 2, {"a": "𠮷"}]} for n in range(2000)]
    made = list(batches(rows, 5_000))
    assert [row for batch in made for row in batch] == rows
    assert all(len(json.dumps(batch)) <= 5_000 for batch in made)
    assert LIMIT < 1_000_000
