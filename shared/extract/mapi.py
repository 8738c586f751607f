"""MAPI properties, as .msg files and winmail.dat carry them, to segments and children.

Sources: [MS-OXPROPS] (property ids), [MS-OXCDATA] 2.11.1 (types), [MS-OXRTFCP] (compressed RTF).
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass, field

from shared.extract import mime
from shared.extract.charset import readings
from shared.extract.hypertext import read_body
from shared.extract.job import Document, Job
from shared.extract.mail import MailReader
from shared.model import GapCode

UNICODE = 0x001F
STRING8 = 0x001E
BINARY = 0x0102
INTEGER = 0x0003

SUBJECT, BODY, HTML, RTF = 0x0037, 0x1000, 0x1013, 0x1009
TRANSPORT_HEADERS = 0x007D
CODEPAGES = (0x3FFD, 0x3FDE)  # of the message's 8-bit strings, of its HTML
FILE_NAMES = (0x3707, 0x3704, 0x3001)
MEDIA_TYPE = 0x370E
PLACES = {
    SUBJECT: "件名",
    BODY: "本文",
    0x0C1A: "差出人",
    0x0C1F: "差出人",
    0x0042: "差出人",
    0x0065: "差出人",
    0x0E02: "宛先",
    0x0E03: "宛先",
    0x0E04: "宛先",
}
# Ids, addresses of directories and classes: machine text.
MACHINE = frozenset(
    {0x001A, 0x0064, 0x0C1E, 0x0070, 0x1035, 0x1039, 0x1042, 0x3002, 0x3705, 0x3712, 0x3713, 0x800B}
    | {0x0040, 0x003F, 0x003B, 0x0041, 0x0051, 0x0052, 0x0053, 0x300B, 0x65E0, 0x65E2, 0x0E1D}
)
PREFIX = (
    b"{\\rtf1\\ansi\\mac\\deff0\\deftab720{\\fonttbl;}{\\f0\\fnil \\froman \\fswiss \\fmodern"
    b" \\fscript \\fdecor MS Sans SerifSymbolArialTimes New RomanCourier"
    b"{\\colortbl\\red0\\green0\\blue0\r\n\\par \\pard\\plain\\f0\\fs20\\b\\i\\u\\tab\\tx"
)
WINDOW = 4096


@dataclass(frozen=True, slots=True)
class Property:
    """One property: id, type and raw value."""

    id: int
    type: int
    value: bytes = field(repr=False)


def strings(prop: Property, label: str) -> tuple[str, ...]:
    """The readings of a text property; none if it is no text."""
    if prop.type == UNICODE:
        return (prop.value.decode("utf-16-le", "replace").rstrip("\0"),)
    if prop.type == STRING8:
        return tuple(text.rstrip("\0") for text in readings(prop.value.rstrip(b"\0"), label))
    return ()


def codepage(properties: list[Property]) -> str:
    """The label of 8-bit strings, from the message's own code page."""
    for wanted in CODEPAGES:
        for prop in properties:
            if prop.id == wanted and prop.type == INTEGER and len(prop.value) >= 4:  # noqa: PLR2004 - 32 bits
                number = struct.unpack_from("<I", prop.value)[0]
                return {65001: "utf-8", 20127: "ascii", 20932: "euc-jp"}.get(number, f"cp{number}")
    return ""


def message(properties: list[Property], document: Document, job: Job) -> None:
    """The segments of a message's properties."""
    label = codepage(properties)
    lines: dict[str, list[str]] = {}
    for prop in properties:
        job.tick()
        if prop.id == HTML:
            page = prop.value if prop.type == BINARY else "\n".join(strings(prop, label)).encode()
            charset = label if prop.type == BINARY else "utf-8"
            read_body(page, charset, document.inside("本文（HTML）"), job)
        elif prop.id == RTF and prop.type == BINARY:
            rtf(prop.value, document, job)
        elif prop.id == TRANSPORT_HEADERS:
            raw = (
                prop.value.decode("utf-16-le", "replace").encode()
                if prop.type == UNICODE
                else prop.value
            )
            MailReader(document, job).read_headers(mime.parse(raw.rstrip(b"\0") + b"\n\n"))
        elif prop.id not in MACHINE:
            lines.setdefault(PLACES.get(prop.id, "プロパティ"), []).extend(strings(prop, label))
    for place, texts in lines.items():
        job.text(document.inside(place), "\n".join(dict.fromkeys(texts)))


