"""Calendar events: read as mail, tagged as mail, stopped by a notice where we are the organiser."""

from __future__ import annotations

import base64
import time

import pytest

from shared.errors import GoneError, SupersededError
from shared.extract import extract
from shared.model import Disposition, GapCode, OutcomeState
from shared.services.marker import PROPERTY
from shared.services.words import EVENT_SUBJECT


def attached(name, text):
    return {
        "@odata.type": "#microsoft.graph.fileAttachment",
        "name": name,
        "contentType": "text/plain",
        "contentBytes": base64.b64encode(text.encode()).decode(),
    }


async def test_fetch_reads_subject_body_place_and_attachments(rig):
    event = await rig.event(
        subject="面談（相手: 山田様）",
        location={"displayName": "本庁舎 3階"},
        attachments=[attached("資料.txt", "添付の文")],
    )
    fetched = await rig.calendar().fetch(rig.event_item(event))
    extraction, _ = extract(fetched.content, clock=time.monotonic)
    texts = {each.location: each.text for each in extraction.segments}
    assert texts["件名"] == "面談（相手: 山田様）"
    assert "資料" in texts["本文（HTML）"]
    assert "本庁舎 3階" in texts["ヘッダー"]
    assert "添付の文" in " ".join(text for place, text in texts.items() if "添付1" in place)
    assert (extraction.gaps, fetched.gaps) == ((), ())
    assert fetched.context.place == "own_mailbox"


async def test_what_is_written_down_is_the_same_each_time(rig):
    item = rig.event_item(await rig.event(attachments=[attached("a.txt", "x")]))
    first, second = await rig.calendar().fetch(item), await rig.calendar().fetch(item)
    assert first.content.data == second.content.data


async def test_a_linked_file_is_a_named_gap(rig):
    link = {
        "@odata.type": "#microsoft.graph.referenceAttachment",
        "name": "共有.xlsx",
        "sourceUrl": "https://example.jp/x",
    }
    event = await rig.event()
    event.attachments.append({"id": "r", "isInline": False, "size": 0, **link})
    fetched = await rig.calendar().fetch(rig.event_item(event))
    assert [(each.code, each.location) for each in fetched.gaps] == [(GapCode.EXTERNAL, "添付1")]


async def test_fetch_of_an_older_version_enqueues_the_newer_one(rig):
    event = await rig.event()
    item = rig.event_item(event)
    rig.user.calendar.touch(event)
    with pytest.raises(SupersededError):
        await rig.calendar().fetch(item)
    assert [each["item"]["content_version"] for each in rig.queued()] == [event.change_key]


async def test_tag_merges_the_category_and_is_recognised(rig):
    event = await rig.event(categories=["重要"])
    service = rig.calendar()
    claim = rig.claim(rig.event_item(event), Disposition.TAG, digest="d1")
    outcome = await service.apply(claim)
    assert outcome.state is OutcomeState.APPLIED
    assert event.values["categories"] == ["重要", "関所: 確認済"]
    assert outcome.versions == (event.change_key,)
    fetched = await service.fetch(rig.event_item(event))
    assert service.recognises(claim, fetched, "d1")
    assert not service.recognises(claim, fetched, "d2")


async def test_allow_lifts_the_tag_of_an_earlier_version(rig):
    event = await rig.event()
    await rig.calendar().apply(rig.claim(rig.event_item(event), Disposition.REVIEW))
    outcome = await rig.calendar().apply(rig.claim(rig.event_item(event), Disposition.ALLOW))
    assert outcome.state is OutcomeState.APPLIED
    assert (event.values["categories"], PROPERTY in event.extended) == ([], False)


async def test_block_keeps_evidence_and_leaves_a_notice(rig):
    event = await rig.event(
        location={"displayName": "相談室"}, attachments=[attached("名簿.txt", "x")]
    )
    item = rig.event_item(event)
    original = (await rig.calendar().fetch(item)).content.data
    outcome = await rig.calendar().apply(rig.claim(item, Disposition.BLOCK))
    assert outcome.state is OutcomeState.APPLIED
    assert await rig.evidence.read(outcome.evidence_ref) == original
    assert event.values["subject"] == EVENT_SUBJECT
    assert "個人番号" in event.values["body"]["content"]
    assert event.attachments == []
    assert not event.values["location"].get("displayName")
    assert event.change_key in outcome.versions


async def test_our_notice_is_recognised_and_a_changed_one_is_not(rig):
    event = await rig.event()
    service = rig.calendar()
    claim = rig.claim(rig.event_item(event), Disposition.BLOCK)
    await service.apply(claim)
    content = event.values["body"]["content"]
    event.values["body"] = {"contentType": "html", "content": f"<html><p>{content}</p></html>"}
    fetched = await service.fetch(rig.event_item(event))
    assert service.recognises(claim, fetched, "any")  # Exchange wrote the body anew
    event.values["body"] = {"contentType": "text", "content": content + "追記"}
    fetched = await service.fetch(rig.event_item(event))
    assert not service.recognises(claim, fetched, "any")


