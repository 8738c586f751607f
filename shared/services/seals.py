"""Sealed notifications that were told before, known again by every worker.

What was sealed by Graph can be sent again by whoever saw it pass, as often as they like. It is only
a hint: what it names is read anew, and the ledger knows each version, so a replay could have no
item acted on twice, only its work begun. Here it begins none, and is a security event.

It is looked at where the seal was opened, and not in the webhook, for three reasons: Graph is
answered without a table's time; a forgery in a known seal's clothes is told from a replay, and
cannot take a genuine one's place; and the answer is the same to all. Graph repeats what we
answered late, so two arrivals are its own and from the third on each is a replay.

Two rows a seal in the table ``told``: partition = the day (UTC), key = the seal and its place,
``trace`` = the arrival that took the place. An arrival is its trace, so a message that the queue
gives again is no second one, and may finish what it began. Rows are wanted for as long as the
validation tokens live that come with a seal (hours): later, the replay is refused as expired.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from datetime import timedelta
from itertools import batched

from shared.errors import StorageConflictError
from shared.ports import Clock, Row, Table
from shared.storage.alerts import Alerts

PLACES = ("1", "2")
"""Arrivals of one seal that are Graph's own: the telling, and one repetition."""
KEPT = 2
"""Days that are looked at, today among them."""
AT_ONCE = 100_000  # rows a run of ``forget``
_PAGE, _TOGETHER = 1_000, 32
_LONG_AGO = 14  # days for which ``forget`` may have been away


@dataclass(frozen=True, slots=True)
class Seals:
    """The memory that workers share."""

    table: Table
    alerts: Alerts
    clock: Clock

    async def again(self, seal: str, trace: str) -> bool:
        """Whether another arrival of this seal is, or was, dealt with; an event if it is a replay.

        ``seal`` is a digest of what was verified, ``trace`` names this arrival. Raises
        TransientError while storage is away: the message comes again.
        """
        for place in PLACES:
            if await self._holder(f"{seal}-{place}", trace) == trace:
                return place != PLACES[0]
        await self.alerts.once("replayed", f"notification/{seal}/{trace}")
        return True

    async def _holder(self, key: str, trace: str) -> str:
        """Whose the place is: this arrival's if nobody had it."""
        today = self._day(0)
        looks = (self.table.get(self._day(back), key) for back in range(KEPT))
        for row in await asyncio.gather(*looks):
            if row is not None:
                return str(row.values["trace"])
        try:
            await self.table.insert(Row(today, key, {"trace": trace}))
        except StorageConflictError:  # taken a moment ago
            row = await self.table.get(today, key)
            return str(row.values["trace"]) if row else ""
        return trace

    async def forget(self) -> int:
        """Remove what no token can bring back any more; how many rows. May be cut off anywhere."""
        count = 0
        for days in range(KEPT, _LONG_AGO):
            partition = self._day(days)
            while count < AT_ONCE:
                rows = [row async for row in self.table.query(partition, limit=_PAGE)]
                for few in batched(rows, _TOGETHER, strict=False):
                    await asyncio.gather(*(self.table.delete(partition, r.key) for r in few))
                count += len(rows)
                if len(rows) < _PAGE:
                    break
        return count

    def _day(self, back: int) -> str:
        return (self.clock() - timedelta(days=back)).date().isoformat()
