"""A sealed notification that comes again: known by every worker, nothing begun, an event each."""

from __future__ import annotations

import json
from datetime import timedelta

import msgspec
import pytest

from local.memory import Account, MemoryStores
from shared.errors import UnavailableError
from shared.graph.rich import seal_of
from shared.services.seals import Seals
from shared.storage.alerts import Alerts
from tests.unit.graph.sealed_house import Clock, House, notification, sealed


class Memory:
    """The table, and as many workers over it as a test wants."""

    def __init__(self):
        self.clock = Clock()
        self.account = Account(self.clock)
        self.stores = MemoryStores(self.account)
        self.alerts = Alerts(self.stores.table("alerts"), self.clock)

    def worker(self):
        return Seals(self.stores.table("told"), self.alerts, self.clock)

    def events(self):
        return sum(kind == "replayed" for kind, _ in self.account.tables.get("alerts", {}))

    def rows(self):
        return len(self.account.tables.get("told", {}))


async def test_first_arrival_is_worked_on_the_second_is_not_and_neither_is_an_event():
    memory = Memory()
    assert not await memory.worker().again("seal", "a")
    assert await memory.worker().again("seal", "b")
    assert memory.events() == 0


async def test_each_arrival_from_the_third_on_is_one_event_however_often_it_is_read():
    memory = Memory()
    for trace in "abcdecde":
        await memory.worker().again("seal", trace)
    assert memory.events() == 3
    assert memory.rows() == 2  # a flood fills no table but that of the events


async def test_message_that_the_queue_gives_again_is_no_second_arrival():
    memory = Memory()
    assert not await memory.worker().again("seal", "a")
    assert not await memory.worker().again("seal", "a")
    assert await memory.worker().again("seal", "b")
    assert not await memory.worker().again("seal", "a")
    assert memory.events() == 0


async def test_other_seals_are_other_notifications():
    memory = Memory()
    for number in range(5):
        assert not await memory.worker().again(f"seal{number}", "a")
    assert memory.events() == 0


async def test_two_workers_at_the_same_moment_take_one_place_each():
    memory = Memory()
    one, other = memory.worker(), memory.worker()
    place = one.table.insert
    found = []

    async def late(row):
        if not found:
            found.append(await other.again("seal", "b"))  # between the look and the insert
        return await place(row)

    object.__setattr__(one, "table", Late(one.table, late))
    assert await one.again("seal", "a")
    assert found == [False]
    assert memory.events() == 0


class Late:
    """A table whose insert is another function."""

    def __init__(self, table, insert):
        self.get, self.query, self.delete, self.insert = (
            table.get,
            table.query,
            table.delete,
            insert,
        )


async def test_seal_is_known_on_the_next_day_and_forgotten_when_no_token_lives():
    memory = Memory()
    await memory.worker().again("seal", "a")
    memory.clock.now += timedelta(days=1)
    assert await memory.worker().again("seal", "b")
    await memory.worker().again("fresh", "c")
    assert await memory.worker().forget() == 0
    memory.clock.now += timedelta(days=1)
    assert await memory.worker().forget() == 1
    assert memory.rows() == 2
    memory.clock.now += timedelta(days=1)
    assert await memory.worker().forget() == 2
    assert memory.rows() == 0


async def test_storage_that_is_away_is_no_replay():
    memory = Memory()

    async def away(operation, moment):
        del operation, moment
        message = "away"
        raise UnavailableError(message)

    memory.stores = MemoryStores(memory.account, away)
    with pytest.raises(UnavailableError):
        await memory.worker().again("seal", "a")


async def test_seal_written_otherwise_is_the_same_seal():
    """Base64 has several spellings of the same bytes: its last digit carries bits that are none."""
    value = json.loads(sealed())
    signature = value["content"]["dataSignature"]
    alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
    value["content"]["dataSignature"] = (
        f"{signature[:-2]}{alphabet[alphabet.index(signature[-2]) + 1]}="
    )
    again = msgspec.json.encode(value)
    assert json.loads(again)["content"]["dataSignature"] != signature
    value["content"]["dataSignature"] = signature
    assert seal_of(again) == seal_of(msgspec.json.encode(value))


async def test_replays_on_any_worker_enqueue_one_item_and_are_an_event_each():
    house = House(workers=3)
    body = notification(sealed())
    for _ in range(12):
        assert await house.intake.receive(body) is None
    await house.resolve()
    assert len(house.bodies("scan-items")) == 1
    assert len(await house.events("replayed")) == 10
    assert await house.events("refused") == []


async def test_forgery_with_a_known_seal_is_refused_and_takes_no_place():
    house = House(workers=2)
    genuine = json.loads(sealed())
    forged = [
        {**genuine, "tokens": []},
        {**genuine, "content": {**genuine["content"], "data": "AAAA" * 8}},
    ]
    for each in forged:
        await house.intake.receive(notification(msgspec.json.encode(each)))
    await house.intake.receive(notification(msgspec.json.encode(genuine)))
    await house.resolve()
    assert len(await house.events("refused")) == 2
    assert len(house.bodies("scan-items")) == 1
