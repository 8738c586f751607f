from __future__ import annotations

import base64
import email
import email.policy
import hashlib

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from local.graph.wire import mime

IMMUTABLE = {"Prefer": 'IdType="ImmutableId"'}
PROPERTY = "String {5a1c9a3e-7e0b-4c0e-9a61-6f0b5e3d2c71} Name SekishoVerdict"
PLAIN = (
    b"From: =?ISO-2022-JP?B?GyRCO3NFRBsoQg==?= <yamada@out.example>\r\n"
    b"To: hanako@city.example\r\nCc: a@x.example, b@x.example\r\n"
    b"Subject: =?UTF-8?B?44GK55+l44KJ44Gb?=\r\nMessage-ID: <one@out.example>\r\n"
    b"Date: Mon, 02 Nov 2026 09:00:00 +0900\r\n"
    b"Content-Type: text/plain; charset=ISO-2022-JP\r\n\r\n"
    + "本文です".encode("iso2022_jp")
    + b"\r\n"
)


def with_attachments():
    message = email.message.EmailMessage(policy=email.policy.SMTP)
    message["Subject"], message["To"] = "添付", "hanako@city.example"
    message.set_content("see attached")
    message.add_attachment(b"PK data", maintype="application", subtype="zip", filename="申請書.zip")
    inner = email.message.EmailMessage(policy=email.policy.SMTP)
    inner["Subject"] = "inner"
    inner.set_content("inside")
    message.add_attachment(inner)
    return message.as_bytes()


async def test_received_mail_keeps_its_bytes(tenant):
    key = await tenant.receive(PLAIN)
    answer = await tenant.call("GET", f"{tenant.message(key)}/$value")
    assert (answer.status, answer.body) == (200, PLAIN)


async def test_received_mail_is_described(tenant):
    key = await tenant.receive(PLAIN)
    read = (await tenant.call("GET", tenant.message(key), headers=IMMUTABLE)).json
    assert read["id"] == key
    assert read["subject"] == "お知らせ"
    assert read["from"]["emailAddress"]["address"] == "yamada@out.example"
    assert [each["emailAddress"]["address"] for each in read["ccRecipients"]] == [
        "a@x.example",
        "b@x.example",
    ]
    assert read["body"]["content"].strip() == "本文です"
    assert read["sentDateTime"] == "2026-11-02T00:00:00Z"
    assert (read["isDraft"], read["isRead"], read["hasAttachments"]) == (False, False, False)
    assert "internetMessageHeaders" not in read
    assert read["@odata.etag"] == f'W/"{read["changeKey"]}"'


async def test_headers_come_only_where_selected(tenant):
    key = await tenant.receive(PLAIN)
    path = f"{tenant.message(key)}?$select=internetMessageHeaders"
    read = (await tenant.call("GET", path)).json
    assert set(read) == {"@odata.etag", "id", "internetMessageHeaders"}
    assert {"name": "Message-ID", "value": "<one@out.example>"} in read["internetMessageHeaders"]


async def test_ids_are_case_sensitive(tenant):
    key = await tenant.receive(PLAIN)
    answer = await tenant.call("GET", tenant.message(key.swapcase()))
    assert (answer.status, answer.code) == (404, "ErrorItemNotFound")


async def test_tag_replaces_categories_and_merges_properties(tenant):
    path = tenant.message(await tenant.receive(PLAIN))
    other = PROPERTY.replace("SekishoVerdict", "Other")
    first = {
        "categories": ["一", "二"],
        "singleValueExtendedProperties": [
            {"id": PROPERTY, "value": "1"},
            {"id": other, "value": "o"},
        ],
    }
    await tenant.call("PATCH", path, json=first)
    second = {
        "categories": ["三"],
        "singleValueExtendedProperties": [{"id": PROPERTY, "value": "2"}],
    }
    assert (await tenant.call("PATCH", path, json=second)).json["categories"] == ["三"]
    expand = (
        f"?$expand=singleValueExtendedProperties($filter=id eq '{PROPERTY}' or id eq '{other}')"
    )
    read = (await tenant.call("GET", path + expand)).json["singleValueExtendedProperties"]
    assert {each["id"]: each["value"] for each in read} == {PROPERTY: "2", other: "o"}
    assert "singleValueExtendedProperties" not in (await tenant.call("GET", path)).json


async def test_property_never_set_is_left_out_of_the_answer(tenant):
    path = tenant.message(await tenant.receive(PLAIN))
    expand = f"?$expand=singleValueExtendedProperties($filter=id eq '{PROPERTY}')"
    read = (await tenant.call("GET", path + expand)).json
    assert "singleValueExtendedProperties" not in read


