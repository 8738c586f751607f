from __future__ import annotations

import json
import random

import pytest

from local.memory import Crash, MemoryStores
from shared.audit.formats.sheet import HEAD
from shared.errors import StorageConflictError, UnavailableError
from shared.export.continuous import Continuous, Files
from shared.export.records import BrokenRecordError, Records
from shared.storage.audit_reader import AuditReader, Place
from tests.unit.export.conftest import FINDING


def export(house, kind="ocsf", stores=None, **options):
    stores = stores or house.stores
    records = Records(AuditReader(stores.blobs("audit")))
    sink = Files(stores.blobs("exports"), kind)
    return Continuous(kind, records, stores.table("auditevents"), sink, house.clock, **options)


def ranges(house):
    names = sorted(house.exported())
    return [tuple(map(int, n.rpartition("/")[2].split(".")[0].split("-"))) for n in names]


def ids(house):
    lines = [json.loads(line) for data in house.exported().values() for line in data.splitlines()]
    return sorted(line["metadata"]["uid"] for line in lines)


async def every(house):
    return [e async for e, _ in house.records.after(Place()) if e is not None]


async def test_files_are_named_by_the_records_they_cover(house):
    await house.write(10)
    assert await export(house, most=4).run() == 13
    assert ranges(house) == [(1, 5), (6, 10), (11, 13)]
    assert next(iter(sorted(house.exported()))).startswith("ocsf/2026/11/24/0000000000000001-")
    assert ids(house) == sorted(each.event.id for each in await every(house))


async def test_export_goes_on_where_it_was(house):
    await house.write(3)
    await export(house).run()
    assert await export(house).run() == 3
    await house.write(2)
    assert await export(house).run() == 6
    assert ranges(house) == [(1, 3), (4, 6)]


async def test_each_csv_file_has_its_head(house):
    await house.write(5)
    await export(house, "csv", most=2).run()
    assert all(data.startswith(HEAD) for data in house.exported().values())
    assert len(house.exported()) == 3


async def test_event_kept_aside_is_exported_whole(house):
    await house.write(1, (FINDING,) * 200)
    await export(house).run()
    [data] = house.exported().values()
    assert json.loads(data)["data_security"]["total"] == 200


async def test_nothing_behind_a_break_is_exported(house):
    await house.write(6)
    blob = house.account.containers["audit"]["chain/00000002.jsonl"]
    blob.data = bytearray(bytes(blob.data).replace(b'"seconds":1.5', b'"seconds":2.5', 1))
    one = export(house)
    with pytest.raises(BrokenRecordError, match="breaks after 4"):
        await one.run()
    assert ranges(house) == [(1, 4)]


async def test_two_exporters_do_not_meet(house):
    await house.write(6)

    class Slow(Files):
        async def put(self, first, last, entries):
            await export(house, most=2).run(files=1)
            await super().put(first, last, entries)

    other = export(house, most=2)
    late = Continuous(
        "ocsf", other.records, other.table, Slow(house.stores.blobs("exports"), "ocsf"),
        house.clock, most=2,
    )  # fmt: skip
    with pytest.raises(StorageConflictError):
        await late.run()
    await export(house, most=2).run()
    assert ids(house) == sorted(each.event.id for each in await every(house))


@pytest.mark.parametrize("seed", range(12))
async def test_crashes_leave_each_record_in_exactly_one_file(house, seed):
    rng = random.Random(seed)

    async def hook(operation, moment):
        del operation, moment
        if rng.random() < 0.08:
            raise Crash if rng.random() < 0.5 else UnavailableError("away")

    mortal = MemoryStores(house.account, hook)
    for _ in range(6):
        await house.write(5)
        for _ in range(3):
            try:
                await export(house, stores=mortal, most=3).run()
            except (Crash, UnavailableError):
                continue
    total = await export(house, most=3).run()
    found = ranges(house)
    assert [first for first, _ in found] == [1, *(last + 1 for _, last in found[:-1])]
    assert found[-1][1] == total
    assert ids(house) == sorted(each.event.id for each in await every(house))
