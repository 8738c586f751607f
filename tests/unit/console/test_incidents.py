"""Incidents under review, and the rows that find them."""

from __future__ import annotations

import asyncio
import itertools
from datetime import timedelta

import pytest

from local.memory import Account, MemoryStores
from shared.errors import GoneError, RefusedError, StorageConflictError
from shared.ports import Row
from shared.storage.incidents import (
    ACTIONS,
    DISPOSING,
    Change,
    Incidents,
    Pages,
    incident_id,
    timeline,
)
from shared.storage.index import DISPOSITIONS, SOURCES, STATES, Filter
from shared.storage.index_counts import day_of
from tests.unit.console.seed import NOW, event, finding, town


@pytest.fixture
def incidents():
    stores = MemoryStores(Account(lambda: NOW))
    return Incidents(stores.table("incidents"), Pages.of(stores.table("incidentindex")))


def ask(action, version, who="a", note=""):
    return Change(action, who, who.upper(), version, note)


async def test_incident_walks_its_states_and_keeps_a_timeline(incidents):
    number = await incidents.open(event(1))
    for version, (action, state) in enumerate(
        [
            ("claim", "in_review"),
            ("note", "in_review"),
            ("confirm", "confirmed"),
            ("close", "closed"),
        ]
    ):
        row = await incidents.change(
            number, ask(action, version, note="x" if version == 1 else ""), NOW
        )
        assert row.values["state"] == state
    assert row.values["verdict"] == "true_positive"
    assert row.values["reviewer"] == "a"
    assert [each.action for each in timeline(row.values)] == ["claim", "note", "confirm", "close"]


@pytest.mark.parametrize("state", STATES)
@pytest.mark.parametrize("action", [each for each in ACTIONS if each not in DISPOSING])
async def test_incident_refuses_an_action_that_does_not_fit(incidents, action, state):
    number = await incidents.open(event(1))
    row = await incidents.get(number)
    await incidents.table.put(Row(row.partition, row.key, {**row.values, "state": state}))
    fits = state in ACTIONS[action][0] and (action, state) != ("close", "in_review")
    if fits:
        await incidents.change(number, ask(action, 0), NOW)
        return
    with pytest.raises(RefusedError):
        await incidents.change(number, ask(action, 0), NOW)
    assert (await incidents.get(number)).values["state"] == state


async def test_incident_closes_from_review_only_as_a_false_positive(incidents):
    number = await incidents.open(event(1))
    await incidents.change(number, ask("claim", 0), NOW)
    with pytest.raises(RefusedError):
        await incidents.change(number, ask("close", 1), NOW)
    await incidents.change(number, ask("false_positive", 1), NOW)
    assert (await incidents.change(number, ask("close", 2), NOW)).values["state"] == "closed"


async def test_incident_of_two_reviewers_at_once_belongs_to_one(incidents):
    number = await incidents.open(event(1))
    results = await asyncio.gather(
        *(incidents.change(number, ask("claim", 0, who), NOW) for who in "abcdefgh"),
        return_exceptions=True,
    )
    won = [each for each in results if isinstance(each, Row)]
    lost = [each for each in results if isinstance(each, StorageConflictError)]
    assert (len(won), len(lost)) == (1, 7)
    assert len(timeline((await incidents.get(number)).values)) == 1
    assert await incidents.pages.counts.states() == {"f|in_review|mail|review": 1}


async def test_incident_that_does_not_exist_is_gone(incidents):
    for name in ("2026-11/none", "none", ""):
        with pytest.raises(GoneError):
            await incidents.change(name, ask("claim", 0), NOW)


async def test_incident_counts_distinct_persons(incidents):
    found = (*tuple(finding("my_number", each % 3) for each in range(9)), finding("credit_card", 1))
    row = await incidents.get(await incidents.open(event(1, findings=found)))
    assert row.values["persons"] == 3


async def test_incident_opened_again_stays_under_review_and_is_counted_once(incidents):
    happened = event(1, disposition="block")
    number = await incidents.open(happened)
    await incidents.change(number, ask("claim", 0), NOW)
    assert await incidents.open(happened) == number
    assert (await incidents.get(number)).values["state"] == "in_review"
    assert await incidents.pages.counts.states() == {"f|in_review|mail|block": 1}
    assert (await incidents.pages.counts.sums(f"d|{day_of(NOW)}"))["all"] == 1
    assert [row.key for row in (await incidents.list(Filter(state="open")))[0]] == []


async def pages(incidents, wanted, limit=7):
    after, seen = "", []
    while True:
        rows, after = await incidents.list(wanted, after, limit)
        seen += rows
        if not after:
            return seen


async def test_incident_list_pages_through_everything_once_by_every_filter(incidents):
    ids = [await incidents.open(each) for each in town(150)]
    for number in [each for each in ids if each][::3]:
        await incidents.change(number, ask("claim", 0), NOW)
    rows = [await incidents.get(each) for each in ids if each]
    choices = itertools.product(("", *STATES), ("", *SOURCES), ("", *DISPOSITIONS))
    for state, source, disposition in choices:
        wanted = Filter(state, source, disposition)
        expected = sorted(row.key for row in rows if wanted.matches(row.values))
        assert [row.key for row in await pages(incidents, wanted)] == expected


