"""Teams: messages, replies, edits, hosted contents, delta, and the verdict that blocks."""

from __future__ import annotations

import base64
import re

import pytest

UPN = "hanako@city.example"
BLOCK = {
    "dlpAction": "NotifySender, BlockAccess",
    "verdictDetails": "AllowOverrideWithoutJustification",
    "policyTip": {
        "generalText": "個人番号が含まれています",
        "complianceUrl": "https://city.example/rules",
        "matchedConditionDescriptions": ["マイナンバー"],
    },
}


class Thread:
    def __init__(self, tenant, path):
        self.tenant, self.path = tenant, path
        self.messages = f"/v1.0/{path}/messages"

    async def send(self, text="本文", **body):
        body = {"from": UPN, "text": text} | body
        made = await self.tenant.admin("POST", f"{self.path}/messages", json=body)
        return made["id"]

    async def edit(self, key, text):
        await self.tenant.admin("PATCH", f"{self.path}/messages/{key}", json={"text": text})

    async def delete(self, key):
        await self.tenant.admin("DELETE", f"{self.path}/messages/{key}")

    async def get(self, tail=""):
        answer = await self.tenant.call("GET", f"{self.messages}{tail}")
        assert answer.status == 200, answer.body
        return answer.json

    async def block(self, tail, violation=BLOCK, **more):
        body = {"policyViolation": violation} | more
        return await self.tenant.call("PATCH", f"{self.messages}/{tail}", json=body)


async def channel(tenant):
    team = await tenant.admin("POST", "teams", json={"name": "課"})
    return Thread(tenant, f"teams/{team['id']}/channels/{team['channels'][0]['id']}")


async def chat(tenant):
    made = await tenant.admin("POST", "chats", json={"members": [UPN]})
    return Thread(tenant, f"chats/{made['id']}")


@pytest.fixture(params=[channel, chat], ids=["channel", "chat"])
async def thread(request, tenant):
    return await request.param(tenant)


async def walk(thread, link):
    found = []
    while True:
        page = await thread.get(link)
        found += page["value"]
        following = page.get("@odata.nextLink") or page["@odata.deltaLink"]
        link = following.partition("/messages")[2]
        if "@odata.deltaLink" in page:
            return found, link


async def test_message_is_as_it_was_sent(thread):
    key = await thread.send("窓口の件")
    shown = await thread.get(f"/{key}")
    assert shown["body"] == {"contentType": "text", "content": "窓口の件"}
    assert shown["from"]["user"]["userIdentityType"] == "aadUser"
    assert (shown["id"], shown["etag"]) == (key, key)
    assert (shown["lastEditedDateTime"], shown["deletedDateTime"]) == (None, None)


async def test_edit_moves_the_version_on_and_says_when(thread):
    key = await thread.send()
    await thread.edit(key, "変更")
    shown = await thread.get(f"/{key}")
    assert shown["body"]["content"] == "変更"
    assert int(shown["etag"]) > int(key)
    assert shown["lastEditedDateTime"] == shown["lastModifiedDateTime"] != shown["createdDateTime"]


async def test_deleted_message_stays_without_its_text(thread):
    key = await thread.send("secret")
    await thread.delete(key)
    shown = await thread.get(f"/{key}")
    assert shown["deletedDateTime"] is not None
    assert shown["body"]["content"] == ""


async def test_block_is_an_empty_200_and_is_read_back(thread):
    key = await thread.send()
    answer = await thread.block(key)
    assert (answer.status, answer.body) == (200, b"")
    shown = await thread.get(f"/{key}")
    assert shown["policyViolation"]["dlpAction"] == "notifySender, blockAccess"
    assert shown["policyViolation"]["policyTip"] == BLOCK["policyTip"]
    assert shown["lastEditedDateTime"] is None
    assert int(shown["etag"]) > int(key)


@pytest.mark.parametrize(
    ("sent", "stored"),
    [
        ("BlockAccess", "blockAccess"),
        ("blockAccess,notifySender", "notifySender, blockAccess"),
        ("None", "none"),
        (None, "none"),
    ],
)
async def test_flags_come_as_a_word_or_a_list_in_a_string(thread, sent, stored):
    key = await thread.send()
    assert (await thread.block(key, {"dlpAction": sent})).status == 200
    assert (await thread.get(f"/{key}"))["policyViolation"]["dlpAction"] == stored


@pytest.mark.parametrize(
    "violation",
    [
        {"dlpAction": "Block"},
        {"dlpAction": ["NotifySender", "BlockAccess"]},
        {"dlpAction": "NotifySender BlockAccess"},
        {"dlpAction": ""},
        {"dlpAction": "BlockAccess", "verdictDetails": "AllowAll"},
        {"dlpAction": "BlockAccess", "policyTip": "tip"},
        {"dlpAction": "BlockAccess", "policyTip": {"text": "tip"}},
        {"dlpAction": "BlockAccess", "policyTip": {"generalText": 1}},
        {"dlpAction": "BlockAccess", "policyTip": {"matchedConditionDescriptions": "one"}},
        {"action": "BlockAccess"},
        None,
        "BlockAccess",
    ],
)
async def test_wrong_verdict_is_refused_and_changes_nothing(thread, violation):
    key = await thread.send()
    answer = await thread.block(key, violation)
    assert (answer.status, answer.code) == (400, "BadRequest")
    assert (await thread.get(f"/{key}"))["policyViolation"] is None


