"""``sekisho audit …`` and ``report`` on storage: what was recorded there is what they tell."""

from __future__ import annotations

import asyncio
import base64
import json
from dataclasses import replace
from datetime import UTC, datetime

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec

from local.azurite import Azurite
from shared.audit.head import es256_signer
from shared.cli import run
from shared.codec import decode
from shared.model import Envelope, Item
from shared.storage.alerts import Alerts
from shared.storage.audit_log import AuditLog, Sizes
from shared.storage.incidents import Incidents, Pages
from shared.storage.stores import AzureStores
from tests.unit.audit.payloads import event

PEM = ec.generate_private_key(ec.SECP256R1()).private_bytes(
    serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
)
pytestmark = pytest.mark.integration
NOW = datetime(2026, 11, 24, 9, tzinfo=UTC)


def clock():
    return NOW


class Storage:
    """Twelve decisions on the record, three of them incidents."""

    def __init__(self, connection):
        self.connection = connection

    def do(self, work):
        async def inside():
            async with AzureStores(connection_string=self.connection) as stores:
                return await work(stores)

        return asyncio.run(inside())

    async def fill(self, stores):
        log = AuditLog(
            stores.table("auditevents"), stores.blobs("audit"), stores.lease("work"), clock,
            signer=es256_signer(PEM), sizes=Sizes(blocks=4, batch=2),
        )  # fmt: skip
        incidents = Incidents(stores.table("incidents"), Pages.of(stores.table("incidentindex")))
        for number in range(12):
            said = "block" if number % 4 == 0 else "allow"
            one = replace(
                event("own", said), id=f"{number:032x}" * 2, time=NOW,
                item=Item("mail", f"m{number}", "box", "1"), evidence_ref="",
            )  # fmt: skip
            await incidents.open(await log.record(one))
        await log.publish_head()
        await log.idle()

    async def row(self, stores):
        return (await stores.table("auditevents").get("chain", "verified")).values

    def tamper(self, old, new):
        """Somebody with every right rewrites a blob."""

        async def rewrite(stores):
            blobs = stores._blobs.get_container_client("audit")
            name = "chain/00000001.jsonl"
            data = await (await blobs.download_blob(name)).readall()
            await blobs.delete_blob(name)
            await blobs.upload_blob(name, data.replace(old, new, 1))

        self.do(rewrite)


@pytest.fixture(scope="module")
def filled(tmp_path_factory):
    """An Azurite of its own, for the names of tables and containers are fixed."""
    with Azurite(tmp_path_factory.mktemp("azurite")) as running:
        made = Storage(running.connection_string)
        made.do(made.fill)
        yield made


@pytest.fixture
def storage(filled, monkeypatch):
    for name in ("SEKISHO_AUDIT", "SEKISHO_WORK"):
        monkeypatch.setenv(name, filled.connection)
    monkeypatch.setenv("SEKISHO_SIGNING_KEY", base64.b64encode(PEM).decode())
    return filled


def test_commands_tell_what_is_recorded(storage, tmp_path, capsys):
    assert run(["audit", "verify"]) == 0
    assert "signed heads" in capsys.readouterr().out
    row = storage.do(storage.row)
    assert (row["result"], row["by"], row["full_up_to"]) == ("whole", "command", row["up_to"])
    out = tmp_path / "out.ndjson"
    assert run(["audit", "export", "--format", "ocsf", "--out", str(out)]) == 0
    assert len(out.read_bytes().splitlines()) == 12
    page = tmp_path / "report.html"
    assert run(["report", "--month", "2026-11", "--out", str(page)]) == 0
    text = page.read_text(encoding="utf-8")
    assert "不整合なし" in text
    assert "開かれた案件" in text
    assert run(["audit", "recount"]) == 0
    assert "3 incidents" in capsys.readouterr().out


def test_recount_and_hold_write_what_they_say(storage, capsys):
    async def drift(stores):
        pages = Pages.of(stores.table("incidentindex"))
        await pages.counts.add("g", "late", {"f|open|mail|block": 5})

    storage.do(drift)
    assert run(["audit", "recount"]) == 1
    assert "-5" in capsys.readouterr().out
    assert run(["audit", "recount", "--fix"]) == 0
    assert run(["audit", "recount"]) == 0

    async def first(stores):
        rows = [row async for row in stores.table("incidents").query("2026-11")]
        return rows[0]

    row = storage.do(first)
    key = f"{row.partition}/{row.key}"
    assert run(["audit", "hold", key, "--why", "訴訟"]) == 0
    assert storage.do(first).values["hold"] == "訴訟"
    assert run(["audit", "hold", key, "--lift"]) == 0
    assert storage.do(first).values["hold"] == ""
    assert run(["audit", "hold", key]) == 64
    assert run(["audit", "hold", "2026-11/none", "--why", "x"]) == 64

    async def told(stores):
        queue = stores._queues.get_queue_client("scan-results")
        found = [each async for each in queue.receive_messages()]
        return [decode(base64.b64decode(each.content), Envelope).event for each in found]

    events = storage.do(told)
    assert {each.action for each in events} == {"hold", "hold_lifted"}
    assert {each.item.id for each in events} == {key}


def test_verify_tells_the_console_of_a_break_and_raises_an_alert(storage, capsysbinary):
    storage.tamper(b'"seconds":1.5', b'"seconds":2.5')
    assert run(["audit", "verify", "--format", "json"]) == 1
    storage.tamper(b'"seconds":2.5', b'"seconds":1.5')
    told = json.loads(capsysbinary.readouterr().out)
    assert (told["broken"]["seq"], told["broken"]["kind"]) == (1, "edit")
    assert storage.do(storage.row)["result"] == "broken"

    async def alerts(stores):
        table = Alerts(stores.table("alerts"), clock).table
        return [row.values["ref"] async for row in table.query("chain_break")]

    assert storage.do(alerts) == ["record 1: edit"]
