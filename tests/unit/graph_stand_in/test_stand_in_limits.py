"""Labels that take a moment, batches, mailbox concurrency, and lists of many users."""

from __future__ import annotations

import asyncio
from urllib.parse import unquote

import pytest
from aiohttp.test_utils import TestClient, TestServer

from local.graph.server import create_app

LABEL = "0f3d0d4e-0000-4000-8000-000000000001"


async def labels(tenant, path):
    return (await tenant.call("POST", f"{path}/extractSensitivityLabels")).json["labels"]


async def assign(tenant, path, label=LABEL):
    body = {"sensitivityLabelId": label, "assignmentMethod": "auto"}
    answer = await tenant.call("POST", f"{path}/assignSensitivityLabel", json=body)
    assert answer.status == 202, answer.body
    return "/_monitor/" + answer.headers["Location"].partition("/_monitor/")[2]


async def finished(tenant, monitor):
    async with asyncio.timeout(10):
        while True:
            status = (await tenant.call("GET", monitor, token=False)).json["status"]
            if status != "inProgress":
                return status
            await asyncio.sleep(0.02)


async def test_accepted_label_is_applied_a_moment_later(tenant):
    path = await tenant.put_file("a.docx", b"x")
    before = (await tenant.call("GET", path)).json
    monitor = await assign(tenant, path)
    assert await labels(tenant, path) == []
    assert await finished(tenant, monitor) == "completed"
    (one,) = await labels(tenant, path)
    assert (one["sensitivityLabelId"], one["assignmentMethod"]) == (LABEL, "auto")
    after = (await tenant.call("GET", path)).json
    assert (after["eTag"] != before["eTag"], after["cTag"] != before["cTag"]) == (True, True)
    assert await finished(tenant, await assign(tenant, path, "")) == "completed"
    assert await labels(tenant, path) == []


async def test_accepted_label_may_fail(tenant):
    path = await tenant.put_file("a.docx", b"x")
    await tenant.admin("POST", "faults", json={"fail_labels": 1})
    assert await finished(tenant, await assign(tenant, path)) == "failed"
    assert await labels(tenant, path) == []


async def test_locked_and_unsupported_files_take_no_label(tenant):
    path = await tenant.put_file("a.docx", b"x")
    fault = {"match": {"path_regex": "Sensitivity"}, "status": 423, "times": 2}
    await tenant.admin("POST", "faults", json=fault)
    for action in ("assignSensitivityLabel", "extractSensitivityLabels"):
        answer = await tenant.call("POST", f"{path}/{action}", json={})
        assert (answer.status, answer.code) == (423, "resourceLocked")
    text = await tenant.put_file("a.txt", b"x")
    body = {"sensitivityLabelId": LABEL}
    answer = await tenant.call("POST", f"{text}/assignSensitivityLabel", json=body)
    assert answer.status == 400


def step(key, path, method="GET", **more):
    return {"id": key, "method": method, "url": path.removeprefix("/v1.0")} | more


async def batch(tenant, steps, status=200):
    answer = await tenant.call("POST", "/v1.0/$batch", json={"requests": steps})
    assert answer.status == status, answer.body
    return {each["id"]: each for each in answer.json.get("responses", [])}


async def test_batch_answers_each_request_by_itself(tenant):
    path = tenant.message(await tenant.receive(b"Subject: a\r\n\r\n"))
    headers = {"Content-Type": "application/json"}
    found = await batch(
        tenant,
        [
            step("a", path),
            step("b", f"{tenant.me}/messages/none"),
            step("c", path, "PATCH", body={"categories": ["x"]}, headers=headers),
            step("d", f"{path}/$value"),
        ],
    )
    assert {key: each["status"] for key, each in found.items()} == {
        "a": 200,
        "b": 404,
        "c": 200,
        "d": 200,
    }
    assert found["b"]["body"]["error"]["code"] == "ErrorItemNotFound"
    assert found["c"]["body"]["categories"] == ["x"]
    assert isinstance(found["d"]["body"], str)
    log = (await tenant.admin("GET", "log"))["log"]
    assert sum(each["path"] == unquote(path) for each in log) == 2


