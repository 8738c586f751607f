"""Incidents: what a person has to look at. One row a cause under review, newest first.

open → in_review → confirmed | released → closed. Every change is conditional on the version that
the person saw; it leaves an entry in the incident's timeline. What is found in the same item while
its review is under way joins it (see ``causes``).
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime

from shared.audit.event import UNJUDGED
from shared.codec import decode, encode
from shared.errors import BusyError, GoneError, RefusedError, StorageConflictError
from shared.model import AuditEvent
from shared.ports import Row, Table, Value
from shared.storage.causes import Causes, begun, joined, parts
from shared.storage.disposal import BEYOND_REVIEW, asked
from shared.storage.index import LAST_MOMENT, WAITING, Filter, Index, facet
from shared.storage.index_audit import AuditIndex
from shared.storage.index_counts import Counts
from shared.storage.newest import Months, newest

NEEDS_REVIEW = frozenset({"review", "block"})
UNCHANGED = "unchanged"  # what is held was judged anew and stays held: no news for a person
LIMIT = 30_000  # a string property holds 32 Ki characters
SHOWN = 20  # masked findings on the row; the audit event has them all
NOTE = 1_000  # characters of one note
PAGE = 25
ATTEMPTS = 8  # of an event to join an incident that keeps changing
JOINED = "joined"
DISPOSING = ("ask_delete", "delete", "keep")
DELETING = ("ask_delete", "delete")
RETENTION, HOLD = "retention", "hold"  # who did it, where no person did

# action → states it may start from, state it leads to (empty: stays), verdict it gives.
ACTIONS: Mapping[str, tuple[tuple[str, ...], str, str]] = {
    "claim": (("open",), "in_review", ""),
    "hand_back": (("in_review",), "open", ""),
    "note": (("open", "in_review", "confirmed", "released"), "", ""),
    "confirm": (("in_review",), "confirmed", "true_positive"),
    "false_positive": (("in_review",), "", "false_positive"),
    "release": (("open", "in_review", "confirmed"), "released", ""),
    "leak": (("in_review", "confirmed"), "confirmed", "true_positive"),
    "close": (("in_review", "confirmed", "released"), "closed", ""),
    **dict.fromkeys(DISPOSING, (BEYOND_REVIEW, "", "")),
}


@dataclass(frozen=True, slots=True)
class Entry:
    """One line of a timeline: who did what, when, with which words."""

    time: datetime
    who: str
    name: str
    action: str
    note: str = ""


@dataclass(frozen=True, slots=True)
class Change:
    """What a person asks for: ``version`` is the one that the person saw.

    ``needed`` is how many different people it takes to delete a copy.
    """

    action: str
    who: str
    name: str
    version: int
    note: str = ""
    needed: int = 2


@dataclass(frozen=True, slots=True)
class Pages:
    """The read side that is written along."""

    index: Index
    counts: Counts
    audit: AuditIndex
    causes: Causes
    months: Months

    @classmethod
    def of(cls, table: Table) -> Pages:
        """All of it in one table."""
        return cls(Index(table), Counts(table), AuditIndex(table), Causes(table), Months(table))


@dataclass(frozen=True, slots=True)
class Incidents:
    """The table ``incidents``: partition = month of the event, key = newest first."""

    table: Table
    pages: Pages | None = None

    async def open(self, event: AuditEvent) -> str:
        """The incident's id ``{partition}/{key}`` for a review or block; empty for the rest.

        Give the event as the audit log keeps it: its time makes the key, so that a repetition
        finds the same row. The read side follows; a repetition completes it. BusyError where the
        incident that it joins keeps changing.
        """
        if self.pages and event.disposition != UNJUDGED:
            await self.pages.counts.passed(event)
        if self.pages:
            await self.pages.audit.enter(event)
        if event.disposition not in NEEDS_REVIEW or event.action_state == UNCHANGED:
            return ""
        row = incident(event)
        if self.pages and (other := await self._other(self.pages, event, row)):
            return other
        with suppress(StorageConflictError):  # opened already, perhaps under review by now
            await self.table.insert(row)
        if self.pages:
            await self._found(self.pages, row)
        return f"{row.partition}/{row.key}"

    async def _other(self, pages: Pages, event: AuditEvent, row: Row) -> str:
        """The incident of the same cause that the event belongs to, or the empty text."""
        own = f"{row.partition}/{row.key}"
        for attempt in range(ATTEMPTS):
            under_way = await pages.causes.under_way(event, own)
            if under_way == own or await self.table.get(row.partition, row.key) is not None:
                return ""
            if found := await pages.causes.find(own):
                return found
            month, _, key = under_way.partition("/")
            there = await self.table.get(month, key)
            try:
                if await self._join(pages, there, event, own):
                    return under_way
            except StorageConflictError:  # somebody changed it meanwhile
                await asyncio.sleep(0.005 * attempt)
                continue
            if await pages.causes.succeed(event, under_way, own):
                return ""
        message = "the incident keeps changing"
        raise BusyError(message)

    async def _join(self, pages: Pages, there: Row | None, event: AuditEvent, own: str) -> bool:
        """Whether the event is in the incident now; an incident whose review ended takes none."""
        if there is None:
            return False
        if event.id not in {each.event for each in parts(there.values)}:
            if there.values["state"] not in WAITING:
                return False
            version = _version(there.values) + 1
            entry = Entry(event.time, "", "", JOINED)
            lines = _extended(timeline(there.values), entry)
            values = {**joined(there.values, event), "version": version, "timeline": lines}
            await self._store(pages, there, Row(there.partition, there.key, values))
        await pages.causes.alias(own, f"{there.partition}/{there.key}")
        return True

    async def _found(self, pages: Pages, row: Row) -> None:
        kept = await self.table.get(row.partition, row.key) or row
        await pages.months.enter(row.partition)
        await pages.index.enter(kept)
        await pages.counts.moved(f"{row.key}:0", "", facet(row.values))

    async def get(self, incident_id: str) -> Row:
        """One incident; GoneError if there is none."""
        month, _, key = incident_id.partition("/")
        row = await self.table.get(month, key) if key else None
        if row is None and self.pages and (other := await self.pages.causes.find(incident_id)):
            month, _, key = other.partition("/")
            row = await self.table.get(month, key)
        if row is None:
            message = "no such incident"
            raise GoneError(message)
        return row

    async def change(self, incident_id: str, change: Change, now: datetime) -> Row:
        """Do what ``change`` asks.

        Raises:
            StorageConflictError: somebody else changed the incident since it was seen.
            RefusedError: the action does not fit its state.
            GoneError: there is no such incident.
        """
        row = await self.get(incident_id)
        if row.values.get("version", 0) != change.version:
            message = "the incident was changed meanwhile"
            raise StorageConflictError(message)
        new = Row(row.partition, row.key, _changed(row.values, change, now))
        return await self._store(self.pages, row, new)

    async def deleted(self, row: Row, now: datetime) -> Row:
        """The incident after its copy was found to be gone; StorageConflictError as for change."""
        entry = Entry(now, "", "", "deleted")
        version = _version(row.values) + 1
        lines = _extended(timeline(row.values), entry)
        values = {**row.values, "copy": "deleted", "version": version, "timeline": lines}
        return await self._store(self.pages, row, Row(row.partition, row.key, values))

    async def expired(self, row: Row, now: datetime) -> Row:
        """The incident after its copy's time was over; StorageConflictError as for change."""
        entry = Entry(now, RETENTION, "保存期間の満了 / retention", "delete")
        lines = _extended(timeline(row.values), entry)
        version = _version(row.values) + 1
        values = {**row.values, "copy": "ordered", "version": version, "timeline": lines}
        return await self._store(self.pages, row, Row(row.partition, row.key, values))

    async def hold(self, incident_id: str, why: str, now: datetime) -> Row:
        """Put a legal hold on an incident (``why`` is empty: lift it); as for change."""
        row = await self.get(incident_id)
        entry = Entry(now, HOLD, "訴訟等による保全 / legal hold", "note", why or "lifted")
        lines = _extended(timeline(row.values), entry)
        version = _version(row.values) + 1
        values = {**row.values, "hold": why[:NOTE], "version": version, "timeline": lines}
        return await self._store(self.pages, row, Row(row.partition, row.key, values))

    async def forget(self, row: Row) -> None:
        """Remove an incident and what finds and counts it; idempotent, the incident itself last."""
        if self.pages:
            await self.pages.index.remove(row)
            await self.pages.counts.add("g", f"{row.key}:gone", {facet(row.values): -1})
        await self.table.delete(row.partition, row.key)

    async def _store(self, pages: Pages | None, row: Row, new: Row) -> Row:
        """Write the row under its ETag, and the read side along with it."""
        if pages:  # found before it is there: never lost, and readers drop what disagrees
            await pages.index.enter(new)
        new = replace(new, etag=await self.table.replace(new, row.etag))
        if pages:
            await pages.index.leave(row, new)
            if facet(row.values) != facet(new.values):
                token = f"{row.key}:{_version(new.values)}"
                await pages.counts.moved(token, facet(row.values), facet(new.values))
        return new

    async def list(
        self, wanted: Filter, after: str = "", limit: int = PAGE, now: datetime | None = None
    ) -> tuple[list[Row], str]:
        """A page of incidents, newest first, and the key after which the next one begins.

        Each row is read from the incident itself; what the index still says of an earlier state is
        removed from it. ``now`` spares the list without a filter a search of the whole month.
        """
        assert self.pages is not None
        if wanted == Filter():
            months = await self.pages.months.newest_first()
            there = await newest(self.table, months, after, limit + 1, now)
            return there[:limit], there[limit - 1].key if len(there) > limit else ""
        found = await self.pages.index.find(wanted, after, limit + 1)
        rows = await asyncio.gather(*(self.table.get(*each) for each in found[:limit]))
        listed = []
        for (_, key), row in zip(found, rows, strict=False):
            partitions = wanted.partitions()
            if row is not None and wanted.matches(row.values):
                listed.append(row)
            else:
                await self.pages.index.forget(partitions, key)
        return listed, found[limit - 1][1] if len(found) > limit else ""

    async def oldest(self) -> Row | None:
        """What has waited for a person longest."""
        assert self.pages is not None
        while found := await self.pages.index.oldest():
            row = await self.table.get(*found)
            if row is not None and row.values["state"] in {"open", "in_review"}:
                return row
            gone = Row(*found, {"state": "", "source": "", "disposition": ""})
            await self.pages.index.leave(gone, gone)
        return None


