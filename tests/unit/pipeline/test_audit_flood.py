"""Many results, many delivered twice, shuffled, to four workers that keep crashing."""

from __future__ import annotations

import asyncio
import random
from datetime import UTC, datetime, timedelta

from local.memory import Account, Crash, MemoryStores
from shared.audit.chain import parse
from shared.codec import decode
from shared.errors import BusyError
from shared.model import AuditEvent, Item
from shared.storage.audit_log import AuditLog, Sizes
from shared.storage.audit_reader import AuditReader

START = datetime(2026, 11, 24, 9, 0, tzinfo=UTC)
RISK = 0.0005  # of dying before or after each call
SIZES = Sizes(blocks=40, batch=25, patience=())


def event(number):
    item = Item("mail", f"m{number}", "box", "ck")
    return AuditEvent(
        item.key("p1"), START, item, "tag", "tag", "enforce", "p1", (), "tag", "applied",
        (), (), (), "own_mailbox", "", float(number), "",
    )  # fmt: skip


class Flood:
    def __init__(self, count, seed):
        self.rng = random.Random(seed)
        self.now = START
        self.account = Account(lambda: self.now)
        self.events = [event(number) for number in range(count)]
        self.pending = self.events + self.rng.sample(self.events, count * 3 // 10)
        self.rng.shuffle(self.pending)
        self.crashes = 0

    async def worker(self):
        """A process after another, each with up to sixteen messages in hand."""
        while self.pending:
            alive = True

            async def hook(operation, moment):
                nonlocal alive
                del operation, moment
                await asyncio.sleep(0)
                if not alive or self.rng.random() < RISK:
                    alive = False
                    raise Crash

            stores = MemoryStores(self.account, hook)
            log = AuditLog(
                stores.table("auditevents"), stores.blobs("audit"), stores.lease("audit"),
                lambda: self.now, sizes=SIZES, sleep=lambda _: asyncio.sleep(0),
            )  # fmt: skip
            hands = [asyncio.ensure_future(self.hand(log)) for _ in range(16)]
            done, _ = await asyncio.wait(hands, return_when=asyncio.FIRST_EXCEPTION)
            if any(isinstance(each.exception(), Crash) for each in done):
                self.crashes += 1
                alive = False
                for each in hands:
                    each.cancel()
                await asyncio.gather(*hands, return_exceptions=True)

    async def hand(self, log):
        while self.pending:
            message = self.pending.pop()
            try:
                await log.record(message)
            except BusyError:
                self.now += timedelta(seconds=1)  # the lease of a dead worker runs out
                self.pending.insert(0, message)
            except BaseException:
                self.pending.insert(0, message)
                raise


async def test_flood_of_results_ends_in_one_unforked_chain():
    flood = Flood(3000, seed=20261124)
    asyncio.get_running_loop().set_exception_handler(lambda *_: None)
    await asyncio.gather(*(flood.worker() for _ in range(4)))
    reader = AuditReader(MemoryStores(flood.account).blobs("audit"))
    assert flood.crashes > 5
    assert (await reader.verify()).broken is None
    records = [bytes(parse(line).event) for line in await reader.lines()]
    ids = [decode(r, AuditEvent).id for r in records if not r.startswith(b'{"roll"')]
    assert sorted(ids) == sorted(each.id for each in flood.events)
