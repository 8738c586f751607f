"""An alert is counted, so that the cloud's alert rules can tell somebody."""

from __future__ import annotations

from datetime import UTC, datetime

from local.memory import Account, MemoryStores
from shared import telemetry
from shared.storage.alerts import Alerts


def now():
    return datetime(2026, 4, 1, tzinfo=UTC)


async def test_alert_is_counted_by_its_kind_when_it_is_new(monkeypatch):
    told = []
    monkeypatch.setattr(telemetry, "alerted", told.append)
    alerts = Alerts(MemoryStores(Account(now)).table("alerts"), now)
    for ref in ("a", "a", "b"):
        await alerts.once("chain_break", ref)
    assert told == ["chain_break", "chain_break"]
