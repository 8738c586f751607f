"""CSV for spreadsheets: UTF-8 with a byte order mark (Excel), every cell quoted, no formulas.

A cell that begins with ``=``, ``+``, ``-``, ``@`` (full-width too, which Excel takes for the same),
a tab or a line end would be a formula or break out of its cell (OWASP, "CSV Injection"): it gets a
``'`` in front, which Excel and LibreOffice show as text.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import timedelta, timezone

from shared.audit.formats.entry import Entry, plain

BOM = "\ufeff".encode()
DANGER = "=+-@\t\r\n＝＋－＠"
JAPAN = timezone(timedelta(hours=9), "JST")  # no summer time since 1951

COLUMNS: Mapping[str, Callable[[Entry], object]] = {
    "seq": lambda e: e.seq,
    "time_jst": lambda e: f"{e.event.time.astimezone(JAPAN):%Y-%m-%d %H:%M:%S}",
    "time_utc": lambda e: e.event.time.isoformat(),
    "source": lambda e: e.event.item.source,
    "place": lambda e: e.event.place,
    "owner": lambda e: e.event.owner,
    "cohort": lambda e: e.cohort(),
    "disposition": lambda e: e.event.disposition,
    "would_be": lambda e: e.event.would_be,
    "mode": lambda e: e.event.mode,
    "action": lambda e: e.event.action,
    "action_state": lambda e: e.event.action_state,
    "rules": lambda e: " ".join(e.event.rule_ids),
    "entities": lambda e: _counts(e.entities()),
    "findings": lambda e: len(e.event.findings),
    "persons": lambda e: e.persons(),
    "gaps": lambda e: _counts(e.gaps()),
    "policy_version": lambda e: e.event.policy_version,
    "seconds": lambda e: e.event.seconds,
    "item": lambda e: e.event.item.id,
    "evidence": lambda e: e.event.evidence_ref,
    "trace": lambda e: e.event.trace,
    "event": lambda e: e.event.id,
    "record_hash": lambda e: e.hash,
}


def cell(value: object) -> str:
    """One quoted cell. Numbers are ours and stay numbers; of text nothing is a formula."""
    if isinstance(value, (int, float)):
        return f'"{value}"'
    text = str(value)
    # What plain() makes of a leading character decides as well as the character itself.
    made = plain(text)
    if text[:1] in tuple(DANGER) or made.lstrip(" \u3000\u00a0\ufffd")[:1] in tuple(DANGER):
        made = f"'{made}"
    return '"' + made.replace('"', '""') + '"'


def line(entry: Entry) -> bytes:
    """One row; lines end with CR LF (RFC 4180)."""
    return (",".join(cell(each(entry)) for each in COLUMNS.values()) + "\r\n").encode()


HEAD = BOM + (",".join(cell(name) for name in COLUMNS) + "\r\n").encode()


def _counts(counts: Mapping[str, int]) -> str:
    return " ".join(f"{name}:{count}" for name, count in counts.items())
