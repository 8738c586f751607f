"""Turns carried out: killed at every call of storage, nothing is lost, the record says it once."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from local.memory import Account, Crash, MemoryStores
from shared.codec import decode
from shared.model import Envelope, Item
from shared.policy.exemption import Kind
from shared.storage.anew import Anew
from shared.storage.exceptions import Exceptions, Request

START = datetime(2026, 7, 1, tzinfo=UTC)
ITEM, COPY = Item("mail", "m1", "box", "held:k"), Item("mail", "m2", "box", "1")
DAY = timedelta(days=1)


class House:
    """Stores in memory, and processes of which one may die at a call."""

    def __init__(self):
        self.now = START
        self.account = Account(lambda: self.now)

    def anew(self, die_at=None, moment="before"):
        calls = iter(range(1_000_000))

        async def hook(operation, when):
            del operation
            if die_at is not None and when == moment and next(calls) == die_at:
                raise Crash

        stores = MemoryStores(self.account, hook)
        exceptions = Exceptions(stores.table("exceptions"), lambda: self.now)
        queues = [stores.queue(each) for each in ("scan-items", "scan-bulk", "scan-results")]
        return Anew(exceptions, *queues, lambda: self.now, "p1")

    def enqueued(self, name):
        return [decode(each.body, Envelope).item for each in self.account.queues.get(name, [])]

    def recorded(self):
        queue = self.account.queues.get("scan-results", [])
        return [decode(each.body, Envelope).event for each in queue]


def asked(kind=Kind.RELEASE, **more):
    fields = {
        "id": "e1", "kind": kind, "scope": ITEM.place_key(), "rules": ("r",),
        "fingerprints": ("k:1",), "gaps": (), "reason": "業務に必要なため、確認のうえ",
        "owner": "o", "people": ("a",), "needed": 1, "asked_at": START,
        "expires_at": START + DAY, "item": ITEM,
    }  # fmt: skip
    return Request(**(fields | more))


@pytest.mark.parametrize("moment", ["before", "after"])
async def test_turn_killed_at_any_call_is_carried_out_in_the_end(moment):
    for number in range(40):
        house = House()
        whole = house.anew()
        await whole.exceptions.request(asked())
        await whole.exceptions.used(COPY, ("exception:e1",))
        house.now += DAY
        try:
            await house.anew(number, moment).run()
        except Crash:
            await whole.run()
        else:
            break
        keys = {each.key("p1") for each in house.enqueued("scan-items")}
        assert len(keys) == 2  # twice on the queue, perhaps; once in the ledger
        assert {each.id for each in house.enqueued("scan-items")} == {"m1", "m2"}
        assert len({each.id for each in house.recorded()}) == 1
        assert {each.action for each in house.recorded()} == {"exception_expired"}
        assert await whole.exceptions.due() == []
    assert number > 5


async def test_what_rests_on_a_suppression_is_judged_anew_behind_fresh_items():
    house = House()
    anew = house.anew()
    await anew.exceptions.request(asked(Kind.SUPPRESSION, scope="k:1", owner=""))
    await anew.exceptions.used(COPY, ("exception:e1",))
    assert await anew.run() == 2
    assert [each.id for each in house.enqueued("scan-items")] == ["m1"]
    assert [each.id for each in house.enqueued("scan-bulk")] == ["m2"]


async def test_nothing_is_due_between_the_beginning_and_the_end():
    house = House()
    anew = house.anew()
    await anew.exceptions.request(asked())
    assert await anew.run() == 1
    assert await anew.run() == 0
    house.now += DAY
    assert await anew.run() == 1
    assert [each.generation for each in house.enqueued("scan-items")] == [
        int(START.timestamp() * 1000), int((START + DAY).timestamp() * 1000),
    ]  # fmt: skip
