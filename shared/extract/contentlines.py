"""Calendars (RFC 5545) and address cards (vCard 2.1 to 4): texts, pictures, attachments."""

from __future__ import annotations

import re

from shared.extract import transfer
from shared.extract.charset import readings
from shared.extract.hypertext import embedded, label_of
from shared.extract.job import Document, Job
from shared.extract.markup import scan

_FOLD = re.compile(rb"\r?\n[ \t]")
_ESCAPES = re.compile(r"\\([nN,;\\])")
_LINE = re.compile(rb"([A-Za-z0-9.\-]{1,64})((?:;(?:\"[^\"\r\n]*+\"|[^:\"\r\n])*+)?):([^\n]*)")
# Machine numbers and times: no text, and full of digits.
_MACHINE = frozenset(
    {"uid", "dtstamp", "dtstart", "dtend", "created", "last-modified", "sequence", "prodid", "rev"}
    | {"version", "begin", "end", "tzoffsetfrom", "tzoffsetto", "trigger", "due", "recurrence-id"}
    | {"rrule", "tzid", "tzname", "method", "x-wr-relcalid", "exdate", "calscale"}
)


def read(document: Document, job: Job) -> None:
    """Read a calendar or cards: a line a property, each reading; attachments are children."""
    card = b"begin:vcard" in document.data[:4096].lower()
    location = document.inside("連絡先" if card else "予定")
    data = document.data
    if b"QUOTED-PRINTABLE" in data.upper():
        data = _without_soft_breaks(data)
    lines: list[str] = []
    others: list[str] = []
    attachments = 0
    for match in _LINE.finditer(_FOLD.sub(b"", data)):
        name = match[1].rpartition(b".")[2].decode("ascii").lower()
        if name in _MACHINE:
            continue
        job.tick()
        options = match[2].decode("latin-1")
        if _is_base64(options):
            attachments += 1
            lines += readings(match[2].lstrip(b";"))[:1]  # its name is a parameter
            job.child(document, transfer.base64(match[3]), "", label=f"添付{attachments}")
            continue
        texts = _texts(match[3].rstrip(b"\r"), options, label_of(document.media_type))
        if "text/html" in options.lower():
            texts = tuple(scan(text, job.tick).text for text in texts)
        lines += (*readings(match[2].lstrip(b";"))[:1], texts[0])
        others += texts[1:]
    job.text(location, "\n".join(line for line in lines if line))
    embedded("\n".join(lines), location, job)
    job.text(f"{location}（読み2）", "\n".join(others))


def _without_soft_breaks(data: bytes) -> bytes:
    """Join the lines of quoted-printable values (vCard 2.1); base64 ends in the same sign."""
    out: list[bytes] = []
    quoted = False
    for line in data.split(b"\n"):
        value = line.rstrip(b"\r")
        if quoted and out[-1].endswith(b"="):
            out[-1] = out[-1][:-1] + value
        else:
            quoted = b"QUOTED-PRINTABLE" in value.upper()
            out.append(value)
    return b"\n".join(out)


def _is_base64(options: str) -> bool:
    upper = options.upper()
    return "BASE64" in upper or "ENCODING=B" in upper


def _texts(value: bytes, options: str, label: str) -> tuple[str, ...]:
    """The readings of a value, its escapes undone."""
    if "QUOTED-PRINTABLE" in options.upper():
        value = transfer.quoted_printable(value)
    return tuple(
        _ESCAPES.sub(lambda match: "\n" if match[1] in "nN" else match[1], text)
        for text in readings(value, label_of(options) or label)
    )