async def test_change_moves_the_version_and_an_old_one_is_refused(tenant):
    path = tenant.message(await tenant.receive(PLAIN))
    before = (await tenant.call("GET", path)).json["@odata.etag"]
    changed = await tenant.call("PATCH", path, json={"isRead": True}, headers={"If-Match": before})
    assert changed.status == 200
    assert changed.json["@odata.etag"] != before
    late = await tenant.call("PATCH", path, json={"isRead": False}, headers={"If-Match": before})
    assert (late.status, late.code) == (412, "ErrorIrresolvableConflict")
    assert (await tenant.call("GET", path)).json["isRead"] is True


@pytest.mark.parametrize("body", [{"subject": "new"}, {"body": {"content": "x"}}, {"madeUp": 1}])
async def test_received_content_cannot_be_rewritten(tenant, body):
    path = tenant.message(await tenant.receive(PLAIN))
    answer = await tenant.call("PATCH", path, json=body)
    assert (answer.status, answer.code) == (400, "ErrorInvalidPropertySet")


async def test_move_changes_the_mutable_id_and_keeps_the_immutable(tenant):
    key = await tenant.receive(PLAIN)
    old = (await tenant.call("GET", tenant.message(key))).json["id"]
    moved = await tenant.call(
        "POST", f"{tenant.message(old)}/move", json={"DestinationId": "archive"}
    )
    assert moved.status == 201
    assert moved.json["id"] not in {old, key}
    assert (await tenant.call("GET", tenant.message(old))).status == 404
    kept = await tenant.call("GET", tenant.message(key), headers=IMMUTABLE)
    assert (kept.json["id"], kept.json["parentFolderId"]) == (key, moved.json["parentFolderId"])


async def test_move_to_nowhere_is_404(tenant):
    path = tenant.message(await tenant.receive(PLAIN))
    answer = await tenant.call("POST", f"{path}/move", json={"destinationId": "nowhere"})
    assert (answer.status, answer.code) == (404, "ErrorFolderNotFound")


async def test_purged_mail_is_gone_and_retained(tenant):
    key = await tenant.receive(PLAIN)
    assert (await tenant.call("POST", f"{tenant.message(key)}/permanentDelete")).status == 204
    for path in (tenant.message(key), f"{tenant.message(key)}/$value"):
        assert (await tenant.call("GET", path)).status == 404
    assert (await tenant.call("GET", f"{tenant.me}/messages")).json["value"] == []
    state = await tenant.state()
    assert state["messages"] == []
    assert [each["sha256"] for each in state["retained"]] == [hashlib.sha256(PLAIN).hexdigest()]
    raw = await tenant.call("GET", f"/_admin/users/{tenant.user['id']}/messages/{key}/raw")
    assert raw.body == PLAIN


async def test_deleted_mail_passes_through_two_bins(tenant):
    key = await tenant.receive(PLAIN)
    seen = []
    for _ in range(3):
        assert (await tenant.call("DELETE", tenant.message(key))).status == 204
        messages = (await tenant.state())["messages"]
        seen.append(messages[0]["folder"] if messages else "gone")
    assert seen == ["deleteditems", "recoverableitemsdeletions", "gone"]


async def test_mime_import_makes_a_draft_of_the_same_bytes(tenant):
    data, headers = base64.b64encode(PLAIN), {"Content-Type": "text/plain"}
    made = await tenant.call("POST", f"{tenant.me}/messages", data=data, headers=headers)
    assert (made.status, made.json["isDraft"], made.json["subject"]) == (201, True, "お知らせ")
    assert (await tenant.call("GET", f"{tenant.message(made.json['id'])}/$value")).body == PLAIN
    assert (await tenant.state())["messages"][0]["folder"] == "drafts"


@pytest.mark.parametrize("data", [b"", b"not base64", PLAIN])
async def test_mime_import_refuses_what_is_not_base64(tenant, data):
    headers = {"Content-Type": "text/plain"}
    answer = await tenant.call("POST", f"{tenant.me}/messages", data=data, headers=headers)
    assert (answer.status, answer.code) == (400, "ErrorMimeContentInvalidBase64String")


async def test_json_draft_is_composed_as_mime(tenant):
    body = {
        "subject": "お知らせ",
        "body": {"contentType": "html", "content": "<p>隔離しました</p>"},
        "toRecipients": [{"emailAddress": {"address": "a@city.example"}}],
    }
    made = await tenant.call("POST", f"{tenant.me}/mailFolders/inbox/messages", json=body)
    raw = (await tenant.call("GET", f"{tenant.message(made.json['id'])}/$value")).body
    message = email.message_from_bytes(raw, policy=email.policy.default)
    assert (message["subject"], message["to"]) == ("お知らせ", "a@city.example")
    assert "隔離しました" in message.get_content()


