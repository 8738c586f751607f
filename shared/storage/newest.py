"""The list without a filter, straight from the incidents: month by month, a short stretch first.

A partition of ``incidents`` is a month and its keys are newest first, so that a page of the newest
is one request, and no row that finds it is needed. The row ``months`` / ``all`` of the table
``incidentindex`` says which months there are.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime

from shared.errors import BusyError, StorageConflictError
from shared.ports import Row, Table
from shared.storage.index import KEY_DIGITS, LAST_MOMENT

MONTHS, EVERY = "months", "all"
STRETCH = 86_400_000  # milliseconds: a day of an office is more than a page
WIDER = 16  # how much longer the next stretch is
ATTEMPTS = 12


@dataclass(frozen=True, slots=True)
class Months:
    """Which months have incidents; ``table`` is ``incidentindex``."""

    table: Table
    _known: set[str] = field(default_factory=set)

    async def enter(self, month: str) -> None:
        """Note a month; read once a process and month. BusyError if the row keeps changing."""
        if month in self._known:
            return
        for _ in range(ATTEMPTS):
            row = await self.table.get(MONTHS, EVERY)
            months = set(str(row.values["months"]).split(",")) if row else set()
            if month not in months:
                new = Row(MONTHS, EVERY, {"months": ",".join(sorted(months | {month}))})
                try:
                    await (self.table.replace(new, row.etag) if row else self.table.insert(new))
                except StorageConflictError:
                    continue
            self._known.add(month)
            return
        message = "months: the row keeps changing"
        raise BusyError(message)

    async def newest_first(self) -> list[str]:
        """Every month with an incident."""
        row = await self.table.get(MONTHS, EVERY)
        return sorted(str(row.values["months"]).split(","), reverse=True) if row else []


async def newest(
    incidents: Table, months: Sequence[str], after: str, limit: int, now: datetime | None
) -> list[Row]:
    """At most ``limit`` incidents behind the key ``after``, newest first.

    ``now`` is where a short stretch begins to be worth trying; without it whole months are read.
    """
    found: list[Row] = []
    begin = int(after[:KEY_DIGITS]) if after else LAST_MOMENT
    if after:
        moment = datetime.fromtimestamp((LAST_MOMENT - begin) / 1000, UTC)
        months = [each for each in months if each <= f"{moment:%Y-%m}"]
    elif now is not None:
        begin = LAST_MOMENT - int(now.timestamp() * 1000)
    for month in months:
        start = f"{after}!" if after and not found else ""
        stretch = STRETCH if after or now is not None else 0
        while True:
            end = f"{begin + stretch:013d}" if stretch and begin < LAST_MOMENT else ""
            wanted = limit - len(found)
            rows = [row async for row in incidents.query(month, start=start, end=end, limit=wanted)]
            if not end or len(rows) >= wanted or stretch > LAST_MOMENT // WIDER:
                break
            stretch *= WIDER
            if stretch > 40 * STRETCH:  # longer than a month: all of it
                stretch = 0
        found += rows
        if len(found) >= limit:
            break
    return found
