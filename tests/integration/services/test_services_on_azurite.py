"""The services over a real Azurite and the stand-in as a process: hint to item to action."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import timedelta
from urllib.parse import quote

import pytest

from local.graph.process import GraphProcess
from shared.errors import BusyError
from shared.graph.webhook import job
from shared.model import Disposition, Envelope, OutcomeState
from shared.services import sidecar
from shared.services.sidecar import Sidecar
from shared.storage.stores import AzureStores
from tests.integration.services.house import MAIL, UPN, House, claim, now

pytestmark = pytest.mark.integration


@pytest.fixture(scope="module")
def process(tmp_path_factory):
    with GraphProcess(log_path=tmp_path_factory.mktemp("graph") / "log") as running:
        yield running


@pytest.fixture
async def house(azurite, process):
    process.admin("POST", "reset")
    async with AzureStores(connection_string=azurite.connection_string) as stores:
        made = House(stores, process)
        yield made
        await made.graph.close()


async def test_mail_goes_from_sweep_to_evidence_and_out_of_the_mailbox(house):
    house.process.admin("POST", f"users/{UPN}/messages", data=MAIL)
    account = await house.subscriptions.register("mail", UPN)
    assert await house.resolver.job(job("sweep", "mail", account.ref, now())) == 1
    (item,) = house.items()
    assert (await house.mail.fetch(item)).content.data == MAIL
    outcome = await house.mail.apply(claim(item, Disposition.BLOCK))
    assert outcome.state is OutcomeState.APPLIED
    assert await house.evidence.read(outcome.evidence_ref) == MAIL
    state = house.state()
    assert [each["id"] for each in state["retained"]] == [item.id]
    assert len(state["messages"]) == 1  # the notice


async def test_file_goes_from_hint_to_tombstone(house):
    house.process.admin("POST", f"users/{UPN}/files?name={quote('名簿.txt')}", data=b"one")
    account = await house.subscriptions.register("drive", UPN)
    await house.subscriptions.enrol("drive", account.ref)
    body = {"source": "drive", "account": account.ref}
    assert await house.resolver.hint(Envelope("hint", now(), body=body)) == 1
    (item,) = house.items()
    house.process.admin("POST", f"drives/{item.recipient}/items/{item.id}/links", json_body={})
    shared = replace(
        item, context_hash=(await house.drive._files.sharing(item)).digest
    )  # the link is another item
    outcome = await house.drive.apply(claim(shared, Disposition.BLOCK))
    assert outcome.state is OutcomeState.APPLIED
    assert await house.quarantine.read(outcome.evidence_ref) == b"one"
    (file,) = [each for each in house.state()["items"] if not each["folder"]]
    assert (len(file["versions"]), file["own_permissions"]) == (1, [])


async def test_hint_is_covered_by_a_later_delta_after_a_round_through_the_table(house):
    account = await house.subscriptions.register("drive", UPN)
    await house.subscriptions.enrol("drive", account.ref)
    body = {"source": "drive", "account": account.ref}
    early = now() - timedelta(minutes=1)
    house.process.admin("POST", f"users/{UPN}/files?name=a.txt", data=b"one")
    assert await house.resolver.hint(Envelope("hint", early, body=body)) == 1
    before = len(house.process.admin("GET", "log")["log"])
    assert await house.resolver.hint(Envelope("hint", early, body=body)) == 0
    assert len(house.process.admin("GET", "log")["log"]) == before


async def test_two_workers_do_not_read_one_mailbox_at_once(house):
    account = await house.subscriptions.register("mail", UPN)
    from shared.services.deltas import _digest  # noqa: PLC0415

    token = await house.lease.acquire(f"delta-{_digest(UPN, '')}", 30)
    with pytest.raises(BusyError):
        await house.resolver.job(job("sweep", "mail", account.ref, now()))
    await house.lease.release(f"delta-{_digest(UPN, '')}", token)
    await house.resolver.job(job("sweep", "mail", account.ref, now()))


async def test_drop_is_delivered_into_the_owners_drive(house):
    name = f"drop/{UPN}/福祉/一覧 #1.txt"
    await house.landing.put(name, b"hello")
    (item,) = await house.gate.items_for(name)
    fetched = await house.gate.fetch(item)
    assert (fetched.content.data, fetched.content.name) == (b"hello", "一覧 #1.txt")
    outcome = await house.gate.apply(claim(item, Disposition.TAG))
    assert outcome.state is OutcomeState.APPLIED
    assert [each["path"] for each in house.state()["items"] if not each["folder"]] == [
        "/福祉/一覧 #1.txt"
    ]
    assert [each async for each in house.landing.names()] == []
    again = await house.gate.apply(claim(item, Disposition.TAG))
    assert again.state is OutcomeState.APPLIED
    (file,) = [each for each in house.state()["items"] if not each["folder"]]
    assert len(file["versions"]) == 1


async def test_held_upload_stays_with_its_tag_and_blocked_one_goes_to_quarantine(house):
    made = {}
    for name in ("files/held", "files/bad"):
        await sidecar.write(house.envelopes, name, Sidecar((UPN,), path="a.txt"))
        await house.landing.put(name, name.encode())
        (made[name],) = await house.gate.items_for(name)
    await house.gate.apply(claim(made["files/held"], Disposition.REVIEW))
    outcome = await house.gate.apply(claim(made["files/bad"], Disposition.BLOCK))
    assert await house.landing.get_tags("files/held") == {"state": "held"}
    assert [each async for each in house.landing.names()] == ["files/held"]
    assert await house.quarantine.read(outcome.evidence_ref) == b"files/bad"
    assert json.loads((await house.envelopes.get("files/bad.json")).data)["path"] == "a.txt"
