"""One storage of an OLE compound file, and the small structures that objects are wrapped in."""

from __future__ import annotations

import struct
from dataclasses import dataclass
from typing import Any

from shared.extract.job import Document, Job, LimitError
from shared.model import GapCode


@dataclass(frozen=True, slots=True)
class Storage:
    """Streams of one folder of a compound file; ``document`` says where it is in the item."""

    container: Any
    prefix: tuple[str, ...]
    names: list[str]
    document: Document
    job: Job

    def has(self, name: str) -> bool:
        """Whether the storage has this stream (any case)."""
        return name.lower() in map(str.lower, self.names)

    def data(self, name: str) -> bytes:
        """A stream's bytes, within the budget."""
        path = [*self.prefix, name]
        size = int(self.container.get_size(path))
        if size > self.job.limits.expanded:
            raise LimitError(GapCode.TOO_LARGE)
        self.job.spend(size)
        if self._repeats(path, size):
            self.job.gap(GapCode.MALFORMED, self.document.location)
        return bytes(self.container.openstream(path).read())

    def _repeats(self, path: list[str], size: int) -> bool:
        """Whether the chain of a large stream comes back to a sector: what is read is not all."""
        entry = self.container.direntries[self.container._find(path)]  # noqa: SLF001 - no other way
        table, sector, seen = self.container.fat, entry.isectStart, set()
        if size < self.container.minisectorcutoff:
            return False
        for _ in range(-(-size // self.container.sectorsize)):
            if sector in seen:
                return True
            if sector >= len(table):
                return False
            seen.add(sector)
            sector = table[sector]
        return False

    def properties(self, name: str) -> str:
        """The strings of a property set, a line each."""
        try:
            values = self.container.getproperties([*self.prefix, name], convert_time=False)
        except Exception:  # noqa: BLE001 - damaged sets raise many things
            self.job.gap(GapCode.PARTIAL, self.document.inside("プロパティ"))
            return ""
        page = values.get(1, 932)
        return "\n".join(filter(None, (_words(value, page) for value in values.values())))


def _words(value: object, page: object) -> str:
    if isinstance(value, list):
        return "\n".join(filter(None, (_words(one, page) for one in value)))
    if isinstance(value, str):
        return value.strip("\0 ")
    if not isinstance(value, bytes):
        return ""
    utf8 = page in {65001, -535, 1200}
    try:
        return value.decode("utf-8" if utf8 else "cp932").strip("\0 ")
    except UnicodeDecodeError:
        return value.decode("cp1252", "replace").strip("\0 ")


def native_file(data: bytes) -> tuple[str, bytes]:
    """Name and bytes of the file in an ``Ole10Native`` stream ([MS-OLEDS] 2.3.6)."""
    try:
        at = 6  # total size, flags
        label, at = _string(data, at)
        _, at = _string(data, at)
        at += 4  # flags, unused
        (length,) = struct.unpack_from("<I", data, at)
        at += 4 + length  # the temporary path
        (size,) = struct.unpack_from("<I", data, at)
        payload = data[at + 4 : at + 4 + size]
    except (struct.error, ValueError):
        return "", data[4:]
    return (label, payload) if payload else ("", data[4:])


def _string(data: bytes, at: int) -> tuple[str, int]:
    end = data.index(b"\0", at)
    return data[at:end].decode("cp932", "replace"), end + 1
