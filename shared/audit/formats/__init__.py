"""The record in the formats of other tools. Pure: events in, bytes out, and no value in them.

Every format is lines behind an optional head, so that files can be cut anywhere between events.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

from shared.audit.formats import cef, cloudevents, ocsf, sentinel, sheet
from shared.audit.formats.entry import Entry

__all__ = ["FORMATS", "Entry", "Format"]


@dataclass(frozen=True, slots=True)
class Format:
    """One format: a file's suffix and media type, its first bytes, and an event's line.

    ``line`` gives the line with its end.
    """

    suffix: str
    media_type: str
    line: Callable[[Entry], bytes]
    head: bytes = b""

    def render(self, entries: Iterable[Entry]) -> bytes:
        """A whole file."""
        return self.head + b"".join(map(self.line, entries))


FORMATS: Mapping[str, Format] = {
    "ocsf": Format(".ocsf.ndjson", "application/x-ndjson", ocsf.line),
    "cef": Format(".cef", "text/plain", cef.line),
    "cloudevents": Format(".cloudevents.ndjson", "application/x-ndjson", cloudevents.line),
    "csv": Format(".csv", "text/csv", sheet.line, sheet.HEAD),
    "sentinel": Format(".sentinel.ndjson", "application/x-ndjson", sentinel.line),
}
