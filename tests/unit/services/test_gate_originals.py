"""The original of what was sanitised: asked for on a page, held, released by people, sent once."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import timedelta
from email import message_from_bytes
from urllib.parse import urlencode

import pytest

from shared.codec import decode
from shared.console.originals import OriginalPages
from shared.console.passwords import PRINCIPAL
from shared.console.web import Request
from shared.model import Envelope
from shared.policy.exemption import Kind
from shared.services.gate.originals import Originals
from shared.services.relay_delivery import CONTAINER, Order
from shared.services.release_header import message_id
from shared.storage.exceptions import Exceptions
from shared.storage.exceptions import Request as Wish
from tests.unit.sanitize.sanitize_office import xlsm
from tests.unit.services.conftest import PASSED
from tests.unit.services.gate_parts import KEY, Whole, mail
from tests.unit.services.test_release_passed import relay

URL = "https://gate.example.lg.jp"
OTHER = "jiro@city.example.jp"


class Town:
    """The gate with its page, and people who grant."""

    def __init__(self, rig):
        self.rig = rig
        self.exceptions = Exceptions(rig.stores.table("exceptions"), rig.clock)
        self.whole = Whole(rig, exceptions=self.exceptions)
        self.items = rig.stores.queue("wishes")
        self.originals = Originals(
            self.whole.service._shelf, self.items, rig.clock, KEY, self.whole._record, URL
        )
        cleaning = replace(self.whole.cleaning, link=self.originals.link)
        self.whole.cleaning = self.whole.service._cleaning = cleaning

    async def delivered(self, **given):
        """A mail with a macro, delivered without it; its bytes, and the token in its note."""
        raw = mail(attach=[("様式.xlsm", xlsm().data())])
        outcomes = await self.whole.passes("mail/a.eml", raw, **given)
        assert {each.action for each in outcomes} == {"deliver"}
        note = [each for each in message_from_bytes(self.whole.mails()[0]).walk()
                if each.get_content_type() == "text/plain"][-1]  # fmt: skip
        text = note.get_payload(decode=True).decode()
        (token,) = re.findall(re.escape(URL) + r"/api/originals/(\S+)", text)
        return raw, token

    async def call(self, token, method="GET", login="off", headers=None, **form):
        body = urlencode(form).encode()
        pages = OriginalPages(self.originals, login)
        return await pages.handle(Request(method, token, {}, headers or {}, body))

    def wished(self):
        queue = self.rig.account.queues.get("wishes", [])
        return [decode(each.body, Envelope).item for each in queue]

    async def judged(self, item):
        """The item through the pipeline; its claim and outcome."""
        await self.whole.scan(item)
        return self.whole.results[-1]

    async def grant(self, claim, *people, gaps=()):
        decision, now = claim.intent.decision, self.rig.clock()
        wish = Wish(
            "e" * 32, Kind.RELEASE, claim.item.place_key(), decision.rule_ids,
            tuple(each.fingerprint for each in decision.findings),
            gaps or tuple({each.code.value for each in decision.gaps}),
            "業務に必要と確かめたため", "owner", people[:1], len(people), now,
            now + timedelta(days=1), item=claim.item,
        )  # fmt: skip
        await self.exceptions.request(wish)
        for each in people[1:]:
            await self.exceptions.approve(wish.scope, wish.id, each)
        return replace(claim.item, generation=int(now.timestamp() * 1000))


@pytest.fixture
def town(rig):
    return Town(rig)


async def test_original_is_asked_for_held_released_and_sent_whole_once(town):
    raw, token = await town.delivered()
    form = await town.call(token)
    assert form.status == 200
    assert "原本の申し出" in form.body.decode()
    assert "<script" not in form.body.decode()
    upn = town.rig.UPN
    for _ in range(2):
        answer = await town.call(token, "POST", address=f" {upn.upper()} ")
        assert "受け付けました" in answer.body.decode()
    first, again = town.wished()
    assert first == again
    assert (first.id, first.recipient) == ("original/mail/a.eml", "0")
    claim, outcome = await town.judged(first)
    assert (claim.intent.decision.disposition.name, outcome.action) == ("REVIEW", "hold")
    assert claim.intent.decision.gaps[0].code.value == "unsanitised"
    assert len(town.whole.mails()) == 1, "asking delivers nothing"
    anew = await town.grant(claim, "reviewer-a", "reviewer-b")
    claim, outcome = await town.judged(anew)
    assert outcome.action == "deliver"
    assert f"exception:{'e' * 32}" in claim.intent.decision.rule_ids
    (sent,) = town.whole.mails()[1:]
    assert raw in sent, "whole, as it came"
    read = message_from_bytes(sent)
    (kept,) = [each for each in read.walk() if each.get_content_type() == "message/rfc822"]
    assert kept.get_payload(0)["Message-ID"] == message_from_bytes(raw)["Message-ID"]
    assert read["Message-ID"] != message_from_bytes(raw)["Message-ID"]
    assert read["Auto-Submitted"] == "auto-generated"
    later = replace(anew, generation=anew.generation + 1)
    town.rig.clock.now += timedelta(days=2)  # the exception has ended
    await town.judged(later)
    assert len(town.whole.mails()) == 2, "once, and it is not taken back by the gate"
    actions = [outcome.action for _, outcome in town.whole.recorded]
    assert set(actions) == {"ask_original"}


async def test_original_with_what_nobody_released_stays_held(town):
    _, token = await town.delivered()
    await town.call(token, "POST", address=town.rig.UPN)
    (item, *_) = town.wished()
    claim, _ = await town.judged(item)
    anew = await town.grant(claim, "reviewer-a", gaps=("encrypted",))
    _, outcome = await town.judged(anew)
    assert outcome.action == "hold"
    assert len(town.whole.mails()) == 1


async def test_original_goes_to_a_recipient_of_the_mail_alone_and_the_page_tells_nobody(town):
    _, token = await town.delivered(recipients=(town.rig.UPN, town.rig.UPN))
    mine = (await town.call(token, "POST", address=town.rig.UPN)).body
    strangers = (await town.call(token, "POST", address=OTHER)).body
    assert mine == strangers
    assert {each.recipient for each in town.wished()} == {"0"}
    assert town.rig.UPN not in (await town.call(token)).body.decode()
    assert "入力してください" in (await town.call(token, "POST", address="")).body.decode()


async def test_signed_in_person_asks_for_their_own_copy(town):
    _, token = await town.delivered()
    head = {PRINCIPAL: town.rig.UPN}
    page = await town.call(token, login="easyauth", headers=head)
    assert 'name="address"' not in page.body.decode()
    assert (await town.call(token, login="easyauth")).status == 404
    await town.call(token, "POST", login="easyauth", headers=head, address=OTHER)
    assert [each.recipient for each in town.wished()] == ["0"]


async def test_link_that_is_not_ours_or_whose_original_is_gone_leads_nowhere(town):
    _, token = await town.delivered()
    key, _, signature = token.partition(".")
    for wrong in ("", "x", f"{key}.{'g' * 64}", f"{'h' * 64}.{signature}", token.upper()):
        assert (await town.call(wrong)).status == 404
        assert (await town.call(wrong, "POST", address=town.rig.UPN)).status == 404
    assert (await town.call("style.css")).media_type.startswith("text/css")
    blobs = town.rig.quarantine.blobs
    for name in [each async for each in blobs.names() if each.endswith(".original.bin")]:
        await blobs.delete(name)
    assert (await town.call(token)).status == 404
    assert town.wished() == []


async def test_link_is_no_number_and_unchanged_mail_and_files_have_none(town):
    _, token = await town.delivered()
    assert not re.search(r"[0-9]", token)
    await town.whole.passes("mail/b.eml", mail(number=2))
    assert URL.encode() not in town.whole.mails()[-1]
    assert replace(town.originals, url="").link(None) == ""


async def test_original_by_the_relay_is_ours_and_known_again_by_the_watch(town):
    raw, token = await town.delivered()
    town.whole.service._sending = replace(
        town.whole.service._sending, relay=relay(town.rig), passed=PASSED
    )
    await town.call(token, "POST", address=town.rig.UPN)
    (item,) = town.wished()
    claim, _ = await town.judged(item)
    claim, outcome = await town.judged(await town.grant(claim, "reviewer-a", "reviewer-b"))
    assert outcome.state.value == "handed_over"
    copies = town.rig.stores.blobs(CONTAINER)
    order = decode((await copies.get(f"{claim.key}.json")).data, Order)
    assert (order.sender, order.recipient, order.changed) == ("", town.rig.UPN, True)
    sent = (await copies.get(f"{claim.key}.eml")).data
    assert raw in sent
    assert PASSED.origin(sent, message_id(sent, "")) == item.place_key()
