"""The ledger forgets what is old, a partition a minute."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from types import SimpleNamespace

import pytest

import shared.bootstrap
from shared.storage.ledger import PARTITIONS

START = datetime(2026, 4, 1, 9, tzinfo=UTC)


class Ledger:
    def __init__(self):
        self.asked = []

    async def purge(self, before, partition):
        self.asked.append((before, partition))


@pytest.fixture
def ledger(monkeypatch):
    made = Ledger()

    def begin(days):
        run = SimpleNamespace(
            clock=lambda: START + timedelta(minutes=len(made.asked)),
            settings=SimpleNamespace(retain_ledger_days=days),
            ledger=made,
        )
        monkeypatch.setattr(shared.bootstrap, "runtime", lambda: run)
        return made

    return begin


async def test_every_partition_has_its_turn_in_as_many_minutes(ledger):
    made = ledger(400)
    for _ in range(PARTITIONS):
        await shared.bootstrap.forget()
    assert {partition for _, partition in made.asked} == set(range(PARTITIONS))
    assert made.asked[0][0] == START - timedelta(days=400)


async def test_ledger_that_keeps_everything_forgets_nothing(ledger):
    made = ledger(0)
    await shared.bootstrap.forget()
    assert made.asked == []
