"""A rig: the Graph stand-in in this process, stores in memory, the services over both."""

from __future__ import annotations

import hashlib
import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import aiohttp
import pytest
from aiohttp import web

from local.graph import context
from local.graph.routes.drafts import received
from local.graph.routes.sharing import add_link
from local.graph.server import create_app
from local.memory import Account, MemoryStores
from shared.graph.client import Graph
from shared.graph.credential import StaticTokenCredential
from shared.graph.pace import Pace
from shared.graph.subscriptions import Subscriptions
from shared.model import (
    Claim,
    Context,
    Decision,
    Disposition,
    Finding,
    Intent,
    Item,
    Level,
    Mode,
)
from shared.services.baseline import Routes
from shared.services.calendar import CalendarService
from shared.services.common import Onward
from shared.services.deltas import DriveDelta, Links, MailDelta
from shared.services.drive import DriveService
from shared.services.drive_tag import Tags
from shared.services.event_delta import EventDelta
from shared.services.gate import GateService
from shared.services.mail import MailService
from shared.services.marker import Markers
from shared.services.release_header import passed
from shared.services.resolve import Resolver
from shared.services.teams import TeamsService
from shared.services.teams_hints import TeamsHints
from shared.services.teams_sweep import TeamsSweep
from shared.storage.alerts import Alerts
from shared.storage.claimcheck import ClaimCheck
from shared.storage.evidence import Evidence
from shared.storage.ledger import TableLedger

POLICY = "p1"
PASSED = passed(b"f" * 32)
START = datetime(2026, 4, 1, 9, tzinfo=UTC)
UPN = "hanako@city.example.jp"


class Clock:
    """Moves a second with each look, so that order is visible."""

    def __init__(self):
        self.now = START

    def __call__(self):
        self.now += timedelta(seconds=1)
        return self.now


class CountingGraph(Graph):
    """Counts calls, and dies before or after the one it is told to."""

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self.calls = []
        self.die_at = None  # (number, "before" | "after")
        self.die_after = None  # (call, how many of it)
        self.links, self.die_after_links = 0, None  # next and delta links followed

    async def link(self, url, **given):
        self.links += 1
        if self.die_after_links is not None and self.links > self.die_after_links:
            raise Killed
        return await super().link(url, **given)

    async def _run(self, call, request, accept, user):
        number = len(self.calls)
        self.calls.append(str(call))
        if self.die_at == (number, "before"):
            raise Killed
        if self.die_after and self.calls.count(self.die_after[0]) > self.die_after[1]:
            raise Killed
        answer = await super()._run(call, request, accept, user)
        if self.die_at == (number, "after"):
            raise Killed
        return answer


class Killed(BaseException):
    """The process died here."""