async def test_request_after_a_failed_one_is_424_and_not_done(tenant):
    path = tenant.message(await tenant.receive(b"Subject: a\r\n\r\n"))
    found = await batch(
        tenant,
        [
            step("last", path, "DELETE", dependsOn=["second"]),
            step("second", path, dependsOn=["first"]),
            step("first", f"{tenant.me}/messages/none"),
            step("good", path),
            step("after", path, dependsOn=["good"]),
        ],
    )
    statuses = {key: each["status"] for key, each in found.items()}
    assert statuses == {"last": 424, "second": 424, "first": 404, "good": 200, "after": 200}
    assert (await tenant.call("GET", path)).status == 200


async def test_faults_reach_into_a_batch(tenant):
    await tenant.admin("POST", "faults", json={"match": {"path_regex": "/users"}, "status": 429})
    found = await batch(tenant, [step("a", tenant.me), step("b", tenant.me)])
    assert sorted(each["status"] for each in found.values()) == [200, 429]


@pytest.mark.parametrize(
    "steps",
    [
        [],
        [step(str(n), "/users") for n in range(21)],
        [step("a", "/users"), step("a", "/users")],
        [step("a", "/users", dependsOn=["b"])],
        [step("a", "/users", dependsOn=["b"]), step("b", "/users", dependsOn=["a"])],
        [step("a", "/$batch", "POST")],
        [{"id": "a", "url": "/users"}],
    ],
    ids=["none", "21", "same id", "unknown", "ring", "nested", "no method"],
)
async def test_batch_that_graph_would_not_begin_is_400(tenant, steps):
    await batch(tenant, steps, 400)


async def test_twenty_requests_go_in_one_batch(tenant):
    found = await batch(tenant, [step(str(n), tenant.me) for n in range(20)])
    assert {each["status"] for each in found.values()} == {200}


async def test_fifth_request_to_a_mailbox_at_once_is_429():
    async with TestClient(TestServer(create_app(throttle=True))) as client:
        for upn in ("a@city.example", "b@city.example"):
            await (await client.post("/_admin/users", json={"upn": upn})).release()

        async def get(upn):
            headers = {"Authorization": "Bearer synthetic"}
            async with client.get(f"/v1.0/users/{upn}/messages", headers=headers) as answer:
                return answer.status, answer.headers.get("Retry-After")

        calls = [get("a@city.example") for _ in range(8)] + [get("b@city.example")]
        *mine, other = await asyncio.gather(*calls)
        assert other == (200, None)
        assert (429, "1") in mine
        assert (200, None) in mine
        assert await get("a@city.example") == (200, None)


async def test_nothing_is_throttled_unless_asked_for(tenant):
    answers = await asyncio.gather(*(tenant.call("GET", f"{tenant.me}/messages") for _ in range(8)))
    assert {each.status for each in answers} == {200}


async def test_ten_thousand_users_come_page_by_page(tenant):
    users = [{"upn": f"u{n}@city.example"} for n in range(9_999)]
    made = await tenant.admin("POST", "users", json={"users": users})
    people = [each["id"] for each in made["users"]]
    group = (await tenant.admin("POST", "groups", json={"name": "庁", "members": people}))["id"]
    for path, count in (("/v1.0/users", 10_000), (f"/v1.0/groups/{group}/members", 9_999)):
        found, link = set(), f"{path}?$top=999&$select=id"
        while link:
            page = (await tenant.call("GET", link)).json
            found |= {each["id"] for each in page["value"]}
            link = page.get("@odata.nextLink", "")
            link = link and "/v1.0" + link.partition("/v1.0")[2]
        assert len(found) == count