def _changed(values: Mapping[str, Value], change: Change, now: datetime) -> dict[str, Value]:
    states, state, verdict = ACTIONS[change.action]
    closing = change.action == "close" and values["state"] == "in_review"
    if values["state"] not in states or (closing and values.get("verdict") != "false_positive"):
        message = f"{change.action} does not fit the incident's state"
        raise RefusedError(message)
    entry = Entry(now, change.who, change.name, change.action, change.note[:NOTE])
    new = dict(values)
    if change.action in DELETING and values.get("hold"):
        message = "the incident is under a legal hold: its copy stays"
        raise RefusedError(message)
    if change.action in DISPOSING:
        new = asked(values, change.action, change.who, change.needed)
    new["version"] = change.version + 1
    new["timeline"] = _extended(timeline(values), entry)
    if state:
        new["state"] = state
    if verdict:
        new["verdict"] = verdict
    if change.action == "claim":
        new["reviewer"], new["reviewer_name"] = change.who, change.name
    if change.action == "leak" and "leak" not in new:
        new["leak"] = now  # the clock of the report runs from the first knowledge
    if change.action == "hand_back":
        new["reviewer"] = new["reviewer_name"] = new["verdict"] = ""
    return new


def _version(values: Mapping[str, Value]) -> int:
    version = values.get("version", 0)
    assert isinstance(version, int)
    return version


