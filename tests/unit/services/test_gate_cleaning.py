"""Sanitising at the gate: the clean copy is judged and delivered, or the mail is held."""

from __future__ import annotations

import hashlib
import io
import zipfile
from email import message_from_bytes

import pytest

from shared.codec import decode
from shared.model import Content, Gap, GapCode, OutcomeState
from shared.sandbox.tasks import Done
from shared.sanitize import Options, Parts
from shared.services.gate.clean import Record
from shared.services.senders import subject_of
from tests.unit.sanitize.sanitize_office import xlsm
from tests.unit.services.gate_parts import INSIDE, OUTSIDE, Whole, locked_zip, mail

HTML = '<p>会議の<b>資料</b>です</p><script>alert(1)</script><img src="http://t.example/x.gif">'


@pytest.fixture
def whole(rig):
    return Whole(rig)


async def quarantine(rig):
    return [each async for each in rig.quarantine.blobs.names()]


async def test_external_mail_is_delivered_without_its_macro_and_says_so(whole):
    raw = mail(attach=[("様式.xlsm", xlsm().data())])
    (outcome,) = await whole.passes("mail/a.eml", raw)
    assert (outcome.action, outcome.state) == ("deliver", OutcomeState.APPLIED)
    (sent,) = whole.mails()
    assert b"vbaProject" not in sent
    read = message_from_bytes(sent)
    (attached,) = [each for each in read.walk() if each.get_filename()]
    with zipfile.ZipFile(io.BytesIO(attached.get_payload(decode=True))) as package:
        assert not [name for name in package.namelist() if "vba" in name.lower()]
    note = [each for each in read.walk() if each.get_content_type() == "text/plain"][-1]
    assert "無害化" in note.get_payload(decode=True).decode()
    assert "macro removed" in note.get_payload(decode=True).decode()


async def test_original_and_lineage_wait_in_quarantine_under_keyed_hashes(whole, rig):
    raw = mail(html=HTML)
    (outcome,) = await whole.passes("mail/a.eml", raw)
    reference = next(each.result for each in outcome.steps if each.name == "original")
    assert await rig.quarantine.read(reference) == raw
    (name,) = [each for each in await quarantine(rig) if each.endswith(".lineage.json")]
    record = decode((await rig.quarantine.blobs.get(name)).data, Record)
    assert record.lineage.text_kept is True
    assert {each.code for each in record.lineage.removals} >= {"script", "remote_image"}
    plain = hashlib.sha256(raw).hexdigest()
    assert plain not in repr(record)
    assert [each async for each in whole.envelopes.names("clean/")] == []


async def test_mail_with_nothing_to_remove_is_delivered_byte_for_byte(whole, rig):
    raw = mail()
    await whole.passes("mail/a.eml", raw)
    assert whole.mails()[0].endswith(raw)
    assert await quarantine(rig) == []


@pytest.mark.parametrize(
    ("envelope", "header", "clean"),
    [
        (INSIDE, INSIDE, False),
        (INSIDE, OUTSIDE, True),
        (OUTSIDE, INSIDE, True),
        ("", INSIDE, False),
        ("x@sub.city.example.jp", INSIDE, False),
        ("x@evilcity.example.jp", INSIDE, True),
    ],
)
async def test_mail_is_internal_only_if_everything_it_says_is(whole, envelope, header, clean):
    raw = mail(html=HTML, sender=header)
    await whole.passes("mail/a.eml", raw, sender=envelope)
    read = message_from_bytes(whole.mails()[0])
    (page,) = [each for each in read.walk() if each.get_content_type() == "text/html"]
    assert (b"<script>" not in page.as_bytes() + page.get_payload(decode=True)) == clean


async def test_files_are_sanitised_where_the_setting_says_so(rig):
    for which, action in ((("external",), "hold"), (("files",), "deliver")):
        whole = Whole(rig, which=which)
        (outcome,) = await whole.passes(f"files/{which[0]}", xlsm().data(), path="受付/様式.xlsm")
        assert outcome.action == action  # the macro's own bytes are of no format that is read
    assert list(whole.files()) == ["様式.xlsx"]


