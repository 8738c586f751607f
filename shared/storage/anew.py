"""What an exception's beginning and end bring about: its items are judged anew, and it is recorded.

An item that was held, tagged or removed is judged again by the pipeline itself, under a generation
of its own: whatever the new decision is, the item's service carries it out (see
``shared.services.held`` for what is not at its source any more). Nothing is released or stopped
beside the pipeline.
"""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from typing import Protocol

from shared.codec import encode
from shared.errors import StorageConflictError
from shared.model import Envelope, Item
from shared.policy.exemption import Kind
from shared.ports import Clock, Queue
from shared.storage.exceptions import Exceptions, Request, Turn, event


class Elsewhere(Protocol):
    """Whether an exception's item is somewhere else, and is dealt with there; may run twice."""

    async def __call__(self, request: Request, *, ended: bool) -> bool:
        """True: it is not to be scanned here."""


async def _here(request: Request, *, ended: bool) -> bool:
    del request, ended
    return False


@dataclass(frozen=True, slots=True)
class Anew:
    """``items`` is scan-items, ``bulk`` scan-bulk, ``results`` the queue that feeds the audit.

    ``elsewhere`` takes over what lies where no service of ours can read it (the relay's spool).
    """

    exceptions: Exceptions
    items: Queue
    bulk: Queue
    results: Queue
    clock: Clock
    policy_version: str
    elsewhere: Elsewhere = _here

    async def run(self) -> int:
        """Every turn that is due; how many items were enqueued. May be cut off anywhere."""
        count = 0
        for turn in await self.exceptions.due():
            count += await self._carry_out(turn)
        return count

    async def _carry_out(self, turn: Turn) -> int:
        request, count = turn.request, 0
        if request.item is not None and not await self.elsewhere(request, ended=turn.ended):
            await self._scan(self.items, turn, request.item)
            count += 1
        many = self.bulk if request.kind is Kind.SUPPRESSION else self.items
        async for item in self.exceptions.uses(request):
            if item != request.item:
                await self._scan(many, turn, item)
                count += 1
        told = event(turn.marked, self.clock(), self.policy_version)
        await self.results.put(encode(Envelope("result", first_seen=told.time, event=told)))
        with suppress(StorageConflictError):  # somebody revoked it meanwhile: a turn of its own
            await self.exceptions.settle(turn)
        return count

    async def _scan(self, queue: Queue, turn: Turn, item: Item) -> None:
        await queue.put(encode(Envelope("item", first_seen=self.clock(), item=turn.anew(item))))
