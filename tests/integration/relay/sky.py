"""The cloud as relay, gate and console see it, over a real Azurite under names of its own."""

from __future__ import annotations

import itertools
import os
from base64 import b64decode

from azure.storage.queue.aio import QueueClient

from relay.cloud import Cloud
from shared.codec import decode
from shared.console.app import Console
from shared.console.desk import Desk
from shared.console.limits import Buckets
from shared.console.login import Door
from shared.console.session import Sessions
from shared.console.trail import Trail
from shared.model import Envelope
from shared.services.relay_delivery import ORDERS, RelayDelivery
from shared.services.relay_granted import CONTAINER, Publishing, list_key
from shared.storage.alerts import Alerts
from shared.storage.anew import Anew
from shared.storage.audit_rows import Rows
from shared.storage.claimcheck import ClaimCheck
from shared.storage.dead_letters import DeadLetters
from shared.storage.disposal import Disposals
from shared.storage.exceptions import Exceptions
from shared.storage.incidents import Incidents, Pages
from shared.storage.stores import AzureStores
from tests.unit.relay.clouds import Clock

ORIGIN = "http://127.0.0.1:7071"
_NUMBERS = itertools.count(1)


class Apart:
    """Stores of one test alone."""

    def __init__(self, stores):
        self._stores, self.mark = stores, f"r{os.getpid()}x{next(_NUMBERS)}"

    def table(self, name):
        return self._stores.table(f"{self.mark}{name}")

    def queue(self, name):
        return self._stores.queue(f"{self.mark}-{name}")

    def blobs(self, container):
        return self._stores.blobs(f"{self.mark}-{container}")

    async def close(self):
        await self._stores.close()


class AzuriteSky:
    """Both ends, as ``tests.unit.relay.clouds.Sky``, and the console above them."""

    def __init__(self, connection, policy, key):
        self.clock, self.policy, self._connection = Clock(), policy, connection
        self.stores = Apart(AzureStores(connection_string=connection))
        self.cloud = Cloud(self.stores, self.client(ORDERS), self.clock)
        table, blobs, queue = self.stores.table, self.stores.blobs, self.stores.queue
        alerts = Alerts(table("alerts"), self.clock)
        self.dead = DeadLetters(blobs("deadletters"), alerts, queue, self.clock)
        self.granted = Exceptions(table("exceptions"), self.clock)
        self.checks = ClaimCheck(blobs("work"))
        self.delivery = RelayDelivery(
            blobs("relay"), queue(ORDERS), queue("scan-results"), self.checks, self.dead,
            self.clock, self.granted,
        )  # fmt: skip
        self.list = Publishing(self.granted, blobs(CONTAINER), list_key(key), self.clock)
        queues = [queue(each) for each in ("scan-items", "scan-bulk", "scan-results")]
        self.anew = Anew(
            self.granted, *queues, self.clock, policy.version, self.delivery.turned
        )  # fmt: skip
        self.rows = Rows(table("auditevents"), blobs("audit"))
        self.incidents = Incidents(table("incidents"), Pages.of(table("incidentindex")))
        desk = Desk(
            self.incidents, self.rows, table("auditevents"), self.dead, table("subscriptions"),
            policy, Trail(queue("scan-results"), self.clock), self.clock,
            granted=self.granted, disposals=Disposals(table("exceptions"), self.clock),
        )  # fmt: skip
        self.sessions = Sessions(b"k" * 32, lambda: int(self.clock().timestamp()))
        door = Door("local", self.sessions, lambda: "x", secure=False)
        self.console = Console(door, lambda: desk, ORIGIN, Buckets(lambda: 0.0, burst=1_000))
        self.events = []

    def client(self, name):
        full = f"{self.stores.mark}-{name}"
        return QueueClient.from_connection_string(self._connection, full)

    async def take(self, name):
        """Everything that waits on a queue, taken off it."""
        await self.stores.queue(name).put(b"mark")  # so that the queue is there
        found = []
        async with self.client(name) as client:
            async for each in client.receive_messages(messages_per_page=32):
                found.append(each.content)
                await client.delete_message(each)
        return [raw for raw in map(b64decode, found) if raw != b"mark"]

    async def audit(self):
        """What the audit does with what waits for it; the incidents that came of it."""
        opened = []
        for raw in await self.take("scan-results"):
            event = await self.checks.event(decode(raw, Envelope))
            self.events.append(event)
            if await self.rows.find(event.id) is None:
                await self.rows.insert(event)
            opened.append(await self.incidents.open(event))
        return [each for each in opened if each]
