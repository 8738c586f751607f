"""Incidents: what a person has to look at. One row an event, inserted once, newest first."""

from __future__ import annotations

from collections import Counter
from contextlib import suppress
from dataclasses import dataclass

from shared.codec import encode
from shared.errors import StorageConflictError
from shared.model import AuditEvent
from shared.ports import Row, Table, Value

NEEDS_REVIEW = frozenset({"review", "block"})
LIMIT = 30_000  # a string property holds 32 Ki characters
SHOWN = 20  # masked findings on the row; the audit event has them all
LAST_MOMENT = 9_999_999_999_999  # milliseconds, thirteen digits: the year 2286


@dataclass(frozen=True, slots=True)
class Incidents:
    """The table ``incidents``: partition = month of the event, key = newest first."""

    table: Table

    async def open(self, event: AuditEvent) -> str:
        """The incident's id ``{partition}/{key}`` for a review or block; empty for the rest.

        Give the event as the audit log keeps it: its time makes the key, so that a repetition
        finds the same row.
        """
        if event.disposition not in NEEDS_REVIEW:
            return ""
        row = incident(event)
        with suppress(StorageConflictError):  # opened already, perhaps under review by now
            await self.table.insert(row)
        return f"{row.partition}/{row.key}"


def incident(event: AuditEvent) -> Row:
    """The row of a new incident: masks and counts, never a value."""
    moment = LAST_MOMENT - int(event.time.timestamp() * 1000)
    counts = Counter(finding.entity for finding in event.findings)
    values: dict[str, Value] = {
        "state": "open",
        "source": event.item.source,
        "place": event.place,
        "owner": event.owner,
        "disposition": event.disposition,
        "action": event.action,
        "action_state": event.action_state,
        "opened": event.time,
        "event": event.id,
        "counts": encode(counts).decode(),
        "findings": _masked(event),
        "gaps": encode(Counter(gap.code.value for gap in event.gaps)).decode(),
        "evidence_ref": event.evidence_ref,
    }
    return Row(f"{event.time:%Y-%m}", f"{moment:013d}-{event.id[:32]}", values)


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
