"""The Graph client: one call once, our errors, the token to Graph alone."""

from __future__ import annotations

import asyncio
import json
import re
import subprocess
import sys
from datetime import UTC, datetime

import pytest

from shared.errors import (
    GoneError,
    MalformedError,
    PermanentError,
    RefusedError,
    SettingsError,
    StorageConflictError,
    ThrottledError,
    UnavailableError,
)
from shared.graph import calls
from shared.graph.answers import OversizeError, retry_after
from shared.graph.batch import Ask
from shared.graph.client import Graph
from shared.graph.credential import StaticTokenCredential
from shared.graph.transfer import CHUNK

MESSAGE = {"user": "u/1", "message": "AAk+/="}
FILE = {"drive": "b!x", "item": "01A"}
SECRET = "119"


async def get(graph, **options):
    return await graph.send(calls.MESSAGE_GET, MESSAGE, **options)


async def test_call_asks_for_immutable_ids_with_a_token(graph, scripted):
    await get(graph, query={"select": "id"})
    method, path, headers = scripted.requests[0]
    assert (method, path) == ("GET", "/v1.0/users/u%2F1/messages/AAk%2B%2F%3D?$select=id")
    assert headers["Prefer"] == 'IdType="ImmutableId"'
    assert headers["Authorization"] == "Bearer local"


async def test_other_preferences_stand_beside_immutable_ids(graph, scripted):
    await get(graph, headers={"Prefer": "deltashowsharingchanges"})
    prefer = scripted.requests[0][2]["Prefer"]
    assert "deltashowsharingchanges" in prefer
    assert "ImmutableId" in prefer


@pytest.mark.parametrize("call", calls.ALL, ids=str)
async def test_every_call_of_the_table_can_be_made(graph, scripted, call):
    names = tuple(re.findall(r"\{(\w+)\}", call.path))
    await graph.send(
        call, dict.fromkeys((*names, "path"), "x"), body={} if "P" in call.method else None
    )
    method, path, _ = scripted.requests[0]
    expected = call.path.replace("+", "")
    for name in (*names, "path"):
        expected = expected.replace(f"{{{name}}}", "x")
    assert (method, path.partition("?")[0]) == (call.method, f"/v1.0{expected}")


@pytest.mark.parametrize("name", ["申請書 #1 100%.txt", "a&b=c?.txt", "%E5.txt", "it's.txt"])
async def test_file_name_in_a_path_is_escaped_once(graph, scripted, name):
    from urllib.parse import unquote, urlsplit  # noqa: PLC0415

    await graph.send(calls.PATH_GET, {"drive": "d", "path": f"folder/{name}"})
    path = urlsplit(scripted.requests[0][1]).path
    assert unquote(path) == f"/v1.0/drives/d/items/root:/folder/{name}"


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (400, PermanentError),
        (401, PermanentError),
        (403, PermanentError),
        (404, GoneError),
        (409, StorageConflictError),
        (410, GoneError),
        (412, StorageConflictError),
        (423, UnavailableError),
        (429, ThrottledError),
        (500, UnavailableError),
        (503, UnavailableError),
        (504, UnavailableError),
        (507, PermanentError),
        (0, UnavailableError),
    ],
)
async def test_status_is_our_error_after_one_attempt(graph, scripted, status, kind):
    body = json.dumps({"error": {"code": "someCode", "message": f"about {SECRET}"}}).encode()
    scripted.answer(status, body)
    with pytest.raises(kind) as error:
        await get(graph)
    assert len(scripted.requests) == 1
    assert "u/1" not in str(error.value)
    assert SECRET not in str(error.value)


async def test_missing_permission_is_named_with_its_call(graph, scripted):
    scripted.answer(403, b'{"error":{"code":"ErrorAccessDenied"}}')
    with pytest.raises(PermanentError) as error:
        await graph.send(calls.MESSAGE_PURGE, MESSAGE)
    said = str(error.value)
    assert "POST /users/{user}/messages/{message}/permanentDelete" in said
    assert "Mail.ReadWrite" in said
    assert "ErrorAccessDenied" in said


