"""What changed in a drive or a mailbox becomes items: one worker at a time, nothing skipped."""

from __future__ import annotations

import hashlib
from collections.abc import AsyncIterator, Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import batched

from shared.errors import GoneError, SekishoError
from shared.graph import calls
from shared.graph.answers import Answer, Json
from shared.graph.batch import MOST, Ask
from shared.graph.calls import Call
from shared.graph.client import Graph
from shared.model import Item
from shared.ports import Ledger
from shared.services.baseline import Routes
from shared.services.common import Sends
from shared.services.rounds import LEASE_SECONDS, NEVER, Delta, Links, Rounds
from shared.services.sharing import sharing

__all__ = ["DriveDelta", "Found", "Links", "MailDelta"]

# Clocks of the webhook's and this machine may differ: a delta covers a hint if it began later than
# that by this much.
_SKEW = timedelta(seconds=2)


@dataclass(frozen=True, slots=True)
class Found:
    """``ran``: the delta was asked (it was not covered already); ``seen`` changes, ``enqueued``."""

    ran: bool
    seen: int = 0
    enqueued: int = 0


@dataclass(frozen=True, slots=True)
class DriveDelta:
    """Changed files of a drive become items; ``inside`` are our own mail domains."""

    graph: Graph
    links: Links
    routes: Routes
    ledger: Ledger
    inside: Collection[str] = ()

    async def run(self, drive: str, *, since: datetime, trace: str = "") -> Found:
        """Everything that changed, unless a delta that began after ``since`` has told it already.

        BusyError while another worker is at this drive.
        """
        if await self._covered(drive, since):
            return Found(ran=False)
        name = f"delta-{hashlib.sha256(drive.encode()).hexdigest()[:32]}"
        token = await self.links.lease.acquire(name, LEASE_SECONDS)
        try:
            if await self._covered(drive, since):
                return Found(ran=False)
            return await self._run(drive, Rounds(self.graph, self.links, name, token), trace)
        finally:
            await self.links.lease.release(name, token)

    async def _covered(self, drive: str, since: datetime) -> bool:
        row = await self.links.table.get("drive", drive)
        started = row.values.get("started", NEVER) if row else NEVER
        return isinstance(started, datetime) and started - _SKEW > since

    async def _run(self, drive: str, rounds: Rounds, trace: str) -> Found:
        seen = enqueued = 0
        delta = Delta(
            "drive",
            drive,
            calls.ITEM_DELTA,
            {"drive": drive, "item": "root"},
            prefer="deltashowsharingchanges, hierarchicalsharing",
        )
        async for page, first in rounds.pages(delta):
            files = [each for each in page if "file" in each and "deleted" not in each]
            seen += len(files)
            for some in batched(files, MOST, strict=False):
                for entity, permissions in await self._permissions(drive, some):
                    target = self.routes.of(entity, first=first)
                    enqueued += await self._enqueue(drive, entity, permissions, target, trace)
        return Found(ran=True, seen=seen, enqueued=enqueued)

    async def _permissions(
        self, drive: str, files: Sequence[Json]
    ) -> list[tuple[Json, list[Json] | None]]:
        """Each file with its permissions; None where it is gone. Several are asked as one batch."""
        asks = [
            Ask(calls.ITEM_PERMISSIONS, {"drive": drive, "item": str(each["id"])}) for each in files
        ]
        if len(asks) == 1:
            return [(files[0], await self._all_of(asks[0], None))]
        answers = await self.graph.batch(asks)
        found: list[tuple[Json, list[Json] | None]] = []
        for entity, ask, answer in zip(files, asks, answers, strict=True):
            if isinstance(answer, GoneError):
                found.append((entity, None))
                continue
            if isinstance(answer, SekishoError):
                raise answer
            found.append((entity, await self._all_of(ask, answer)))
        return found

    async def _all_of(self, ask: Ask, first: Answer | None) -> list[Json] | None:
        """All pages of a file's permissions, the first of which may be known already."""
        try:
            if first is None or first.json().get("@odata.nextLink"):
                return [
                    each
                    async for page in self.graph.pages(ask.call, ask.params)
                    for each in page.get("value", [])
                ]
        except GoneError:
            return None
        return list(first.json().get("value", []))

    async def _enqueue(
        self,
        drive: str,
        entity: Json,
        permissions: list[Json] | None,
        target: Sends,
        trace: str,
    ) -> int:
        """One file: its cTag, and a digest of its sharing. 0 if it is gone or our own write."""
        if permissions is None:
            return 0
        params = {"drive": drive, "item": str(entity["id"])}
        if "cTag" not in entity:  # OneDrive leaves it out of some deltas
            try:
                entity = (await self.graph.send(calls.ITEM_GET, params)).json()
            except GoneError:
                return 0
        shared = sharing(permissions, self.inside)
        item = Item("drive", params["item"], drive, str(entity["cTag"]), shared.digest)
        if await self.ledger.is_own_write(item):
            return 0
        await target.put(item, trace=trace)
        return 1


@dataclass(frozen=True, slots=True)
class MailDelta:
    """New and changed messages of a mailbox's folders become items (what no notification told).

    All folders that people see, because a rule may put mail anywhere; Graph's delta knows only one
    folder at a time.
    """

    graph: Graph
    links: Links
    routes: Routes
    ledger: Ledger

    async def run(self, user: str) -> int:
        """How many items were enqueued; BusyError while another worker sweeps this mailbox."""
        name = f"delta-{_digest(user, '')}"
        token = await self.links.lease.acquire(name, LEASE_SECONDS)
        try:
            rounds = Rounds(self.graph, self.links, name, token)
            folders = [each async for each in self._folders(user)]
            return sum([await self._folder(user, each, rounds) for each in folders])
        finally:
            await self.links.lease.release(name, token)

    async def _folders(self, user: str) -> AsyncIterator[str]:
        """Every folder's id, with those inside it."""
        query = {"select": "id,childFolderCount", "top": "100"}
        waiting: list[tuple[Call, dict[str, str]]] = [(calls.FOLDERS, {"user": user})]
        while waiting:
            call, params = waiting.pop()
            async for page in self.graph.pages(call, params, query=query):
                for folder in page.get("value", []):
                    yield str(folder["id"])
                    if folder.get("childFolderCount"):
                        inner = {"user": user, "folder": str(folder["id"])}
                        waiting.append((calls.FOLDER_CHILDREN, inner))

    async def _folder(self, user: str, folder: str, rounds: Rounds) -> int:
        count = 0
        delta = Delta(
            "mail",
            _digest(user, folder),
            calls.FOLDER_DELTA,
            {"user": user, "folder": folder},
            query={"select": "id,changeKey,lastModifiedDateTime"},
            account=_digest(user, ""),
        )
        async for entity, first in rounds.entities(delta):
            if "@removed" not in entity and entity.get("changeKey"):
                target = self.routes.of(entity, first=first)
                count += await self._enqueue(user, entity, target)
        return count

    async def _enqueue(self, user: str, entity: Json, target: Sends) -> int:
        item = Item("mail", str(entity["id"]), user, str(entity["changeKey"]))
        if await self.ledger.is_own_write(item):
            return 0
        await target.put(item)
        return 1


def _digest(user: str, folder: str) -> str:
    return hashlib.sha256(f"{user.casefold()}:{folder}".encode()).hexdigest()[:32]
