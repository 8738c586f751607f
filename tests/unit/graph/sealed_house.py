"""Who seals notifications, who forges them, and workers over stores in memory that read them."""

from __future__ import annotations

import base64
import itertools
import json
from datetime import UTC, datetime

import msgspec

from local.environment import fresh_certificate
from local.graph.rich import Signer, encrypted, recipient
from local.memory import Account, MemoryStores
from shared.duties import Intake, Reader
from shared.errors import UnavailableError
from shared.graph.rich import Certificate, Keys, Rich
from shared.graph.webhook import account_ref, client_state
from shared.services.common import Onward
from shared.services.seals import Seals
from shared.services.teams_hints import TeamsHints
from shared.storage.alerts import Alerts
from shared.storage.claimcheck import ClaimCheck
from shared.storage.dead_letters import DeadLetters

NOW = datetime(2026, 4, 1, tzinfo=UTC)
TENANT, APP = "tenant", "app"
KEY = b"k" * 32
SECRET = "内緒の文"
MESSAGE = {
    "id": "1700000000000",
    "messageType": "message",
    "chatId": "19:a@thread.v2",
    "createdDateTime": "2026-04-01T00:00:00.000Z",
    "lastEditedDateTime": None,
    "body": {"content": SECRET},
}


def certificate(name):
    given, _, encoded = fresh_certificate(name).partition(":")
    return Certificate.load(given, base64.b64decode(encoded))


NEW, OLD, STRANGE = certificate("new"), certificate("old"), certificate("strange")
SIGNER, OTHER = Signer(), Signer()


class Clock:
    def __init__(self):
        self.now = NOW

    def __call__(self):
        return self.now


class Published:
    """The key set, counting how often it is fetched."""

    def __init__(self, signer=SIGNER):
        self.signer, self.fetched, self.away = signer, 0, False

    async def __call__(self):
        self.fetched += 1
        if self.away:
            message = "away"
            raise UnavailableError(message)
        return self.signer.jwks()


def rich(published=None, clock=None, certificates=(NEW, OLD)):
    keys = Keys(published or Published(), clock or Clock())
    return Rich(certificates, keys, audience=APP, tenant=TENANT)


def sealed(*, to=NEW, forgery="", signer=SIGNER, payload=None, **changes):
    content = encrypted(payload or MESSAGE, recipient(to.text, to.id), forgery)
    token = [] if forgery == "no_token" else [signer.token(APP, TENANT, forgery)]
    return msgspec.json.encode({"content": content | changes, "tokens": token})


class NoGraph:
    """Any call of it fails the test."""

    def __getattr__(self, name):
        message = f"Graph was called: {name}"
        raise AssertionError(message)


class House:
    """The webhook's duty and the resolver's, over stores in memory.

    Each of ``workers`` remembers nothing that another was told; messages go to them in turn.
    """

    def __init__(self, workers=1):
        self.clock = Clock()
        self.account = Account(self.clock)
        stores = MemoryStores(self.account)
        self.alerts = Alerts(stores.table("alerts"), self.clock)
        checks = ClaimCheck(stores.blobs("work"))
        self.hints = stores.queue("graph-hints")
        numbers = itertools.count()
        self.intake = Intake(
            self.hints,
            stores.queue("graph-jobs"),
            self.alerts,
            self.clock,
            (KEY,),
            lambda: f"trace{next(numbers)}",
            checks,
        )
        onward = Onward(stores.queue("scan-items"), self.clock)
        dead = DeadLetters(stores.blobs("deadletters"), self.alerts, stores.queue, self.clock)
        works = [self._work(onward, checks, stores) for _ in range(workers)]
        self.readers = [Reader("graph-hints", self.hints, dead, self.clock, one) for one in works]
        self.stores = stores

    def _work(self, onward, checks, stores):
        seals = Seals(stores.table("told"), self.alerts, self.clock)
        return TeamsHints(NoGraph(), NoGraph(), onward, checks, rich(), seals).hint

    def bodies(self, queue):
        return [each.body for each in self.account.queues.get(queue, [])]

    async def resolve(self):
        """Every hint that waits, once."""
        waiting = self.account.queues.get("graph-hints", [])
        bodies = [each.body for each in waiting]
        waiting.clear()
        for reader, body in zip(itertools.cycle(self.readers), bodies, strict=False):
            await reader.handle(body)

    async def events(self, kind):
        return [row async for row in self.stores.table("alerts").query(kind, limit=5000)]


def notification(content, *, state=None, number=0):
    value = json.loads(content)
    ref = account_ref("teams", "chats")
    part = {
        "subscriptionId": f"s{number}",
        "clientState": state or client_state(KEY, "teams", ref, "n"),
        "changeType": "created",
        "resource": "chats('19:a@thread.v2')/messages('1700000000000')",
        "encryptedContent": value["content"],
    }
    return json.dumps({"value": [part], "validationTokens": value["tokens"]}).encode()