@pytest.mark.parametrize("status", [429, 503])
async def test_asked_to_wait_carries_the_wait(graph, scripted, status):
    scripted.answer(status, b"", Retry_After="315")
    with pytest.raises(ThrottledError) as error:
        await get(graph)
    assert error.value.retry_after == 315


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("10", 10.0),
        ("0", 1.0),
        ("999999", 3600.0),
        ("Wed, 01 Apr 2026 00:02:00 GMT", 120.0),
        ("soon", None),
        ("", None),
    ],
)
def test_retry_after_is_read_in_both_forms(text, seconds):
    assert retry_after({"retry-after": text}, datetime(2026, 4, 1, tzinfo=UTC)) == seconds


async def test_accepted_status_is_an_answer(graph, scripted):
    scripted.answer(404, b"")
    assert (await get(graph, accept={404})).status == 404


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b"\xff"])
async def test_answer_cut_short_is_tried_again_later(graph, scripted, body):
    scripted.answer(200, body)
    answer = await get(graph)
    with pytest.raises(UnavailableError):
        answer.json()


async def test_pages_follow_links_and_stop_at_a_circle(graph, scripted):
    following = f"{scripted.origin}/v1.0/more?$skiptoken=1"
    page = json.dumps({"value": [1], "@odata.nextLink": following}).encode()
    scripted.answer(200, page)
    scripted.answer(200, b'{"value":[2]}')
    params = {"user": "u"}
    found = [p["value"] async for p in graph.pages(calls.MESSAGES_FIND, params)]
    assert found == [[1], [2]]
    assert scripted.requests[1][1] == "/v1.0/more?$skiptoken=1"
    for _ in range(3):
        scripted.answer(200, page)
    with pytest.raises(MalformedError):
        [p async for p in graph.pages(calls.MESSAGES_FIND, params)]


@pytest.mark.parametrize(
    "url",
    [
        "https://evil.example/v1.0/x",
        "http://127.0.0.1:1/v1.0/x",
        "{base}.evil.example/x",
        "{base}@evil.example/x",
    ],
)
async def test_link_that_leaves_graph_is_not_followed(graph, scripted, url):
    with pytest.raises(MalformedError):
        await graph.link(url.format(base=f"{scripted.origin}/v1.0"))
    assert scripted.requests == []


async def test_download_follows_the_redirect_without_the_token(graph, scripted):
    scripted.answer(302, b"", Location=f"{scripted.origin}/file?sig=1")
    scripted.answer(200, b"bytes")
    assert await graph.download(calls.ITEM_CONTENT, FILE, limit=10) == b"bytes"
    assert "Authorization" in scripted.requests[0][2]
    assert "Authorization" not in scripted.requests[1][2]


@pytest.mark.parametrize(
    "location",
    [
        "http://127.0.0.1:1/x",
        "https://evil.example/x",
        "http://169.254.169.254/metadata",
        "file:///etc/passwd",
        "",
        "https://user@[bad",
    ],
)
async def test_download_to_a_strange_host_is_refused(graph, scripted, location):
    scripted.answer(302, b"", Location=location)
    with pytest.raises((RefusedError, MalformedError, UnavailableError)):
        await graph.download(calls.ITEM_CONTENT, FILE, limit=10)
    assert len(scripted.requests) == 1


async def test_download_redirected_on_to_a_strange_host_is_refused(graph, scripted):
    scripted.answer(302, b"", Location=f"{scripted.origin}/file")
    scripted.answer(302, b"", Location="http://169.254.169.254/x")
    with pytest.raises(RefusedError):
        await graph.download(calls.ITEM_CONTENT, FILE, limit=10)


async def test_download_over_the_limit_stops(graph, scripted):
    scripted.answer(302, b"", Location=f"{scripted.origin}/file")
    scripted.answer(200, b"x" * 11)
    with pytest.raises(OversizeError):
        await graph.download(calls.ITEM_CONTENT, FILE, limit=10)


async def test_expired_download_address_is_no_missing_file(graph, scripted):
    scripted.answer(302, b"", Location=f"{scripted.origin}/file")
    scripted.answer(404, b"")
    with pytest.raises(UnavailableError):
        await graph.download(calls.ITEM_CONTENT, FILE, limit=10)


async def test_upload_goes_on_where_graph_says(graph, scripted):
    scripted.answer(202, json.dumps({"nextExpectedRanges": [f"{CHUNK}-"]}).encode())
    scripted.answer(201, b'{"id":"01B"}')
    made = await graph.transfer.upload(f"{scripted.origin}/up", b"x" * (CHUNK + 5))
    assert made["id"] == "01B"
    ranges = [request[2]["Content-Range"] for request in scripted.requests]
    assert ranges == [
        f"bytes 0-{CHUNK - 1}/{CHUNK + 5}",
        f"bytes {CHUNK}-{CHUNK + 4}/{CHUNK + 5}",
    ]
    assert all("Authorization" not in request[2] for request in scripted.requests)


