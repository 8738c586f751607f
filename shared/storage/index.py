"""The read side of incidents: small rows that find them, so that no page scans the table.

Table ``incidentindex``. One row an incident in the partition ``f|state|source|disposition`` (key
newest first, as in ``incidents``), one in ``all``, while it waits for a person one in ``w``
(oldest first), and while something of it is held one in ``h|state|source|disposition`` and
``held``.
Filters merge the partitions that match, each read only as far as one page needs.

The index finds, the incident's own row says: a reader takes the truth from there, and drops what
disagrees (left over from a crash between two writes).
"""

from __future__ import annotations

import asyncio
import heapq
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from shared.ports import Row, Table

WAITING = ("open", "in_review")
STATES = ("open", "in_review", "confirmed", "released", "closed")
SOURCES = ("mail", "drive", "teams", "calendar", "gate")
DISPOSITIONS = ("review", "block")
LAST_MOMENT = 9_999_999_999_999  # milliseconds, thirteen digits: the year 2286
KEY_DIGITS = 13
ALL, HELD = "all", "held"  # the partitions for the lists without a filter
HOLDING = frozenset({"block", "hold", "quarantine"})  # actions after which something is held
NOTHING = frozenset({"gone", "not_enforceable", "superseded"})  # states after which nothing is


@dataclass(frozen=True, slots=True)
class Filter:
    """What a list is narrowed to; an empty field narrows nothing."""

    state: str = ""
    source: str = ""
    disposition: str = ""
    held: bool = False

    def partitions(self) -> list[str]:
        """The index partitions that hold what matches."""
        if not (self.state or self.source or self.disposition):
            return [HELD if self.held else ALL]
        kind = "h" if self.held else "f"
        return [
            f"{kind}|{state}|{source}|{disposition}"
            for state in _chosen(self.state, STATES)
            for source in _chosen(self.source, SOURCES)
            for disposition in _chosen(self.disposition, DISPOSITIONS)
        ]

    def matches(self, values: Mapping[str, object]) -> bool:
        """Whether an incident with these values is wanted."""
        wanted = {"state": self.state, "source": self.source, "disposition": self.disposition}
        if self.held and not held(values):
            return False
        return all(not value or values[name] == value for name, value in wanted.items())


def _chosen(value: str, every: tuple[str, ...]) -> tuple[str, ...]:
    return (value,) if value else every


def facet(values: Mapping[str, object]) -> str:
    """The partition of an incident with these values."""
    return f"f|{values['state']}|{values['source']}|{values['disposition']}"


def held(values: Mapping[str, object]) -> bool:
    """Whether something of this incident is held: stopped, not let go, its copy not deleted."""
    return (
        values.get("action") in HOLDING
        and values.get("action_state") not in NOTHING
        and values["state"] != "released"
        and values.get("copy") != "deleted"
    )


def places(values: Mapping[str, object]) -> set[str]:
    """The partitions, newest first, that an incident with these values stands in."""
    found = facet(values)
    return {ALL, found} | ({HELD, f"h{found[1:]}"} if held(values) else set())


def ascending(key: str) -> str:
    """An incident's key turned round: oldest first."""
    return f"{LAST_MOMENT - int(key[:KEY_DIGITS]):013d}{key[KEY_DIGITS:]}"


@dataclass(frozen=True, slots=True)
class Index:
    """Rows that find incidents by state, source and disposition, and the oldest that waits."""

    table: Table
    _oldest: dict[str, tuple[str, str]] = field(default_factory=dict)

    async def enter(self, row: Row) -> None:
        """Make the incident ``row`` findable; idempotent."""
        values = {"month": row.partition}
        puts = [self.table.put(Row(each, row.key, values)) for each in places(row.values)]
        if row.values["state"] in WAITING:
            puts.append(self.table.put(Row("w", ascending(row.key), values)))
        await asyncio.gather(*puts)

    async def leave(self, row: Row, now: Row) -> None:
        """Forget where the incident was before it became ``now``; idempotent."""
        for each in places(row.values) - places(now.values):
            await self.table.delete(each, row.key)
        if now.values["state"] not in WAITING:
            await self.table.delete("w", ascending(row.key))

    async def remove(self, row: Row) -> None:
        """Make the incident ``row`` findable no more; idempotent."""
        for each in places(row.values):
            await self.table.delete(each, row.key)
        await self.table.delete("w", ascending(row.key))

    async def find(self, wanted: Filter, after: str = "", limit: int = 26) -> list[tuple[str, str]]:
        """Months and keys of at most ``limit`` incidents behind ``after``, newest first."""
        found = await asyncio.gather(
            *(self._some(part, after, limit) for part in wanted.partitions())
        )
        merged = heapq.merge(*found, key=lambda each: each[1])
        return list(dict.fromkeys(merged))[:limit]

    async def oldest(self) -> tuple[str, str] | None:
        """Month and key of what has waited longest, or None."""
        known = self._oldest.get("w")
        # What waited longest still does unless its row is gone: one read instead of a search.
        if known and await self.table.get("w", ascending(known[1])) is not None:
            return known
        async for row in self.table.query("w", limit=1):
            self._oldest["w"] = str(row.values["month"]), ascending(row.key)
            return self._oldest["w"]
        return None

    async def forget(self, partitions: Iterable[str], key: str) -> None:
        """Remove rows that were found to disagree with the incident."""
        for partition in partitions:
            await self.table.delete(partition, key)

    async def _some(self, partition: str, after: str, limit: int) -> list[tuple[str, str]]:
        # A key is followed by nothing shorter than itself and NUL-free, so this starts behind it.
        start = f"{after}!" if after else ""
        rows = self.table.query(partition, start=start, limit=limit)
        return [(str(row.values["month"]), row.key) async for row in rows]
