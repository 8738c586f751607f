"""``sekisho watch baseline`` over tables in memory."""

from __future__ import annotations

import json
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta

import pytest

from local.memory import Account, MemoryStores
from shared.cli import run
from shared.ports import Row
from shared.services.rounds import NEVER


def now():
    return datetime.now(UTC)


@pytest.fixture
def tables(monkeypatch):
    stores = MemoryStores(Account(now))

    @asynccontextmanager
    async def given(name):
        assert name == "SEKISHO_WORK"
        yield stores

    monkeypatch.setattr("shared.cli.watching.stores.stores", given)
    monkeypatch.delenv("SEKISHO_BASELINE_PER_MINUTE", raising=False)
    return stores.account.tables


def rows(tables, name, *given):
    kept = tables.setdefault(name, {})
    for partition, key, values in given:
        kept[partition, key] = Row(partition, key, values)


def test_baseline_tells_progress_and_when_it_may_be_done(tables, capfd):
    rows(tables, "subscriptions", ("mail", "a", {}), ("mail", "b", {}))
    half = {"account": "a", "found": 30, "round": NEVER}
    done = {"account": "a", "found": 12, "enumerated": now()}
    rows(tables, "drives", ("mail", "1", done), ("mail", "2", half))
    rows(tables, "baseline", ("pace", "pace", {"next": now() + timedelta(minutes=10)}))
    assert run(["watch", "baseline", "--format", "json"]) == 0
    found = json.loads(capfd.readouterr().out)
    assert found["sources"]["mail"] == {"accounts": 2, "begun": 1, "finished": 0, "found": 42}
    assert 5900 <= found["waiting"] <= 6000
    assert run(["watch", "baseline", "--status"]) == 0
    assert "順番待ち / waiting" in capfd.readouterr().out


def test_baseline_of_nothing_waits_for_nothing(tables, capfd):
    assert tables == {}
    assert run(["watch", "baseline"]) == 0
    assert "nothing waits" in capfd.readouterr().out
