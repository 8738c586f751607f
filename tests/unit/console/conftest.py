"""A console over stores in memory, with a town's fortnight in it."""

from __future__ import annotations

import re
from datetime import timedelta
from urllib.parse import urlencode

import pytest

from local.memory import Account, MemoryStores
from shared.codec import decode
from shared.console.app import Console
from shared.console.desk import Desk
from shared.console.limits import Buckets
from shared.console.login import Door
from shared.console.session import COOKIE, Sessions, User
from shared.console.trail import Trail
from shared.console.web import BASE, Request
from shared.model import Envelope
from shared.policy import Policy, default_text
from shared.ports import Row
from shared.storage.alerts import Alerts
from shared.storage.audit_rows import Rows
from shared.storage.dead_letters import DeadLetters
from shared.storage.disposal import Disposals
from shared.storage.exceptions import Exceptions
from shared.storage.incidents import Incidents, Pages
from tests.unit.console.seed import NOW, town

ORIGIN = "http://127.0.0.1:7071"
POLICY = Policy.load([default_text()])
SECONDS = int(NOW.timestamp())


class House:
    """The console with a way to call it as a person of some roles."""

    def __init__(self, kind="local", issuer=None, stores=None):
        self.stores = stores or MemoryStores(Account(lambda: NOW))
        self.numbers = iter(range(1_000_000))
        table = self.stores.table
        self.rows = Rows(table("auditevents"), self.stores.blobs("audit"))
        self.incidents = Incidents(table("incidents"), Pages.of(table("incidentindex")))
        alerts = Alerts(table("alerts"), lambda: NOW)
        self.letters = DeadLetters(
            self.stores.blobs("deadletters"), alerts, self.stores.queue, lambda: NOW
        )
        self.results = self.stores.queue("scan-results")
        self.desk = Desk(
            self.incidents, self.rows, table("auditevents"), self.letters, table("subscriptions"),
            POLICY, Trail(self.results, lambda: NOW), lambda: NOW,
            disposals=Disposals(table("exceptions"), lambda: NOW),
            granted=Exceptions(table("exceptions"), lambda: NOW),
            notices=table("outbox"),
        )  # fmt: skip
        self.sessions = Sessions(b"k" * 32, lambda: SECONDS)
        door = Door(kind, self.sessions, self.fresh, secure=False, issuer=issuer)
        self.buckets = Buckets(lambda: 0.0, burst=1_000_000)
        self.console = Console(door, lambda: self.desk, ORIGIN, self.buckets)

    def fresh(self):
        return f"fresh{next(self.numbers)}"

    async def fill(self, count=120):
        ids = []
        for each in town(count):
            await self.rows.insert(each)
            ids.append(await self.incidents.open(each))
        day = timedelta(days=1)
        values = {"user": "clerk@example.lg.jp", "subscription": "s1", "expires": NOW + day}
        table = self.stores.table("subscriptions")
        await table.put(Row("mail", "a", values))
        await table.put(
            Row("drive", "b", {"user": "b", "subscription": "s2", "expires": NOW - day})
        )
        chain = {"seq": 412, "head_count": 410, "head_time": NOW - timedelta(minutes=1)}
        await self.stores.table("auditevents").put(Row("chain", "checkpoint", chain))
        swept = {"time": NOW - timedelta(minutes=12)}
        await table.put(Row("swept", "mail", swept))
        seen = {"time": NOW - timedelta(minutes=40), "result": "whole", "up_to": 398, "seq": 0}
        await self.stores.table("auditevents").put(Row("chain", "verified", seen))
        await self.letters.bury("scan-items", b"not an envelope")
        return [each for each in ids if each]

    def user(self, *roles, name="確認 花子"):
        return User(
            "oid-" + "-".join(roles), name, roles, "session-" + "-".join(roles), SECONDS + 60
        )

    async def get(self, path, *roles, user=None, **query):
        user = user or self.user(*roles)
        headers = {"cookie": f"{COOKIE}={self.sessions.seal(user)}"} if roles or user.roles else {}
        return await self.console.handle(Request("GET", path, query, headers, host="127.0.0.1"))

    async def post(self, path, *roles, csrf=None, origin=ORIGIN, **form):
        user = self.user(*roles)
        headers = {"cookie": f"{COOKIE}={self.sessions.seal(user)}"} if roles else {}
        if origin:
            headers["origin"] = origin
        token = self.sessions.csrf(user) if csrf is None else csrf
        body = urlencode({"csrf": token, **form}).encode()
        return await self.console.handle(Request("POST", path, {}, headers, body, "127.0.0.1"))

    def told(self):
        """The events that went to the record, as (action, reference, who)."""
        events = [decode(each.body, Envelope).event for each in self.results.visible()]
        return [(each.action, each.item.id, each.owner) for each in events]


# What a path's named parts may be, for calls that need not find anything.
PARTS = {"month": "2026-11", "key": "8236000000000-abc"}


def path_of(route, **parts):
    """An address that the route answers to."""
    return re.sub(
        r"\(\?P<(\w+)>(?:[^()\\]|\\.)+\)", lambda found: (PARTS | parts)[found[1]], route.pattern
    )


def text(answer):
    return answer.body.decode()


def links(answer):
    return re.findall(rf'href="{BASE}/([^"?#]*)', text(answer))


@pytest.fixture
def house():
    return House()


@pytest.fixture
async def full(house):
    house.ids = await house.fill()
    return house
