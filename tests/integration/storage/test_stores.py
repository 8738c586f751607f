"""What the ports on storage promise, held against the double and Azurite alike."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime

import pytest

from shared.errors import (
    BusyError,
    GoneError,
    LeaseLostError,
    PermanentError,
    StorageConflictError,
    UnavailableError,
)
from shared.ports import Row
from shared.storage.stores import AzureStores

MOMENT = datetime(2026, 11, 24, 23, 59, 59, 123456, tzinfo=UTC)


async def rows(table, partition, **options):
    return [row.key async for row in table.query(partition, **options)]


async def test_table_row_comes_back_as_it_was_written(kit):
    table = kit.stores.table(kit.name)
    values = {
        "text": "関所", "empty": "", "small": 3, "large": 2**40, "half": 0.5,
        "yes": True, "bytes": b"\x00\xff", "time": MOMENT,
    }  # fmt: skip
    etag = await table.insert(Row("p", "k", values))
    row = await table.get("p", "k")
    assert row is not None
    assert dict(row.values) == values
    assert row.etag == etag
    assert {name: type(value) for name, value in row.values.items()} == {
        name: type(value) for name, value in values.items()
    }


async def test_table_get_of_a_missing_row_or_table_is_none(kit):
    table = kit.stores.table(kit.name)
    assert await table.get("p", "k") is None
    await table.put(Row("p", "other", {}))
    assert await table.get("p", "k") is None


async def test_table_insert_twice_conflicts(kit):
    table = kit.stores.table(kit.name)
    await table.insert(Row("p", "k", {"n": 1}))
    with pytest.raises(StorageConflictError):
        await table.insert(Row("p", "k", {"n": 2}))
    assert (await table.get("p", "k")).values["n"] == 1


async def test_table_replace_takes_only_the_etag_of_now(kit):
    table = kit.stores.table(kit.name)
    first = await table.insert(Row("p", "k", {"n": 1, "old": "x"}))
    second = await table.replace(Row("p", "k", {"n": 2}), first)
    with pytest.raises(StorageConflictError):
        await table.replace(Row("p", "k", {"n": 3}), first)
    row = await table.get("p", "k")
    assert (dict(row.values), row.etag) == ({"n": 2}, second)


async def test_table_replace_of_a_missing_row_conflicts(kit):
    table = kit.stores.table(kit.name)
    etag = await table.insert(Row("p", "k", {}))
    await table.delete("p", "k")
    with pytest.raises(StorageConflictError):
        await table.replace(Row("p", "k", {}), etag)


async def test_table_delete_is_idempotent_and_keeps_a_row_with_another_etag(kit):
    table = kit.stores.table(kit.name)
    await table.delete("p", "k")
    etag = await table.put(Row("p", "k", {"n": 1}))
    newer = await table.put(Row("p", "k", {"n": 2}))
    with pytest.raises(StorageConflictError):
        await table.delete("p", "k", etag)
    await table.delete("p", "k", newer)
    assert await table.get("p", "k") is None
    await table.delete("p", "k", newer)
    await table.delete("p", "k")


async def test_table_query_is_ordered_bounded_and_limited(kit):
    table = kit.stores.table(kit.name)
    assert await rows(table, "p") == []
    for key in ("c", "a", "d", "b"):
        await table.put(Row("p", key, {}))
    await table.put(Row("q", "a", {}))
    assert await rows(table, "p") == ["a", "b", "c", "d"]
    assert await rows(table, "p", start="b", end="d") == ["b", "c"]
    assert await rows(table, "p", limit=3) == ["a", "b", "c"]


async def test_table_refuses_a_property_over_its_limit(kit):
    table = kit.stores.table(kit.name)
    await table.insert(Row("p", "k", {"data": b"x" * 65536}))
    with pytest.raises(PermanentError):
        await table.insert(Row("p", "k2", {"data": b"x" * 65537}))


async def test_queue_keeps_bytes_and_delays(kit):
    queue = kit.stores.queue(kit.name)
    await queue.put(b"\x00\xff now")
    await queue.put(b"later", delay=3600)
    assert kit.peek(kit.name) == [b"\x00\xff now"]


async def test_queue_takes_48_kib_and_no_more(kit):
    queue = kit.stores.queue(kit.name)
    await queue.put(b"x" * 49152)
    with pytest.raises(PermanentError):
        await queue.put(b"x" * 49153)


async def test_what_is_taken_from_a_queue_is_hidden_until_it_is_dropped(kit):
    queue = kit.stores.queue(kit.name)
    await queue.put(b"\x00\xff")
    [taken] = await queue.take(60)
    assert taken.body == b"\x00\xff"
    assert await queue.take(60) == ()
    for _ in range(2):  # the second time it is gone, which is fine
        await queue.drop(taken)
    await queue.put(b"other")
    assert [each.body for each in await queue.take(60)] == [b"other"]


async def test_what_another_has_taken_since_is_not_dropped(kit):
    queue = kit.stores.queue(kit.name)
    await queue.put(b"x")
    [early] = await queue.take(1)
    await come_back(queue)
    await queue.drop(early)
    assert (await come_back(queue)).body == b"x"


async def come_back(queue):
    """The message that is hidden for a second, taken for another."""
    for _ in range(600):
        if found := await queue.take(1):
            return found[0]
        await asyncio.sleep(0.1)
    pytest.fail("it did not come back in a minute")


async def test_blob_comes_back_with_metadata_and_tags(kit):
    blobs = kit.stores.blobs(kit.name)
    etag = await blobs.put(
        "総務/a.eml", b"data", metadata={"name": "請求書 100%"}, tags={"s": "new"}
    )
    blob = await blobs.get("総務/a.eml")
    assert (blob.data, blob.etag, dict(blob.metadata)) == (b"data", etag, {"name": "請求書 100%"})
    found = await blobs.properties("総務/a.eml")
    assert (found.data, found.etag, dict(found.metadata)) == (b"", etag, {"name": "請求書 100%"})
    assert await blobs.get_tags("総務/a.eml") == {"s": "new"}
    await blobs.set_tags("総務/a.eml", {"t": "x"})
    assert await blobs.get_tags("総務/a.eml") == {"t": "x"}
    assert (await blobs.properties("総務/a.eml")).etag == etag


async def test_blob_that_is_missing_is_gone(kit):
    blobs = kit.stores.blobs(kit.name)
    with pytest.raises(GoneError):
        await blobs.get("a")
    assert await blobs.properties("a") is None
    assert await blobs.read_range("a", 0) == b""
    await blobs.delete("a")
    await blobs.put("b", b"")
    with pytest.raises(GoneError):
        await blobs.get("a")
    assert await blobs.properties("a") is None
    with pytest.raises(GoneError):
        await blobs.get_tags("a")
    with pytest.raises(GoneError):
        await blobs.set_tags("a", {"t": "x"})


async def test_blob_conditions_hold(kit):
    blobs = kit.stores.blobs(kit.name)
    first = await blobs.put("a", b"1", only_new=True)
    with pytest.raises(StorageConflictError):
        await blobs.put("a", b"2", only_new=True)
    second = await blobs.put("a", b"2", etag=first)
    for attempt in (blobs.put("a", b"3", etag=first), blobs.delete("a", etag=first)):
        with pytest.raises(StorageConflictError):
            await attempt
    assert (await blobs.get("a")).data == b"2"
    await blobs.delete("a", etag=second)
    for attempt in (blobs.put("a", b"3", etag=second), blobs.delete("a", etag=second)):
        with pytest.raises(StorageConflictError):
            await attempt


async def test_append_wants_the_exact_position(kit):
    blobs = kit.stores.blobs(kit.name)
    with pytest.raises(StorageConflictError):
        await blobs.append("log", b"x", at=5)
    assert await blobs.append("log", b"one\n", at=0) == 4
    for wrong in (0, 3, 5):
        with pytest.raises(StorageConflictError):
            await blobs.append("log", b"x", at=wrong)
    assert await blobs.append("log", b"two\n", at=4) == 8
    assert await blobs.read_range("log", 4) == b"two\n"
    assert await blobs.read_range("log", 8) == b""
    assert await blobs.read_range("log", 9) == b""


async def test_names_are_in_order_and_by_prefix(kit):
    blobs = kit.stores.blobs(kit.name)
    assert [name async for name in blobs.names()] == []
    for name in ("b/2", "a/1", "b/1"):
        await blobs.put(name, b"")
    assert [name async for name in blobs.names()] == ["a/1", "b/1", "b/2"]
    assert [name async for name in blobs.names("b/")] == ["b/1", "b/2"]


async def test_lease_excludes_until_it_is_given_back(kit):
    lease = kit.stores.lease(kit.name)
    token = await lease.acquire("x")
    with pytest.raises(BusyError):
        await lease.acquire("x")
    await lease.acquire("y")
    await lease.renew("x", token)
    await lease.release("x", token)
    other = await lease.acquire("x")
    with pytest.raises(LeaseLostError):
        await lease.renew("x", token)
    await lease.release("x", token)
    with pytest.raises(BusyError):
        await lease.acquire("x")
    await lease.renew("x", other)


async def test_storage_that_does_not_answer_is_unavailable_and_named_without_content():
    connection = (
        "DefaultEndpointsProtocol=http;AccountName=a;AccountKey=eA==;"
        "BlobEndpoint=http://127.0.0.1:1/a;QueueEndpoint=http://127.0.0.1:1/a;"
        "TableEndpoint=http://127.0.0.1:1/a;"
    )
    async with AzureStores(connection_string=connection, retries=0) as stores:
        for call in (
            stores.table("t").get("p", "secret"),
            stores.queue("q").put(b"secret"),
            stores.blobs("c").get("secret"),
            stores.lease("c").acquire("secret"),
            rows(stores.table("t"), "secret"),
        ):
            with pytest.raises(UnavailableError) as caught:
                await call
            assert "secret" not in str(caught.value)


async def test_storage_logs_no_names(kit, caplog):
    caplog.set_level("DEBUG")
    await kit.stores.blobs(kit.name).put("drop/secret@example.jp/a.txt", b"")
    await kit.stores.table(kit.name).put(Row("secret", "k", {}))
    await kit.stores.queue(kit.name).put(b"x")
    assert "secret" not in caplog.text
