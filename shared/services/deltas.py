"""Graph's delta queries with their stored links: one at a time a drive or mailbox, none skipped.

Table ``drives``: partition ``drive``, key the drive; partition ``mail``, key a digest of mailbox
and folder. ``link`` is where the next delta starts, ``started`` when the last finished one began.
"""

from __future__ import annotations

import hashlib
from collections.abc import AsyncIterator, Collection
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from shared.errors import GoneError, MalformedError, StorageConflictError
from shared.graph import calls
from shared.graph.answers import Answer, Json
from shared.graph.calls import Call
from shared.graph.client import Graph
from shared.model import Item
from shared.ports import Clock, Lease, Ledger, Row, Table
from shared.services.common import Onward
from shared.services.sharing import sharing

_GONE = 410
_LEASE = 120
# Clocks of the webhook's and this machine may differ: a delta covers a hint if it began later than
# that by this much.
_SKEW = timedelta(seconds=2)
_NEVER = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Found:
    """``ran``: the delta was asked (it was not covered already); ``seen`` changes, ``enqueued``."""

    ran: bool
    seen: int = 0
    enqueued: int = 0


@dataclass(frozen=True, slots=True)
class Links:
    """The stored links and the lease that serialises their use."""

    table: Table
    lease: Lease
    clock: Clock


class DriveDelta:
    """Changed files of a drive become items; ``first`` takes those of a first, full enumeration."""

    def __init__(
        self,
        graph: Graph,
        links: Links,
        *,
        onward: Onward,
        ledger: Ledger,
        inside: Collection[str] = (),
        first: Onward | None = None,
    ) -> None:
        self._graph = graph
        self._links = links
        self._onward = onward
        self._first = first or onward
        self._ledger = ledger
        self._inside = inside

    async def run(self, drive: str, *, since: datetime, trace: str = "") -> Found:
        """Everything that changed, unless a delta that began after ``since`` has told it already.

        BusyError while another worker is at this drive.
        """
        if await self._covered(drive, since):
            return Found(ran=False)
        name = f"delta-{hashlib.sha256(drive.encode()).hexdigest()[:32]}"
        token = await self._links.lease.acquire(name, _LEASE)
        try:
            if await self._covered(drive, since):
                return Found(ran=False)
            return await self._run(drive, name, token, trace)
        finally:
            await self._links.lease.release(name, token)

    async def _covered(self, drive: str, since: datetime) -> bool:
        row = await self._links.table.get("drive", drive)
        started = row.values.get("started", _NEVER) if row else _NEVER
        return isinstance(started, datetime) and started - _SKEW > since

    async def _run(self, drive: str, lease: str, token: str, trace: str) -> Found:
        started = self._links.clock()
        row = await self._links.table.get("drive", drive)
        link = str(row.values.get("link", "")) if row else ""
        target = self._onward if link else self._first
        seen = enqueued = 0
        following = ""
        params = {"drive": drive, "item": "root"}
        prefer = "deltashowsharingchanges, hierarchicalsharing"
        async for page in _pages(self._graph, calls.ITEM_DELTA, params, link, prefer):
            for entity in page.get("value", []):
                if "file" in entity and "deleted" not in entity:
                    seen += 1
                    enqueued += await self._enqueue(drive, entity, target, trace)
            await self._links.lease.renew(lease, token, _LEASE)
            following = str(page.get("@odata.deltaLink", ""))
        await _save(self._links.table, row, Row("drive", drive, {}), following, started)
        return Found(ran=True, seen=seen, enqueued=enqueued)

    async def _enqueue(self, drive: str, entity: Json, target: Onward, trace: str) -> int:
        """One file: its cTag, and a digest of its sharing. 0 if it is gone or our own write."""
        params = {"drive": drive, "item": str(entity["id"])}
        try:
            if "cTag" not in entity:  # OneDrive leaves it out of some deltas
                entity = (await self._graph.send(calls.ITEM_GET, params)).json()
            permissions: list[Json] = []
            async for page in self._graph.pages(calls.ITEM_PERMISSIONS, params):
                permissions.extend(page.get("value", []))
        except GoneError:
            return 0
        shared = sharing(permissions, self._inside)
        item = Item("drive", params["item"], drive, str(entity["cTag"]), shared.digest)
        if await self._ledger.is_own_write(item):
            return 0
        await target.put(item, trace=trace)
        return 1


