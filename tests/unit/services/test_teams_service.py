"""Teams messages: read with pictures, stopped by a verdict, lifted by a clean edit."""

from __future__ import annotations

import base64
import time
from urllib.parse import quote

import pytest

from shared.errors import GoneError, MalformedError, PermanentError, SupersededError
from shared.extract import extract
from shared.model import Disposition, Envelope, GapCode, Item, OutcomeState
from shared.services.threads import address, item_at, item_of
from shared.services.words import TIP_START

PIXEL = base64.b64encode(
    base64.b64decode(
        "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
    )
).decode()


class Thread:
    """A channel or a chat of the stand-in, and what people do in it."""

    def __init__(self, rig, path, recipient, thread):
        self.rig, self.path, self.recipient, self.thread = rig, path, recipient, thread

    async def send(self, text="打合せです", **more):
        body = {"from": self.rig.UPN, "text": text, **more}
        made = await self.rig.admin("POST", f"{self.path}/messages", body)
        return self.thread.messages[made["id"]]

    async def edit(self, message, text):
        await self.rig.admin("PATCH", f"{self.path}/messages/{message.id}", {"text": text})

    def item(self, message):
        moment = message.edited or message.created
        text = moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")
        root = f"/messages/{message.reply_to}" if message.reply_to else ""
        return Item("teams", message.id, f"{self.recipient}{root}", text)


async def channel(rig):
    team = await rig.admin("POST", "teams", {"name": "福祉課"})
    there = team["channels"][0]["id"]
    path = f"teams/{team['id']}/channels/{quote(there)}"
    found = rig.world.teams.teams[team["id"]].channels[there]
    return Thread(rig, path, f"teams/{team['id']}/channels/{there}", found)


async def chat(rig):
    made = await rig.admin("POST", "chats", {"members": [rig.UPN]})
    found = rig.world.teams.chats[made["id"]]
    return Thread(rig, f"chats/{quote(made['id'])}", f"chats/{made['id']}", found)


@pytest.fixture(params=[channel, chat])
async def thread(request, rig):
    return await request.param(rig)


async def test_fetch_reads_the_text_and_who_wrote_it(rig, thread):
    message = await thread.send("届出の件です")
    fetched = await rig.teams().fetch(thread.item(message))
    extraction, _ = extract(fetched.content, clock=time.monotonic)
    assert [each.text for each in extraction.segments if each.location.startswith("本文")] == [
        "届出の件です"
    ]
    assert (fetched.context.place, fetched.context.owner) == ("teams_internal", rig.user.id)


async def test_a_picture_in_a_message_is_read_or_a_gap(rig, thread):
    hosted = [{"contentType": "image/png", "contentBytes": PIXEL}]
    message = await thread.send(html="<p>写真</p>", text="", hosted=hosted)
    fetched = await rig.teams().fetch(thread.item(message))
    assert base64.b64decode(PIXEL)[:8] in base64.b64decode(
        fetched.content.data.split(b"\r\n\r\n")[-1].split(b"\r\n--")[0].replace(b"\r\n", b"")
    )


async def test_a_file_in_a_message_is_a_named_gap_and_its_name_is_read(rig, thread):
    attachments = [
        {"id": "1", "contentType": "reference", "contentUrl": "https://x", "name": "名簿.xlsx"}
    ]
    message = await thread.send(attachments=attachments)
    fetched = await rig.teams().fetch(thread.item(message))
    assert [each.code for each in fetched.gaps] == [GapCode.EXTERNAL]
    extraction, _ = extract(fetched.content, clock=time.monotonic)
    assert "名簿.xlsx" in "".join(each.text for each in extraction.segments)


async def test_an_edited_message_is_superseded_and_followed(rig, thread):
    message = await thread.send()
    item = thread.item(message)
    await thread.edit(message, "訂正")
    with pytest.raises(SupersededError):
        await rig.teams().fetch(item)
    assert rig.queued()[0]["item"]["content_version"] == thread.item(message).content_version


async def test_a_message_taken_back_is_gone(rig, thread):
    message = await thread.send()
    item = thread.item(message)
    rig.world.teams.delete(thread.thread, message)
    with pytest.raises(GoneError):
        await rig.teams().fetch(item)
    assert (await rig.teams().apply(rig.claim(item, Disposition.BLOCK))).state is OutcomeState.GONE


