"""ports.Queue on Azure Queue storage."""

from __future__ import annotations

import base64
import binascii
import math
from datetime import datetime

from azure.core.exceptions import HttpResponseError
from azure.storage.queue import QueueMessage
from azure.storage.queue.aio import QueueClient

from shared.errors import PermanentError
from shared.ports import Taken
from shared.storage.azure import Place, code_of

# A message holds 64 KiB of base64 text, so 48 KiB of ours
# (learn.microsoft.com/azure/storage/queues/storage-queues-introduction).
LIMIT = 48 * 1024
FOREVER = -1
LONGEST_DELAY = 7 * 24 * 3600 - 60
MOST = 32  # messages of one request
GONE = frozenset({"MessageNotFound", "PopReceiptMismatch"})


class AzureQueue:
    """One queue; made at the first need. Bodies travel as base64, as the trigger expects them."""

    def __init__(self, client: QueueClient) -> None:
        self._client = client
        self._place = Place(client.create_queue)

    async def put(self, body: bytes, *, delay: float = 0.0) -> None:
        """Durable when it returns, and never expires (a long outage may outlast seven days)."""
        if len(body) > LIMIT:
            message = f"storage: queue put: {len(body)} bytes, over {LIMIT}"
            raise PermanentError(message)
        text = base64.b64encode(body).decode()
        hidden = min(max(math.ceil(delay), 0), LONGEST_DELAY)
        await self._place.run(
            "queue put",
            lambda: self._client.send_message(
                text, visibility_timeout=hidden, time_to_live=FOREVER
            ),
        )

    async def take(self, hidden: float) -> tuple[Taken, ...]:
        """At most 32 of what waits. A text that is no base64 is given as it is."""
        return await self._place.run("queue take", lambda: self._receive(math.ceil(hidden)))

    async def drop(self, taken: Taken) -> None:
        """Delete it; that it is gone, or that another has had it since, is fine."""
        await self._place.run("queue drop", lambda: self._delete(taken))

    async def _receive(self, hidden: int) -> tuple[Taken, ...]:
        received = self._client.receive_messages(
            messages_per_page=MOST, max_messages=MOST, visibility_timeout=hidden
        )
        return tuple([_taken(message) async for message in received])

    async def _delete(self, taken: Taken) -> None:
        try:
            await self._client.delete_message(taken.id, taken.receipt)
        except HttpResponseError as error:
            if code_of(error) not in GONE:
                raise

    async def oldest(self) -> datetime | None:
        """When the first visible message was put there; None where nothing waits."""
        found = await self._place.run("queue peek", self._client.peek_messages)
        return found[0].inserted_on if found else None


def _taken(message: QueueMessage) -> Taken:
    text = str(message.content)
    try:
        body = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        body = text.encode()  # nobody's trigger could read it either
    return Taken(body, str(message.id), str(message.pop_receipt))
