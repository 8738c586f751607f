"""winmail.dat (TNEF): Outlook's own wrapping of a mail. Source: [MS-OXTNEF]."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass, field

from shared.extract import mapi
from shared.extract.charset import readings
from shared.extract.job import SEPARATOR, Document, Job, with_extension
from shared.extract.mapi import Property
from shared.model import GapCode

SUBJECT, BODY, MESSAGE_CLASS_PROPERTIES = 0x8004, 0x800C, 0x9003
FROM = 0x8000
RENDER, TITLE, DATA, PROPERTIES = 0x9002, 0x8010, 0x800F, 0x9005
CODEPAGE = 0x9007
PLACES = {SUBJECT: "件名", BODY: "本文", FROM: "差出人"}
OBJECT = 0x000D


@dataclass(slots=True)
class Attachment:
    """What was said of one attachment so far."""

    title: bytes = field(default=b"", repr=False)
    data: bytes = field(default=b"", repr=False)
    properties: list[Property] = field(default_factory=list, repr=False)


def read(document: Document, job: Job) -> None:
    """Read the message, then its attachments."""
    label = ""
    attachments: list[Attachment] = []
    for number, value in _attributes(document, job):
        if number == CODEPAGE and len(value) >= 4:  # noqa: PLR2004 - 32 bits
            page = struct.unpack_from("<I", value)[0]
            label = f"cp{page}"
        elif number in PLACES:
            for text in readings(value.rstrip(b"\0"), label):
                job.text(document.inside(PLACES[number]), text)
        elif number == MESSAGE_CLASS_PROPERTIES:
            mapi.message(_properties(value, document, job), document, job)
        elif number == RENDER:
            attachments.append(Attachment())
        elif attachments:
            _collect(attachments[-1], number, value, document, job)
    for index, attachment in enumerate(attachments, 1):
        _give(attachment, label, f"添付{index}", document, job)


def _attributes(document: Document, job: Job) -> Iterator[tuple[int, bytes]]:
    """Number and value of each attribute; a cut-off one is a gap."""
    data, at = document.data, 6
    while at + 9 <= len(data):
        job.tick()
        level, number, _, length = struct.unpack_from("<BHHI", data, at)
        if level not in {1, 2}:
            break
        yield number, data[at + 9 : at + 9 + length]
        at += 9 + length + 2
    if at != len(data):
        job.gap(GapCode.PARTIAL, document.location)


def _properties(value: bytes, document: Document, job: Job) -> list[Property]:
    """The properties that can be read; a cut-off block is a gap."""
    found: list[Property] = []
    try:
        found.extend(mapi.tnef_properties(value))
    except struct.error:
        job.gap(GapCode.PARTIAL, document.location)
    return found


def _collect(
    attachment: Attachment, number: int, value: bytes, document: Document, job: Job
) -> None:
    """Put an attribute where it belongs."""
    if number == TITLE:
        attachment.title = value
    elif number == DATA:
        attachment.data = value
    elif number == PROPERTIES:
        attachment.properties += _properties(value, document, job)


def _give(attachment: Attachment, label: str, place: str, document: Document, job: Job) -> None:
    """Read an attachment: its data, or the object in its properties."""
    names = dict.fromkeys(mapi.file_names(attachment.properties, label))
    names.update(dict.fromkeys(readings(attachment.title.rstrip(b"\0"), label)))
    name, *others = [each for each in names if each] or [""]
    for other in others:
        job.text(document.inside(f"{with_extension(place, name)}{SEPARATOR}名前"), other)
    data = attachment.data
    for prop in attachment.properties:
        if not data and prop.id == 0x3701:  # noqa: PLR2004 - PidTagAttachDataBinary or Object
            data = prop.value[16:] if prop.type == OBJECT else prop.value
    job.child(document, data, name, label=place)