async def test_incident_list_reads_no_more_than_a_page_needs():
    stores = MemoryStores(Account(lambda: NOW))
    incidents = Incidents(stores.table("incidents"), Pages.of(stores.table("incidentindex")))
    for each in range(400):
        await incidents.open(event(each, age=timedelta(minutes=each)))
    reads = []

    async def hook(operation, moment):
        if moment == "before":
            reads.append(operation)

    watched = MemoryStores(stores.account, hook)
    counted = Incidents(watched.table("incidents"), Pages.of(watched.table("incidentindex")))
    rows, after = await counted.list(Filter(state="open"), "", 25)
    assert (len(rows), bool(after)) == (25, True)
    assert len(reads) <= 10 + 25


async def test_incident_list_drops_what_the_index_remembers_wrongly(incidents):
    number = await incidents.open(event(1))
    row = await incidents.get(number)
    await incidents.change(number, ask("claim", 0), NOW)
    await incidents.pages.index.enter(row)  # as a crash between two writes leaves it
    assert (await incidents.list(Filter(state="open")))[0] == []
    assert await incidents.pages.index.find(Filter(state="open")) == []
    assert len((await incidents.list(Filter()))[0]) == 1


async def test_oldest_waiting_incident_is_found_without_a_scan(incidents):
    first = await incidents.open(event(1, age=timedelta(days=2)))
    second = await incidents.open(event(2, age=timedelta(days=1)))
    assert f"{(row := await incidents.oldest()).partition}/{row.key}" == first
    await incidents.change(first, ask("claim", 0), NOW)
    await incidents.change(first, ask("confirm", 1), NOW)
    assert f"{(row := await incidents.oldest()).partition}/{row.key}" == second


async def test_counters_of_many_writers_lose_and_double_nothing():
    account = Account(lambda: NOW)
    writers = [MemoryStores(account) for _ in range(4)]
    pages_of = [Pages.of(each.table("incidentindex")) for each in writers]
    events = [event(each, disposition="tag") for each in range(120)]
    await asyncio.gather(
        *(
            pages_of[(n + again) % 4].counts.passed(each)
            for n, each in enumerate(events)
            for again in (0, 1)
        )
    )
    sums = await pages_of[0].counts.sums(f"d|{day_of(NOW)}")
    assert (sums["all"], sums["disposition|tag"]) == (120, 120)


async def test_audit_index_finds_by_item_and_by_day(incidents):
    for each in range(5):
        await incidents.open(event(each, disposition="tag", item="same" if each < 3 else ""))
    assert len(await incidents.pages.audit.of_item("same")) == 3
    assert len(await incidents.pages.audit.of_day(day_of(NOW), "tag")) == 5
    assert await incidents.pages.audit.of_day(day_of(NOW), "block") == []


async def test_list_of_the_newest_is_a_request_or_two_and_misses_nothing():
    stores = MemoryStores(Account(lambda: NOW))
    incidents = Incidents(stores.table("incidents"), Pages.of(stores.table("incidentindex")))
    ages = [timedelta(hours=3 * each) for each in range(200)] + [timedelta(days=200)]
    ages += [timedelta(days=-2), timedelta(minutes=-1)]  # clocks that are ahead
    for number, age in enumerate(ages):
        await incidents.open(event(number, age=age))
    reads = []

    async def hook(operation, moment):
        if moment == "before":
            reads.append(operation)

    watched = MemoryStores(stores.account, hook)
    counted = Incidents(watched.table("incidents"), Pages.of(watched.table("incidentindex")))
    opened = [incident_id(event(number, age=age)) for number, age in enumerate(ages)]
    expected = sorted(each.partition("/")[2] for each in opened)
    for now in (None, NOW, NOW - timedelta(days=40)):
        seen, after = [], ""
        while True:
            reads.clear()
            rows, after = await counted.list(Filter(), after, 25, now)
            assert len(reads) <= 12
            seen += [row.key for row in rows]
            if not after:
                break
        assert seen == expected


async def test_oldest_is_remembered_until_it_waits_no_more(incidents):
    first = await incidents.open(event(1, age=timedelta(days=2)))
    second = await incidents.open(event(2, age=timedelta(days=1)))
    for _ in range(2):
        row = await incidents.oldest()
        assert f"{row.partition}/{row.key}" == first
    for version, action in enumerate(("claim", "confirm")):
        await incidents.change(first, ask(action, version), NOW)
    row = await incidents.oldest()
    assert f"{row.partition}/{row.key}" == second


@pytest.mark.parametrize("disposition", ["review", "block"])
async def test_forgotten_incident_leaves_no_row_that_finds_it(incidents, disposition):
    number = await incidents.open(event(1, disposition=disposition))
    row = await incidents.get(number)
    found = [Filter(), Filter(state="open"), Filter(disposition=disposition), Filter(held=True)]
    partitions = {each for one in found for each in one.partitions()} | {"w"}
    for _ in range(2):
        await incidents.forget(row)
    for each in partitions:
        assert [row async for row in incidents.pages.index.table.query(each)] == [], each
    assert not any((await incidents.pages.counts.states()).values())
