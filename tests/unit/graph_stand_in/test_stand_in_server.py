"""Tokens, permissions, faults, the log, the record, and the stand-in as a process."""

from __future__ import annotations

import base64
import json
import urllib.request

import aiohttp
import pytest
from aiohttp.test_utils import TestClient, TestServer

from local.graph.process import AdminError, GraphProcess
from local.graph.server import create_app

CONTRACT = {
    "paths": {
        "/users": {"get": {"x-app-permissions": {"least": ["User.Read.All"], "also": []}}},
        "/users/{id}/messages/{message-id}": {
            "get": {"x-app-permissions": {"least": ["Mail.Read"], "also": ["Mail.ReadWrite"]}},
            "patch": {"x-app-permissions": {"least": ["Mail.ReadWrite"], "also": []}},
        },
        "/users/{id}/messages/{message-id}/$value": {"get": {"x-app-permissions": None}},
        "/users/{id}/drive": {"get": {}},
        "/drives/{id}/root/delta()": {
            "get": {"x-app-permissions": {"least": ["Files.Read.All"], "also": []}}
        },
        "/drives/{id}/items/{item-id}/delta()": {"get": {}},
        "/subscriptions": {"post": {}},
    }
}


async def test_call_without_a_token_is_401(tenant):
    answer = await tenant.call("GET", tenant.me, token=False)
    assert (answer.status, answer.code) == (401, "InvalidAuthenticationToken")
    assert answer.headers["WWW-Authenticate"] == "Bearer"


async def test_unknown_path_is_graphs_error(tenant):
    answer = await tenant.call("GET", f"{tenant.me}/letters")
    assert (answer.status, answer.code) == (400, "BadRequest")
    stranger = await tenant.call("GET", "/v1.0/users/nobody")
    assert (stranger.status, stranger.code) == (404, "Request_ResourceNotFound")


async def test_user_is_found_by_id_and_by_name_in_any_case(tenant):
    for key in (tenant.user["id"], "hanako@city.example", "HANAKO@City.example"):
        assert (await tenant.call("GET", f"/v1.0/users/{key}")).json["id"] == tenant.user["id"]


@pytest.mark.parametrize(
    ("granted", "method", "tail", "status"),
    [
        ("Mail.Read", "GET", "/messages/{m}", 200),
        ("Mail.ReadWrite", "GET", "/messages/{m}", 200),
        ("Mail.Read", "PATCH", "/messages/{m}", 403),
        ("Mail.ReadWrite", "PATCH", "/messages/{m}", 400),
        ("Files.Read.All", "GET", "/messages/{m}/$value", 403),
        ("Mail.Read", "GET", "/messages/{m}/$value", 200),
        ("Mail.Read", "GET", "/drive", 200),
        ("Mail.Read", "GET", "/../../drives/{d}/items/root/delta()", 403),
        ("Files.Read.All", "GET", "/../../drives/{d}/items/root/delta()", 200),
        ("Files.Read.All", "POST", "/../../subscriptions", 403),
        ("Mail.Read", "POST", "/../../subscriptions", 400),
    ],
)
async def test_call_needs_a_granted_permission(tmp_path, granted, method, tail, status):
    contract = tmp_path / "slice.json"
    contract.write_text(json.dumps(CONTRACT))
    app = create_app(contract=contract, granted=frozenset({granted}))
    async with TestClient(TestServer(app)) as client:
        async with client.post("/_admin/users", json={"upn": "a@city.example"}) as made:
            drive = (await made.json())["drive_id"]
        async with client.post(
            "/_admin/users/a@city.example/messages", data=b"A: b\r\n\r\n"
        ) as made:
            key = (await made.json())["id"]
        path = f"/v1.0/users/a@city.example{tail.format(m=key, d=drive)}"
        headers = {"Authorization": "Bearer x"}
        body = {"resource": "/users/a@city.example/messages"}  # the rest is missing: 400 if asked
        async with client.request(method, path, headers=headers, json=body) as answer:
            assert answer.status == status


def test_permissions_without_a_contract_are_refused():
    with pytest.raises(ValueError, match="contract"):
        create_app(granted=frozenset())


async def test_fault_answers_as_often_as_it_says_and_does_nothing(tenant):
    path = tenant.message(await tenant.receive(b"Subject: a\r\n\r\n"))
    fault = {
        "match": {"method": "PATCH", "path_regex": "/messages/"},
        "times": 2,
        "status": 429,
        "headers": {"Retry-After": "7"},
    }
    await tenant.admin("POST", "faults", json=fault)
    assert (await tenant.call("GET", path)).status == 200
    for _ in range(2):
        answer = await tenant.call("PATCH", path, json={"isRead": True})
        assert (answer.status, answer.headers["Retry-After"]) == (429, "7")
    assert (await tenant.call("GET", path)).json["isRead"] is False
    assert (await tenant.call("PATCH", path, json={"isRead": True})).status == 200