def timeline(values: Mapping[str, Value]) -> list[Entry]:
    """What people did, oldest first."""
    return decode(str(values.get("timeline") or "[]"), list[Entry])


def _extended(entries: list[Entry], entry: Entry) -> str:
    """The timeline with one more entry; the audit has all, the row the latest that it can hold."""
    entries = [*entries, entry]
    while len(text := encode(entries).decode()) > LIMIT:
        entries.pop(0)
    return text


def incident_id(event: AuditEvent) -> str:
    """``{partition}/{key}`` of an event's incident, from the event as the audit log keeps it."""
    moment = LAST_MOMENT - int(event.time.timestamp() * 1000)
    return f"{event.time:%Y-%m}/{moment:013d}-{event.id[:32]}"


def incident(event: AuditEvent) -> Row:
    """The row of a new incident: masks and counts, never a value."""
    counts = Counter(finding.entity for finding in event.findings)
    values: dict[str, Value] = {
        "state": "open",
        "version": 0,
        "source": event.item.source,
        "place": event.place,
        "owner": event.owner,
        "disposition": event.disposition,
        "action": event.action,
        "action_state": event.action_state,
        "opened": event.time,
        "event": event.id,
        "counts": encode(counts).decode(),
        **begun(event),
        "findings": _masked(event),
        "gaps": encode(Counter(gap.code.value for gap in event.gaps)).decode(),
        "evidence_ref": event.evidence_ref,
    }
    month, _, key = incident_id(event).partition("/")
    return Row(month, key, values)


def _masked(event: AuditEvent) -> str:
    """The first findings as JSON, as many as a string property holds."""
    shown = [
        {
            "entity": finding.entity,
            "masked": finding.masked,
            "level": finding.level.name.lower(),
            "location": finding.location,
        }
        for finding in event.findings[:SHOWN]
    ]
    while len(encode(shown)) > LIMIT:
        shown.pop()
    return encode(shown).decode()
