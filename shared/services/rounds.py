"""Delta rounds with their place kept: a round that is cut off goes on where it was.

Table ``drives``, one row a drive or folder: ``link`` is where to go on, ``started`` when the last
finished round began, ``round`` when the unfinished one did, ``first`` whether that one enumerates
everything. Of the enumeration ``found`` counts the entities, ``enumerated`` is when it was through,
``account`` (a digest) whose it is. Each write is conditional on the row, so that whoever lost the
lease can write no more.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Collection, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime

from shared.errors import LeaseLostError, MalformedError, StorageConflictError
from shared.graph.answers import Answer, Json
from shared.graph.calls import Call
from shared.graph.client import Graph
from shared.ports import Clock, Lease, Row, Table, Value

NEVER = datetime(1970, 1, 1, tzinfo=UTC)
LEASE_SECONDS = 120
_GONE = 410


@dataclass(frozen=True, slots=True)
class Links:
    """The stored links and the lease that serialises their use."""

    table: Table
    lease: Lease
    clock: Clock


@dataclass(frozen=True, slots=True)
class Delta:
    """One delta query: its row (``partition``, ``key``) and how it is begun."""

    partition: str
    key: str
    call: Call
    params: Mapping[str, str]
    query: Mapping[str, str] = field(default_factory=dict)
    prefer: str = ""
    account: str = ""


@dataclass(slots=True)
class Rounds:
    """Reads one delta to its end under a lease that the caller holds (``name``, ``token``)."""

    graph: Graph
    links: Links
    name: str
    token: str

    async def entities(self, delta: Delta) -> AsyncIterator[tuple[Json, bool]]:
        """Each entity of ``pages``, and whether it comes of a full enumeration."""
        async for page, first in self.pages(delta):
            for each in page:
                yield each, first

    async def pages(self, delta: Delta) -> AsyncIterator[tuple[list[Json], bool]]:
        """Each page's entities, and whether they come of a full enumeration.

        The place moves on only when the consumer has taken all of a page. An unfinished round is
        finished first and a new one follows, so that what happened until now is always in it.
        LeaseLostError if somebody took over.
        """
        resumed = True
        while resumed:
            row = await self.links.table.get(delta.partition, delta.key)
            resumed = bool(row and "round" in row.values)
            async for each in self._round(delta, row):
                yield each

    async def _round(self, delta: Delta, row: Row | None) -> AsyncIterator[tuple[list[Json], bool]]:
        known = dict(row.values) if row else {}
        link = str(known.get("link", ""))
        began = known.get("round") or self.links.clock()
        page = await self._from_link(delta, link) if link else None
        first = page is None or bool(known.get("first"))
        if page is None:
            headers = {"Prefer": delta.prefer} if delta.prefer else {}
            answer = await self.graph.send(
                delta.call, delta.params, query=delta.query, headers=headers
            )
            page = answer.json()
        told: dict[str, Value] = {"account": delta.account or delta.key}
        before = known.get("found")
        resumed = "round" in known or not first
        found = before if resumed and isinstance(before, int) else 0
        while True:
            entities = list(page.get("value", []))
            yield entities, first
            found += len(entities) if first else 0
            told["found"] = found
            await self.links.lease.renew(self.name, self.token, LEASE_SECONDS)
            following = str(page.get("@odata.nextLink") or "")
            if not following:
                break
            halfway = {"round": began, "first": first, "started": known.get("started") or NEVER}
            row = await self._save(delta, row, {"link": following, **halfway, **told})
            page = (await self._follow(delta, following)).json()
        finished = str(page.get("@odata.deltaLink") or "")
        if not finished:
            message = "a delta ended without a link to go on from"
            raise MalformedError(message)
        told["enumerated"] = self.links.clock() if first else known.get("enumerated") or NEVER
        await self._save(delta, row, {"link": finished, "started": began, **told})

    async def _follow(self, delta: Delta, link: str, accept: Collection[int] = ()) -> Answer:
        """A link of this delta: its calls count against the same mailbox or drive."""
        return await self.graph.link(
            link, prefer=delta.prefer, accept=accept, call=delta.call, params=delta.params
        )

    async def _from_link(self, delta: Delta, link: str) -> Json | None:
        """The first page, or None if Graph wants everything enumerated anew.

        Whatever the kind of resync that a 410 names, enumerating is enough: items are enqueued by
        version, and what the ledger has done under a version is not done again.
        """
        answer = await self._follow(delta, link, {_GONE})
        return None if answer.status == _GONE else answer.json()

    async def _save(self, delta: Delta, before: Row | None, values: Mapping[str, Value]) -> Row:
        row = Row(delta.partition, delta.key, values)
        table = self.links.table
        try:
            etag = await table.replace(row, before.etag) if before else await table.insert(row)
        except StorageConflictError:
            message = "another worker has taken this delta over"
            raise LeaseLostError(message) from None
        return Row(row.partition, row.key, row.values, etag)
