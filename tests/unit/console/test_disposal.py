"""Deleting a kept copy: who may, how many it takes, and that it is gone before anybody says so."""

from __future__ import annotations

import asyncio

import pytest

from local.memory import Account, MemoryStores
from shared.codec import decode
from shared.errors import RefusedError
from shared.model import Envelope
from shared.storage.disposal import Disposals, Disposer, asked
from tests.unit.console.conftest import text
from tests.unit.console.seed import NOW, event


@pytest.fixture
def stores():
    return MemoryStores(Account(lambda: NOW))


@pytest.fixture
def disposer(stores):
    disposals = Disposals(stores.table("exceptions"), lambda: NOW)
    return Disposer(disposals, stores.blobs, stores.queue("scan-results"), lambda: NOW)


VALUES = {"evidence_ref": "quarantine/k.bin"}


def test_copy_takes_as_many_different_people_as_policy_says():
    one = asked(VALUES, "ask_delete", "A@x", 3)
    assert one["copy"] == "asked"
    for same in ("A@x", " a@X ", ""):
        with pytest.raises(RefusedError):
            asked(one, "delete", same, 3)
    two = asked(one, "delete", "b", 1)  # a policy made easier meanwhile does not count
    assert two["copy"] == "asked"
    assert asked(two, "delete", "c", 1)["copy"] == "ordered"
    assert asked(VALUES, "ask_delete", "a", 1)["copy"] == "ordered"


def test_request_can_be_withdrawn_and_then_begins_anew():
    one = asked(VALUES, "ask_delete", "a", 2)
    kept = asked(one, "keep", "b", 2)
    assert kept["copy"] == ""
    with pytest.raises(RefusedError):
        asked(kept, "delete", "b", 2)


@pytest.mark.parametrize(
    ("values", "action"),
    [
        ({"evidence_ref": ""}, "ask_delete"), (VALUES, "delete"), (VALUES, "keep"),
        ({**VALUES, "copy": "ordered"}, "keep"), ({**VALUES, "copy": "deleted"}, "ask_delete"),
    ],
)  # fmt: skip
def test_step_that_does_not_fit_is_refused(values, action):
    with pytest.raises(RefusedError):
        asked(values, action, "a", 2)


async def test_order_is_carried_out_once_and_read_back(stores, disposer):
    for name in ("k.bin", "k.json", "other.bin"):
        await stores.blobs("quarantine").put(name, b"x")
    disposals = disposer.disposals
    for _ in range(2):
        assert await disposals.order("2026-11/1", ["quarantine/k.bin"], ["a", "b"]) == "ordered"
    assert await disposer.run() == 1
    assert [name async for name in stores.blobs("quarantine").names()] == ["other.bin"]
    told = [decode(each.body, Envelope).event for each in stores.queue("scan-results").visible()]
    assert [(each.action, each.action_state) for each in told] == [("dispose", "applied")]
    assert [each.result for each in told[0].steps] == ["404 on read-back", "a", "b"]
    assert await disposer.run() == 0
    assert await disposals.order("2026-11/1", ["quarantine/k.bin"], ["a", "b"]) == "deleted"


async def test_order_cut_off_anywhere_is_one_event(stores, disposer, monkeypatch):
    await stores.blobs("quarantine").put("k.bin", b"x")
    await disposer.disposals.order("2026-11/1", ["quarantine/k.bin"], ["a"])

    async def cut(*_):
        raise asyncio.CancelledError

    monkeypatch.setattr(Disposals, "done", cut)
    with pytest.raises(asyncio.CancelledError):
        await disposer.run()
    monkeypatch.undo()
    await disposer.run()
    told = [decode(each.body, Envelope).event for each in stores.queue("scan-results").visible()]
    assert len(told) == 2
    assert len({each.id for each in told}) == 1


async def test_nothing_but_copies_can_be_deleted(stores, disposer):
    await stores.blobs("audit").put("chain/1", b"x")
    await disposer.disposals.order("i", ["audit/chain/1", "quarantine", ""], ["a", "b"])
    await disposer.run()
    assert [name async for name in stores.blobs("audit").names()] == ["chain/1"]
    told = decode(stores.queue("scan-results").visible()[0].body, Envelope).event
    assert told.action_state == "partial"


async def test_two_reviewers_delete_a_copy_and_the_page_says_so_once_it_is_gone(house):
    happened = event(1, disposition="block", evidence="quarantine/k.bin")
    await house.rows.insert(happened)
    number = await house.incidents.open(happened)
    await house.stores.blobs("quarantine").put("k.bin", b"x")
    path, one, two = f"incidents/{number}", ("reviewer",), ("reviewer", "viewer")
    for version, (action, who) in enumerate(
        [("claim", one), ("confirm", one), ("ask_delete", one), ("delete", one), ("delete", two)]
    ):
        answer = await house.post(path, *who, action=action, version=min(version, 3))
        assert answer.status == (409 if (action, who) == ("delete", one) else 303), action
        if version == 2:
            assert 'value="delete"' not in text(await house.get(path, *one))
            assert 'value="delete"' in text(await house.get(path, *two))
    assert 'class="badge copy-ordered"' in text(await house.get("quarantine", *one))
    disposals = house.desk.disposals
    assert (await disposals.due())[0].people == ("oid-reviewer", "oid-reviewer-viewer")
    results = house.stores.queue("scan-results")
    await Disposer(disposals, house.stores.blobs, results, lambda: NOW).run()
    assert number not in text(await house.get("quarantine", *one))
    assert 'class="badge copy-deleted"' in text(await house.get(path, *one))
    told = [each[0] for each in house.told() if each[0].startswith(("console.incident", "dispose"))]
    assert {"console.incident_ask_delete", "console.incident_delete", "dispose"} <= set(told)