async def test_what_cannot_be_sanitised_is_held_by_name(whole):
    raw = mail(attach=[("資料.zip", locked_zip("x", [("a.txt", b"a")]))])
    (outcome,) = await whole.passes("mail/a.eml", raw)
    assert outcome.action == "hold"
    decision = whole.results[0][0].intent.decision
    assert Gap(GapCode.ENCRYPTED, "無害化 › 添付1.zip") in decision.gaps
    assert whole.mails() == [] or all(b"Auto-Submitted" in each for each in whole.mails())


async def test_note_may_stand_where_a_part_was(rig):
    whole = Whole(rig, options=Options(parts=Parts.NOTE))
    raw = mail(attach=[("資料.odt", b"PK\x03\x04 no archive at all")])
    (outcome,) = await whole.passes("mail/a.eml", raw)
    assert outcome.action == "deliver"
    assert (
        "（削除）" in str(message_from_bytes(whole.mails()[0]).get_payload()[1].get_filename())
        or b"filename" in whole.mails()[0]
    )


@pytest.mark.parametrize("code", [GapCode.TIMED_OUT, GapCode.CRASHED])
async def test_child_that_came_to_no_end_holds_the_mail(rig, code):
    async def dead(content, options):
        del content, options
        return Done(None, (Gap(code, ""),))

    whole = Whole(rig, sanitise=dead)
    (outcome,) = await whole.passes("mail/a.eml", mail(html=HTML))
    assert outcome.action == "hold"
    assert Gap(code, "無害化") in whole.results[0][0].intent.decision.gaps


async def test_lost_words_hold_the_mail(rig):
    async def liar(content, options):
        del options
        return Done(Content(b"Subject: x\r\n\r\n", content.name, content.media_type))

    whole = Whole(rig, sanitise=liar)
    (outcome,) = await whole.passes("mail/a.eml", mail(html=HTML))
    assert outcome.action == "hold"
    assert [each.code for each in whole.results[0][0].intent.decision.gaps] == [GapCode.PARTIAL]


async def test_policy_that_lets_gaps_pass_does_not_let_through_what_cannot_be_sanitised(rig):
    policy = "format: 1\nrules:\n  - {id: unread, mode: 'off', tests: {hits: [], misses: []}}\n"
    whole = Whole(rig, policy=policy)
    raw = mail(attach=[("資料.zip", locked_zip("x", [("a.txt", b"a")]))])
    (outcome,) = await whole.passes("mail/a.eml", raw)
    assert whole.results[0][0].intent.decision.disposition.name == "TAG"
    assert outcome.action == "hold"
    assert {(each.name, each.result) for each in outcome.steps} >= {("sanitise", "encrypted")}


async def test_bytes_that_were_judged_are_delivered_though_sanitising_would_differ_now(rig):
    whole = Whole(rig)
    (item,) = await whole.land("mail/a.eml", mail(html=HTML))
    first = await whole.service.fetch(item)
    later = Whole(rig, sanitise=None)  # would fail if it were asked again
    assert (await later.service.fetch(item)).content.data == first.content.data
    await later.scan(item)
    assert later.mails()[0].endswith(first.content.data)


async def test_one_clean_copy_serves_every_recipient(whole, rig):
    rig.world.add_user("taro@city.example.jp", "太郎")
    people = (rig.UPN, "taro@city.example.jp")
    outcomes = await whole.passes("mail/a.eml", mail(html=HTML), recipients=people)
    assert [each.action for each in outcomes] == ["deliver", "deliver"]
    assert len([each for each in await quarantine(rig) if each.endswith("original.bin")]) == 1
    assert await whole.landing.properties("mail/a.eml") is None


async def test_tagged_mail_has_the_words_of_the_setting_before_its_subject(rig):
    whole = Whole(rig, subject_tag="［要注意］")
    await whole.passes("mail/a.eml", mail("連絡", "電話は 03-3333-1111 です。\n"))
    (sent,) = whole.mails()
    assert subject_of(sent).replace(" ", "") == "［要注意］連絡"
