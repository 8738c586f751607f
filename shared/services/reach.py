"""Whether outsiders are among those who reach a place by being in it: a chat, a channel, a library.

Policy sees it as the place. What one process read of a place holds for ``KNOWN_FOR``, because a
team's members do not change with each message. A membership that cannot be read counts as one with
outsiders (``members_unread`` in the record): the stricter place says too much now and then, the
milder one would let something pass. That Graph is not there for the moment says nothing of a
membership: the item waits and comes again.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from shared.errors import GoneError, MalformedError, PermanentError
from shared.graph import calls
from shared.graph.answers import Json
from shared.graph.client import Graph
from shared.ports import Clock
from shared.services.sharing import GUEST, UNREAD

KNOWN_FOR = timedelta(minutes=10)
_SAYS_NOTHING = "an answer that says nothing of the members"
REMEMBERED = 50_000  # places that one process remembers


@dataclass(frozen=True, slots=True)
class Reach:
    """``tenant`` is ours; empty: a chat's members of any tenant are taken for ours.

    Each answer is ``guest`` where outsiders are in it, ``members_unread``, or empty.
    """

    graph: Graph
    clock: Clock
    tenant: str = ""
    known: dict[str, tuple[str, datetime]] = field(default_factory=dict, repr=False)

    async def thread(self, params: Mapping[str, str]) -> str:
        """Of a chat or a channel, by the path parameters of one of its messages."""
        if "chat" in params:
            return await self._known(f"chat/{params['chat']}", lambda: self._chat(params["chat"]))
        where = {name: params[name] for name in ("team", "channel")}
        return await self._known("/".join(where.values()), lambda: self._channel(where))

    async def library(self, drive: str) -> str:
        """Of a site's library: guests in the group that the site belongs to (a team's is one)."""
        return await self._known(f"library/{drive}", lambda: self._library(drive))

    async def _known(self, key: str, ask: Callable[[], Awaitable[bool]]) -> str:
        now = self.clock()
        kind, until = self.known.get(key, ("", now))
        if until > now:
            return kind
        try:
            kind = GUEST if await ask() else ""
        except (PermanentError, GoneError):
            kind = UNREAD
        if len(self.known) >= REMEMBERED:
            self.known.clear()
        self.known[key] = (kind, now + KNOWN_FOR)
        return kind

    async def _chat(self, chat: str) -> bool:
        members = [each async for each in self._members(chat)]
        if not members:
            raise MalformedError(_SAYS_NOTHING)
        return any(map(self._is_outsider, members))

    async def _members(self, chat: str) -> AsyncIterator[Json]:
        answer = await self.graph.send(calls.CHAT_GET, {"chat": chat}, query={"expand": "members"})
        page = answer.json()
        for each in page.get("members") or []:
            yield each
        while following := page.get("members@odata.nextLink") or page.get("@odata.nextLink"):
            answer = await self.graph.link(
                str(following), call=calls.CHAT_GET, params={"chat": chat}
            )
            page = answer.json()
            for each in page.get("value") or []:
                yield each

    def _is_outsider(self, member: Json) -> bool:
        """A guest, somebody of another tenant, or of none (a telephone, a stranger)."""
        home = str(member.get("tenantId") or "")
        stranger = bool(self.tenant) and home.casefold() != self.tenant.casefold()
        return "guest" in (member.get("roles") or []) or stranger

    async def _channel(self, where: Mapping[str, str]) -> bool:
        answer = await self.graph.send(calls.CHANNEL_GET, where, query={"select": "id,summary"})
        summary = answer.json().get("summary")
        told = summary if isinstance(summary, dict) else {}
        guests, strangers = told.get("guestsCount"), told.get("hasMembersFromOtherTenants")
        if guests is None or strangers is None:
            raise MalformedError(_SAYS_NOTHING)
        return bool(guests or strangers)

    async def _library(self, drive: str) -> bool:
        query = {"select": "id,owner"}
        answer = await self.graph.send(calls.DRIVE_GET, {"drive": drive}, query=query)
        owner = answer.json().get("owner")
        group = owner.get("group") if isinstance(owner, dict) else None
        if not isinstance(group, dict) or not group.get("id"):
            return False  # no group: who is in it stands in the permissions of each file
        query = {"select": "id,userType,userPrincipalName", "top": "999"}
        params = {"group": str(group["id"])}
        async for page in self.graph.pages(calls.GROUP_MEMBERS, params, query=query):
            if any(map(_is_guest, page.get("value", []))):
                return True
        return False


def _is_guest(user: Json) -> bool:
    name = str(user.get("userPrincipalName") or "").casefold()
    return user.get("userType") == "Guest" or "#ext#" in name
