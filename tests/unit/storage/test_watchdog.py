from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from shared.codec import encode
from shared.errors import UnavailableError
from shared.model import Envelope, Item
from shared.policy import Policy, default_text
from shared.ports import Row
from shared.services.strictest import strictest
from shared.storage.alert_words import KINDS, WORDS, page
from shared.storage.alerts import Alerts
from shared.storage.audit_state import CHAIN, CHECKPOINT
from shared.storage.chain_watch import VERIFIED
from shared.storage.index_counts import Counts
from shared.storage.recorder import Recorder, alarm
from shared.storage.watchdog import QUEUES, Limits, Watchdog
from tests.unit.audit.payloads import event
from tests.unit.storage.conftest import START


class House:
    def __init__(self, stores, clock):
        self.stores, self.clock = stores, clock
        self.counts = Counts(stores.table("incidentindex"))
        self.accounts, self.chain = stores.table("subscriptions"), stores.table("auditevents")
        self.alerts = Alerts(stores.table("alerts"), clock)

    def dog(self, exports=("ocsf",), **limits):
        queues = {name: self.stores.queue(name) for name in QUEUES}
        return Watchdog(
            queues, self.accounts, self.counts, self.chain, exports, self.alerts, self.clock,
            Limits(**limits),
        )  # fmt: skip

    async def note(self, key, **values):
        await self.chain.put(Row(CHAIN, key, values))


@pytest.fixture
def house(stores, clock):
    return House(stores, clock)


async def test_nothing_is_wrong_where_nothing_happened(house):
    assert await house.dog().look() == []


async def test_message_that_waits_too_long_is_an_alert_once_a_day(house):
    queue = house.stores.queue("scan-items")
    await queue.put(b"1")
    await queue.put(b"2", delay=7200)
    house.clock.turn(15 * 60)
    assert await house.dog().look() == []
    house.clock.turn(1)
    for _ in range(2):
        assert await house.dog().look() == [("queue_age", "scan-items/2026-11-24")]
    rows = [row async for row in house.stores.table("alerts").query("queue_age")]
    assert len(rows) == 1


@pytest.mark.parametrize("name", ["landing-events", "relay-deliver", "relay-results"])
async def test_queues_of_the_gate_are_watched_too(house, name):
    await house.stores.queue(name).put(b"1")
    house.clock.turn(15 * 60 + 1)
    assert await house.dog().look() == [("queue_age", f"{name}/2026-11-24")]


async def test_message_that_is_put_off_does_not_wait(house):
    await house.stores.queue("scan-items").put(b"1", delay=7200)
    house.clock.turn(7100)
    assert await house.dog().look() == []


async def test_sweep_that_finds_much_is_an_alert(house):
    for number in range(5):
        one = replace(event("own"), id=f"{number:064x}", time=house.clock(), found="sweep")
        await house.counts.passed(one)
        await house.counts.passed(replace(one, id=f"{number + 50:064x}", found=""))
    assert await house.dog(sweep_items=6).look() == []
    assert await house.dog(sweep_items=5).look() == [("sweep_found", "2026-11-24")]


async def test_lapsed_subscriptions_are_an_alert_when_there_are_some(house):
    for number in range(3):
        values = {"subscription": "s", "expires": house.clock() - timedelta(minutes=11 * number)}
        await house.accounts.put(Row("mail", str(number), values))
    await house.accounts.put(Row("mail", "none", {"subscription": ""}))
    assert await house.dog(lapsed=3).look() == []
    assert await house.dog(lapsed=2).look() == [("subscriptions_lapsed", "mail/2026-11-24")]


async def test_chain_that_nobody_verified_for_a_day_is_an_alert(house):
    await house.note(CHECKPOINT, seq=9, written=house.clock())
    await house.note("export-ocsf", up_to=9, time=house.clock())
    assert await house.dog().look() == []
    house.clock.turn(86_401)
    assert await house.dog().look() == [("chain_unverified", "2026-11-25")]
    await house.note(VERIFIED, time=house.clock())
    assert await house.dog().look() == []


@pytest.mark.parametrize("up_to", [0, 5])
async def test_export_that_is_an_hour_behind_is_an_alert(house, up_to):
    await house.note(CHECKPOINT, seq=9, written=house.clock())
    await house.note("export-ocsf", up_to=up_to, time=house.clock())
    assert await house.dog().look() == []
    house.clock.turn(3601)
    assert await house.dog().look() == [("export_behind", "ocsf/2026-11-24")]
    assert await house.dog(exports=()).look() == []


async def test_what_cannot_be_looked_at_hides_nothing_else(house):
    class Away:
        async def oldest(self):
            message = "away"
            raise UnavailableError(message)

    await house.accounts.put(Row("mail", "1", {"subscription": "s", "expires": START}))
    house.clock.turn(3600)
    dog = replace(house.dog(lapsed=1), queues={"scan-items": Away()})
    with pytest.raises(UnavailableError):
        await dog.look()
    rows = [row async for row in house.stores.table("alerts").query("subscriptions_lapsed")]
    assert len(rows) == 1


def test_strictest_rules_are_those_of_the_top_class_and_those_that_always_block():
    found = strictest(Policy.load([default_text()]))
    assert "my-number-high" in found
    assert "unread" not in found


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({}, True),
        ({"disposition": "review"}, False),
        ({"action_state": "superseded"}, False),
        ({"action_state": "not_enforceable"}, True),
        ({"rule_ids": ("other",)}, False),
    ],
)
def test_block_by_a_strict_rule_is_an_alarm(change, expected):
    rules = frozenset({"my-number-high"})
    assert alarm(rules)(replace(event("own"), **change)) is expected


def test_every_block_is_an_alarm_where_that_is_wanted():
    assert alarm(None)(replace(event("own"), rule_ids=("other",)))


async def test_recorder_raises_an_alert_a_block_once(house):
    class Log:
        async def record(self, one):
            return one

    class Incidents:
        async def open(self, _):
            return ""

    class Checks:
        async def event(self, envelope):
            return envelope.event

    one = event("own")
    recorder = Recorder(Log(), Incidents(), house.alerts, Checks(), alarming=alarm(None))
    for _ in range(2):
        await recorder.record(
            Envelope("result", house.clock(), Item("a", "b", "c", "d"), event=one)
        )
    rows = [row async for row in house.stores.table("alerts").query("blocked")]
    assert [row.values["ref"] for row in rows] == [one.id]


def test_each_kind_says_what_happened_why_and_what_to_do_in_both_languages():
    for name, kind in KINDS.items():
        for text in (kind.ja, kind.en):
            assert all((text.what, text.why, text.todo)), name
        assert kind.ja.todo.endswith("。"), name
        assert f"## `{name}`" in page()
    assert len({words for pair in WORDS.values() for words in pair}) == 2 * len(KINDS)
    assert max(len(encode(words)) for words in WORDS.values()) < 1_000
