"""Many results, many delivered twice, shuffled, to four workers that keep dying."""

from __future__ import annotations

import asyncio
import functools
import random
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from local.memory import Account, MemoryStores
from shared.audit.chain import parse
from shared.codec import decode
from shared.errors import BusyError
from shared.model import AuditEvent, Item
from shared.storage.audit_log import AuditLog, Sizes
from shared.storage.audit_reader import AuditReader

START = datetime(2026, 11, 24, 9, 0, tzinfo=UTC)
WORKERS, HANDS = 4, 16


class Died(BaseException):
    """The process ended here."""


def event(number: int) -> AuditEvent:
    item = Item("mail", f"m{number}", "box", "ck")
    return AuditEvent(
        item.key("p1"), START, item, "tag", "tag", "enforce", "p1", (), "tag", "applied",
        (), (), (), "own_mailbox", "", float(number), "",
    )  # fmt: skip


class Mortal:
    """A port of a process that may die before or after each call: nothing of it runs on then."""

    def __init__(self, port: Any, risk: Callable[[], None]) -> None:
        self._port, self._risk = port, risk

    def __getattr__(self, name: str) -> Any:
        call = getattr(self._port, name)

        @functools.wraps(call)
        async def mortal(*args: Any, **named: Any) -> Any:
            await asyncio.sleep(0)
            self._risk()
            done = await call(*args, **named)
            self._risk()
            return done

        return mortal


@dataclass(frozen=True, slots=True)
class Outcome:
    """What stands in the record afterwards; ``right``: each decision once, in one whole chain."""

    results: int
    delivered: int
    crashes: int
    records: int
    rows: int
    right: bool


class Flood:
    """``stores`` are where the record lies (``MemoryStores``, ``AzureStores``).

    The sequencer's lease is kept in memory in any case, with a clock that a wait turns: a dead
    holder's lease would stop a real store for fifteen seconds. The lease only saves effort; what
    keeps the chain from forking is the position at which is appended, and that is the stores'.
    """

    def __init__(
        self, stores: Any, count: int, *, seed: int, risk: float, suffix: str = ""
    ) -> None:
        self.rng = random.Random(seed)
        self.now = START
        self.risk = risk
        self.table, self.blobs = (
            stores.table(f"auditevents{suffix}"),
            stores.blobs(f"audit{suffix}"),
        )
        self.leases = MemoryStores(Account(lambda: self.now))
        self.events = [event(number) for number in range(count)]
        self.pending = self.events + self.rng.sample(self.events, count * 3 // 10)
        self.delivered = len(self.pending)
        self.rng.shuffle(self.pending)
        self.crashes = 0

    async def run(self) -> Outcome:
        asyncio.get_running_loop().set_exception_handler(lambda *_: None)  # the dead say nothing
        await asyncio.gather(*(self._worker() for _ in range(WORKERS)))
        reader = AuditReader(self.blobs)
        whole = (await reader.verify()).broken is None
        lines = [parse(line) for line in await reader.lines()]
        events = [bytes(each.event) for each in lines if each]
        ids = [decode(raw, AuditEvent).id for raw in events if not raw.startswith(b'{"roll"')]
        rows = sum([await self._marked(f"{number:02x}") for number in range(256)])
        right = whole and sorted(ids) == sorted(each.id for each in self.events)
        return Outcome(len(self.events), self.delivered, self.crashes, len(ids), rows, right)

    async def _marked(self, partition: str) -> int:
        """Rows of a partition that say where they stand in the chain."""
        return sum([bool(row.values["seq"]) async for row in self.table.query(partition)])

    async def _worker(self) -> None:
        """A process after another, each with up to sixteen messages in hand."""
        while self.pending:
            alive = True

            def risk() -> None:
                nonlocal alive
                if not alive or self.rng.random() < self.risk:
                    alive = False
                    raise Died

            log = AuditLog(
                Mortal(self.table, risk),  # type: ignore[arg-type] # a port by its calls
                Mortal(self.blobs, risk),  # type: ignore[arg-type] # the same
                Mortal(self.leases.lease("work"), risk),  # type: ignore[arg-type] # the same
                lambda: self.now,
                sizes=Sizes(blocks=40, batch=25, patience=()),
                sleep=lambda _: asyncio.sleep(0),
            )
            hands = [asyncio.ensure_future(self._hand(log)) for _ in range(HANDS)]
            done, _ = await asyncio.wait(hands, return_when=asyncio.FIRST_EXCEPTION)
            if any(isinstance(each.exception(), Died) for each in done):
                self.crashes += 1
                alive = False
                for each in hands:
                    each.cancel()
                await asyncio.gather(*hands, return_exceptions=True)

    async def _hand(self, log: AuditLog) -> None:
        while self.pending:
            message = self.pending.pop()
            try:
                await log.record(message)
            except BusyError:
                self.now += timedelta(seconds=1)  # the lease of a dead worker runs out
                self.pending.insert(0, message)
                await asyncio.sleep(0)
            except BaseException:
                self.pending.insert(0, message)
                raise
