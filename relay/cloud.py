"""The cloud, reached from inside: nothing of it ever reaches us.

Blobs ``landing`` and ``envelopes`` are written; ``relay``, and of ``work`` one list, is read; queue
``relay-deliver`` is read, ``relay-results`` and ``scan-results`` are written to.
"""

from __future__ import annotations

import base64
import binascii
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from azure.identity.aio import CertificateCredential
from azure.storage.queue import QueueMessage
from azure.storage.queue.aio import QueueClient

from relay.settings import Settings
from relay.spool import Letter
from shared.codec import decode, encode
from shared.errors import MalformedError, SettingsError, StorageConflictError
from shared.model import AuditEvent, Envelope
from shared.ports import Blobs, Clock, Queue
from shared.services import sidecar
from shared.services.relay_delivery import (
    CONTAINER,
    ORDERS,
    RELEASED,
    RESULTS,
    Order,
    copy_name,
    order_name,
)
from shared.services.relay_granted import NAME as GRANTED
from shared.services.sidecar import Sidecar
from shared.storage.azure import Place, translated
from shared.storage.claimcheck import ClaimCheck
from shared.storage.stores import AzureStores

SIGHT = 120  # seconds that an order stays ours; then another look gives it again
BATCH = 16


@dataclass(frozen=True, slots=True)
class Taken:
    """One message of the cloud's; ``envelope`` None where it is none; ``times`` it was taken."""

    raw: bytes = field(repr=False)
    envelope: Envelope | None
    message: Any = field(repr=False)
    times: int = 1


class Cloud:
    """Raises TransientError while it is away, and the rest of shared.errors."""

    def __init__(self, stores: AzureStores, orders: QueueClient, clock: Clock) -> None:
        self._stores = stores
        self._orders = orders
        self._place = Place(orders.create_queue)
        self._clock = clock
        self._landing: Blobs = stores.blobs("landing")
        self._envelopes: Blobs = stores.blobs("envelopes")
        self._copies: Blobs = stores.blobs(CONTAINER)
        self._results: Queue = stores.queue(RESULTS)
        self._record: Queue = stores.queue("scan-results")
        self._poison: Queue = stores.queue(f"{ORDERS}-poison")
        self._work: Blobs = stores.blobs("work")
        self._checks = ClaimCheck(self._work)

    @classmethod
    def connect(cls, settings: Settings, clock: Clock) -> Cloud:
        """By the emulator's connection string, or by certificate; nothing is asked yet."""
        if settings.storage is not None:
            text = settings.storage.read_text(encoding="utf-8").strip()
            try:
                stores = AzureStores(connection_string=text)
                orders = QueueClient.from_connection_string(text, ORDERS)
            except ValueError:
                message = "relay settings: storage does not hold a connection string"
                raise SettingsError(message) from None
            return cls(stores, orders, clock)
        credential = CertificateCredential(
            settings.tenant_id, settings.client_id, str(settings.certificate)
        )
        stores = AzureStores(
            blob_url=settings.blob_url,
            queue_url=settings.queue_url,
            table_url=settings.queue_url.replace(".queue.", ".table."),  # not used from here
            credential=credential,
        )
        return cls(stores, QueueClient(settings.queue_url, ORDERS, credential=credential), clock)

    async def land(self, name: str, letter: Letter, data: bytes, *, first: bool = False) -> None:
        """Into the landing container, once: an attempt of ours that the gate has dealt with counts.

        ``first`` says that there was none, so nothing is looked for. Otherwise: the gate writes an
        outcome before it removes the blob, so whoever finds neither blob nor outcome, looking in
        this order, has never put it.
        """
        blob = f"mail/{name}.eml"
        if not first and await self._landed(blob):
            return
        made = Sidecar(
            letter.recipients,
            sender=letter.sender,
            received_at=letter.received_at,
            via="relay",
            mail_options=letter.mail_options,
            recipient_options=letter.recipient_options,
        )
        await sidecar.write(self._envelopes, blob, made)
        with suppress(StorageConflictError):
            await self._landing.put(blob, data, only_new=True)

    async def _landed(self, blob: str) -> bool:
        if await self._landing.properties(blob) is not None:
            return True
        async for name in self._envelopes.names(f"{blob}."):
            if name.endswith(".outcome"):
                return True
        return False

    async def record(self, event: AuditEvent, first_seen: datetime, trace: str) -> None:
        """An event for the audit; twice is fine, it is inserted once."""
        envelope = Envelope("result", first_seen=first_seen, event=event, trace=trace)
        await self._record.put(await self._checks.pack(envelope))

    async def released(self, event: AuditEvent, first_seen: datetime, trace: str) -> None:
        """People released a mail here: the cloud makes an exception of it; twice is fine."""
        envelope = Envelope(RELEASED, first_seen=first_seen, event=event, trace=trace)
        await self._results.put(await self._checks.pack(envelope))

    async def granted(self) -> bytes:
        """The list of what people granted in the cloud, sealed; GoneError where there is none."""
        return (await self._work.get(GRANTED)).data

    async def tell(self, key: str, state: str, code: str) -> None:
        """What became of an order."""
        body = {"key": key, "state": state, "code": code}
        await self._results.put(encode(Envelope("relay", first_seen=self._clock(), body=body)))

    async def take(self) -> list[Taken]:
        """Orders and decisions that wait; each is given again after ``SIGHT`` unless it is done."""
        return await self._place.run("queue receive", self._receive)

    async def _receive(self) -> list[Taken]:
        pages = self._orders.receive_messages(
            messages_per_page=BATCH, max_messages=BATCH, visibility_timeout=SIGHT
        )
        return [_taken(each) async for each in pages]

    async def done(self, taken: Taken) -> None:
        """The message may go; one that another look took meanwhile comes again (keys are known)."""
        with translated("queue delete"), suppress(StorageConflictError):
            await self._orders.delete_message(taken.message)

    async def bury(self, taken: Taken) -> None:
        """Not to be carried out: to the poison queue, where the cloud makes a dead letter of it."""
        await self._poison.put(taken.raw)
        await self.done(taken)

    async def order(self, key: str) -> tuple[Order, bytes]:
        """An order and the bytes to deliver; GoneError where the cloud has settled it."""
        order = decode((await self._copies.get(order_name(key))).data, Order)
        if order.key != key:
            message = "an order is not the one that its name says"
            raise MalformedError(message)
        return order, (await self._copies.get(copy_name(key))).data

    async def close(self) -> None:
        """Close the connections."""
        await self._orders.close()
        await self._stores.close()


def _taken(message: QueueMessage) -> Taken:
    times = int(message.dequeue_count or 1)
    try:
        raw = base64.b64decode(message.content, validate=True)
        return Taken(raw, decode(raw, Envelope), message, times)
    except (MalformedError, binascii.Error, ValueError):
        return Taken(str(message.content).encode(), None, message, times)
