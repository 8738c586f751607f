"""Mail: fetched by MIME, tagged by category and property, stopped by removal; each step once."""

from __future__ import annotations

import json

import pytest

from shared.errors import GoneError, SupersededError
from shared.model import Disposition, OutcomeState
from shared.services.marker import NOTICE_PROPERTY, PROPERTY


def notices(rig, folder="inbox"):
    box = rig.user.mailbox
    return [
        each
        for each in box.messages.values()
        if NOTICE_PROPERTY in each.extended and each.folder == box.folder(folder).id
    ]


async def test_fetch_gives_mime_and_context(rig):
    message = rig.message(rig.mime("住民票"))
    fetched = await rig.mail().fetch(rig.mail_item(message))
    assert fetched.content.data == message.raw
    assert fetched.content.name == ""
    assert fetched.content.media_type == "message/rfc822"
    assert fetched.etag == message.change_key
    assert fetched.context.place == "own_mailbox"
    assert fetched.context.sender_domain == "other.example.com"
    assert fetched.context.recipient_domains == ("city.example.jp",)
    assert fetched.context.received_at is not None


async def test_fetch_of_an_older_version_enqueues_the_newer_one(rig):
    message = rig.message()
    item = rig.mail_item(message)
    rig.user.mailbox.touch(message)
    with pytest.raises(SupersededError):
        await rig.mail().fetch(item)
    assert [each["item"]["content_version"] for each in rig.queued()] == [message.change_key]


async def test_fetch_of_a_removed_message_is_gone(rig):
    message = rig.message()
    rig.user.mailbox.delete(message, permanently=True)
    with pytest.raises(GoneError):
        await rig.mail().fetch(rig.mail_item(message))


async def test_tag_merges_the_category_and_is_read_back(rig):
    message = rig.message()
    message.values["categories"] = ["重要", "関所: 要確認"]
    outcome = await rig.mail().apply(rig.claim(rig.mail_item(message), Disposition.TAG))
    assert outcome.state is OutcomeState.APPLIED
    assert message.values["categories"] == ["重要", "関所: 確認済"]
    assert json.loads(message.extended[PROPERTY])["disposition"] == "TAG"
    assert outcome.versions == (message.change_key,)
    assert [each["displayName"] for each in rig.user.mailbox.categories] == ["関所: 確認済"]


async def test_tag_applied_twice_writes_once(rig):
    message = rig.message()
    claim = rig.claim(rig.mail_item(message), Disposition.TAG)
    await rig.mail().apply(claim)
    version = message.change_key
    again = await rig.mail().apply(claim)
    assert (again.state, message.change_key) == (OutcomeState.APPLIED, version)


async def test_marker_is_recognised_for_this_content_and_policy_only(rig):
    message = rig.message()
    service = rig.mail()
    claim = rig.claim(rig.mail_item(message), Disposition.TAG, digest="d1")
    await service.apply(claim)
    item = rig.mail_item(message)
    fetched = await service.fetch(item)
    here = rig.claim(item, Disposition.TAG)
    assert service.recognises(here, fetched, "d1")
    assert not service.recognises(here, fetched, "d2")
    other = rig.mail_item(rig.message())
    assert not service.recognises(rig.claim(other, Disposition.TAG), fetched, "d1")


async def test_a_copied_or_edited_verdict_is_not_recognised(rig):
    message = rig.message()
    service = rig.mail()
    await service.apply(rig.claim(rig.mail_item(message), Disposition.REVIEW, digest="d1"))
    verdict = json.loads(message.extended[PROPERTY])
    message.extended[PROPERTY] = json.dumps(verdict | {"disposition": "ALLOW"})
    item = rig.mail_item(message)
    fetched = await service.fetch(item)
    assert not service.recognises(rig.claim(item, Disposition.TAG), fetched, "d1")


async def test_tag_of_a_changed_message_is_superseded_and_followed(rig):
    message = rig.message()
    claim = rig.claim(rig.mail_item(message), Disposition.TAG)
    rig.user.mailbox.touch(message)
    outcome = await rig.mail().apply(claim)
    assert outcome.state is OutcomeState.SUPERSEDED
    assert "categories" not in message.values
    assert len(rig.queued()) == 1