async def test_block_sets_both_flags_a_tip_and_keeps_evidence(rig, thread):
    message = await thread.send()
    outcome = await rig.teams().apply(rig.claim(thread.item(message), Disposition.BLOCK))
    assert outcome.state is OutcomeState.APPLIED
    assert message.violation["dlpAction"] == "notifySender, blockAccess"
    assert message.violation["policyTip"]["generalText"].startswith(TIP_START)
    assert "個人番号" in message.violation["policyTip"]["matchedConditionDescriptions"][0]
    assert "打合せです".encode() not in await rig.evidence.read(outcome.evidence_ref)  # base64
    assert base64.b64encode("打合せです".encode()) in await rig.evidence.read(outcome.evidence_ref)


async def test_block_of_a_reply_sets_its_own_verdict(rig):
    thread = await channel(rig)
    root = await thread.send("元の投稿")
    reply = await thread.send("返信", reply_to=root.id)
    outcome = await rig.teams().apply(rig.claim(thread.item(reply), Disposition.BLOCK))
    assert outcome.state is OutcomeState.APPLIED
    assert (root.violation, bool(reply.violation)) == (None, True)


async def test_our_own_verdict_is_no_new_version(rig, thread):
    message = await thread.send()
    item = thread.item(message)
    await rig.teams().apply(rig.claim(item, Disposition.BLOCK))
    assert (await rig.teams().fetch(item)).etag == item.content_version


async def test_block_applied_twice_writes_once(rig, thread):
    message = await thread.send()
    claim = rig.claim(thread.item(message), Disposition.BLOCK)
    await rig.teams().apply(claim)
    etag = message.etag
    assert (await rig.teams().apply(claim)).state is OutcomeState.APPLIED
    assert message.etag == etag


async def test_a_clean_edit_lifts_the_block(rig, thread):
    message = await thread.send()
    await rig.teams().apply(rig.claim(thread.item(message), Disposition.BLOCK))
    await thread.edit(message, "訂正しました")
    outcome = await rig.teams().apply(rig.claim(thread.item(message), Disposition.ALLOW))
    assert outcome.state is OutcomeState.APPLIED
    assert message.violation["dlpAction"] == "none"


async def test_the_verdict_of_somebody_else_is_not_lifted(rig, thread):
    message = await thread.send()
    rig.world.teams.violate(
        thread.thread, message, {"dlpAction": "blockAccess", "policyTip": {"generalText": "DLP"}}
    )
    outcome = await rig.teams().apply(rig.claim(thread.item(message), Disposition.ALLOW))
    assert outcome.state is OutcomeState.RECORDED
    assert message.violation["dlpAction"] == "blockAccess"


@pytest.mark.parametrize("disposition", [Disposition.TAG, Disposition.REVIEW])
async def test_a_tag_and_a_review_are_recorded_by_name(rig, thread, disposition):
    message = await thread.send()
    etag = message.etag
    outcome = await rig.teams().apply(rig.claim(thread.item(message), disposition))
    assert (outcome.state, message.etag) == (OutcomeState.RECORDED, etag)
    assert [(each.name, each.result) for each in outcome.steps] == [("message", "recorded_only")]


async def test_block_of_an_outsiders_message_is_not_enforceable(rig, thread):
    stranger = {"displayName": "x", "userIdentityType": "federatedUser", "tenantId": "other"}
    message = await thread.send(**{"from": stranger})
    item = thread.item(message)
    outcome = await rig.teams().apply(rig.claim(item, Disposition.BLOCK))
    assert outcome.state is OutcomeState.NOT_ENFORCEABLE
    assert ("policy_violation", "refused") in [(e.name, e.result) for e in outcome.steps]
    assert (await rig.teams().fetch(item)).context.place == "teams_external"


async def test_a_missing_permission_is_not_taken_for_an_outsider(rig, thread):
    message = await thread.send()
    await rig.admin("POST", "faults", {"match": {"method": "PATCH"}, "times": 1, "status": 403})
    with pytest.raises(PermanentError, match="UpdatePolicyViolation"):
        await rig.teams().apply(rig.claim(thread.item(message), Disposition.BLOCK))


