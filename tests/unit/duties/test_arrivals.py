"""The gate in a private network: the same items as a blob trigger's, from Event Grid's queue."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from local.memory import Account, MemoryStores
from shared.codec import decode
from shared.duties import Arrivals, Gate, Undertaker, arrive
from shared.errors import UnavailableError
from shared.model import Envelope, Item
from shared.storage.landed import QUEUE, envelope_of
from tests.unit.alerted import alerted
from tests.unit.duties.test_duties import bodies, now, reader
from tests.unit.storage.test_landed import SUBJECT, grid


@pytest.fixture
def account():
    return Account(now)


@pytest.fixture
def stores(account):
    return MemoryStores(account)


def arrivals(stores, items_for):
    gate = Gate(items_for, stores.queue("scan-items"), now, lambda: "t")
    base = reader(stores, None)
    return Arrivals(
        replace(
            base,
            name=QUEUE,
            queue=stores.queue(QUEUE),
            work=lambda envelope: arrive(envelope, gate),
        )
    )


async def one(name):
    return (Item("gate", name, "0", "e1"),) if name == "mail/m1.eml" else ()


async def test_arrival_yields_the_item_of_the_blob(stores, account):
    raw = json.dumps(grid()).encode()
    await arrivals(stores, one).handle(raw)
    await arrivals(stores, one).handle(raw)  # delivered twice: the ledger knows the item
    assert [each.item.id for each in bodies(account, "scan-items")] == ["mail/m1.eml"] * 2


async def test_arrival_finds_a_blob_whose_name_was_encoded(stores, account):
    subject = SUBJECT.replace("mail/m1.eml", "mail%2Fm1.eml")
    await arrivals(stores, one).handle(json.dumps(grid(subject=subject)).encode())
    assert len(bodies(account, "scan-items")) == 1


async def test_arrival_comes_again_while_the_landing_is_away(stores, account):
    async def away(_name):
        message = "away"
        raise UnavailableError(message)

    await arrivals(stores, away).handle(json.dumps(grid()).encode())
    [again] = bodies(account, QUEUE)
    assert (again.attempt, again.body) == (1, {"name": "mail/m1.eml"})
    await arrivals(stores, one).handle(account.queues[QUEUE][0].body)
    assert account.queues[QUEUE]  # early: it waits for its time


async def test_arrival_that_is_no_event_is_a_dead_letter_with_an_alert(stores, account):
    await arrivals(stores, one).handle(b"{}")
    assert bodies(account, "scan-items") == []
    assert len(account.containers["deadletters"]) == len(alerted(account)) == 1


async def test_poison_of_the_landing_queue_is_revived_as_an_envelope(stores, account):
    dead = reader(stores, None).dead
    queue, poison = stores.queue(QUEUE), stores.queue(f"{QUEUE}-poison")
    made = Undertaker(QUEUE, queue, poison, dead, lambda raw: envelope_of(raw, now()))
    await made.bury(json.dumps(grid()).encode())
    assert decode(account.queues[QUEUE][0].body, Envelope).revived == 1
    assert not account.containers.get("deadletters")
