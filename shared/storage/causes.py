"""One cause, one review: what is found in one item, however often and for however many people.

An item comes again as a new version, for the next recipient, after a scan anew. While a person's
review of it is under way (or waits to begin), what is found joins that incident; after the review
has ended, it begins the next one.

Table ``incidentindex``: the partition ``c|{hash of source and item}`` has one row, the incident
that is under way; ``alias|{month}`` leads from the id that an event would have had to the incident
that it joined.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

import msgspec

from shared.codec import decode, encode
from shared.errors import StorageConflictError
from shared.model import AuditEvent
from shared.ports import Row, Table, Value

PERSON = frozenset({"my_number"})  # one value is one person
SEEN = 1_000  # fingerprints of persons remembered on an incident; beyond, they are only counted up
EVENTS = 200  # events listed on an incident; the audit search has them all
SHORT = 16  # characters of a fingerprint: 64 bits tell a few thousand apart
_STRICT = ("review", "block")


class Part(msgspec.Struct, frozen=True):
    """One event of an incident: what a list needs, and where its copy is."""

    event: str
    time: datetime
    disposition: str
    action: str
    action_state: str
    owner: str
    copy: str = ""


def part_of(event: AuditEvent) -> Part:
    """The event as its incident lists it."""
    return Part(
        event.id, event.time, event.disposition, event.action, event.action_state, event.owner,
        event.evidence_ref,
    )  # fmt: skip


def parts(values: Mapping[str, Value]) -> list[Part]:
    """The events of an incident, oldest first."""
    return decode(str(values.get("parts") or "[]"), list[Part])


def persons_of(event: AuditEvent) -> set[str]:
    """The distinct persons of an event, as shortened fingerprints; the key's name stays in."""
    found = {each.fingerprint for each in event.findings if each.entity in PERSON}
    return {f"{key}:{mark[:SHORT]}" for key, _, mark in (each.rpartition(":") for each in found)}


def begun(event: AuditEvent) -> dict[str, Value]:
    """What a new incident remembers of its first event."""
    seen = persons_of(event)
    return {
        "parts": encode([part_of(event)]).decode(),
        "events": 1,
        "persons": len(seen),
        "seen": ",".join(sorted(seen)[:SEEN]),
    }


def joined(values: Mapping[str, Value], event: AuditEvent) -> dict[str, Value]:
    """The incident's values with one more event in it: the strictest disposition, the latest copy.

    Persons are counted once over all events, as long as there are no more than SEEN.
    """
    listed = [*parts(values), part_of(event)]
    counts = Counter(decode(str(values["counts"]), dict[str, int]))
    for entity, count in Counter(each.entity for each in event.findings).items():
        counts[entity] = max(counts[entity], count)  # the same places, read again
    known = set(filter(None, str(values.get("seen", "")).split(",")))
    new = persons_of(event) - known
    stricter = _STRICT.index(event.disposition) >= _STRICT.index(str(values["disposition"]))
    latest = {
        "event": event.id,
        "disposition": event.disposition,
        "action": event.action,
        "action_state": event.action_state,
        "place": event.place,
        "evidence_ref": event.evidence_ref or values["evidence_ref"],
    }
    return {
        **values,
        **(latest if stricter else {}),
        "counts": encode(counts).decode(),
        "parts": encode(listed[-EVENTS:] if len(listed) > EVENTS else listed).decode(),
        "events": _whole(values.get("events", 1)) + 1,
        "persons": _whole(values["persons"]) + len(new),
        "seen": ",".join(sorted(known | new)[:SEEN]),
    }


def _whole(value: Value) -> int:
    assert isinstance(value, int)
    return value


@dataclass(frozen=True, slots=True)
class Causes:
    """Which incident is under way for which item."""

    table: Table

    async def under_way(self, event: AuditEvent, own: str) -> str:
        """The incident under way for the event's item; ``own`` becomes it where there is none."""
        month, _, key = own.partition("/")
        row = Row(_partition(event), "open", {"month": month, "key": key})
        try:
            await self.table.insert(row)
        except StorageConflictError:
            found = await self.table.get(row.partition, row.key)
            return _target(found) if found else own
        return own

    async def succeed(self, event: AuditEvent, before: str, own: str) -> bool:
        """Make ``own`` the incident under way after ``before`` ended; False if it is not that."""
        found = await self.table.get(_partition(event), "open")
        if found is None or _target(found) != before:
            return False
        month, _, key = own.partition("/")
        values = {"month": month, "key": key}
        try:
            await self.table.replace(Row(found.partition, found.key, values), found.etag)
        except StorageConflictError:
            return False
        return True

    async def alias(self, own: str, incident: str) -> None:
        """``own`` is found under ``incident`` from now on."""
        month, _, key = own.partition("/")
        to = incident.partition("/")
        await self.table.put(Row(f"alias|{month}", key, {"month": to[0], "key": to[2]}))

    async def find(self, own: str) -> str:
        """The incident that ``own`` joined, or the empty text."""
        month, _, key = own.partition("/")
        row = await self.table.get(f"alias|{month}", key) if key else None
        return _target(row) if row else ""


def _target(row: Row) -> str:
    month, key = str(row.values["month"]), str(row.values["key"])
    return f"{month}/{key}"


def _partition(event: AuditEvent) -> str:
    said = f"{len(event.item.source)}:{event.item.source}{event.item.id}"
    return f"c|{hashlib.sha256(said.encode()).hexdigest()[:32]}"