async def test_an_attachment_added_to_our_notice_is_scanned(rig):
    event = await rig.event()
    service = rig.calendar()
    claim = rig.claim(rig.event_item(event), Disposition.BLOCK)
    await service.apply(claim)
    other = await rig.event(attachments=[attached("b.txt", "x")])
    event.attachments.extend(other.attachments)
    fetched = await service.fetch(rig.event_item(event))
    assert not service.recognises(claim, fetched, "any")


async def test_block_in_an_attendees_calendar_is_not_enforceable(rig):
    event = await rig.event()
    event.values["isOrganizer"] = False
    outcome = await rig.calendar().apply(rig.claim(rig.event_item(event), Disposition.BLOCK))
    assert outcome.state is OutcomeState.NOT_ENFORCEABLE
    assert outcome.steps[0].name == "organiser"
    assert event.values["subject"] == "打合せ"


async def test_block_of_a_changed_event_replaces_nothing(rig):
    event = await rig.event()
    claim = rig.claim(rig.event_item(event), Disposition.BLOCK)
    rig.user.calendar.touch(event)
    assert (await rig.calendar().apply(claim)).state is OutcomeState.SUPERSEDED
    assert event.values["subject"] == "打合せ"
    assert len(rig.queued()) == 1


async def test_a_removed_event_is_gone(rig):
    event = await rig.event()
    item = rig.event_item(event)
    rig.user.calendar.remove(event, permanently=False)
    with pytest.raises(GoneError):
        await rig.calendar().fetch(item)
    outcome = await rig.calendar().apply(rig.claim(item, Disposition.BLOCK))
    assert outcome.state is OutcomeState.GONE


@pytest.mark.parametrize("disposition", [Disposition.TAG, Disposition.BLOCK])
async def test_action_killed_at_any_call_ends_as_if_it_had_not(rig, disposition):
    number, finished = 0, False
    while not finished:
        for moment in ("before", "after"):
            event = await rig.event(attachments=[attached("a.txt", f"{number}{moment}")])
            claim = rig.claim(rig.event_item(event), disposition)
            rig.graph.calls.clear()
            rig.graph.die_at = (number, moment)
            try:
                outcome = await rig.calendar().apply(claim)
                finished = True
            except rig.Killed:
                rig.graph.die_at = None
                outcome = await rig.calendar().apply(claim)
            rig.graph.die_at = None
            assert outcome.state is OutcomeState.APPLIED, (number, moment)
            assert rig.queued() == []
            if disposition is Disposition.BLOCK:
                assert (event.values["subject"], event.attachments) == (EVENT_SUBJECT, [])
                assert await rig.evidence.read(outcome.evidence_ref)
        number += 1
    assert number > 3


async def test_sweep_finds_an_event_once_a_version(rig):
    account = await rig.subscriptions.register("calendar", rig.UPN)
    event = await rig.event()
    sweep = {"job": "sweep", "source": "calendar", "account": account.ref}
    envelope = type("E", (), {"body": sweep, "first_seen": rig.clock(), "trace": ""})
    resolver = rig.resolver()
    assert await resolver.job(envelope) == 1
    assert rig.queued()[0]["item"]["id"] == event.id
    assert await resolver.job(envelope) == 0
    rig.user.calendar.touch(event)
    assert await resolver.job(envelope) == 1


async def test_occurrence_is_read_as_its_series(rig):
    series, one = await rig.event(), await rig.event()
    one.values |= {"type": "occurrence", "seriesMasterId": series.id}
    with pytest.raises(SupersededError):
        await rig.calendar().fetch(rig.event_item(one))
    (queued,) = rig.queued()
    assert (queued["item"]["id"], queued["item"]["content_version"]) == (
        series.id,
        series.change_key,
    )


async def test_exception_of_a_series_has_texts_of_its_own(rig):
    series, one = await rig.event(), await rig.event(subject="変更")
    one.values |= {"type": "exception", "seriesMasterId": series.id}
    fetched = await rig.calendar().fetch(rig.event_item(one))
    assert fetched.content.data
    outcome = await rig.calendar().apply(rig.claim(rig.event_item(one), Disposition.BLOCK))
    assert outcome.state is OutcomeState.APPLIED
    assert "停止" not in series.values["subject"]


async def test_occurrence_without_its_series_is_read_itself(rig):
    one = await rig.event()
    one.values |= {"type": "occurrence", "seriesMasterId": "AAgone="}
    assert (await rig.calendar().fetch(rig.event_item(one))).content.data
