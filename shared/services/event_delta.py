"""New and changed events of a calendar become items (what no notification told)."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

from shared.graph import calls
from shared.graph.answers import Json
from shared.graph.client import Graph
from shared.model import Item
from shared.ports import Ledger
from shared.services.baseline import Routes
from shared.services.common import Sends
from shared.services.rounds import LEASE_SECONDS, Delta, Links, Rounds

# Graph wants a range, and the link keeps it: from last year on, four years. With a new year a new
# round begins, which enumerates (what is done under its version is not done again).
_YEARS = 4


@dataclass(frozen=True, slots=True)
class EventDelta:
    """One delta a calendar and year, under a lease."""

    graph: Graph
    links: Links
    routes: Routes
    ledger: Ledger

    async def run(self, user: str) -> int:
        """How many items were enqueued; BusyError while another worker sweeps this calendar."""
        since = self.links.clock().year - 1
        named = f"{user.casefold()}:calendar:{since}"
        key = hashlib.sha256(named.encode()).hexdigest()[:32]
        name = f"delta-{key}"
        delta = Delta(
            "calendar",
            key,
            calls.EVENT_DELTA,
            {"user": user},
            query={
                "startDateTime": f"{since}-01-01T00:00:00Z",
                "endDateTime": f"{since + _YEARS}-01-01T00:00:00Z",
            },
        )
        token = await self.links.lease.acquire(name, LEASE_SECONDS)
        try:
            rounds = Rounds(self.graph, self.links, name, token)
            count = 0
            async for entity, first in rounds.entities(delta):
                if "@removed" not in entity and entity.get("changeKey"):
                    target = self.routes.of(entity, first=first)
                    count += await self._enqueue(user, entity, target)
            return count
        finally:
            await self.links.lease.release(name, token)

    async def _enqueue(self, user: str, entity: Json, target: Sends) -> int:
        item = Item("calendar", str(entity["id"]), user, str(entity["changeKey"]))
        if await self.ledger.is_own_write(item):
            return 0
        await target.put(item)
        return 1
