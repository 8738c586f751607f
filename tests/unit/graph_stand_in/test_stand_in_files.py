from __future__ import annotations

import hashlib

import pytest

CHUNK = 320 * 1024


async def test_content_is_a_redirect_that_needs_no_token(tenant):
    path = await tenant.put_file("a.txt", b"one")
    answer = await tenant.call("GET", f"{path}/content")
    assert (answer.status, answer.body) == (302, b"")
    there = answer.headers["Location"].partition("/_content/")[2]
    assert (await tenant.call("GET", f"/_content/{there}", token=False)).body == b"one"


async def test_content_changes_both_tags_and_a_name_the_first_only(tenant):
    path = await tenant.put_file("a.txt", b"one")
    first = (await tenant.call("GET", path)).json
    renamed = (await tenant.call("PATCH", path, json={"name": "b.txt"})).json
    assert (renamed["eTag"] != first["eTag"], renamed["cTag"]) == (True, first["cTag"])
    written = (await tenant.call("PUT", f"{path}/content", data=b"two")).json
    assert written["eTag"] != renamed["eTag"]
    assert written["cTag"] != first["cTag"]
    assert written["size"] == 3


async def test_write_with_an_old_version_is_412(tenant):
    path = await tenant.put_file("a.txt", b"one")
    old = {"If-Match": (await tenant.call("GET", path)).json["eTag"]}
    assert (await tenant.call("PUT", f"{path}/content", data=b"two", headers=old)).status == 200
    for method, where, body in (
        ("PUT", f"{path}/content", b"three"),
        ("PATCH", path, b'{"name": "x"}'),
        ("DELETE", path, None),
    ):
        answer = await tenant.call(method, where, data=body, headers=old)
        assert (answer.status, answer.code) == (412, "resourceModified")
    assert (await tenant.call("GET", path)).json["size"] == 3


async def test_overwritten_content_stays_as_a_version_until_it_is_deleted(tenant):
    path = await tenant.put_file("a.txt", b"secret")
    await tenant.call("PUT", f"{path}/content", data=b"tombstone")
    newest, older = (await tenant.call("GET", f"{path}/versions")).json["value"]
    assert (newest["id"], older["id"]) == ("2.0", "1.0")
    there = await tenant.call("GET", f"{path}/versions/1.0/content")
    token = there.headers["Location"].partition("/_content/")[2]
    assert (await tenant.call("GET", f"/_content/{token}", token=False)).body == b"secret"
    current = await tenant.call("DELETE", f"{path}/versions/2.0")
    assert (current.status, current.code) == (400, "invalidRequest")
    assert (await tenant.call("DELETE", f"{path}/versions/1.0")).status == 204
    assert (await tenant.call("GET", f"/_content/{token}", token=False)).status == 404
    assert len((await tenant.call("GET", f"{path}/versions")).json["value"]) == 1


async def test_move_keeps_the_id_and_stays_in_the_drive(tenant):
    path = await tenant.put_file("a.txt", b"one", folder="課/係")
    made = await tenant.call(
        "POST", f"{tenant.drive}/root/children", json={"name": "隔離", "folder": {}}
    )
    assert made.status == 201
    moved = await tenant.call("PATCH", path, json={"parentReference": {"id": made.json["id"]}})
    assert moved.json["parentReference"]["id"] == made.json["id"]
    abroad = {"parentReference": {"driveId": "b!other", "id": made.json["id"]}}
    assert (await tenant.call("PATCH", path, json=abroad)).status == 400
    inside = (await tenant.call("GET", f"{tenant.drive}/items/{made.json['id']}/children")).json
    assert [each["name"] for each in inside["value"]] == ["a.txt"]


async def test_name_is_taken_without_regard_to_case(tenant):
    await tenant.put_file("a.txt", b"one")
    other = await tenant.put_file("b.txt", b"two")
    answer = await tenant.call("PATCH", other, json={"name": "A.TXT"})
    assert (answer.status, answer.code) == (409, "nameAlreadyExists")
    body = {"name": "A.TXT", "@microsoft.graph.conflictBehavior": "rename"}
    assert (await tenant.call("PATCH", other, json=body)).json["name"] == "A 1.TXT"


@pytest.mark.parametrize("form", ["root:/課/新.txt:", "root%3A%2F%E8%AA%B2%2F%E6%96%B0.txt%3A"])
async def test_path_addresses_a_file_that_is_not_there_yet(tenant, form):
    made = await tenant.call("PUT", f"{tenant.drive}/items/{form}/content", data=b"new")
    assert (made.status, made.json["name"]) == (201, "新.txt")
    again = await tenant.call("PUT", f"{tenant.drive}/items/{form}/content", data=b"newer")
    assert (again.status, again.json["id"]) == (200, made.json["id"])
    assert (await tenant.call("GET", f"{tenant.drive}/items/{form}")).json["size"] == 5


