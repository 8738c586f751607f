"""Teams messages that no notification told of: everything that changed since the last look.

By ``getAllMessages`` with a bound, a team or a user's chats at a time, because a channel's delta
does not tell of replies. The bound moves on only when all pages have been enqueued, and the next
look begins a little before it (Graph may be late, clocks may differ).
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta

from shared.graph import calls
from shared.graph.answers import Json
from shared.graph.calls import Call
from shared.graph.client import Graph
from shared.ports import Row
from shared.services.baseline import First
from shared.services.common import Onward
from shared.services.rounds import LEASE_SECONDS, NEVER, Links
from shared.services.threads import is_said, item_of

_OVERLAP = timedelta(minutes=5)


class TeamsSweep:
    """``channels``: all teams; ``chats``: those of one user. BusyError while another is at it."""

    def __init__(
        self, graph: Graph, links: Links, *, onward: Onward, first: First | None = None
    ) -> None:
        self._graph = graph
        self._links = links
        self._onward = onward
        self._first = first or First(onward, onward, links.clock)

    async def channels(self) -> int:
        """How many messages of all teams' channels, replies too, were enqueued."""
        teams = [str(each["id"]) async for each in self._values(calls.TEAMS, {}, {"select": "id"})]
        return sum([await self._run(each, calls.TEAM_MESSAGES, {"team": each}) for each in teams])

    async def chats(self, user: str) -> int:
        """How many messages of a user's chats were enqueued."""
        return await self._run(user.casefold(), calls.CHAT_MESSAGES, {"user": user})

    async def _run(self, key: str, call: Call, params: dict[str, str]) -> int:
        table, name = self._links.table, f"teams-{key}"
        token = await self._links.lease.acquire(name, LEASE_SECONDS)
        try:
            row = await table.get("teams", key)
            since = row.values.get("since") if row else None
            began = self._links.clock()
            count = 0
            query = {"top": "50"}
            if isinstance(since, datetime):
                query["filter"] = f"lastModifiedDateTime gt {_wire(since - _OVERLAP)}"
            async for message in self._values(call, params, query):
                if is_said(message):
                    target = self._first.of(message) if since is None else self._onward
                    await target.put(item_of(message))
                    count += 1
            await self._links.lease.renew(name, token, LEASE_SECONDS)
            await table.put(Row("teams", key, {"since": max(began, since or NEVER)}))
            return count
        finally:
            await self._links.lease.release(name, token)

    async def _values(
        self, call: Call, params: dict[str, str], query: dict[str, str]
    ) -> AsyncIterator[Json]:
        async for page in self._graph.pages(call, params, query=query):
            for each in page.get("value", []):
                yield each


def _wire(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
