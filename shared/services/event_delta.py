"""New and changed events of a calendar become items (what no notification told)."""

from __future__ import annotations

import hashlib

from shared.graph import calls
from shared.graph.answers import Json
from shared.graph.client import Graph
from shared.model import Item
from shared.ports import Ledger
from shared.services.baseline import First
from shared.services.common import Onward, Sends
from shared.services.rounds import LEASE_SECONDS, Delta, Links, Rounds

# Graph wants a range, and the link keeps it: from last year on, four years. With a new year a new
# round begins, which enumerates (what is done under its version is not done again).
_YEARS = 4


class EventDelta:
    """One delta a calendar and year, under a lease."""

    def __init__(
        self,
        graph: Graph,
        links: Links,
        *,
        onward: Onward,
        ledger: Ledger,
        first: First | None = None,
    ) -> None:
        self._graph = graph
        self._links = links
        self._onward = onward
        self._first = first or First(onward, onward, links.clock)
        self._ledger = ledger

    async def run(self, user: str) -> int:
        """How many items were enqueued; BusyError while another worker sweeps this calendar."""
        first = self._links.clock().year - 1
        named = f"{user.casefold()}:calendar:{first}"
        key = hashlib.sha256(named.encode()).hexdigest()[:32]
        name = f"delta-{key}"
        delta = Delta(
            "calendar",
            key,
            calls.EVENT_DELTA,
            {"user": user},
            query={
                "startDateTime": f"{first}-01-01T00:00:00Z",
                "endDateTime": f"{first + _YEARS}-01-01T00:00:00Z",
            },
        )
        token = await self._links.lease.acquire(name, LEASE_SECONDS)
        try:
            rounds = Rounds(self._graph, self._links, name, token)
            count = 0
            async for entity, first in rounds.entities(delta):
                if "@removed" not in entity and entity.get("changeKey"):
                    target = self._first.of(entity) if first else self._onward
                    count += await self._enqueue(user, entity, target)
            return count
        finally:
            await self._links.lease.release(name, token)

    async def _enqueue(self, user: str, entity: Json, target: Sends) -> int:
        item = Item("calendar", str(entity["id"]), user, str(entity["changeKey"]))
        if await self._ledger.is_own_write(item):
            return 0
        await target.put(item)
        return 1
