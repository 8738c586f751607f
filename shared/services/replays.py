"""Open notifications told before: nothing is done for them again, and a flood is noticed.

Graph itself tells some things twice (it repeats what we answered late), so the second time is no
event; from the third on it is a replay. What is done for a notification is idempotent anyway (the
ledger knows each version): this spares the work, and says that somebody is at it. The memory is
this worker's own and bounded, so that a flood cannot fill a table. What is sealed is remembered by
all workers (``shared.services.seals``).
"""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass, field

from shared.storage.alerts import Alerts

MOST = 50_000
"""Notifications that are remembered; some hours' worth for 10,000 accounts."""
REPLAY = 3
"""From this time on the same notification is a security event."""


@dataclass(frozen=True, slots=True)
class Replays:
    """Counts notifications by the digest that the webhook gave them."""

    alerts: Alerts
    most: int = MOST
    _times: OrderedDict[str, int] = field(default_factory=OrderedDict)

    async def seen(self, told: str) -> bool:
        """Whether this one has been dealt with already; one alert for each that comes too often.

        ``told`` is empty where two different notifications may look the same (a drive's).
        """
        times = self._times.get(told, 0)
        if not told or not times:
            return False
        self.note(told)
        if times + 1 == REPLAY:
            await self.alerts.once("replayed", f"notification/{told}")
        return True

    def note(self, told: str) -> None:
        """It has been dealt with: everything that it asks for is on a queue."""
        if told:
            self._times[told] = self._times.get(told, 0) + 1
            self._times.move_to_end(told)
            while len(self._times) > self.most:
                self._times.popitem(last=False)
