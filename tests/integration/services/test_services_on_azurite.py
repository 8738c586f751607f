"""The services over a real Azurite and the stand-in as a process: hint to item to action."""

from __future__ import annotations

import json
import uuid
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from urllib.parse import quote

import pytest

from local.graph.process import GraphProcess
from shared.errors import BusyError
from shared.graph.client import Graph
from shared.graph.credential import StaticTokenCredential
from shared.graph.subscriptions import Subscriptions
from shared.graph.webhook import job
from shared.model import (
    Claim,
    Context,
    Decision,
    Disposition,
    Envelope,
    Intent,
    Mode,
    OutcomeState,
)
from shared.services import sidecar
from shared.services.common import Onward
from shared.services.deltas import DriveDelta, Links, MailDelta
from shared.services.drive import DriveService
from shared.services.gate import GateService
from shared.services.mail import MailService
from shared.services.marker import Markers
from shared.services.resolve import Resolver
from shared.services.sidecar import Sidecar
from shared.storage.alerts import Alerts
from shared.storage.claimcheck import ClaimCheck
from shared.storage.evidence import Evidence
from shared.storage.ledger import TableLedger
from shared.storage.stores import AzureStores

pytestmark = pytest.mark.integration

UPN = "hanako@city.example.jp"
MAIL = (
    f"From: s@other.example.com\r\nTo: {UPN}\r\nSubject: x\r\nMessage-ID: <a@x.jp>\r\n\r\nhello\r\n"
).encode()


def now():
    return datetime.now(UTC)


class House:
    """Names are this test's own, so that tests share one Azurite."""

    def __init__(self, stores, process):
        mark = uuid.uuid4().hex[:12]
        self.stores, self.process = stores, process
        self.user = process.admin("POST", "users", json_body={"upn": UPN})
        self.graph = Graph(StaticTokenCredential(process.base_url), base_url=process.base_url)
        self.onward = Onward(_Remembering(), now)
        alerts = Alerts(stores.table(f"alerts{mark}"), now)
        self.evidence = Evidence(stores.blobs(f"evidence{mark}"), alerts)
        self.quarantine = Evidence(stores.blobs(f"quarantine{mark}"), alerts, "quarantine")
        self.landing = stores.blobs(f"landing{mark}")
        self.envelopes = stores.blobs(f"envelopes{mark}")
        self.lease = stores.lease(f"work{mark}")
        ledger = TableLedger(
            stores.table(f"ledger{mark}"),
            stores.table(f"own{mark}"),
            ClaimCheck(stores.blobs(f"work{mark}")),
            now,
            "p1",
        )
        self.subscriptions = Subscriptions(
            self.graph,
            stores.table(f"subscriptions{mark}"),
            key=b"k" * 32,
            notification_url="",
            lifecycle_url="",
            clock=now,
            nonce=lambda: "n",
        )
        links = Links(stores.table(f"drives{mark}"), self.lease, now)
        self.resolver = Resolver(
            self.graph,
            self.subscriptions,
            DriveDelta(self.graph, links, onward=self.onward, ledger=ledger),
            MailDelta(self.graph, links, onward=self.onward, ledger=ledger),
            self.onward,
            _Remembering(),
            ledger,
            now,
        )
        markers = Markers((b"m" * 32,))
        self.mail = MailService(
            self.graph,
            evidence=self.evidence,
            onward=self.onward,
            markers=markers,
            policy_version="p1",
        )
        self.drive = DriveService(
            self.graph, quarantine=self.quarantine, onward=self.onward, markers=markers
        )
        self.gate = GateService(
            self.graph,
            landing=self.landing,
            envelopes=self.envelopes,
            quarantine=self.quarantine,
        )

    def items(self):
        from shared.codec import decode  # noqa: PLC0415

        return [decode(body, Envelope).item for body in self.onward.queue.bodies]

    def state(self):
        (user,) = self.process.admin("GET", "state")["users"]
        return user


class _Remembering:
    def __init__(self):
        self.bodies = []

    async def put(self, body, *, delay=0.0):
        del delay
        self.bodies.append(body)


def claim(item, disposition):
    decision = Decision(disposition, disposition, Mode.ENFORCE, "p1")
    intent = Intent(decision, Context(item.source, "x"), "d", item.content_version)
    return Claim(item, item.key("p1"), "o", 1, "", now(), intent=intent)


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
