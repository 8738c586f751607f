from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import timedelta

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec

from local.memory import MemoryStores
from shared.audit.chain import Kind, parse
from shared.audit.head import es256_signer, es256_verifier, public_pem
from shared.codec import decode
from shared.errors import BusyError, UnavailableError
from shared.model import AuditEvent, Finding, Item, Level
from shared.storage.audit_log import AuditLog, Sizes
from shared.storage.audit_reader import AuditReader
from shared.storage.audit_state import ChainBrokenError

PEM = ec.generate_private_key(ec.SECP256R1()).private_bytes(
    serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
)


def event(number, clock, findings=()):
    item = Item("mail", f"m{number}", "box", "ck")
    return AuditEvent(
        item.key("p1"), clock(), item, "tag", "tag", "enforce", "p1", ("r",), "tag", "applied",
        (), findings, (), "own_mailbox", "o", 1.5, "t",
    )  # fmt: skip


def make(stores, clock, **options):
    log = AuditLog(
        stores.table("auditevents"),
        stores.blobs("audit"),
        stores.lease("audit"),
        clock,
        signer=es256_signer(PEM),
        **options,
    )
    return log, AuditReader(stores.blobs("audit"))


async def ids(reader):
    return [
        decode(bytes(parse(line).event), AuditEvent).id
        for line in await reader.lines()
        if b'"roll"' not in line
    ]


async def test_record_returns_when_the_event_is_in_the_chain(stores, clock):
    log, reader = make(stores, clock)
    one = event(1, clock)
    assert await log.record(one) == one
    assert await ids(reader) == [one.id]
    row = await stores.table("auditevents").get(one.id[:2], one.id)
    assert (row.values["seq"], row.values["hash"]) == (1, parse((await reader.lines())[0]).hash)


async def test_record_keeps_what_came_first(stores, clock):
    log, reader = make(stores, clock)
    one = event(1, clock)
    await log.record(one)
    assert await log.record(replace(one, seconds=99.0)) == one
    other, _ = make(stores, clock)
    assert await other.record(replace(one, seconds=99.0)) == one
    assert await ids(reader) == [one.id]


async def test_record_batches_those_who_wait(stores, clock, account):
    log, reader = make(stores, clock)
    await log.record(event(100, clock))  # the first look at the chain's end costs a read an event
    account.operations.clear()
    events = [event(n, clock) for n in range(100)]
    await asyncio.gather(*(log.record(each) for each in events + events[:30]))
    assert sorted((await ids(reader))[1:]) == sorted(each.id for each in events)
    operations = sum(account.operations.values())
    assert operations <= 100 * 2 + 30 * 2 + 20
    assert account.operations["audit.append"] <= 5


async def test_two_logs_take_turns_without_a_fork(stores, clock):
    logs = [make(stores, clock, sleep=lambda _: asyncio.sleep(0))[0] for _ in range(3)]
    _, reader = make(stores, clock)
    events = [event(n, clock) for n in range(60)]

    async def patiently(log, each):
        while True:
            try:
                return await log.record(each)
            except BusyError:
                await asyncio.sleep(0)

    work = [patiently(log, each) for each in events for log in logs]
    await asyncio.gather(*work)
    assert sorted(await ids(reader)) == sorted(each.id for each in events)
    assert (await reader.verify(es256_verifier(public_pem(PEM)))).broken is None


async def test_log_that_fell_behind_looks_again_and_goes_on(stores, clock):
    (one, reader), (two, _) = make(stores, clock), make(stores, clock)
    for number, log in enumerate((one, two, one, two, one)):
        await log.record(event(number, clock))
        await log.idle()
    assert len(await ids(reader)) == 5


async def test_blobs_are_rolled_and_the_chain_goes_on(stores, clock):
    log, reader = make(stores, clock, sizes=Sizes(blocks=3))
    for number in range(10):
        await log.record(event(number, clock))
    names = [name async for name in stores.blobs("audit").names("chain/")]
    assert len(names) == 4
    assert len(await ids(reader)) == 10
    verdict = await reader.verify(es256_verifier(public_pem(PEM)))
    assert (verdict.broken, verdict.tip.count) == (None, 13)


async def test_large_event_stands_in_the_chain_by_its_digest(stores, clock):
    finding = Finding(
        "my_number", "x" * 200, 0, 12, 1.0, Level.HIGH, "1***********", "k:" + "0" * 64
    )
    log, reader = make(stores, clock, sizes=Sizes(inline=100_000))
    one = event(1, clock, (finding,) * 500)
    two = event(2, clock, (finding,) * 200)
    assert await log.record(one) == one
    assert await log.record(two) == two
    again, _ = make(stores, clock)
    assert await again.record(replace(one, seconds=5.0)) == one
    lines = await reader.lines()
    assert b'"ref":"events/' in lines[0]
    assert decode(bytes(parse(lines[1]).event), AuditEvent) == two


