"""What is found in one item is one review, however often it comes."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import timedelta

import pytest

from local.memory import Account, MemoryStores
from shared.storage.causes import SEEN, parts, persons_of
from shared.storage.incidents import Change, Incidents, Pages, incident_id, timeline
from shared.storage.index import Filter
from tests.unit.console.seed import NOW, event, finding


@pytest.fixture
def incidents():
    stores = MemoryStores(Account(lambda: NOW))
    return Incidents(stores.table("incidents"), Pages.of(stores.table("incidentindex")))


def again(number, **options):
    """An event of the same item; the older, the lower the number."""
    age = timedelta(minutes=60 - number)
    return event(number, item="the-item", age=age, **options)


async def test_events_of_one_item_join_the_review_that_is_under_way(incidents):
    found = tuple(finding("my_number", each) for each in (1, 2))
    first = await incidents.open(again(1, findings=found))
    await incidents.change(first, Change("claim", "a", "A", 0), NOW)
    more = tuple(finding("my_number", each) for each in (2, 3))
    second = again(2, findings=more, disposition="block", evidence="evidence/2.eml")
    assert await incidents.open(second) == first
    row = await incidents.get(first)
    assert (row.values["state"], row.values["reviewer"]) == ("in_review", "a")
    assert (row.values["disposition"], row.values["evidence_ref"]) == ("block", "evidence/2.eml")
    assert (row.values["persons"], row.values["events"]) == (3, 2)
    assert [each.event for each in parts(row.values)] == [again(1).id, second.id]
    assert timeline(row.values)[-1].action == "joined"
    assert await incidents.pages.counts.states() == {"f|in_review|mail|block": 1}
    assert [each.key for each in (await incidents.list(Filter()))[0]] == [row.key]
    assert (await incidents.list(Filter(disposition="review")))[0] == []
    assert (await incidents.list(Filter(held=True)))[0][0].key == row.key


async def test_event_told_again_joins_once_and_its_own_number_leads_there(incidents):
    first = await incidents.open(again(1))
    for _ in range(3):
        assert await incidents.open(again(2)) == first
        assert await incidents.open(again(1)) == first
    row = await incidents.get(incident_id(again(2)))
    assert f"{row.partition}/{row.key}" == first
    assert row.values["events"] == 2
    assert len((await incidents.list(Filter()))[0]) == 1


async def test_milder_event_does_not_soften_an_incident(incidents):
    first = await incidents.open(again(1, disposition="block", evidence="evidence/1.eml"))
    await incidents.open(again(2))
    row = await incidents.get(first)
    assert (row.values["disposition"], row.values["event"]) == ("block", again(1).id)
    assert row.values["evidence_ref"] == "evidence/1.eml"


async def test_event_after_the_review_begins_the_next_one(incidents):
    first = await incidents.open(again(1))
    for version, action in enumerate(("claim", "confirm")):
        await incidents.change(first, Change(action, "a", "A", version), NOW)
    second = await incidents.open(again(2))
    assert second == incident_id(again(2)) != first
    assert await incidents.open(again(3)) == second
    assert await incidents.open(again(1)) == first


async def test_events_of_one_item_at_once_are_one_incident(incidents):
    events = [again(number, findings=(finding("my_number", number),)) for number in range(12)]
    opened = await asyncio.gather(
        *(incidents.open(each) for each in events), return_exceptions=True
    )
    opened = [await incidents.open(each) for each in events]  # what was busy comes again
    assert len(set(opened)) == 1
    row = await incidents.get(opened[0])
    assert (row.values["events"], row.values["persons"]) == (12, 12)
    assert sum((await incidents.pages.counts.states()).values()) == 1


async def test_incident_of_very_many_persons_stays_within_a_row(incidents):
    first = await incidents.open(again(0))
    for number in range(1, 4):
        many = tuple(finding("my_number", number * SEEN + each) for each in range(SEEN))
        await incidents.open(again(number, findings=many))
    row = await incidents.get(first)
    assert row.values["persons"] == 3 * SEEN
    assert all(len(str(value)) < 32_000 for value in row.values.values())


def test_persons_of_different_keys_are_not_the_same():
    one = finding("my_number", 1)
    two = replace(one, fingerprint=one.fingerprint.replace("local-1", "local-2"))
    assert len(persons_of(event(1, findings=(one, one, two)))) == 2
