"""What the gate does with a decision: held and released, masked, told, and how long it waited."""

from __future__ import annotations

import io
from dataclasses import replace
from datetime import timedelta
from email import message_from_bytes

import docx
import pytest

from shared.codec import decode
from shared.model import Content, Disposition, OutcomeState
from shared.services.gate.waiting import PERSON
from shared.services.held import stopped
from shared.services.outbox import Entry
from shared.services.senders import within
from tests.unit.extract_files.numbers_made import my_number
from tests.unit.services.gate_parts import INSIDE, OUTSIDE, Whole, mail, read

NUMBER = my_number(99999314159)
MASKED = """
format: 1
rules:
  - id: my-number-high
    obligations: [masked_copy]
"""
TAGGED = """
format: 1
rules:
  - id: my-number-high
    mode: "off"
    tests: {hits: [], misses: []}
  - id: phone-masked
    title: {ja: 電話番号を伏せる, en: Cover phone numbers}
    reason: {ja: 電話番号は伏せて届けます。, en: Phone numbers are covered.}
    when: {entities: [phone_number]}
    disposition: tag
    obligations: [masked_copy]
    tests: {hits: [], misses: []}
"""


@pytest.fixture
def whole(rig):
    return Whole(rig)


def text_of(raw):
    read_mail = message_from_bytes(raw)
    parts = [each.get_payload(decode=True) or b"" for each in read_mail.walk()]
    return b"\n".join(parts).decode("utf-8", "replace")


async def test_held_mail_is_delivered_once_when_a_lower_decision_comes(whole):
    (item,) = await whole.land("mail/a.eml", mail(body="番号 の件\n"))
    context = (await whole.service.fetch(item)).context
    claim = whole.rig.claim(item, Disposition.REVIEW, context=context)
    assert (await whole.service.apply(claim)).action == "hold"
    again = replace(item, generation=1)
    released = whole.rig.claim(again, Disposition.TAG, context=context)
    for _ in range(2):
        assert (await whole.service.apply(released)).action == "deliver"
    assert len(whole.mails()) == 1
    assert await whole.landing.properties("mail/a.eml") is None


async def test_blocked_mail_is_kept_judged_anew_from_quarantine_and_put_through(whole, rig):
    (outcome,) = await whole.passes("mail/a.eml", mail(body=f"個人番号は {NUMBER} です\n"))
    assert outcome.action == "quarantine"
    assert whole.mails() == []
    assert (await rig.quarantine.blobs.get(outcome.evidence_ref.partition("/")[2])).metadata[
        "state"
    ] == "blocked"
    claim = whole.results[0][0]
    held = replace(claim.item, content_version=f"held:{claim.key}", generation=5)
    fetched = await whole.service.fetch(held)
    assert fetched.context == claim.intent.context
    still = rig.claim(held, Disposition.BLOCK, context=fetched.context)
    assert (await whole.service.apply(still)).state is OutcomeState.UNCHANGED
    assert whole.mails() == []
    for generation in (6, 6, 7):
        item = replace(held, generation=generation)
        await whole.service.apply(rig.claim(item, Disposition.TAG, context=fetched.context))
    assert len(whole.mails()) == 1


async def test_event_of_a_blocked_item_names_its_held_copy(whole):
    await whole.passes("mail/a.eml", mail(body=f"個人番号は {NUMBER} です\n"))
    claim, outcome = whole.results[0]
    event = type("Event", (), {"evidence_ref": outcome.evidence_ref, "item": claim.item})
    event.id = claim.key
    assert stopped(event).content_version == f"held:{claim.key}"


