"""The record and its verdicts are read from storage too: from a real chain in Azurite."""

from __future__ import annotations

import asyncio
import json
from datetime import timedelta

import pytest

from shared.cli import run
from shared.storage.audit_log import AuditLog
from shared.storage.incidents import Change, Incidents
from shared.storage.stores import AzureStores
from tests.unit.policy.recorded import TIME, event, finding

pytestmark = pytest.mark.integration

MANY = [finding(fingerprint=f"k:{n:064}") for n in range(400)]  # outgrows its table row


async def record(connection):
    async with AzureStores(connection_string=connection) as stores:
        log = AuditLog(
            stores.table("auditevents"), stores.blobs("audit"), stores.lease("work"), lambda: TIME
        )
        incidents = Incidents(stores.table("incidents"))
        for number, found in enumerate([MANY, [finding("phone_number")]]):
            kept = await log.record(event(number, found, disposition="review"))
            opened = await incidents.open(kept)
        for version, action in enumerate(["claim", "false_positive", "release"]):
            change = Change(action, "r", "R", version, "誤検知でした")
            later = kept.time + timedelta(hours=version)
            await incidents.change(opened, change, later)


def test_replay_and_report_read_the_storage(azurite, tmp_path, monkeypatch):
    connection = azurite.connection_string
    asyncio.run(record(connection))
    monkeypatch.setenv("SEKISHO_AUDIT", connection)
    out = tmp_path / "out.json"
    assert run(["policy", "replay", "--json", str(out)]) == 0
    told = json.loads(out.read_text(encoding="utf-8"))
    moved = {(each["before"], each["after"]): each["items"] for each in told["moves"]}
    assert moved["review", "block"] >= 1
    assert moved["review", "tag"] >= 1
    assert run(["policy", "report", "--json", str(out)]) == 0
    rows = {each["cohort"]: each for each in json.loads(out.read_text(encoding="utf-8"))}
    assert rows["pilot"]["verdicts"] == {"false_positive": 1}
    assert rows["pilot"]["median_hours_to_release"] == pytest.approx(2.0)
