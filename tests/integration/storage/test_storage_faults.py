"""A storage that fails: what its answers become, and what was done though its answer was lost."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from shared.errors import StorageConflictError, ThrottledError, UnavailableError
from shared.model import Item
from shared.ports import Row
from shared.services.seals import Seals
from shared.storage.alerts import Alerts
from shared.storage.claimcheck import ClaimCheck
from shared.storage.ledger import TableLedger
from shared.storage.stores import AzureStores
from trust.storage_faults import KINDS, StorageFaults

pytestmark = pytest.mark.integration
ERRORS = {
    "429": ThrottledError,
    "503": ThrottledError,
    "reset": UnavailableError,
    "reset_after": UnavailableError,
    "timed_out_after": UnavailableError,
}


@pytest.fixture(scope="module")
def faults(azurite):
    with StorageFaults(azurite, 1, late=0.1) as running:
        yield running


@pytest.fixture
async def once(faults):
    """Stores that try once."""
    async with AzureStores(connection_string=faults.connection_string, retries=0) as stores:
        yield stores


@pytest.fixture
async def again(faults):
    """Stores that try as the product's do."""
    async with AzureStores(connection_string=faults.connection_string) as stores:
        yield stores


def now():
    return datetime.now(UTC)


def test_every_fault_has_an_error_of_ours():
    assert ERRORS.keys() == set(KINDS)


@pytest.mark.parametrize("kind", sorted(ERRORS))
async def test_fault_of_each_service_is_transient_and_what_it_asked_for_is_kept(faults, once, kind):
    table, queue, blobs = once.table("faulty"), once.queue("faulty"), once.blobs("faulty")
    await table.put(Row("p", kind, {}))
    await queue.put(b"x")
    await blobs.put(kind, b"x")
    for call in (
        lambda: table.put(Row("p", kind, {})),
        lambda: queue.put(b"x"),
        lambda: blobs.put(kind, b"x"),
    ):
        # aiohttp itself asks once more where a connection that it kept was cut.
        faults.script[:] = [kind] * 2
        with pytest.raises(ERRORS[kind]) as told:
            await call()
        faults.script.clear()
        assert told.value.retry_after == (1.0 if kind in {"429", "503"} else None)


async def test_insert_whose_answer_was_lost_is_a_conflict_the_next_time(faults, once):
    table = once.table("faulty")
    await table.put(Row("p", "made", {}))
    faults.script[:] = ["timed_out_after"]
    with pytest.raises(UnavailableError):
        await table.insert(Row("p", "lost", {"a": 1}))
    with pytest.raises(StorageConflictError):
        await table.insert(Row("p", "lost", {"a": 2}))
    assert (await table.get("p", "lost")).values == {"a": 1}


async def test_claim_whose_answer_was_lost_is_ours(faults, again):
    checks = ClaimCheck(again.blobs("faulty"))
    own, rows = again.table("faultyown"), again.table("faultyledger")
    await rows.put(Row("p", "made", {}))
    ledger = TableLedger(rows, own, checks, now, "p1")
    faults.script[:] = ["timed_out_after"]
    claim = await ledger.claim(Item("mail", "lost-claim", "box", "v1"), now())
    assert faults.script == []
    assert not claim.done
    assert await ledger.renew(claim)


async def test_seal_whose_answer_was_lost_is_the_first_arrival_still(faults, again):
    table = again.table("faultytold")
    await table.put(Row("p", "made", {}))
    seals = Seals(table, Alerts(again.table("faultyalerts"), now), now)
    faults.script[:] = ["", "", "timed_out_after"]  # the looks at two days, then the insert
    assert not await seals.again("seal", "a")
    assert await seals.again("seal", "b")


async def test_append_whose_answer_was_lost_is_not_appended_twice(faults, once):
    blobs = once.blobs("faulty")
    await blobs.append("chain", b"one", at=0)
    faults.script[:] = ["timed_out_after"]
    with pytest.raises(UnavailableError):
        await blobs.append("chain", b"two", at=3)
    with pytest.raises(StorageConflictError):
        await blobs.append("chain", b"two", at=3)
    assert await blobs.read_range("chain", 0) == b"onetwo"
