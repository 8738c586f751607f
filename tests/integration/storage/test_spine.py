"""Ledger, results and the audit log on both stores: several workers, duplicated messages."""

from __future__ import annotations

import asyncio
import random
from dataclasses import replace
from datetime import UTC, datetime

from shared.audit.chain import parse
from shared.codec import decode
from shared.errors import BusyError
from shared.model import (
    AuditEvent,
    Context,
    Decision,
    Disposition,
    Finding,
    Intent,
    Item,
    Level,
    Mode,
    Outcome,
    OutcomeState,
)
from shared.storage.audit_log import AuditLog, Sizes
from shared.storage.audit_reader import AuditReader
from shared.storage.claimcheck import ClaimCheck
from shared.storage.evidence import Evidence
from shared.storage.ledger import TableLedger


def now():
    return datetime.now(UTC)


def event(number):
    item = Item("mail", f"m{number}", "box", "ck")
    return AuditEvent(
        item.key("p1"), now(), item, "tag", "tag", "enforce", "p1", (), "tag", "applied",
        (), (), (), "own_mailbox", "", 1.0, "",
    )  # fmt: skip


def log(kit):
    stores = kit.stores
    return AuditLog(
        stores.table(kit.name), stores.blobs(kit.name), stores.lease(kit.name), now,
        sizes=Sizes(blocks=4, batch=20),
    )  # fmt: skip


async def test_duplicated_results_on_three_logs_make_one_chain(kit):
    events = [event(number) for number in range(60)]
    rng = random.Random(20261124)
    messages = events + rng.sample(events, 20)
    rng.shuffle(messages)
    logs = [log(kit) for _ in range(3)]

    async def work(each, message):
        while True:
            try:
                return await each.record(message)
            except BusyError:
                await asyncio.sleep(0.05)

    await asyncio.gather(*(work(logs[n % 3], message) for n, message in enumerate(messages)))
    for each in logs:
        await each.idle()
    reader = AuditReader(kit.stores.blobs(kit.name))
    assert (await reader.verify()).broken is None
    records = [bytes(parse(line).event) for line in await reader.lines()]
    ids = [decode(r, AuditEvent).id for r in records if not r.startswith(b'{"roll"')]
    assert sorted(ids) == sorted(each.id for each in events)


async def test_ledger_carries_an_item_through_takeover_to_done(kit):
    stores = kit.stores
    checks = ClaimCheck(stores.blobs(kit.name))
    shift = [0.0]

    def clock():
        return datetime.fromtimestamp(now().timestamp() + shift[0], UTC)

    ledger = TableLedger(
        stores.table(kit.name), stores.table(f"{kit.name}own"), checks, clock, "p1"
    )
    item = Item("mail", "m", "box", "ck1")
    finding = Finding("my_number", "x" * 200, 0, 12, 1.0, Level.HIGH, "*", "k:0")
    block = Disposition.BLOCK
    decision = Decision(block, block, Mode.ENFORCE, "p1", findings=(finding,) * 500)
    intent = Intent(decision, Context("mail", "own_mailbox"), "d", "e")
    first = await ledger.claim(item, clock())
    first = await ledger.intend(await ledger.renew(first), intent)
    shift[0] = 121.0
    second = await ledger.claim(item, clock())
    assert (second.fence, second.intent, second.first_seen) == (2, intent, first.first_seen)
    await ledger.complete(second, Outcome("block", OutcomeState.APPLIED, versions=("ck/2=",)))
    assert (await ledger.claim(item, clock())).done
    assert await ledger.is_own_write(replace(item, content_version="ck/2="))


async def test_evidence_reads_back_what_was_written(kit):
    evidence = Evidence(kit.stores.blobs(kit.name), None, kit.name)
    data = bytes(range(256)) * 4096
    ref = await evidence.keep("k1", data, {"name": "住民票.pdf"})
    assert await evidence.keep("k1", data) == ref
    assert await evidence.read(ref) == data