async def test_attachments_are_files_and_messages(tenant):
    path = tenant.message(await tenant.receive(with_attachments()))
    assert (await tenant.call("GET", path)).json["hasAttachments"] is True
    file, item = (await tenant.call("GET", f"{path}/attachments")).json["value"]
    assert (file["@odata.type"], file["name"]) == ("#microsoft.graph.fileAttachment", "申請書.zip")
    assert base64.b64decode(file["contentBytes"]) == b"PK data"
    assert (item["@odata.type"], item["name"]) == ("#microsoft.graph.itemAttachment", "inner")
    assert "contentBytes" not in item
    assert (await tenant.call("GET", f"{path}/attachments/{file['id']}/$value")).body == b"PK data"
    inner = await tenant.call("GET", f"{path}/attachments/{item['id']}/$value")
    assert b"Subject: inner" in inner.body


async def test_sent_mail_is_kept_and_received(tenant):
    message = {
        "subject": "通知",
        "toRecipients": [{"emailAddress": {"address": "hanako@city.example"}}],
    }
    body = {"message": message, "saveToSentItems": True}
    assert (await tenant.call("POST", f"{tenant.me}/sendMail", json=body)).status == 202
    folders = sorted(each["folder"] for each in (await tenant.state())["messages"])
    assert folders == ["inbox", "sentitems"]
    assert (await tenant.admin("GET", "state"))["sent"][0]["to"] == ["hanako@city.example"]


async def test_folder_made_hidden_is_listed_only_on_request(tenant):
    body = {"displayName": "関所隔離", "isHidden": True}
    made = await tenant.call("POST", f"{tenant.me}/mailFolders", json=body)
    assert (made.status, made.json["isHidden"]) == (201, True)
    again = await tenant.call("POST", f"{tenant.me}/mailFolders", json=body)
    assert (again.status, again.code) == (409, "ErrorFolderExists")
    plain = (await tenant.call("GET", f"{tenant.me}/mailFolders")).json["value"]
    hidden = await tenant.call("GET", f"{tenant.me}/mailFolders?includeHiddenFolders=true")
    assert made.json["id"] not in {each["id"] for each in plain}
    assert made.json["id"] in {each["id"] for each in hidden.json["value"]}


async def test_category_is_made_once(tenant):
    path, body = f"{tenant.me}/outlook/masterCategories", {"displayName": "関所: 確認済"}
    assert (await tenant.call("POST", path, json=body)).status == 201
    assert (await tenant.call("POST", path, json=body)).status == 409
    assert len((await tenant.call("GET", path)).json["value"]) == 1


async def test_list_finds_by_message_id_and_refuses_other_filters(tenant):
    await tenant.receive(PLAIN)
    await tenant.receive(b"Message-ID: <two@out.example>\r\n\r\n")
    path = f"{tenant.me}/messages?$filter="
    found = await tenant.call("GET", f"{path}internetMessageId eq '<one@out.example>'")
    assert [each["subject"] for each in found.json["value"]] == ["お知らせ"]
    refused = await tenant.call("GET", f"{path}subject eq 'x'")
    assert refused.status == 400


async def test_list_pages_by_links(tenant):
    for number in range(5):
        await tenant.receive(b"Subject: %d\r\n\r\n" % number)
    path, subjects = f"{tenant.me}/mailFolders/inbox/messages?$top=2", []
    while path:
        page = (await tenant.call("GET", path)).json
        subjects += [each["subject"] for each in page["value"]]
        path = page.get("@odata.nextLink", "").partition("127.0.0.1")[2].partition("/")[2]
        path = f"/{path}" if path else ""
    assert subjects == ["4", "3", "2", "1", "0"]


@settings(max_examples=150)
@given(st.binary(max_size=300), st.sampled_from([b"", PLAIN, with_attachments()]))
def test_no_mail_is_refused_for_its_form(noise, start):
    values, _ = mime.properties(start + noise)
    assert values["internetMessageId"]
    values, _ = mime.properties(noise + start)
    assert values["receivedDateTime"].endswith("Z")


async def test_what_a_draft_says_can_be_edited_and_its_mime_follows(tenant):
    said = {"subject": "案", "body": {"contentType": "text", "content": "first words"}}
    made = (await tenant.call("POST", f"{tenant.me}/messages", json=said, headers=IMMUTABLE)).json
    path = tenant.message(made["id"])
    body = {"body": {"contentType": "text", "content": "other words"}}
    edited = (await tenant.call("PATCH", path, json=body, headers=IMMUTABLE)).json
    assert edited["changeKey"] != made["changeKey"]
    assert edited["bodyPreview"] == "other words"
    raw = (await tenant.call("GET", f"{path}/$value")).body
    assert (b"other words" in raw, b"first words" in raw) == (True, False)
