"""The cloud's end: handed over, settled once, a dead letter where it was refused for good."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from shared.codec import decode
from shared.errors import MalformedError
from shared.model import (
    Claim,
    Context,
    Decision,
    Disposition,
    Envelope,
    Intent,
    Item,
    Mode,
    OutcomeState,
)  # fmt: skip
from shared.services.relay_delivery import DELIVERED, FAILED, Order
from shared.services.sidecar import Sidecar
from tests.unit.relay.clouds import Sky

NOW = datetime(2026, 11, 28, tzinfo=UTC)
KEY = "ab" * 32
SIDECAR = Sidecar(
    ("x@city.example", "taro@city.example"), sender="a@x.example", received_at=NOW, via="relay",
    mail_options=("RET=HDRS",), recipient_options=((), ("NOTIFY=NEVER",)),
)  # fmt: skip


def claim(disposition=Disposition.TAG):
    decision = Decision(disposition, disposition, Mode.ENFORCE, "p1")
    intent = Intent(decision, Context("gate", "landing"), "d", "e")
    item = Item("gate", "mail/1.eml", "1", "v")
    return Claim(item, KEY, "w", 1, "t", NOW, intent=intent, trace="tr")


def result(state=DELIVERED, code="250 2.0.0", key=KEY):
    return Envelope("relay", first_seen=NOW, body={"key": key, "state": state, "code": code})


@pytest.fixture
def sky():
    return Sky()


async def test_order_has_no_names_on_the_queue_and_all_of_them_beside_the_copy(sky):
    outcome = await sky.delivery.hand_over(claim(), SIDECAR, b"mail", changed=True)
    assert (outcome.action, outcome.state) == ("deliver", OutcomeState.HANDED_OVER)
    (raw,) = sky.waiting("relay-deliver")
    assert b"city.example" not in raw
    order = decode((await sky.stores.blobs("relay").get(f"{KEY}.json")).data, Order)
    assert (order.sender, order.recipient, order.disposition) == (
        "a@x.example", "taro@city.example", "tag",
    )  # fmt: skip
    assert (order.mail_options, order.recipient_options) == (("RET=HDRS",), ("NOTIFY=NEVER",))
    assert order.changed
    assert "city.example" not in repr(order)
    assert await sky.cloud.order(KEY) == (order, b"mail")


async def test_hand_over_twice_keeps_the_first_copy(sky):
    await sky.delivery.hand_over(claim(), SIDECAR, b"mail")
    await sky.delivery.hand_over(claim(), SIDECAR, b"mail")
    assert await sky.names("relay") == [f"{KEY}.eml", f"{KEY}.json"]


async def test_settled_once_it_is_on_the_record_and_the_copy_is_gone(sky):
    await sky.delivery.hand_over(claim(), SIDECAR, b"mail")
    await sky.delivery.settle(result())
    await sky.delivery.settle(result())
    assert await sky.names("relay") == []
    (raw,) = sky.waiting("scan-results")
    event = decode(raw, Envelope).event
    assert (event.action, event.action_state, event.disposition) == ("deliver", "applied", "none")
    assert [(step.name, step.result) for step in event.steps] == [("smtp", "250 2.0.0")]
    assert (event.item, event.trace) == (claim().item, "tr")


async def test_refused_for_good_is_a_dead_letter_with_its_copy(sky):
    await sky.delivery.hand_over(claim(), SIDECAR, b"mail")
    await sky.delivery.settle(result(FAILED, "550 5.1.1"))
    assert len(await sky.names("relay")) == 2
    (name,) = await sky.names("deadletters")
    assert name.startswith("relay-deliver/")
    assert (await sky.dead.read(name)).reason == "smtp 550 5.1.1"
    await sky.dead.replay(name)
    put_back = decode(sky.waiting("relay-deliver")[-1], Envelope)
    assert put_back.replayed is not None
    await sky.delivery.settle(result())
    first, second = (decode(raw, Envelope).event for raw in sky.waiting("scan-results"))
    assert first.id != second.id
    assert (first.action_state, second.action_state) == ("partial", "applied")


@pytest.mark.parametrize(
    "given",
    [result(key="../x"), result(state="lost"), result(code="250 to taro@city.example"),
     Envelope("relay", first_seen=NOW)],
)  # fmt: skip
async def test_result_that_is_none_is_malformed(sky, given):
    with pytest.raises(MalformedError):
        await sky.delivery.settle(given)


async def test_people_can_ask_for_what_lies_in_the_relays_spool_alone(sky):
    item = Item("gate", "relay/01a223d5c2c410e6f719ff5b", "0", "v")
    await sky.delivery.ask("release", item, ["hanako", "taro", "hanako"])
    asked = decode(sky.waiting("relay-deliver")[0], Envelope)
    assert (asked.kind, asked.body["by"]) == ("release", "hanako\ntaro")
    for action, wrong, people in (
        ("release", Item("gate", "mail/1.eml", "0", "v"), ["a"]),
        ("release", Item("gate", "relay/../x", "0", "v"), ["a"]),
        ("deliver", item, ["a"]),
        ("release", item, []),
        ("release", item, ["a\nb"]),
    ):
        with pytest.raises(MalformedError):
            await sky.delivery.ask(action, wrong, people)
