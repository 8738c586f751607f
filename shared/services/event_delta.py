"""New and changed events of a calendar become items (what no notification told)."""

from __future__ import annotations

import hashlib

from shared.graph import calls
from shared.graph.client import Graph
from shared.model import Item
from shared.ports import Ledger
from shared.services.common import Onward
from shared.services.rounds import LEASE_SECONDS, Delta, Links, Rounds

# Graph wants a range, and the link keeps it: from last year on, four years. With a new year a new
# round begins, which enumerates (what is done under its version is not done again).
_YEARS = 4


class EventDelta:
    """One delta a calendar and year, under a lease."""

    def __init__(self, graph: Graph, links: Links, *, onward: Onward, ledger: Ledger) -> None:
        self._graph = graph
        self._links = links
        self._onward = onward
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
            async for entity, _ in rounds.entities(delta):
                if "@removed" not in entity and entity.get("changeKey"):
                    count += await self._enqueue(user, str(entity["id"]), str(entity["changeKey"]))
            return count
        finally:
            await self._links.lease.release(name, token)

    async def _enqueue(self, user: str, event: str, version: str) -> int:
        item = Item("calendar", event, user, version)
        if await self._ledger.is_own_write(item):
            return 0
        await self._onward.put(item)
        return 1