async def test_tag_goes_on_where_only_the_version_moved(rig):
    message = rig.message()
    digest = await rig.redigest(type("C", (), {"data": message.raw}))
    claim = rig.claim(rig.mail_item(message), Disposition.TAG, digest=digest)
    rig.user.mailbox.touch(message)
    outcome = await rig.mail(redigest=rig.redigest).apply(claim)
    assert outcome.state is OutcomeState.APPLIED
    assert message.values["categories"] == ["関所: 確認済"]


async def test_allow_writes_nothing(rig):
    message = rig.message()
    version = message.change_key
    outcome = await rig.mail().apply(rig.claim(rig.mail_item(message), Disposition.ALLOW))
    assert (outcome.state, message.change_key) == (OutcomeState.RECORDED, version)


async def test_allow_lifts_the_tag_of_an_earlier_version(rig):
    message = rig.message()
    await rig.mail().apply(rig.claim(rig.mail_item(message), Disposition.TAG))
    outcome = await rig.mail().apply(rig.claim(rig.mail_item(message), Disposition.ALLOW))
    assert outcome.state is OutcomeState.APPLIED
    assert message.values["categories"] == []
    assert PROPERTY not in message.extended


async def test_block_keeps_evidence_leaves_a_notice_and_removes(rig):
    message = rig.message(folder="sentitems")
    claim = rig.claim(rig.mail_item(message), Disposition.BLOCK)
    outcome = await rig.mail().apply(claim)
    assert outcome.state is OutcomeState.APPLIED
    assert await rig.evidence.read(outcome.evidence_ref) == message.raw
    assert rig.user.mailbox.find(message.immutable_id) is None
    (notice,) = notices(rig, "sentitems")
    text = notice.values["body"]["content"]
    assert "個人番号" in text
    assert "1234" not in text
    assert {each.name for each in outcome.steps} >= {"retained_in_purges", "notice", "removed"}


async def test_block_of_a_changed_message_removes_nothing(rig):
    message = rig.message()
    claim = rig.claim(rig.mail_item(message), Disposition.BLOCK)
    rig.user.mailbox.touch(message)
    outcome = await rig.mail().apply(claim)
    assert outcome.state is OutcomeState.SUPERSEDED
    assert rig.user.mailbox.find(message.immutable_id) is message
    assert notices(rig) == []


async def test_block_of_a_message_that_somebody_removed_is_gone(rig):
    message = rig.message()
    claim = rig.claim(rig.mail_item(message), Disposition.BLOCK)
    rig.user.mailbox.delete(message, permanently=True)
    assert (await rig.mail().apply(claim)).state is OutcomeState.GONE


@pytest.mark.parametrize("disposition", [Disposition.TAG, Disposition.REVIEW, Disposition.BLOCK])
async def test_action_killed_at_any_call_ends_as_if_it_had_not(rig, disposition):
    """Every Graph call in turn is the last one that a process makes, before or after its effect."""
    number, finished = 0, False
    while not finished:
        for moment in ("before", "after"):
            message = rig.message(rig.mime(f"{number}{moment}"))
            claim = rig.claim(rig.mail_item(message), disposition)
            rig.graph.calls.clear()
            rig.graph.die_at = (number, moment)
            try:
                outcome = await rig.mail().apply(claim)
                finished = True
            except rig.Killed:
                rig.graph.die_at = None
                outcome = await rig.mail().apply(claim)
            rig.graph.die_at = None
            assert outcome.state is OutcomeState.APPLIED, (number, moment)
            assert rig.queued() == []
            if disposition is Disposition.BLOCK:
                assert rig.user.mailbox.find(message.immutable_id) is None
                keys = [each.extended[NOTICE_PROPERTY] for each in notices(rig)]
                assert keys.count(claim.key) == 1
                assert await rig.evidence.read(outcome.evidence_ref) == message.raw
            else:
                assert len(message.values["categories"]) == 1
        number += 1
    assert number > 3
