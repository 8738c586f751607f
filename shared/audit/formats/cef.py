r"""ArcSight Common Event Format, version 0 (Micro Focus, "CEF Implementation Standard", v25).

In the header ``\`` and ``|`` are escaped and nothing else; in the extension ``\`` and ``=``. A line
end inside a value would be written ``\n`` or ``\r``; our text holds none.
"""

from __future__ import annotations

from collections.abc import Mapping

from shared import __version__
from shared.audit.formats.entry import Entry, plain

SEVERITY = {"none": 0, "allow": 1, "tag": 3, "review": 6, "block": 9}
LIMIT = 1023  # the smallest limit of the string fields that are used here


def line(entry: Entry) -> bytes:
    """One CEF line."""
    event = entry.event
    kind = "deed" if entry.deed else "decision"
    name = event.action if entry.deed else f"{event.disposition} {event.item.source}"
    severity = SEVERITY.get(event.disposition, 0)
    head = ("CEF:0", "Sekisho", "Sekisho", __version__, kind, name, str(severity))
    fields = " ".join(
        f"{key}={value(each)}" for key, each in _fields(entry).items() if each not in {"", None}
    )
    return ("|".join(map(header, head)) + "|" + fields + "\n").encode()


def header(text: str) -> str:
    """A field of the header."""
    return plain(text).replace("\\", "\\\\").replace("|", "\\|")


def value(content: object) -> str:
    """A value of the extension."""
    return plain(str(content))[:LIMIT].replace("\\", "\\\\").replace("=", "\\=")


def _fields(entry: Entry) -> Mapping[str, object]:
    event = entry.event
    return {
        "rt": int(event.time.timestamp() * 1000),
        "externalId": event.id,
        "cat": event.disposition,
        "act": event.action,
        "outcome": event.action_state,
        "suid": event.owner,
        "fileId": event.item.id,
        "reason": " ".join(event.rule_ids),
        "cs1Label": "source",
        "cs1": event.item.source,
        "cs2Label": "place",
        "cs2": event.place,
        "cs3Label": "entities",
        "cs3": " ".join(f"{name}:{count}" for name, count in entry.entities().items()),
        "cs4Label": "gaps",
        "cs4": " ".join(f"{name}:{count}" for name, count in entry.gaps().items()),
        "cs5Label": "policyVersion",
        "cs5": event.policy_version,
        "cs6Label": "recordHash",
        "cs6": entry.hash,
        "cn1Label": "recordNumber",
        "cn1": entry.seq,
        "cn2Label": "findings",
        "cn2": len(event.findings),
        "cn3Label": "persons",
        "cn3": entry.persons(),
    }
