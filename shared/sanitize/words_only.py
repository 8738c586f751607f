"""Plain text and CSV: passed as they are, but for what other programs would run out of them."""

from __future__ import annotations

import re

from shared.model import GapCode
from shared.sanitize.work import HoldError, Part, Work

# A cell that starts another program (DDE in a CSV: =cmd|' /C calc'!A0) or fetches something.
_CELL = re.compile(
    rb"(?P<start>(?:^|[,\t;\"])[ \t]*)(?P<cell>[=+\-@](?:[^,\t\r\n]{0,400}\|[^,\t\r\n]{0,400}!"
    rb"|[^\r\n]{0,40}\b(?:HYPERLINK|WEBSERVICE|IMPORT[A-Z]{2,5}|CALL|REGISTER(?:\.ID)?|EXEC|RTD|DDE)"
    rb"[ \t]{0,9}\())",
    re.MULTILINE | re.IGNORECASE,
)
# Outlook shows these as attachments.
_ENCODED = re.compile(rb"^(?:begin(?:-base64)? [0-7]{3,4} \S|=ybegin )", re.MULTILINE)


def clean(part: Part, work: Work) -> Part:
    """The text; cells of a table that call out get an apostrophe in front."""
    if _ENCODED.search(part.data):
        raise HoldError(GapCode.UNSUPPORTED)
    if not _is_table(part):
        return part
    data, count = _CELL.subn(rb"\g<start>'\g<cell>", part.data)
    work.removed("csv_formula", part.location, count)
    return part.with_data(data)


def _is_table(part: Part) -> bool:
    names = (".csv", ".tsv", ".txt", ".tab")
    return part.name.lower().endswith(names) or part.media_type.lower().startswith(
        ("text/csv", "text/tab-separated-values")
    )
