"""ports.Queue on Azure Queue storage."""

from __future__ import annotations

import base64
import math
from datetime import datetime

from azure.storage.queue.aio import QueueClient

from shared.errors import PermanentError
from shared.storage.azure import Place

# A message holds 64 KiB of base64 text, so 48 KiB of ours
# (learn.microsoft.com/azure/storage/queues/storage-queues-introduction).
LIMIT = 48 * 1024
FOREVER = -1
LONGEST_DELAY = 7 * 24 * 3600 - 60


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

    async def oldest(self) -> datetime | None:
        """When the first visible message was put there; None where nothing waits."""
        found = await self._place.run("queue peek", self._client.peek_messages)
        return found[0].inserted_on if found else None