def people(properties: list[Property], label: str) -> list[str]:
    """Names and addresses of a recipient."""
    return [text for prop in properties if prop.id not in MACHINE for text in strings(prop, label)]


def file_names(properties: list[Property], label: str) -> tuple[str, ...]:
    """An attachment's names, the long one first."""
    found: dict[str, None] = {}
    for wanted in FILE_NAMES:
        for prop in properties:
            if prop.id == wanted:
                found.update(dict.fromkeys(strings(prop, label)))
    return tuple(name for name in found if name)


def rtf(value: bytes, document: Document, job: Job) -> None:
    """A compressed RTF body as a child document."""
    try:
        data = decompress(value, job)
    except (struct.error, IndexError):
        job.gap(GapCode.MALFORMED, document.inside("本文（RTF）"))
        return
    job.child(document, data, "", label="本文（RTF）", media_type="application/rtf")


def decompress(value: bytes, job: Job) -> bytes:
    """[MS-OXRTFCP] 2.2: LZFu or stored; struct.error or IndexError where the bytes end early."""
    size, raw_size, kind = struct.unpack_from("<III", value)
    if kind == 0x414C454D:  # noqa: PLR2004 - "MELA": stored
        return value[16 : 16 + raw_size]
    job.spend(min(raw_size, len(value) * 18), len(value))
    window = bytearray(PREFIX.ljust(WINDOW, b"\0"))
    at, write, end = 16, len(PREFIX), min(len(value), size + 4)
    out = bytearray()
    while at < end:
        flags = value[at]
        at += 1
        for bit in range(8):
            if at >= end:
                break
            if not flags >> bit & 1:
                run = value[at : at + 1]
                at += 1
            else:
                word = int.from_bytes(value[at : at + 2])
                at += 2
                offset, length = word >> 4, (word & 15) + 2
                if offset == write:
                    return bytes(out)
                run = b""
                for step in range(length):
                    byte = window[(offset + step) % WINDOW]
                    window[(write + step) % WINDOW] = byte
                    run += bytes((byte,))
            for byte in run:
                window[write] = byte
                write = (write + 1) % WINDOW
            out += run
        job.tick()
    return bytes(out)


def tnef_properties(data: bytes, at: int = 0) -> Iterator[Property]:
    """The properties of a TNEF block ([MS-OXTNEF] 2.1.3.4); ends where the bytes end."""
    (count,) = struct.unpack_from("<I", data, at)
    at += 4
    for _ in range(min(count, 10_000)):
        if at + 4 > len(data):
            return
        kind, number = struct.unpack_from("<HH", data, at)
        at += 4
        if number >= 0x8000:  # noqa: PLR2004 - named properties
            at = _skip_name(data, at)
        base = kind & 0x0FFF
        several = bool(kind & 0x1000)
        variable = base in {UNICODE, STRING8, BINARY, 0x000D}
        values = 1
        if variable or several:
            (values,) = struct.unpack_from("<I", data, at)
            at += 4
        for _ in range(min(values, 10_000)):
            if variable:
                (length,) = struct.unpack_from("<I", data, at)
                at += 4
            else:
                length = FIXED.get(base, 4)
            yield Property(number, base, data[at : at + length])
            at += length + (-length % 4)
            if at > len(data):
                return


FIXED = {0x0005: 8, 0x0006: 8, 0x0007: 8, 0x0014: 8, 0x0040: 8, 0x0048: 16}


def _skip_name(data: bytes, at: int) -> int:
    """Behind a named property's GUID and name."""
    (by_name,) = struct.unpack_from("<I", data, at + 16)
    if not by_name:
        return at + 24
    length: int = struct.unpack_from("<I", data, at + 20)[0]
    return at + 24 + length + (-length % 4)
