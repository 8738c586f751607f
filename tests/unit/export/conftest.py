"""A log that is written, and its records."""

from __future__ import annotations

import asyncio

import pytest

from local.memory import Account, MemoryStores
from shared.export.records import Records
from shared.model import AuditEvent, Finding, Item, Level
from shared.storage.audit_log import AuditLog, Sizes
from shared.storage.audit_reader import AuditReader
from tests.unit.storage.conftest import Clock, account, clock, stores

__all__ = ["account", "clock", "stores"]

FINDING = Finding("my_number", "x" * 200, 0, 12, 1.0, Level.HIGH, "1*", "k:" + "0" * 64)


class House:
    def __init__(self):
        self.clock = Clock()
        self.account = Account(self.clock)
        self.stores = MemoryStores(self.account)
        self.table, self.blobs = self.stores.table("auditevents"), self.stores.blobs("audit")
        self.records = Records(AuditReader(self.blobs))
        self.log = AuditLog(
            self.table, self.blobs, self.stores.lease("work"), self.clock,
            sizes=Sizes(blocks=3, inline=20_000), sleep=lambda _: asyncio.sleep(0),
        )  # fmt: skip
        self.number = 0

    def event(self, findings=()):
        self.number += 1
        item = Item("mail", f"m{self.number}", "box", "ck")
        return AuditEvent(
            item.key("p1"), self.clock(), item, "tag", "tag", "enforce", "p1", ("r",), "tag",
            "applied", (), findings, (), "own_mailbox", "o", 1.5, "t",
        )  # fmt: skip

    async def write(self, count, findings=()):
        for _ in range(count):
            await self.log.record(self.event(findings))
        await self.log.idle()

    def exported(self):
        return {name: bytes(b.data) for name, b in self.account.containers["exports"].items()}


@pytest.fixture
def house():
    return House()
