"""CloudEvents 1.0 in JSON (cloudevents.io), one a line: the whole event of the record as ``data``.

The only format that holds everything that the record does: masks, evidence in words, locations.
Its schema is docs/reference/audit-event.schema.json.
"""

from __future__ import annotations

from shared.audit.formats.entry import Entry
from shared.codec import encode

DECISION, DEED = "lg.sekisho.decision.v1", "lg.sekisho.deed.v1"


def line(entry: Entry) -> bytes:
    """One JSON line. ``sequence`` is the extension of that name: the number of the record."""
    event = entry.event
    made = {
        "specversion": "1.0",
        "id": event.id,
        "source": f"/sekisho/{event.item.source}",
        "type": DEED if entry.deed else DECISION,
        "time": event.time,
        "datacontenttype": "application/json",
        "sequence": f"{entry.seq:020d}",
        "recordhash": entry.hash,
        "data": event,
    }
    return encode(made) + b"\n"
