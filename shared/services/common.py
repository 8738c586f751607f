"""What the services share: passing an item on, acting, keeping evidence, comparing content."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Protocol

from shared.codec import encode
from shared.errors import GoneError, StorageConflictError, UnavailableError
from shared.model import (
    Claim,
    Content,
    Decision,
    Envelope,
    Gap,
    GapCode,
    Intent,
    Item,
    Outcome,
    OutcomeState,
    Step,
)
from shared.ports import Clock, Queue
from shared.storage.evidence import Evidence

type Redigest = Callable[[Content], Awaitable[str]]
"""The keyed digest of a content's extraction, as the pipeline makes it."""

ATTEMPTS = 4
"""How often a conditional write is tried again after another writer came between."""


class Sends(Protocol):
    """Takes an item on to the queue where it will be scanned."""

    async def put(self, item: Item, *, trace: str = "") -> None:
        """Durable when it returns."""


@dataclass(frozen=True, slots=True)
class Onward:
    """Puts items on a queue (``scan-items``), so that a newer version is never lost sight of.

    ``found`` (``sweep``, ``baseline``): how what comes without a notification's trace was found.
    """

    queue: Queue
    clock: Clock
    found: str = ""

    async def put(self, item: Item, *, trace: str = "") -> None:
        """Durable when it returns."""
        body = {"found": self.found} if self.found and not trace else {}
        envelope = Envelope("item", first_seen=self.clock(), item=item, body=body, trace=trace)
        await self.queue.put(encode(envelope))


def intent_of(claim: Claim) -> Intent:
    """The intent that ``apply`` is given."""
    assert claim.intent is not None, "apply is called with an intent"
    return claim.intent


def decision_of(claim: Claim) -> Decision:
    """The decision inside the intent."""
    return intent_of(claim).decision


async def acted(
    claim: Claim, action: Awaitable[Outcome], exists: Callable[[Item], Awaitable[bool]]
) -> Outcome:
    """What the action came to; GONE where the item itself is not there any more.

    UnavailableError (it is tried again) where only something that the action needs is gone, or
    another writer came between too often.
    """
    try:
        return await action
    except GoneError:
        if await exists(claim.item):
            text = "something that the action needs is gone, the item is not"
            raise UnavailableError(text) from None
        return Outcome(decision_of(claim).disposition.name.lower(), OutcomeState.GONE)
    except StorageConflictError as error:
        raise UnavailableError(str(error)) from None


async def keep(evidence: Evidence, name: str, data: bytes) -> Step:
    """Keep a copy, written once and read back (see Evidence.keep for what it raises).

    The copy of an earlier attempt stands: a source may give the same item in other bytes.
    """
    if await kept(evidence, name):
        return Step("evidence", "present")
    await evidence.keep(name, data)
    return Step("evidence", "read_back")


async def kept(evidence: Evidence, name: str) -> bool:
    """Whether a copy stands under this name; it was read back before anything was removed."""
    return await evidence.blobs.properties(name) is not None


def bounded(data: bytes, limit: int) -> tuple[bytes, tuple[Gap, ...]]:
    """The bytes; none of them, and the gap ``too_large``, where there are more than ``limit``."""
    return (data, ()) if len(data) <= limit else (b"", (Gap(GapCode.TOO_LARGE, ""),))
