"""Rows of a custom table of a Log Analytics workspace (Microsoft Sentinel).

The columns are those of the stream ``Custom-SekishoAudit_CL`` that the data collection rule
declares (docs/reference/exports.md); ``dynamic`` columns are JSON values.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from shared.audit.formats.entry import Entry, plain
from shared.codec import encode

STREAM = "Custom-SekishoAudit_CL"

# column → its type in the stream's declaration, and its value
COLUMNS: Mapping[str, tuple[str, Callable[[Entry], object]]] = {
    "TimeGenerated": ("datetime", lambda e: e.event.time.isoformat()),
    "RecordNumber": ("long", lambda e: e.seq),
    "RecordHash": ("string", lambda e: e.hash),
    "EventId": ("string", lambda e: plain(e.event.id)),
    "Source": ("string", lambda e: plain(e.event.item.source)),
    "Place": ("string", lambda e: plain(e.event.place)),
    "Owner": ("string", lambda e: plain(e.event.owner)),
    "Cohort": ("string", lambda e: plain(e.cohort())),
    "Disposition": ("string", lambda e: plain(e.event.disposition)),
    "WouldBe": ("string", lambda e: plain(e.event.would_be)),
    "Mode": ("string", lambda e: plain(e.event.mode)),
    "Action": ("string", lambda e: plain(e.event.action)),
    "ActionState": ("string", lambda e: plain(e.event.action_state)),
    "Rules": ("dynamic", lambda e: [plain(each) for each in e.event.rule_ids]),
    "Entities": ("dynamic", lambda e: {plain(k): n for k, n in e.entities().items()}),
    "Gaps": ("dynamic", lambda e: dict(e.gaps())),
    "Findings": ("int", lambda e: len(e.event.findings)),
    "Persons": ("int", lambda e: e.persons()),
    "PolicyVersion": ("string", lambda e: plain(e.event.policy_version)),
    "Seconds": ("real", lambda e: e.event.seconds),
    "ItemId": ("string", lambda e: plain(e.event.item.id)),
    "TraceId": ("string", lambda e: plain(e.event.trace)),
}


def row(entry: Entry) -> dict[str, Any]:
    """One row."""
    return {name: value(entry) for name, (_, value) in COLUMNS.items()}


def line(entry: Entry) -> bytes:
    """One row as a JSON line."""
    return encode(row(entry)) + b"\n"


def declaration() -> dict[str, Any]:
    """The stream as the data collection rule declares it."""
    columns = [{"name": name, "type": kind} for name, (kind, _) in COLUMNS.items()]
    return {STREAM: {"columns": columns}}


def table() -> dict[str, Any]:
    """The table that the stream ends in; its types are spelt in the workspace's own way."""
    spelt = {"datetime": "dateTime"}
    columns = [{"name": n, "type": spelt.get(kind, kind)} for n, (kind, _) in COLUMNS.items()]
    return {"name": STREAM.removeprefix("Custom-"), "columns": columns}
