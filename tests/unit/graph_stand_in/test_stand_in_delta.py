"""Delta: what changed since a link was given, nothing lost, whatever happens between two pages."""

from __future__ import annotations

import pytest

IMMUTABLE = {"Prefer": 'IdType="ImmutableId"'}
SMALL = {"Prefer": 'IdType="ImmutableId", odata.maxpagesize=2'}


def relative(link):
    return "/v1.0" + link.partition("/v1.0")[2]


async def walk(tenant, path, headers=None):
    """Everything to the end of the round, and the link for the next."""
    found = []
    while True:
        answer = await tenant.call("GET", path, headers=headers)
        assert answer.status == 200, answer.body
        found += answer.json["value"]
        if "@odata.deltaLink" in answer.json:
            return found, relative(answer.json["@odata.deltaLink"])
        path = relative(answer.json["@odata.nextLink"])


def inbox(tenant):
    return f"{tenant.me}/mailFolders/inbox/messages/delta()"


async def test_message_delta_tells_what_changed_and_what_left(tenant):
    stays, moves, goes = [await tenant.receive(b"Subject: %d\r\n\r\n" % n) for n in range(3)]
    first, link = await walk(tenant, inbox(tenant), IMMUTABLE)
    assert {each["id"] for each in first} == {stays, moves, goes}
    assert (await walk(tenant, link, IMMUTABLE))[0] == []
    await tenant.call("PATCH", tenant.message(stays), json={"isRead": True})
    await tenant.call("POST", f"{tenant.message(moves)}/move", json={"destinationId": "archive"})
    await tenant.call("POST", f"{tenant.message(goes)}/permanentDelete")
    new = await tenant.receive(b"Subject: new\r\n\r\n")
    second, link = await walk(tenant, link, IMMUTABLE)
    assert {each["id"] for each in second if "@removed" not in each} == {stays, new}
    assert {each["id"] for each in second if "@removed" in each} == {moves, goes}
    assert (await walk(tenant, link, IMMUTABLE))[0] == []


async def test_message_that_comes_back_is_not_called_removed(tenant):
    key = await tenant.receive(b"Subject: a\r\n\r\n")
    _, link = await walk(tenant, inbox(tenant), IMMUTABLE)
    for folder in ("archive", "inbox"):
        await tenant.call("POST", f"{tenant.message(key)}/move", json={"destinationId": folder})
    found, _ = await walk(tenant, link, IMMUTABLE)
    assert [(each["id"], "@removed" in each) for each in found] == [(key, False)]


async def test_message_that_changes_between_pages_is_not_lost(tenant):
    keys = [await tenant.receive(b"Subject: %d\r\n\r\n" % n) for n in range(5)]
    page = (await tenant.call("GET", inbox(tenant), headers=SMALL)).json
    seen = {each["id"] for each in page["value"]}
    assert len(seen) == 2
    await tenant.call("PATCH", tenant.message(keys[0]), json={"isRead": True})
    await tenant.call("POST", f"{tenant.message(keys[1])}/permanentDelete")
    rest, _ = await walk(tenant, relative(page["@odata.nextLink"]), SMALL)
    assert {each["id"] for each in rest if "@removed" not in each} >= set(keys[2:]) | {keys[0]}
    assert keys[1] in {each["id"] for each in rest if "@removed" in each}


async def test_message_delta_keeps_its_select(tenant):
    await tenant.receive(b"Subject: a\r\n\r\n")
    found, link = await walk(tenant, f"{inbox(tenant)}?$select=subject")
    assert set(found[0]) == {"@odata.etag", "id", "subject"}
    await tenant.receive(b"Subject: b\r\n\r\n")
    assert set((await walk(tenant, link))[0][0]) == {"@odata.etag", "id", "subject"}


@pytest.mark.parametrize("token", ["garbage", "e30", "eyJmb2xkZXIiOiJ4In0"])
async def test_message_delta_refuses_a_token_that_is_not_its_own(tenant, token):
    answer = await tenant.call("GET", f"{inbox(tenant)}?$deltatoken={token}")
    assert answer.status == 400


def root(tenant):
    return f"{tenant.drive}/items/root/delta()"


async def test_drive_delta_tells_changes_and_deletions(tenant):
    empty, _ = await walk(tenant, root(tenant))
    assert [each["name"] for each in empty] == ["root"]
    kept = await tenant.put_file("kept.txt", b"1", folder="課")
    gone = await tenant.put_file("gone.txt", b"2")
    first, link = await walk(tenant, root(tenant))
    assert {each["name"] for each in first} == {"root", "課", "kept.txt", "gone.txt"}
    await tenant.call("PUT", f"{kept}/content", data=b"3")
    await tenant.call("DELETE", gone)
    second, link = await walk(tenant, link)
    deleted = [each for each in second if "deleted" in each]
    assert [each["id"] for each in deleted] == [gone.rpartition("/")[2]]
    assert "name" not in deleted[0]
    assert [each["name"] for each in second if "file" in each] == ["kept.txt"]
    assert (await walk(tenant, link))[0] == []


async def test_drive_delta_latest_skips_what_is_there(tenant):
    await tenant.put_file("old.txt", b"1")
    nothing, link = await walk(tenant, f"{root(tenant)}?token=latest")
    assert nothing == []
    await tenant.put_file("new.txt", b"2")
    found, _ = await walk(tenant, link)
    assert [each["name"] for each in found if "file" in each] == ["new.txt"]


async def test_drive_delta_shows_sharing_only_where_preferred(tenant):
    path = await tenant.put_file("a.txt", b"1")
    _, link = await walk(tenant, root(tenant))
    await tenant.call("POST", f"{path}/createLink", json={"type": "view", "scope": "anonymous"})
    assert (await walk(tenant, link))[0] == []
    prefer = {"Prefer": "deltashowsharingchanges"}
    found, _ = await walk(tenant, link, prefer)
    shared = [each for each in found if each.get("@microsoft.graph.sharedChanged")]
    assert [each["name"] for each in shared] == ["a.txt"]
    assert shared[0]["shared"] == {"scope": "anonymous"}


async def test_drive_item_that_changes_between_pages_is_not_lost(tenant):
    paths = [await tenant.put_file(f"{n}.txt", b"1") for n in range(6)]
    page = (await tenant.call("GET", root(tenant), headers=SMALL)).json
    await tenant.call("PUT", f"{paths[0]}/content", data=b"2")
    rest, _ = await walk(tenant, relative(page["@odata.nextLink"]), SMALL)
    names = {each["name"] for each in page["value"]} | {each["name"] for each in rest}
    assert names >= {f"{n}.txt" for n in range(6)}
    assert "0.txt" in {each["name"] for each in rest}


async def test_drive_delta_starts_over_on_a_scripted_410(tenant):
    await tenant.put_file("a.txt", b"1")
    _, link = await walk(tenant, root(tenant))
    fault = {"match": {"method": "GET", "path_regex": r"/delta\(\)\?token="}, "status": 410}
    await tenant.admin("POST", "faults", json=fault)
    answer = await tenant.call("GET", link)
    assert (answer.status, answer.code) == (410, "resyncRequired")
    again, _ = await walk(tenant, relative(answer.headers["Location"]))
    assert "a.txt" in {each["name"] for each in again}
