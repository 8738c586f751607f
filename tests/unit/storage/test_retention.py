from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from shared.codec import decode
from shared.errors import RefusedError
from shared.model import Envelope, Item
from shared.storage.disposal import Disposals
from shared.storage.incidents import Change, Incidents, Pages, timeline
from shared.storage.index import Filter
from shared.storage.index_counts import day_of
from shared.storage.recount import Recount
from shared.storage.retention import Cleared, Periods, Retention, copies
from tests.unit.audit.payloads import event


class House:
    """Incidents, a day apart, each with a copy; some are closed."""

    def __init__(self, stores, clock):
        self.stores, self.clock = stores, clock
        self.index = stores.table("incidentindex")
        self.pages = Pages.of(self.index)
        self.incidents = Incidents(stores.table("incidents"), self.pages)
        self.disposals = Disposals(stores.table("exceptions"), clock)
        self.results = stores.queue("scan-results")
        self.anew = Recount(self.incidents.table, self.index, self.pages.counts, clock)

    def retention(self, **periods):
        return Retention(
            self.incidents, self.index, self.disposals, self.clock, Periods(**periods), self.results
        )

    async def open(self, number, *, close=True):
        one = replace(
            event("own"), id=f"{number:064x}", time=self.clock(), evidence_ref=f"evidence/{number}",
            item=Item("mail", f"m{number}", "box", "1"),
        )  # fmt: skip
        key = await self.incidents.open(one)
        for version, action in enumerate(("claim", "confirm", "close") if close else ()):
            await self.incidents.change(key, Change(action, "r", "R", version), self.clock())
        self.clock.turn(86_400)
        return key

    async def listed(self):
        return [row.values["event"] for row in (await self.incidents.list(Filter()))[0]]

    def told(self):
        return [decode(each.body, Envelope).event for each in self.results.visible()]


@pytest.fixture
def house(stores, clock):
    return House(stores, clock)


async def test_nothing_is_deleted_unless_a_deployment_says_so(house):
    await house.open(1)
    house.clock.turn(86_400 * 4_000)
    assert await house.retention().run() == Cleared()
    assert await house.retention(copies=1, incidents=1, search=1, hold=True).run() == Cleared()
    assert house.told() == []


async def test_copies_of_closed_incidents_are_ordered_to_go_when_their_time_is_over(house):
    old, young = await house.open(1), await house.open(2)
    waiting = await house.open(3, close=False)
    house.clock.turn(86_400 * 28)
    keep = house.retention(copies=30)
    assert await keep.run() == Cleared(copies=1)
    assert await keep.run() == Cleared()
    [order] = await house.disposals.due()
    assert (order.incident, order.refs, order.people) == (old, ("evidence/1",), ("retention",))
    row = await house.incidents.get(old)
    assert (row.values["copy"], timeline(row.values)[-1].who) == ("ordered", "retention")
    for key in (young, waiting):
        assert not (await house.incidents.get(key)).values.get("copy")
    [told] = house.told()
    assert (told.item.source, told.steps[0].result) == ("retention", "1")


async def test_incident_under_a_legal_hold_keeps_its_copies(house):
    key = await house.open(1)
    await house.incidents.hold(key, "訴訟 令和8年(ワ)第1号", house.clock())
    house.clock.turn(86_400 * 400)
    assert await house.retention(copies=30, incidents=30).run() == Cleared()
    row = await house.incidents.get(key)
    change = Change("ask_delete", "a", "A", row.values["version"])
    with pytest.raises(RefusedError, match="legal hold"):
        await house.incidents.change(key, change, house.clock())
    await house.incidents.hold(key, "", house.clock())
    assert await house.retention(copies=30).run() == Cleared(copies=1)


async def test_incident_goes_after_its_copies_and_is_counted_no_more(house):
    await house.open(1)
    last = await house.open(2, close=False)
    house.clock.turn(86_400 * 60)
    assert await house.retention(incidents=30).run() == Cleared()
    assert await house.retention(copies=30, incidents=50).run() == Cleared(copies=1, incidents=1)
    assert await house.listed() == [f"{2:064x}"]
    assert await house.pages.counts.states() == {"f|open|mail|block": 1}
    assert not await house.anew.run(fix=False)
    assert (await house.incidents.get(last)).values["state"] == "open"


async def test_search_of_long_ago_is_cleared_with_its_counters(house):
    for number in range(1, 5):
        await house.open(number)
    first = day_of(house.clock() - timedelta(days=4))
    keep = house.retention(search=2)
    total = 0
    for _ in range(8):
        total += (await keep.run()).search
    assert total > 0
    assert await house.pages.audit.of_day(first) == []
    assert await house.pages.audit.of_item("m1") == []
    assert await house.pages.counts.sums(f"d|{first}") == {}
    assert len(await house.pages.audit.of_item("m4")) == 1
    assert len(await house.listed()) == 4


async def test_recount_agrees_where_nothing_drifted(house):
    for number in range(1, 4):
        await house.open(number, close=number > 1)
    drift = await house.anew.run(fix=False)
    assert (bool(drift), drift.incidents, drift.settled) == (False, 3, True)


async def test_recount_finds_and_mends_what_drifted(house, account):
    for number in range(1, 4):
        await house.open(number, close=number > 1)
    good = await house.pages.counts.states()
    await house.pages.counts.add("g", "late", {"f|open|mail|block": 2})
    rows = account.tables["incidentindex"]
    waiting = next(place for place in rows if place[0] == "w")
    listed = [place for place in rows if place[0] == "all"][-1]
    rows["w", "stray"] = replace(rows[waiting], key="stray")
    del rows[waiting], rows[listed]
    drift = await house.anew.run(fix=False)
    assert (drift.counters, drift.missing, drift.stale) == ({"f|open|mail|block": -2}, 2, 1)
    assert await house.anew.run(fix=True)
    assert not await house.anew.run(fix=False)
    assert await house.pages.counts.states() == good
    assert len(await house.listed()) == 3


async def test_recount_leaves_counters_alone_while_incidents_change(house):
    await house.open(1)

    class Busy(Recount):
        async def _every(self):
            await self.counts.add("g", f"{house.clock()}", {"f|open|mail|block": 1})
            house.clock.turn(1)
            async for row in super()._every():
                yield row

    before = await house.pages.counts.states()
    busy = Busy(house.incidents.table, house.index, house.pages.counts, house.clock)
    assert not (await busy.run(fix=True)).settled
    after = await house.pages.counts.states()
    assert after == {**before, "f|open|mail|block": 3}


async def test_recount_of_days_holds_counters_against_the_record(house):
    day = day_of(house.clock())
    events = [replace(event("own"), id=f"{n:064x}", time=house.clock()) for n in range(5)]
    for each in events[:4]:
        await house.pages.counts.passed(each)

    async def record():
        for each in events:
            yield each

    found = await house.anew.days(record(), day, day, fix=True)
    assert found[day]["all"] == 1
    assert found[day]["entity|my_number"] == 1
    assert await house.anew.days(record(), day, day, fix=False) == {}


async def test_copies_of_an_incident_are_those_of_all_its_events(house):
    key = await house.open(1, close=False)
    again = replace(
        event("own"), id="f" * 64, time=house.clock(), evidence_ref="evidence/2",
        item=Item("mail", "m1", "box", "2"),
    )  # fmt: skip
    assert await house.incidents.open(again) == key
    found = copies(await house.incidents.get(key))
    assert sorted(found) == ["evidence/1", "evidence/2"]
