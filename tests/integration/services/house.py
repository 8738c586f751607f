"""The services over given stores and a stand-in process, for integration and contract tests."""

from __future__ import annotations

import hashlib
import uuid
from datetime import UTC, datetime

from shared.codec import decode
from shared.graph.client import Graph
from shared.graph.credential import StaticTokenCredential
from shared.graph.subscriptions import Subscriptions
from shared.model import Claim, Context, Decision, Disposition, Envelope, Intent, Mode
from shared.services.common import Onward
from shared.services.deltas import Links
from shared.services.drive_tag import Tags
from shared.services.gate import GateService
from shared.services.marker import Markers
from shared.services.wiring import Watched, resolver, watch_services
from shared.storage.alerts import Alerts
from shared.storage.claimcheck import ClaimCheck
from shared.storage.evidence import Evidence
from shared.storage.ledger import TableLedger

LABELS = {
    Disposition.TAG: "0f3d0d4e-0000-4000-8000-000000000001",
    Disposition.REVIEW: "0f3d0d4e-0000-4000-8000-000000000002",
}
UPN = "hanako@city.example.jp"
TENANT = "6c1d0e2f-5a4b-4c3d-9e8f-0a1b2c3d4e5f"
MAIL = (
    f"From: s@other.example.com\r\nTo: {UPN}\r\nSubject: x\r\nMessage-ID: <a@x.jp>\r\n\r\nhello\r\n"
).encode()


def now():
    return datetime.now(UTC)


def claim(item, disposition):
    decision = Decision(disposition, disposition, Mode.ENFORCE, "p1")
    intent = Intent(decision, Context(item.source, "x"), "d", item.content_version)
    return Claim(item, item.key("p1"), "o", 1, "", now(), intent=intent)


class House:
    """Names are this test's own, so that tests share one Azurite."""

    def __init__(self, stores, process, *, webhook="", watch=()):
        mark = uuid.uuid4().hex[:12]
        self.stores, self.process = stores, process
        process.admin("POST", "tenant", json_body={"tenant_id": TENANT})
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
            notification_url=f"{webhook}/notifications",
            lifecycle_url=f"{webhook}/lifecycle",
            clock=now,
            nonce=lambda: "n",
        )
        self.jobs = _Remembering()
        self.resolver = resolver(
            self.graph,
            subscriptions=self.subscriptions,
            links=Links(stores.table(f"drives{mark}"), self.lease, now),
            onward=self.onward,
            ledger=ledger,
            jobs=self.jobs,
            aside=ClaimCheck(stores.blobs(f"work{mark}")),
            watched=Watched(tuple(watch), teams=True, sites=("all",)),
        )
        services = watch_services(
            self.graph,
            evidence=self.evidence,
            quarantine=self.quarantine,
            onward=self.onward,
            markers=Markers((b"m" * 32,)),
            policy_version="p1",
            redigest=_digest,
            limit=150_000_000,
            tenant=TENANT,
            clock=now,
            inside=("city.example.jp",),
            tags=Tags(stores.table(f"tags{mark}"), now, LABELS),
        )
        self.mail, self.drive = services["mail"], services["drive"]
        self.calendar, self.teams = services["calendar"], services["teams"]
        self.gate = GateService(
            self.graph,
            landing=self.landing,
            envelopes=self.envelopes,
            quarantine=self.quarantine,
        )

    async def work(self):
        """Every job that waits, and those that come of it."""
        while self.jobs.bodies:
            await self.resolver.job(decode(self.jobs.bodies.pop(0), Envelope))

    def items(self):
        return [decode(body, Envelope).item for body in self.onward.queue.bodies]

    def state(self):
        (user,) = self.process.admin("GET", "state")["users"]
        return user


async def _digest(content):
    return hashlib.sha256(content.data).hexdigest()


class _Remembering:
    def __init__(self):
        self.bodies = []

    async def put(self, body, *, delay=0.0):
        del delay
        self.bodies.append(body)
