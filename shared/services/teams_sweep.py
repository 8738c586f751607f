"""Teams messages that no notification told of: everything that changed since the last look.

By ``getAllMessages`` with a bound, a team or a user's chats at a time, because a channel's delta
does not tell of replies. The bound moves on only when all pages have been enqueued, and the next
look begins a little before it (Graph may be late, clocks may differ).

Table ``drives``, partition ``teams``: a row a team or a user's chats. ``since`` is the bound (none
yet: the first look enumerates), ``found`` counts what that found, ``enumerated`` is when it was
through. The lease is renewed with each page, because a first look may take longer than it lasts.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from shared.graph import calls
from shared.graph.answers import Json
from shared.graph.calls import Call
from shared.graph.client import Graph
from shared.ports import Row, Value
from shared.services.baseline import Routes
from shared.services.rounds import LEASE_SECONDS, NEVER, Links
from shared.services.threads import is_said, item_of

_OVERLAP = timedelta(minutes=5)


@dataclass(frozen=True, slots=True)
class TeamsSweep:
    """``channels``: all teams; ``chats``: those of one user. BusyError while another is at it."""

    graph: Graph
    links: Links
    routes: Routes

    async def channels(self) -> int:
        """How many messages of all teams' channels, replies too, were enqueued."""
        teams = [
            str(each["id"])
            async for page in self.graph.pages(calls.TEAMS, {}, query={"select": "id"})
            for each in page.get("value", [])
        ]
        return sum([await self._run(each, calls.TEAM_MESSAGES, {"team": each}) for each in teams])

    async def chats(self, user: str) -> int:
        """How many messages of a user's chats were enqueued."""
        return await self._run(user.casefold(), calls.CHAT_MESSAGES, {"user": user})

    async def _run(self, key: str, call: Call, params: dict[str, str]) -> int:
        table, name = self.links.table, f"teams-{key}"
        token = await self.links.lease.acquire(name, LEASE_SECONDS)
        try:
            row = await table.get("teams", key)
            known: dict[str, Value] = dict(row.values) if row else {}
            since = known.get("since")
            first = not isinstance(since, datetime)
            began = self.links.clock()
            count = found = 0
            query = {"top": "50"}
            if isinstance(since, datetime):
                query["filter"] = f"lastModifiedDateTime gt {_wire(since - _OVERLAP)}"
            async for page in self.graph.pages(call, params, query=query):
                messages = page.get("value", [])
                count += await self._page(messages, first=first)
                await self.links.lease.renew(name, token, LEASE_SECONDS)
                if first:
                    found += len(messages)
                    known["found"] = found
                    await table.put(Row("teams", key, known))
            known["since"] = max(began, since) if isinstance(since, datetime) else began
            known["enumerated"] = began if first else known.get("enumerated") or NEVER
            await table.put(Row("teams", key, known))
            return count
        finally:
            await self.links.lease.release(name, token)

    async def _page(self, messages: list[Json], *, first: bool) -> int:
        said = [each for each in messages if is_said(each)]
        for each in said:
            target = self.routes.of(each, first=first)
            await target.put(item_of(each))
        return len(said)


def _wire(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