@pytest.mark.parametrize("after", [False, True])
async def test_dropped_connection_before_or_after_the_work(tenant, after):
    path = tenant.message(await tenant.receive(b"Subject: a\r\n\r\n"))
    fault = {"match": {"method": "PATCH"}, "drop": True, "after": after}
    await tenant.admin("POST", "faults", json=fault)
    with pytest.raises(aiohttp.ClientError):
        await tenant.call("PATCH", path, json={"isRead": True})
    assert (await tenant.call("GET", path)).json["isRead"] is after


async def test_truncated_answer_is_no_json(tenant):
    await tenant.admin("POST", "faults", json={"match": {"method": "GET"}, "truncate": True})
    with pytest.raises(json.JSONDecodeError):
        await tenant.call("GET", tenant.me)


@pytest.mark.parametrize(
    "fault", [{"match": {"path_regex": "("}}, {"matches": {}}, {"faults": [{"state": 1}]}]
)
async def test_malformed_fault_is_refused(tenant, fault):
    assert (await tenant.call("POST", "/_admin/faults", token=False, json=fault)).status == 400


async def test_faults_can_be_cleared(tenant):
    await tenant.admin("POST", "faults", json={"status": 503, "times": 99})
    assert (await tenant.call("GET", tenant.me)).status == 503
    await tenant.admin("DELETE", "faults")
    assert (await tenant.call("GET", tenant.me)).status == 200


async def test_log_names_each_call_by_its_template(tenant):
    key = await tenant.receive(b"Subject: a\r\n\r\n")
    await tenant.call("GET", tenant.message(key))
    await tenant.call("GET", "/v1.0/nowhere")
    first, second = (await tenant.admin("GET", "log"))["log"]
    assert (first["method"], first["status"]) == ("GET", 200)
    assert first["template"] == "/v1.0/users/{user}/messages/{message}"
    assert first["ids"]["message"] == key
    assert (second["n"], second["template"], second["status"]) == (1, None, 400)
    assert (await tenant.admin("GET", "log?since=1"))["log"] == [second]


async def test_many_users_are_made_at_once_and_paged(tenant):
    many = {"users": [{"upn": f"u{n}@city.example"} for n in range(250)]}
    made = (await tenant.admin("POST", "users", json=many))["users"]
    page = (await tenant.call("GET", "/v1.0/users?$top=200&$count=true")).json
    assert (len(made), len(page["value"]), page["@odata.count"]) == (250, 200, 251)
    rest = await tenant.call("GET", "/v1.0" + page["@odata.nextLink"].partition("/v1.0")[2])
    assert len(rest.json["value"]) == 51
    assert (await tenant.call("GET", "/v1.0/users?$skip=x")).status == 400


async def test_reset_empties_the_tenant(tenant):
    await tenant.receive(b"Subject: a\r\n\r\n")
    await tenant.admin("POST", "reset")
    assert (await tenant.admin("GET", "state"))["users"] == []
    assert (await tenant.call("GET", tenant.me)).status == 404


def test_process_serves_records_and_stops(tmp_path):
    record = tmp_path / "record.jsonl"
    with GraphProcess(log_path=tmp_path / "log", record=record) as graph:
        made = graph.admin("POST", "users", json_body={"upn": "太郎@city.example"})
        key = graph.admin("POST", "users/太郎@city.example/messages", data=b"A: b\r\n\r\nc")["id"]
        assert graph.admin("GET", f"users/{made['id']}/messages/{key}/raw") == b"A: b\r\n\r\nc"
        with pytest.raises(AdminError, match="404") as caught:
            graph.admin("GET", "users/nobody/messages/x/raw")
        assert caught.value.status == 404
        base = graph.base_url
        graph.admin("POST", "faults", json_body={"drop": True, "after": True})
        _fetch(f"{base}/users", refused=True)
        _fetch(f"{base}/users")
    lines = [json.loads(each) for each in record.read_text().splitlines()]
    assert [each["status"] for each in lines] == [None, 200]
    assert "Authorization" not in lines[1]["headers"]
    assert made["id"].encode() in base64.b64decode(lines[1]["response_body"])
    assert (tmp_path / "log").read_text() == ""
    _fetch(f"{base}/users", refused=True)


def test_process_that_cannot_start_says_why(tmp_path):
    with GraphProcess(log_path=tmp_path / "one") as first:
        second = GraphProcess(first.port, log_path=tmp_path / "two")
        with pytest.raises(RuntimeError, match="did not start"):
            second.start()


def _fetch(url, *, refused=False):
    request = urllib.request.Request(url, headers={"Authorization": "Bearer x"})
    try:
        with urllib.request.urlopen(request, timeout=10) as answer:
            assert not refused
            return answer.read()
    except OSError:
        assert refused
        return b""
