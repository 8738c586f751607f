"""Invitations and calendars: kept byte for byte, but for files that are embedded in them."""

from __future__ import annotations

import re

from shared.sanitize.work import Part, Work

# RFC 5545 3.8.1.1: ATTACH with inline content, and its folded lines.
_ATTACH = re.compile(
    rb"^ATTACH\b(?=[^\r\n]*(?:\r?\n[ \t][^\r\n]*){0,8}?(?:ENCODING=BASE64|VALUE=BINARY|:data:))"
    rb"[^\r\n]*\r?\n(?:[ \t][^\r\n]*\r?\n)*+",
    re.MULTILINE | re.IGNORECASE,
)


def clean(part: Part, work: Work) -> Part:
    """The calendar without embedded files."""
    data, count = _ATTACH.subn(b"", part.data)
    work.removed("calendar_attachment", part.location, count)
    return part.with_data(data)
