"""Dead letters: what failed for good is kept as a durable blob, alerted, and can be put back.

A storage queue's poison messages expire after seven days and cannot be made to last
(github.com/Azure/azure-webjobs-sdk-extensions/issues/891); a blob does.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import AsyncIterator, Callable
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime

from shared.codec import decode, encode
from shared.errors import MalformedError, StorageConflictError
from shared.model import Envelope
from shared.ports import Blobs, Clock, Queue
from shared.storage.alerts import Alerts


@dataclass(frozen=True, slots=True)
class DeadLetter:
    """A kept message: ``raw`` is base64 of the very bytes, ``reason`` an error's name."""

    queue: str
    reason: str
    time: datetime
    raw: str


@dataclass(frozen=True, slots=True)
class DeadLetters:
    """The container ``deadletters``: ``{queue}/{yyyy}/{mm}/{dd}/{id}.json``.

    ``queue`` gives a queue by its name, for the replay.
    """

    blobs: Blobs
    alerts: Alerts
    queue: Callable[[str], Queue]
    clock: Clock

    async def bury(
        self, queue: str, raw: bytes, reason: str = "poison", *, alert: str = "dead_letter"
    ) -> str:
        """Keep ``raw`` and raise an alert; the blob's name. Idempotent by the message's hash."""
        day = _first_seen(raw) or self.clock()
        digest = hashlib.sha256(raw).hexdigest()[:32]
        name = f"{queue}/{day:%Y/%m/%d}/{digest}.json"
        letter = DeadLetter(queue, reason, self.clock(), base64.b64encode(raw).decode())
        with suppress(StorageConflictError):  # kept already; the alert may be missing still
            await self.blobs.put(name, encode(letter), only_new=True)
        await self.alerts.once(alert, name)
        return name

    async def read(self, name: str) -> DeadLetter:
        """One dead letter; GoneError if there is none of that name."""
        return decode((await self.blobs.get(name)).data, DeadLetter)

    def names(self, queue: str = "") -> AsyncIterator[str]:
        """Names of the dead letters (of one queue), oldest first within a queue."""
        return self.blobs.names(f"{queue}/" if queue else "")

    async def replay(self, name: str) -> None:
        """Put it back on its queue, then remove the blob; twice is harmless (work is idempotent).

        An envelope starts anew (attempt 0, its age counting from now) but keeps ``first_seen``;
        what was no envelope goes back as it was.
        """
        letter = await self.read(name)
        raw = base64.b64decode(letter.raw)
        try:
            envelope = decode(raw, Envelope)
        except MalformedError:
            pass
        else:
            raw = encode(
                replace(envelope, attempt=0, not_before=None, replayed=self.clock(), revived=0)
            )
        await self.queue(letter.queue).put(raw)
        await self.blobs.delete(name)


def _first_seen(raw: bytes) -> datetime | None:
    """A date that does not change with the time of burial, so that the name does not either."""
    try:
        return decode(raw, Envelope).first_seen
    except MalformedError:
        return None
