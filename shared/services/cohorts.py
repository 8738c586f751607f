"""Who is watched, and in which cohort: the accounts and the groups that a deployment names.

``SEKISHO_WATCH`` holds user ids or sign-in names, and ``group:<id>`` for an Entra group: its
members, and those of the groups inside it, as they are when the timer asks. ``SEKISHO_COHORTS``
names the groups whose members the policy treats in a mode of their own.
"""

from __future__ import annotations

import hashlib
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from shared.errors import GoneError, PermanentError
from shared.graph import calls
from shared.graph.client import Graph
from shared.ports import Clock, Row, Table

GROUP = "group:"
EVERYONE = "everyone"
MEMBERS = "members"  # the partition of the table ``cohorts``
MANY = 1_000_000
KNOWN_FOR = timedelta(minutes=1)
REMEMBERED = 50_000  # accounts whose cohort one process remembers


async def members(graph: Graph, watch: Sequence[str]) -> tuple[str, ...]:
    """The accounts, each once, in order. PermanentError for a group that does not exist.

    A group that cannot be read is an error and not an empty group: everybody's watch would end.
    """
    found: dict[str, None] = {}
    for each in watch:
        if not each.startswith(GROUP):
            found[each] = None
            continue
        params = {"group": each.removeprefix(GROUP)}
        query = {"select": "id", "top": "100"}
        try:
            async for page in graph.pages(calls.GROUP_MEMBERS, params, query=query):
                found |= {str(user["id"]): None for user in page.get("value", [])}
        except GoneError:
            message = f"SEKISHO_WATCH names a group that does not exist: {params['group']}"
            raise PermanentError(message) from None
    return tuple(found)


@dataclass(frozen=True, slots=True)
class Cohorts:
    """The table ``cohorts``: a row a member, by a hash of the account's id and of its name.

    The pipeline asks it for each item's owner; a job keeps it as the groups are.
    """

    table: Table
    clock: Clock
    known: dict[str, tuple[str, datetime]] = field(default_factory=dict, repr=False)

    async def of(self, owner: str) -> str:
        """The cohort of an account, ``everyone`` where it is in none; a minute old at most."""
        key, now = _key(owner), self.clock()
        cohort, until = self.known.get(key, ("", now))
        if until > now:
            return cohort
        row = await self.table.get(MEMBERS, key) if owner else None
        cohort = str(row.values["cohort"]) if row else EVERYONE
        if len(self.known) >= REMEMBERED:
            self.known.clear()
        self.known[key] = (cohort, now + KNOWN_FOR)
        return cohort

    async def refresh(self, graph: Graph, groups: Mapping[str, str]) -> int:
        """Make the table what the groups are now; who is in two is in the first. How many changed.

        PermanentError for a group that does not exist; nothing is changed then.
        """
        wanted: dict[str, str] = {}
        for cohort, group in groups.items():
            async for name in _named(graph, group):
                wanted.setdefault(_key(name), cohort)
        there = {
            row.key: str(row.values["cohort"])
            async for row in self.table.query(MEMBERS, limit=MANY)
        }
        changed = {key: cohort for key, cohort in wanted.items() if there.get(key) != cohort}
        for key, cohort in changed.items():
            await self.table.put(Row(MEMBERS, key, {"cohort": cohort}))
        gone = there.keys() - wanted.keys()
        for key in gone:
            await self.table.delete(MEMBERS, key)
        return len(changed) + len(gone)


async def _named(graph: Graph, group: str) -> AsyncIterator[str]:
    """The id of each member, and its sign-in name where the directory gives it."""
    query = {"select": "id,userPrincipalName", "top": "100"}
    try:
        async for page in graph.pages(calls.GROUP_MEMBERS, {"group": group}, query=query):
            for user in page.get("value", []):
                for name in (user.get("id"), user.get("userPrincipalName")):
                    if name:
                        yield str(name)
    except GoneError:
        message = f"SEKISHO_COHORTS names a group that does not exist: {group}"
        raise PermanentError(message) from None


def _key(name: str) -> str:
    return hashlib.sha256(name.strip().casefold().encode()).hexdigest()