async def test_block_killed_at_any_call_ends_as_if_it_had_not(rig, thread):
    number, finished = 0, False
    while not finished:
        for moment in ("before", "after"):
            message = await thread.send(f"{number}{moment}")
            claim = rig.claim(thread.item(message), Disposition.BLOCK)
            rig.graph.calls.clear()
            rig.graph.die_at = (number, moment)
            try:
                outcome = await rig.teams().apply(claim)
                finished = True
            except rig.Killed:
                rig.graph.die_at = None
                outcome = await rig.teams().apply(claim)
            rig.graph.die_at = None
            assert outcome.state is OutcomeState.APPLIED
            assert message.violation["dlpAction"] == "notifySender, blockAccess"
        number += 1
    assert number >= 3


async def sweep(rig, source, user):
    account = await rig.subscriptions.register(source, user)
    body = {"job": "sweep", "source": source, "account": account.ref}
    envelope = type("E", (), {"body": body, "first_seen": rig.clock(), "trace": ""})
    return await rig.resolver().job(envelope)


async def test_sweep_finds_messages_replies_and_edits_of_channels(rig):
    thread = await channel(rig)
    root = await thread.send("元")
    reply = await thread.send("返信", reply_to=root.id)
    assert await sweep(rig, "teams", "teams") == 2
    found = {(each["item"]["id"], each["item"]["recipient"]) for each in rig.queued()}
    assert found == {
        (root.id, thread.recipient),
        (reply.id, f"{thread.recipient}/messages/{root.id}"),
    }


async def test_sweep_of_chats_is_by_user(rig):
    thread = await chat(rig)
    message = await thread.send()
    assert await sweep(rig, "teams", "chats") == 0
    assert await sweep(rig, "chats", rig.user.id) == 1
    assert rig.queued()[0]["item"]["content_version"] == thread.item(message).content_version


def test_resource_of_a_notification_names_its_item():
    item = item_at("teams('t')/channels('19:a@thread.tacv2')/messages('1')/replies('2')")
    assert (item.id, item.recipient) == ("2", "teams/t/channels/19:a@thread.tacv2/messages/1")
    assert address(item)[1] == {
        "team": "t",
        "channel": "19:a@thread.tacv2",
        "root": "1",
        "message": "2",
    }
    assert item_at("chats('c')/messages('1')").recipient == "chats/c"
    assert item_at("users('u')/messages('1')") is None


@pytest.mark.parametrize(
    "message",
    [
        {},
        {"id": "1", "chatId": "c"},
        {"id": "1/..", "chatId": "c", "createdDateTime": "x"},
        {"id": "1", "chatId": "c/../d", "createdDateTime": "x"},
        {"id": "1", "channelIdentity": {"teamId": "t"}, "createdDateTime": "2026-04-01T00:00:00Z"},
        {"id": "1", "chatId": "..", "createdDateTime": "2026-04-01T00:00:00Z"},
        {"id": "..", "chatId": "c", "createdDateTime": "2026-04-01T00:00:00Z"},
    ],
)
def test_a_message_without_its_ids_is_malformed(message):
    with pytest.raises(MalformedError):
        item_of(message)


async def test_open_notification_is_looked_up_and_a_deleted_message_is_not_enqueued(rig, thread):
    message = await thread.send()
    hints = rig.resolver().teams
    where = thread.item(message)
    kind, _, rest = where.recipient.partition("/")
    resource = (
        f"chats('{rest}')/messages('{message.id}')"
        if kind == "chats"
        else f"teams('{rest.split('/')[0]}')/channels('{rest.split('/')[2]}')"
        f"/messages('{message.id}')"
    )
    envelope = Envelope("hint", rig.clock(), body={"resource": resource})
    assert await hints.hint(envelope) == 1
    assert rig.queued()[0]["item"]["content_version"] == where.content_version
    rig.world.teams.delete(thread.thread, message)
    assert await hints.hint(envelope) == 0


async def test_override_by_the_sender_is_not_blocked_again(rig, thread):
    message = await thread.send("番号")
    claim = rig.claim(thread.item(message), Disposition.BLOCK)
    await rig.teams().apply(claim)
    message.violation = {**message.violation, "userAction": "override"}
    outcome = await rig.teams().apply(claim)
    assert outcome.state is OutcomeState.NOT_ENFORCEABLE
    assert outcome.steps[-1].result == "overridden_by_the_sender"
    assert message.violation["userAction"] == "override"