async def test_head_is_signed_when_due_and_on_demand(stores, clock):
    log, reader = make(stores, clock)
    await log.record(event(1, clock))
    await log.idle()
    await log.record(event(2, clock))
    await log.idle()
    assert [each.head.count for each in await reader.heads()] == [1]
    await log.publish_head()
    assert [each.head.count for each in await reader.heads()] == [1, 2]
    clock.turn(61)
    await log.record(event(3, clock))
    await log.idle()
    assert [each.head.count for each in await reader.heads()] == [1, 2, 3]


async def test_reader_sees_truncation_by_the_heads(stores, clock, account):
    log, reader = make(stores, clock)
    for number in range(5):
        await log.record(event(number, clock))
    await log.publish_head()
    held = account.containers["audit"]["chain/00000001.jsonl"]
    held.data = bytearray(b"".join(bytes(held.data).splitlines(keepends=True)[:3]))
    assert (await reader.verify()).broken is None
    assert (await reader.verify(es256_verifier(public_pem(PEM)))).broken.kind is Kind.TRUNCATION


async def test_forged_head_is_named(stores, clock):
    log, reader = make(stores, clock)
    await log.record(event(1, clock))
    await log.idle()
    other = (
        ec.generate_private_key(ec.SECP256R1())
        .public_key()
        .public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
    )
    assert (await reader.verify(es256_verifier(other))).broken.kind is Kind.FORK


async def test_broken_tail_stops_the_log(stores, clock, account):
    log, _ = make(stores, clock)
    await log.record(event(1, clock))
    await log.idle()
    account.containers["audit"]["chain/00000001.jsonl"].data += b"{}\n"
    other, _ = make(stores, clock)
    with pytest.raises(ChainBrokenError):
        await other.record(event(2, clock))


async def test_failed_append_is_told_to_all_and_comes_back(clock, account):
    failing = {"audit.append"}

    async def hook(operation, moment):
        if moment == "after" and operation in failing:
            raise UnavailableError(operation)

    log, reader = make(MemoryStores(account, hook), clock)
    events = [event(n, clock) for n in range(5)]
    results = await asyncio.gather(*(log.record(e) for e in events), return_exceptions=True)
    assert all(isinstance(each, UnavailableError) for each in results)
    failing.clear()
    await asyncio.gather(*(log.record(e) for e in events))
    await log.idle()
    assert sorted(await ids(reader)) == sorted(each.id for each in events)
    assert "audit" not in {name for name, _ in account.leases}


async def test_row_that_somebody_removed_is_made_anew_from_the_tail(stores, clock, account):
    async def hook(operation, moment):
        if moment == "before" and operation == "auditevents.replace":
            raise UnavailableError(operation)

    one = event(1, clock)
    with pytest.raises(UnavailableError):
        await make(MemoryStores(account, hook), clock)[0].record(one)
    account.tables["auditevents"].clear()
    log, reader = make(stores, clock)
    await log.record(event(2, clock))
    assert await log.record(one) == one
    assert len(await ids(reader)) == 2


async def test_cancelled_caller_does_not_stop_the_others(clock, account):
    gate = asyncio.Event()

    async def hook(operation, moment):
        if operation == "audit.append" and moment == "before":
            await gate.wait()

    log, reader = make(MemoryStores(account, hook), clock)
    tasks = [asyncio.ensure_future(log.record(event(n, clock))) for n in range(3)]
    await asyncio.sleep(0.01)
    tasks[0].cancel()
    gate.set()
    await asyncio.gather(*tasks, return_exceptions=True)
    assert len(await ids(reader)) == 3


async def test_busy_while_another_holds_the_sequencer(stores, clock):
    await stores.lease("audit").acquire("sequencer")
    log, _ = make(stores, clock, sleep=lambda _: asyncio.sleep(0))
    with pytest.raises(BusyError):
        await log.record(event(1, clock))
    clock.turn(31)
    await log.record(event(1, clock))


def test_sizes_stay_below_what_an_append_blob_takes():
    assert Sizes().blocks < 50_000
    assert Sizes().tenure < timedelta(seconds=15)


async def test_fault_of_the_program_in_the_sequencer_reaches_those_who_wait(stores, clock):
    log, _ = make(stores, clock, sizes=replace(Sizes(), parallel=-1))
    with pytest.raises(ValueError, match="Semaphore"):
        await log.record(event(1, clock))