class TestMasked:
    async def test_copy_goes_and_the_original_waits(self, rig):
        whole = Whole(rig, policy=MASKED)
        html = f"<p>番号 {NUMBER[:4]}<b>{NUMBER[4:8]}</b>{NUMBER[8:]} です。ほかの文</p>"
        body = f"個人番号は {NUMBER} です。会議は10時です。\n"
        (outcome,) = await whole.passes("mail/a.eml", mail(body=body, html=html))
        assert outcome.action == "quarantine"
        (sent,) = whole.mails()
        text = text_of(sent)
        assert NUMBER not in text.replace("<b>", "").replace("</b>", "")
        assert "会議は10時です" in text
        assert "●" * 12 in text
        assert "原本は庁内で保管" in text

    async def test_office_file_is_masked_under_a_name_that_says_so(self, rig):
        whole = Whole(rig, policy=MASKED)
        made, out = docx.Document(), io.BytesIO()
        paragraph = made.add_paragraph("個人番号は ")
        for piece in (NUMBER[:5], NUMBER[5:], " です"):
            paragraph.add_run(piece)
        made.save(out)
        await whole.passes("files/a", out.getvalue(), path="受付/名簿.docx")
        ((name, data),) = whole.files().items()
        assert name == "名簿（一部を伏せた写し）.docx"
        text = docx.Document(io.BytesIO(data)).paragraphs[0].text
        assert text == f"個人番号は {'●' * 12} です"

    async def test_what_reads_back_with_a_value_is_not_sent(self, rig):
        whole = Whole(rig, policy=MASKED)
        (outcome,) = await whole.passes(
            "files/a", f"個人番号\n{NUMBER}\n".encode("utf-16"), path="a.txt"
        )
        made = {(each.name, each.result) for each in outcome.steps}
        sent = list(whole.files().values())
        assert ("masked_copy", "delivered") in made or sent == []
        for data in sent:
            assert NUMBER not in (await read_text(data))

    async def test_tagged_item_is_delivered_masked_and_its_original_kept(self, rig):
        whole = Whole(rig, policy=TAGGED)
        (outcome,) = await whole.passes("mail/a.eml", mail(body="電話は 03-3333-1111 です\n"))
        assert outcome.action == "mask"
        (sent,) = whole.mails()
        assert "3333" not in text_of(sent)
        assert b"3333" in await rig.quarantine.read(outcome.evidence_ref)


async def read_text(data):
    return "".join(each.text for each in (await read(Content(data, "a.txt"))).segments)


class TestNotices:
    async def told(self, whole):
        rows = [each async for each in whole.outbox.table.query("pending")]
        return {
            (entry.kind, entry.address.to)
            for entry in (decode(row.values["entry"], Entry) for row in rows)
        }

    @pytest.mark.parametrize(
        ("senders", "sender", "more", "told"),
        [
            ("inside", INSIDE, b"", True),
            ("inside", OUTSIDE, b"", False),
            ("all", OUTSIDE, b"", True),
            ("none", INSIDE, b"", False),
            ("all", OUTSIDE, b"Auto-Submitted: auto-replied\r\n", False),
            ("all", OUTSIDE, b"Precedence: bulk\r\n", False),
            ("all", "", b"", False),
        ],
    )
    async def test_sender_is_told_where_the_setting_allows(self, rig, senders, sender, more, told):
        whole = Whole(rig, senders=senders, url="")
        raw = more + mail(body=f"番号\n{NUMBER}\n", sender=sender or OUTSIDE)
        (item,) = await whole.land("mail/a.eml", raw, sender=sender)
        context = (await whole.service.fetch(item)).context
        await whole.service.apply(rig.claim(item, Disposition.REVIEW, context=context))
        found = await self.told(whole)
        assert ("gate_recipient", rig.UPN) in found
        assert (("gate_sender", sender) in found) == told

    async def test_delivered_tells_nobody(self, whole):
        await whole.passes("mail/a.eml", mail())
        assert await self.told(whole) == set()

    async def test_owner_whom_a_rule_tells_is_not_told_twice(self, whole, rig):
        await whole.passes("mail/a.eml", mail(body=f"個人番号は {NUMBER} です\n"))
        assert ("gate_recipient", rig.UPN) not in await self.told(whole)


async def test_oldest_waiting_is_known_and_a_review_is_counted_apart(whole, rig):
    old = rig.clock.now - timedelta(hours=2)
    (late,) = await whole.land("mail/late.eml", mail(), received_at=rig.clock.now)
    (early,) = await whole.land("mail/early.eml", mail(number=2), received_at=old)
    assert 7190 < await whole.waiting.oldest() < 7300
    await whole.scan(early)
    assert await whole.waiting.oldest() < 100
    context = (await whole.service.fetch(late)).context
    await whole.service.apply(rig.claim(late, Disposition.REVIEW, context=context))
    assert await whole.waiting.oldest() == 0.0
    assert await whole.waiting.oldest(PERSON) > 0.0


def test_nobody_is_inside_without_an_address():
    assert not within((), ("city.example.jp",))
    assert not within(("a@city.example.jp",), ())


async def test_headers_of_a_delivered_mail_are_as_they_came(whole):
    raw = b"Received: from a by b; Wed, 01 Apr 2026 09:00:00 +0900\r\n" + mail(
        html="<script>1</script><p>x</p>"
    )
    await whole.passes("mail/a.eml", raw)
    (sent,) = whole.mails()
    read_mail = message_from_bytes(sent)
    assert read_mail["Received"].startswith("from a by b")
    assert read_mail["Date"] == "Wed, 01 Apr 2026 10:00:00 +0900"
