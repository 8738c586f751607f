"""Which kind of OLE compound file a file is, and whether its directory can be believed.

Only the directory is walked, with every sector visited once, so that loops in the chains (a known
attack) end. Source: [MS-CFB] 2.2 to 2.6.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator

FREE = 0xFFFFFFFA  # and above: no sector
NONE = 0xFFFFFFFF
ENTRY_BYTES = 128
STREAM, ROOT = 2, 5  # the types of entries that have a size

# A stream or storage in the root → format. Encryption hides what is in it.
ROOT_NAMES: dict[str, str] = {
    "encryptedpackage": "ooxml-encrypted",
    "worddocument": "doc",
    "workbook": "xls",
    "book": "xls",
    "powerpoint document": "ppt",
    "__properties_version1.0": "msg",
    "documenttext": "jtd",
    "jscompdocument": "jtd",
}


def ole_kinds(data: bytes) -> tuple[str, ...]:
    """The formats that the root's names tell; ``ole`` if they tell none or cannot be walked."""
    try:
        found = dict.fromkeys(ROOT_NAMES[n] for n in _root_names(data) if n in ROOT_NAMES)
    except (struct.error, IndexError):
        found = {}
    if not found:  # a broken file: any entry of that name
        found = dict.fromkeys(
            kind for name, kind in ROOT_NAMES.items() if _utf16(name) in data.lower()
        )
    return tuple(sorted(found)) or ("ole",)


def oversized(data: bytes) -> bool:
    """Whether a stream claims more bytes than the whole file has.

    A library that believes it follows a chain of sectors that loops until it has joined that much:
    4 GB of a file of 14 KB. Version 3 has 32 bits of size ([MS-CFB] 2.6.1).
    """
    try:
        entries, version = _directory(data), struct.unpack_from("<H", data, 26)[0]
    except (struct.error, IndexError):
        return False
    for at in range(0, len(entries) - ENTRY_BYTES + 1, ENTRY_BYTES):
        (size,) = struct.unpack_from("<I" if version == 3 else "<Q", entries, at + 120)  # noqa: PLR2004
        if entries[at + 66] in {STREAM, ROOT} and size > len(data):
            return True
    return False


def _utf16(name: str) -> bytes:
    return name.encode("utf-16-le") + b"\0\0"


def _root_names(data: bytes) -> Iterator[str]:
    """Names (lower case) of the root's children."""
    entries = _directory(data)
    waiting = [struct.unpack_from("<I", entries, 76)[0]]
    seen = set()
    while waiting:
        number = waiting.pop()
        at = number * ENTRY_BYTES
        if number >= FREE or number in seen or at + ENTRY_BYTES > len(entries):
            continue
        seen.add(number)
        length = min(64, struct.unpack_from("<H", entries, at + 64)[0])
        yield entries[at : at + max(0, length - 2)].decode("utf-16-le", "replace").lower()
        waiting += struct.unpack_from("<II", entries, at + 68)


def _directory(data: bytes) -> bytes:
    """The directory's sectors, joined."""
    size = 1 << min(16, struct.unpack_from("<H", data, 30)[0])
    table = b"".join(_sector(data, size, number) for number in _fat_sectors(data, size))
    (number,) = struct.unpack_from("<I", data, 48)
    sectors: list[bytes] = []
    seen: set[int] = set()
    while number < FREE and number not in seen and len(sectors) * size < len(data):
        seen.add(number)
        sectors.append(_sector(data, size, number))
        (number,) = struct.unpack_from("<I", table, number * 4)
    return b"".join(sectors)


def _fat_sectors(data: bytes, size: int) -> list[int]:
    """The sectors of the allocation table: 109 in the header, the others in a chain."""
    numbers = list(struct.unpack_from("<109I", data, 76))
    (number,) = struct.unpack_from("<I", data, 68)
    seen = set()
    while number < FREE and number not in seen:
        seen.add(number)
        sector = _sector(data, size, number)
        *more, number = struct.unpack_from(f"<{size // 4}I", sector.ljust(size, b"\xff"))
        numbers += more
    limit = len(data) // size + 1
    return [number for number in dict.fromkeys(numbers) if number < limit]


def _sector(data: bytes, size: int, number: int) -> bytes:
    start = (number + 1) * size
    return data[start : start + size]