async def test_nothing_else_can_be_patched(thread):
    key = await thread.send("own words")
    body = {"body": {"contentType": "text", "content": "others' words"}}
    assert (await thread.block(key, **body)).status == 400
    path = f"{thread.messages}/{key}"
    assert (await thread.tenant.call("PATCH", path, json=body)).status == 400
    assert (await thread.get(f"/{key}"))["body"]["content"] == "own words"


@pytest.mark.parametrize(
    "sender",
    [
        {"displayName": "外部", "tenantId": "another", "userIdentityType": "aadUser"},
        {"displayName": "外部", "userIdentityType": "federatedUser"},
        {"displayName": "客", "userIdentityType": "anonymousGuest"},
    ],
)
async def test_external_sender_cannot_be_blocked(thread, sender):
    key = await thread.send(**{"from": sender})
    assert (await thread.block(key)).status == 403
    assert (await thread.get(f"/{key}"))["policyViolation"] is None


async def test_unknown_places_are_404(thread):
    key = await thread.send()
    other = await (channel if thread.path.startswith("chats") else chat)(thread.tenant)
    for path in (f"{thread.messages}/1", f"{other.messages}/{key}", "/v1.0/chats/19:x/messages"):
        assert (await thread.tenant.call("GET", path)).status == 404


async def test_replies_are_below_their_message(tenant):
    thread = await channel(tenant)
    root = await thread.send("root")
    reply = await thread.send("reply", reply_to=root)
    assert [each["id"] for each in (await thread.get())["value"]] == [root]
    assert [each["id"] for each in (await thread.get(f"/{root}/replies"))["value"]] == [reply]
    assert (await thread.get(f"/{root}/replies/{reply}"))["replyToId"] == root
    assert (await tenant.call("GET", f"{thread.messages}/{reply}")).status == 404
    assert (await thread.block(f"{root}/replies/{reply}")).status == 200
    changes, link = await walk(thread, f"/{root}/replies/delta()")
    assert [each["policyViolation"] is None for each in changes] == [False]
    await thread.edit(reply, "変更")
    assert [each["id"] for each in (await walk(thread, link))[0]] == [reply]


async def test_delta_tells_each_message_that_changed_once(thread):
    keys = [await thread.send(str(n)) for n in range(5)]
    found, link = await walk(thread, "/delta()?$top=2")
    assert [each["id"] for each in found] == keys
    assert (await walk(thread, link))[0] == []
    await thread.edit(keys[0], "edited")
    await thread.delete(keys[1])
    await thread.block(keys[2])
    new = await thread.send("new")
    found, link = await walk(thread, link)
    assert [each["id"] for each in found] == [*keys[:3], new]
    assert found[1]["deletedDateTime"] is not None
    other = await chat(thread.tenant)
    token = link.partition("deltatoken=")[2]
    path = f"{other.messages}/delta()?$deltatoken={token}"
    assert (await thread.tenant.call("GET", path)).status == 400


async def test_hosted_content_is_linked_in_the_text(thread):
    picture = {"contentType": "image/png", "contentBytes": base64.b64encode(b"picture").decode()}
    key = await thread.send("見て", hosted=[picture])
    shown = await thread.get(f"/{key}")
    link = re.search(r'<img src="([^"]+)"', shown["body"]["content"])[1]
    answer = await thread.tenant.call("GET", "/v1.0" + link.partition("/v1.0")[2])
    assert (answer.status, answer.body) == (200, b"picture")
    listed = (await thread.get(f"/{key}/hostedContents"))["value"]
    assert [each["contentBytes"] for each in listed] == [None]


async def test_all_messages_are_found_by_what_changed_since(tenant):
    one, two = await chat(tenant), await channel(tenant)
    old = await one.send("old")
    since = (await one.get(f"/{old}"))["lastModifiedDateTime"]
    new = await one.send("new")
    root = await two.send("root")
    await two.send("reply", reply_to=root)
    everything = await tenant.call("GET", "/v1.0/chats/getAllMessages()")
    assert [each["id"] for each in everything.json["value"]] == [new, old]
    query = f"$filter=lastModifiedDateTime gt {since}"
    mine = await tenant.call("GET", f"{tenant.me}/chats/getAllMessages()?{query}")
    assert [each["id"] for each in mine.json["value"]] == [new]
    team = two.path.split("/")[1]
    channels = await tenant.call("GET", f"/v1.0/teams/{team}/channels/getAllMessages()")
    assert len(channels.json["value"]) == 2


@pytest.mark.parametrize(
    "query", ["$top=51", "$filter=subject eq 'x'", "$filter=lastModifiedDateTime gt x"]
)
async def test_list_refuses_what_it_does_not_know(thread, query):
    await thread.send()
    assert (await thread.tenant.call("GET", f"{thread.messages}?{query}")).status == 400


async def test_lists_lead_to_every_thread(tenant):
    two = await channel(tenant)
    one = await chat(tenant)
    (team,) = (await tenant.call("GET", "/v1.0/teams")).json["value"]
    (found,) = (await tenant.call("GET", f"/v1.0/teams/{team['id']}/channels")).json["value"]
    assert two.path == f"teams/{team['id']}/channels/{found['id']}"
    (mine,) = (await tenant.call("GET", f"{tenant.me}/chats")).json["value"]
    assert one.path == f"chats/{mine['id']}"