async def test_inherited_permission_cannot_be_removed_from_the_item(tenant):
    path = await tenant.put_file("a.txt", b"one", folder="共有")
    folder = (await tenant.call("GET", path)).json["parentReference"]["id"]
    await tenant.admin("POST", f"drives/{tenant.user['drive_id']}/items/{folder}/links", json={})
    own = await tenant.call(
        "POST", f"{path}/createLink", json={"type": "edit", "scope": "anonymous"}
    )
    assert (own.status, own.json["roles"]) == (201, ["write"])
    again = await tenant.call(
        "POST", f"{path}/createLink", json={"type": "edit", "scope": "anonymous"}
    )
    assert (again.status, again.json["id"]) == (200, own.json["id"])
    listed = (await tenant.call("GET", f"{path}/permissions")).json["value"]
    inherited = [each for each in listed if "inheritedFrom" in each and "link" in each]
    assert [each["inheritedFrom"]["id"] for each in inherited] == [folder]
    refused = await tenant.call("DELETE", f"{path}/permissions/{inherited[0]['id']}")
    assert (refused.status, refused.code) == (403, "accessDenied")
    assert (await tenant.call("DELETE", f"{path}/permissions/{own.json['id']}")).status == 204
    left = (await tenant.call("GET", f"{path}/permissions")).json["value"]
    assert all("inheritedFrom" in each for each in left)


async def test_invitation_grants_each_recipient(tenant):
    path = await tenant.put_file("a.txt", b"one")
    people = [{"email": "a@out.example"}, {"email": "b@out.example"}]
    body = {"recipients": people, "roles": ["read"], "requireSignIn": True}
    made = (await tenant.call("POST", f"{path}/invite", json=body)).json["value"]
    assert [each["grantedToV2"]["user"]["email"] for each in made] == [
        "a@out.example",
        "b@out.example",
    ]
    assert (await tenant.call("GET", path)).json["shared"] == {"scope": "users"}


async def test_column_must_exist(tenant):
    path = await tenant.put_file("a.txt", b"one")
    before = (await tenant.call("GET", path)).json
    unknown = await tenant.call("PATCH", f"{path}/listItem/fields", json={"Sekisho": "x"})
    assert unknown.status == 400
    drive = tenant.user["drive_id"]
    await tenant.admin("POST", f"drives/{drive}/columns", json={"name": "Sekisho"})
    known = await tenant.call("PATCH", f"{path}/listItem/fields", json={"Sekisho": "x"})
    assert (known.status, known.json["Sekisho"]) == (200, "x")
    after = (await tenant.call("GET", path)).json
    assert (after["eTag"] != before["eTag"], after["cTag"]) == (True, before["cTag"])


async def upload(tenant, url, data, first, total, *, token=False):
    headers = {"Content-Range": f"bytes {first}-{first + len(data) - 1}/{total}"}
    path = "/_upload/" + url.partition("/_upload/")[2]
    return await tenant.call("PUT", path, data=data, headers=headers, token=token)


async def test_upload_session_takes_chunks_in_order(tenant):
    data = bytes(range(256)) * (CHUNK // 128) + b"tail"
    where = f"{tenant.drive}/items/root:/big.bin:/createUploadSession"
    session = (await tenant.call("POST", where, json={"item": {}})).json
    url, total = session["uploadUrl"], len(data)
    with_token = await upload(tenant, url, data[:CHUNK], 0, total, token=True)
    assert with_token.status == 401
    odd = await upload(tenant, url, data[:1000], 0, total)
    assert (odd.status, odd.code) == (400, "invalidRequest")
    first = await upload(tenant, url, data[:CHUNK], 0, total)
    assert (first.status, first.json["nextExpectedRanges"]) == (202, [f"{CHUNK}-"])
    gap = await upload(tenant, url, data[-4:], total - 4, total)
    assert (gap.status, gap.code) == (416, "invalidRange")
    last = await upload(tenant, url, data[CHUNK:], CHUNK, total)
    assert (last.status, last.json["size"]) == (201, total)
    item = next(each for each in (await tenant.state())["items"] if each["name"] == "big.bin")
    assert item["sha256"] == hashlib.sha256(data).hexdigest()


async def test_purged_file_is_gone_with_its_versions_and_remembered(tenant):
    path = await tenant.put_file("a.txt", b"one")
    assert (await tenant.call("POST", f"{path}/permanentDelete")).status == 204
    assert (await tenant.call("GET", path)).code == "itemNotFound"
    assert (await tenant.call("GET", f"{path}/versions")).status == 404
    purged = (await tenant.state())["purged_items"]
    assert purged[0]["versions"][0]["sha256"] == hashlib.sha256(b"one").hexdigest()


async def test_state_never_holds_contents(tenant):
    await tenant.put_file("a.txt", b"the content of a file")
    await tenant.receive(b"Subject: s\r\n\r\nthe content of a mail\r\n")
    body = (await tenant.call("GET", "/_admin/state", token=False)).body
    assert b"the content" not in body