@pytest.mark.parametrize("body", [b"{}", b"", b'{"nextExpectedRanges":["0-"]}'])
async def test_upload_that_does_not_go_on_is_tried_again_later(graph, scripted, body):
    scripted.answer(202, body)
    with pytest.raises(UnavailableError):
        await graph.transfer.upload(f"{scripted.origin}/up", b"x" * (CHUNK + 5))


async def test_upload_to_a_strange_host_is_refused(graph):
    with pytest.raises(RefusedError):
        await graph.transfer.upload("https://evil.example/up", b"x")


async def test_cloud_client_transfers_with_named_hosts_over_https_only():
    graph = Graph(object())
    for url in (
        "http://contoso-my.sharepoint.com/x",
        "https://sharepoint.com.evil.example/x",
        "https://evilsharepoint.com/x",
        "https://127.0.0.1/x",
    ):
        with pytest.raises(RefusedError):
            graph.transfer._check(url)
    graph.transfer._check("https://contoso-my.sharepoint.com/x")


@pytest.mark.parametrize("url", ["http://graph.microsoft.com/v1.0", "http://10.0.0.1/v1.0"])
def test_plain_http_is_for_this_machine_alone(url):
    with pytest.raises(SettingsError):
        Graph(object(), base_url=url)


@pytest.mark.parametrize("url", ["https://graph.microsoft.com/v1.0", "https://localhost.evil/v1"])
def test_static_token_is_for_this_machine_alone(url):
    with pytest.raises(SettingsError):
        StaticTokenCredential(url)


async def test_mailbox_gets_four_calls_at_once_at_most(scripted):
    base = f"{scripted.origin}/v1.0"
    running = most = 0

    class Watched(StaticTokenCredential):
        async def get_token(self, *scopes, **options):
            nonlocal running, most
            running += 1
            most = max(most, running)
            await asyncio.sleep(0.01)
            running -= 1
            return await super().get_token(*scopes, **options)

    graph = Graph(Watched(base), base_url=base)
    await asyncio.gather(*(get(graph) for _ in range(12)))
    await graph.close()
    assert most == 4


def test_importing_the_client_imports_no_sdk():
    code = (
        "import sys, shared.graph.client, shared.graph.subscriptions, shared.services.resolve; "
        "sdk = {'msgraph', 'kiota_abstractions', 'httpx'}; "
        "print([m for m in sys.modules if m.split('.')[0] in sdk])"
    )
    said = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert said.stdout.strip() == "[]"


async def test_batch_gives_each_call_its_own_answer_or_error(graph, scripted):
    responses = [
        {"id": "1", "status": 404, "body": {"error": {"code": "itemNotFound"}}},
        {"id": "2", "status": 429, "headers": {"Retry-After": "9"}},
        {"id": "0", "status": 200, "body": {"value": []}},
    ]
    scripted.answer(body=json.dumps({"responses": responses}).encode())
    asks = [Ask(calls.ITEM_PERMISSIONS, {"drive": "b!x", "item": f"0/{n}"}) for n in range(3)]
    found = await graph.batch(asks)
    assert scripted.requests[0][1] == "/v1.0/$batch"
    assert asks[1].url == "/drives/b%21x/items/0%2F1/permissions"
    assert found[0].json() == {"value": []}
    assert isinstance(found[1], GoneError)
    assert isinstance(found[2], ThrottledError)
    with pytest.raises(ThrottledError):  # and the drive's limits are known from it
        await graph.send(calls.ITEM_GET, FILE)


@pytest.mark.parametrize("body", [b"{}", b'{"responses": []}', b'{"responses": [{"id": "7"}]}'])
async def test_batch_that_leaves_a_call_unanswered_is_tried_again_later(graph, scripted, body):
    scripted.answer(body=body)
    with pytest.raises(UnavailableError):
        await graph.batch([Ask(calls.ITEM_PERMISSIONS, FILE)])


async def test_time_to_wait_is_kept_without_asking(graph, scripted):
    scripted.answer(429, Retry_After="60")
    for _ in range(2):
        with pytest.raises(ThrottledError):
            await get(graph)
    assert len(scripted.requests) == 1