class Rig:
    """Everything that the tests of services share."""

    UPN = UPN
    Killed = Killed

    def __init__(self, app, port):
        self.app, self.port = app, port
        self.world = app[context.WORLD]
        self.user = self.world.add_user(UPN, "関所 花子")
        base = f"http://127.0.0.1:{port}/v1.0"
        self.waited = 0.0  # seconds that passed for Graph's limits
        pace = Pace(lambda: self.waited)
        self.graph = CountingGraph(StaticTokenCredential(base), base_url=base, pace=pace)
        self.clock = Clock()
        self.account = Account(self.clock)
        self.stores = MemoryStores(self.account)
        self.items = self.stores.queue("scan-items")
        self.markers = Markers((b"marker key for tests, not a secret",))
        self.onward = Onward(self.items, self.clock)
        self.evidence = Evidence(self.stores.blobs("evidence"), self._alerts())
        self.quarantine = Evidence(self.stores.blobs("quarantine"), self._alerts(), "quarantine")
        self.ledger = TableLedger(
            self.stores.table("ledger"),
            self.stores.table("ownwrites"),
            ClaimCheck(self.stores.blobs("work")),
            self.clock,
            POLICY,
        )
        self.subscriptions = Subscriptions(
            self.graph,
            self.stores.table("subscriptions"),
            key=b"client state key for tests",
            notification_url="http://127.0.0.1:1/api/graph/notifications",
            lifecycle_url="http://127.0.0.1:1/api/graph/lifecycle",
            clock=self.clock,
            nonce=lambda: "nonce",
        )

    def _alerts(self):
        return Alerts(self.stores.table("alerts"), self.clock)

    def mail(self, *, redigest=None, limit=1_000_000):
        return MailService(
            self.graph,
            evidence=self.evidence,
            onward=self.onward,
            markers=self.markers,
            policy_version=POLICY,
            limit=limit,
            redigest=redigest,
            passed=PASSED,
        )

    def calendar(self, *, redigest=None, limit=1_000_000):
        return CalendarService(
            self.graph,
            evidence=self.evidence,
            onward=self.onward,
            markers=self.markers,
            policy_version=POLICY,
            limit=limit,
            redigest=redigest,
        )

    def teams(self, *, limit=1_000_000, reach=None):
        return TeamsService(
            self.graph,
            evidence=self.evidence,
            onward=self.onward,
            tenant=self.world.tenant_id,
            reach=reach,
            limit=limit,
        )

    def drive(self, *, redigest=None, limit=1_000_000, labels=None, read=False, reach=None):
        return DriveService(
            self.graph,
            quarantine=self.quarantine,
            onward=self.onward,
            markers=self.markers,
            tags=Tags(self.stores.table("tags"), self.clock, labels or {}, pause=0.1, read=read),
            reach=reach,
            inside=("city.example.jp",),
            limit=limit,
            redigest=redigest,
        )

    def gate(self):
        return GateService(
            self.graph,
            landing=self.stores.blobs("landing"),
            envelopes=self.stores.blobs("envelopes"),
            quarantine=self.quarantine,
            limit=1_000_000,
        )

    def resolver(self, *, rich=None, watch=(), sources=()):
        links = Links(self.stores.table("drives"), self.stores.lease(), self.clock)
        routes = Routes(self.onward, self.onward, self.onward, self.clock)
        return Resolver(
            self.graph,
            self.subscriptions,
            DriveDelta(self.graph, links, routes, self.ledger, ("city.example.jp",)),
            MailDelta(self.graph, links, routes, self.ledger),
            self.onward,
            self.stores.queue("graph-jobs"),
            self.ledger,
            self.clock,
            EventDelta(self.graph, links, routes, self.ledger),
            TeamsHints(
                self.graph,
                TeamsSweep(self.graph, links, routes),
                self.onward,
                ClaimCheck(self.stores.blobs("work")),
                rich,
            ),
            watch,
            sources,
        )

    @staticmethod
    def mime(subject="test", body="hello", message_id="<a@example.jp>"):
        return (
            f"From: Sender <s@other.example.com>\r\nTo: {UPN}\r\nSubject: {subject}\r\n"
            f"Message-ID: {message_id}\r\n\r\n{body}\r\n"
        ).encode()

    @staticmethod
    def claim(item, disposition, *, etag="", digest="digest", context=None):
        """A claim with an intent, as the pipeline gives it."""
        finding = Finding("my_number", "本文", 0, 12, 0.99, Level.HIGH, "1234********", "k1:00")
        findings = () if disposition is Disposition.ALLOW else (finding,)
        decision = Decision(disposition, disposition, Mode.ENFORCE, POLICY, findings=findings)
        context = context or Context(item.source, "own_mailbox")
        intent = Intent(decision, context, digest, etag or item.content_version)
        return Claim(item, item.key(POLICY), "owner", 1, "", START, intent=intent)

    @staticmethod
    async def redigest(content):
        """Stands for the pipeline's keyed digest of an extraction."""
        return hashlib.sha256(content.data).hexdigest()

    # what is in the world
    async def admin(self, method, path, body=None):
        """The stand-in's admin side."""
        url = f"http://127.0.0.1:{self.port}/_admin/{path}"
        async with (
            aiohttp.ClientSession() as session,
            session.request(method, url, json=body) as answer,
        ):
            assert answer.status < 300, await answer.text()
            return await answer.json()

    async def event(self, **values):
        """An event of the user's calendar, and its item."""
        body = {
            "subject": "打合せ",
            "body": {"contentType": "html", "content": "<p>資料</p>"},
            "start": {"dateTime": "2026-12-01T10:00:00", "timeZone": "UTC"},
            "end": {"dateTime": "2026-12-01T11:00:00", "timeZone": "UTC"},
            **values,
        }
        made = await self.admin("POST", f"users/{UPN}/events", body)
        return self.user.calendar.events[made["id"]]

    def event_item(self, event):
        return Item("calendar", event.id, self.user.id, event.change_key)

    def message(self, raw=None, *, subject="test", folder="inbox"):
        return received(self.user, raw or self.mime(subject), folder)

    def mail_item(self, message):
        return Item("mail", message.immutable_id, self.user.id, message.change_key)

    def file(self, name="book.txt", data=b"hello", folder=""):
        drive = self.user.drive
        return drive.add(drive.folder(folder), name, data)

    async def file_item(self, file):
        item = Item("drive", file.id, self.user.drive.id, file.ctag)
        sharing = await self.drive()._files.sharing(item)
        return replace(item, context_hash=sharing.digest)

    def link(self, file, scope="anonymous", people=()):
        return add_link(self.user.drive, file, "view", scope, list(people))

    def queued(self, name="scan-items"):
        """The envelopes on a queue, as JSON."""
        return [json.loads(each.body) for each in self.account.queues.get(name, [])]


@pytest.fixture
async def rig():
    app = create_app()
    runner = web.AppRunner(app)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    made = Rig(app, site._server.sockets[0].getsockname()[1])
    yield made
    await made.graph.close()
    await runner.cleanup()


@pytest.fixture
async def webhook():
    """A receiver that answers Graph's handshake and takes everything."""

    async def receive(request):
        return web.Response(text=request.query.get("validationToken", ""))

    app = web.Application()
    app.router.add_post("/{tail:.*}", receive)
    runner = web.AppRunner(app)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    yield f"http://127.0.0.1:{site._server.sockets[0].getsockname()[1]}"
    await runner.cleanup()
