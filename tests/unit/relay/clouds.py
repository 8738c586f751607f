"""The cloud as the relay sees it, in memory: the stores, and a queue that can be read."""

from __future__ import annotations

import base64
from datetime import UTC, datetime, timedelta

from local.memory import Account, MemoryStores
from relay.cloud import Cloud
from shared.errors import UnavailableError
from shared.services.relay_delivery import ORDERS, RelayDelivery
from shared.storage.alerts import Alerts
from shared.storage.claimcheck import ClaimCheck
from shared.storage.dead_letters import DeadLetters
from shared.storage.exceptions import Exceptions


class Clock:
    def __init__(self):
        self.time = datetime(2026, 11, 28, 9, 0, tzinfo=UTC)

    def __call__(self):
        return self.time

    def passes(self, seconds):
        self.time += timedelta(seconds=seconds)


class Orders:
    """azure.storage.queue's client, over the queue in memory."""

    class Message:
        def __init__(self, message):
            self.message = message
            self.receipt = message.receipt
            self.dequeue_count = message.dequeued
            self.content = base64.b64encode(message.body).decode()

    def __init__(self, queue):
        self._queue = queue

    async def create_queue(self):
        return None

    def receive_messages(self, *, messages_per_page, max_messages, visibility_timeout):
        del messages_per_page
        taken = [self._queue.receive(each, visibility_timeout)
                 for each in self._queue.visible()[:max_messages]]  # fmt: skip

        async def given():
            for each in taken:
                yield self.Message(each)

        return given()

    async def delete_message(self, message):
        self._queue.delete(message.message, message.receipt)

    async def close(self):
        return None


class Sky:
    """Both ends: ``cloud`` is the relay's, ``delivery`` the gate's."""

    def __init__(self):
        self.clock = Clock()
        self.away = False
        self.account = Account(self.clock)
        self.stores = MemoryStores(self.account, self._hook)
        self.cloud = Cloud(self.stores, Orders(self.stores.queue(ORDERS)), self.clock)
        self.dead = DeadLetters(
            self.stores.blobs("deadletters"),
            Alerts(self.stores.table("alerts"), self.clock),
            self.stores.queue,
            self.clock,
        )
        self.delivery = RelayDelivery(
            self.stores.blobs("relay"),
            self.stores.queue(ORDERS),
            self.stores.queue("scan-results"),
            ClaimCheck(self.stores.blobs("work")),
            self.dead,
            self.clock,
            Exceptions(self.stores.table("exceptions"), self.clock),
        )

    async def _hook(self, _operation, _moment):
        if self.away:
            message = "away"
            raise UnavailableError(message)

    def waiting(self, name):
        return [each.body for each in self.account.queues.get(name, [])]

    async def names(self, container):
        return [name async for name in self.stores.blobs(container).names()]
