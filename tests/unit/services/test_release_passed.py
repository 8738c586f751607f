"""What was released before it came, at gate or relay: the watch lets it be, to its end."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from shared.codec import decode
from shared.model import Content, Disposition, Envelope, Item
from shared.policy.exemption import Kind
from shared.services.relay_delivery import CONTAINER, ORDERS, RelayDelivery
from shared.services.release_header import message_id
from tests.unit.services.conftest import PASSED
from tests.unit.services.gate_parts import Whole, mail
from tests.unit.services.test_release import RULES, Works

SPOOLED = Item("gate", "relay/0123456789abcdef01234567", "0", "digest")
NUMBER = "SECRET"


@pytest.fixture
def works(rig):
    return Works(rig)


async def granted(works, event, **more):
    """Two reviewers release what lies at the relay."""
    held = replace(event, item=SPOOLED, evidence_ref="")
    return await works.release(held, scope=SPOOLED.place_key(), item=None, **more)


def marked(rig, message_id_of="<a@example.jp>", body=NUMBER):
    data = rig.mime(body=body, message_id=message_id_of)
    return PASSED.stamp(data, SPOOLED.place_key(), "e" * 64, message_id(data, ""))


async def stopped(rig, works, raw):
    message = rig.message(raw)
    return await works.scan(rig.mail_item(message))


async def test_mail_released_at_the_relay_is_not_stopped_again_until_the_end(rig, works):
    first = await stopped(rig, works, rig.mime(body=NUMBER))
    assert first.action == "block"
    await granted(works, first)
    message = rig.message(marked(rig, "<r@x>"))
    event = await works.scan(rig.mail_item(message))
    assert (event.disposition, event.rule_ids[-1][:10]) == ("tag", "exception:")
    rig.clock.now += timedelta(days=1, minutes=1)
    last = await works.turns()
    assert last.action == "block", "what rested on it is stopped when it ends"


async def test_header_is_worth_nothing_on_another_mail_or_without_its_exception(rig, works):
    copied = marked(rig, "<r@x>").replace(b"<r@x>", b"<other@x>")
    forged = marked(rig, "<r@x>").replace(b"X-Sekisho-Passed: ", b"X-Sekisho-Passed: q")
    first = await stopped(rig, works, marked(rig, "<r@x>"))
    assert first.action == "block", "nobody granted anything"
    await granted(works, first)
    for raw in (copied, forged):
        assert (await stopped(rig, works, raw)).action == "block"


async def test_release_at_the_relay_does_not_cover_what_else_is_found(rig, works):
    first = await stopped(rig, works, rig.mime(body=NUMBER))
    await granted(works, first, fingerprints=("k:another",))
    assert (await stopped(rig, works, marked(rig, "<r@x>"))).action == "block"


async def test_exception_of_the_relays_item_asks_the_relay_and_scans_nothing(rig, works):
    asked = []

    async def elsewhere(request, *, ended):
        asked.append((request.item, ended))
        return True

    works.anew = replace(works.anew, elsewhere=elsewhere)
    first = await stopped(rig, works, rig.mime(body=NUMBER))
    held = replace(first, item=SPOOLED, evidence_ref="")
    await works.release(held)
    await works.anew.run()
    assert asked == [(SPOOLED, False)]
    assert rig.account.queues.get("scan-items", []) == []
    rig.clock.now += timedelta(days=1, minutes=1)
    await works.anew.run()
    assert asked[-1] == (SPOOLED, True)


@pytest.mark.parametrize("kind", ["release", "suppression"])
async def test_relay_is_asked_when_a_release_begins_and_for_nothing_else(rig, works, kind):
    delivery = relay(rig)
    first = await stopped(rig, works, rig.mime(body=NUMBER))
    request = await works.release(replace(first, item=SPOOLED, evidence_ref=""))
    if kind == "suppression":
        request = replace(request, kind=Kind.SUPPRESSION)
    for _ in range(2):
        assert await delivery.turned(request, ended=False)
    assert await delivery.turned(request, ended=True)
    assert not await delivery.turned(replace(request, item=first.item), ended=False)
    waiting = [decode(each.body, Envelope) for each in rig.account.queues.get(ORDERS, [])]
    wanted = [{"id": SPOOLED.id[6:], "by": "reviewer-a\nreviewer-b"}] * 2
    assert [each.body for each in waiting] == (wanted if kind == "release" else [])


def relay(rig):
    stores = rig.stores
    return RelayDelivery(
        stores.blobs(CONTAINER), stores.queue(ORDERS), stores.queue("scan-results"), None, None,
        rig.clock,
    )  # fmt: skip


async def test_mail_released_at_the_gate_carries_the_header_and_others_do_not(rig):
    whole = Whole(rig, which=())
    sending = replace(whole.service._sending, relay=relay(rig), passed=PASSED)
    data = mail()
    (item,) = await whole.land("mail/1.eml", data)
    landed = await whole.service._shelf.load(item)
    claim = rig.claim(item, Disposition.TAG)
    await sending.deliver(claim, landed, Content(landed.data), changed=False)
    assert (await rig.stores.blobs(CONTAINER).get(f"{claim.key}.eml")).data == data
    decision = replace(claim.intent.decision, rule_ids=(*RULES, "exception:e1"))
    released = replace(claim, key="d" * 64, intent=replace(claim.intent, decision=decision))
    await sending.deliver(released, landed, Content(landed.data), changed=False)
    sent = (await rig.stores.blobs(CONTAINER).get(f"{'d' * 64}.eml")).data
    assert PASSED.origin(sent, "<1@other.example.com>") == item.place_key()
    assert sent.split(b"\r\n", 1)[1] == data