class MailDelta:
    """New and changed messages of a mailbox's folders become items (what no notification told).

    All folders that people see, because a rule may put mail anywhere; Graph's delta knows only one
    folder at a time.
    """

    def __init__(
        self,
        graph: Graph,
        links: Links,
        *,
        onward: Onward,
        ledger: Ledger,
        first: Onward | None = None,
    ) -> None:
        self._graph = graph
        self._links = links
        self._onward = onward
        self._first = first or onward
        self._ledger = ledger

    async def run(self, user: str) -> int:
        """How many items were enqueued; BusyError while another worker sweeps this mailbox."""
        name = f"delta-{_digest(user, '')}"
        token = await self._links.lease.acquire(name, _LEASE)
        try:
            folders = [each async for each in self._folders(user)]
            return sum([await self._folder(user, each, name, token) for each in folders])
        finally:
            await self._links.lease.release(name, token)

    async def _folders(self, user: str) -> AsyncIterator[str]:
        """Every folder's id, with those inside it."""
        query = {"select": "id,childFolderCount", "top": "100"}
        waiting: list[tuple[Call, dict[str, str]]] = [(calls.FOLDERS, {"user": user})]
        while waiting:
            call, params = waiting.pop()
            async for page in self._graph.pages(call, params, query=query):
                for folder in page.get("value", []):
                    yield str(folder["id"])
                    if folder.get("childFolderCount"):
                        inner = {"user": user, "folder": str(folder["id"])}
                        waiting.append((calls.FOLDER_CHILDREN, inner))

    async def _folder(self, user: str, folder: str, lease: str, token: str) -> int:
        started, key = self._links.clock(), _digest(user, folder)
        row = await self._links.table.get("mail", key)
        link = str(row.values.get("link", "")) if row else ""
        target = self._onward if link else self._first
        count, following = 0, ""
        params = {"user": user, "folder": folder}
        async for page in _pages(self._graph, calls.FOLDER_DELTA, params, link, ""):
            for entity in page.get("value", []):
                if "@removed" not in entity and entity.get("changeKey"):
                    count += await self._enqueue(user, entity, target)
            await self._links.lease.renew(lease, token, _LEASE)
            following = str(page.get("@odata.deltaLink", ""))
        await _save(self._links.table, row, Row("mail", key, {}), following, started)
        return count

    async def _enqueue(self, user: str, entity: Json, target: Onward) -> int:
        item = Item("mail", str(entity["id"]), user, str(entity["changeKey"]))
        if await self._ledger.is_own_write(item):
            return 0
        await target.put(item)
        return 1


async def _pages(
    graph: Graph, call: Call, params: dict[str, str], link: str, prefer: str
) -> AsyncIterator[Json]:
    """A delta's pages from its link; from the beginning where there is none or it ran out (410)."""
    query = {"select": "id,changeKey"} if call is calls.FOLDER_DELTA else {}
    page = await _from_link(graph, link, prefer) if link else None
    if page is None:
        headers = {"Prefer": prefer} if prefer else {}
        page = (await graph.send(call, params, query=query, headers=headers)).json()
    while True:
        yield page
        following = page.get("@odata.nextLink")
        if not following:
            return
        page = (await graph.link(str(following), prefer=prefer)).json()


async def _from_link(graph: Graph, link: str, prefer: str) -> Json | None:
    """The first page, or None if Graph wants everything enumerated anew.

    Whatever the kind of resync that a 410 names, enumerating is enough: items are enqueued by
    version, and what the ledger has done under a version is not done again.
    """
    answer: Answer = await graph.link(link, prefer=prefer, accept={_GONE})
    return None if answer.status == _GONE else answer.json()


async def _save(table: Table, before: Row | None, where: Row, link: str, started: datetime) -> None:
    """Keep the new link, unless somebody who took over has kept a later one (theirs stands)."""
    if not link:
        message = "a delta ended without a link to go on from"
        raise MalformedError(message)
    row = Row(where.partition, where.key, {"link": link, "started": started})
    try:
        if before is None:
            await table.insert(row)
        else:
            await table.replace(row, before.etag)
    except StorageConflictError:
        return


def _digest(user: str, folder: str) -> str:
    return hashlib.sha256(f"{user.casefold()}:{folder}".encode()).hexdigest()[:32]
