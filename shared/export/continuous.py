"""Continuous export: the record in files (or rows) of other tools, as it grows.

A file is named by the numbers of its first and last record, so that whoever reads them sees that
none is missing. Before it is written, its end is written down: after a crash the same file is made
again, byte by byte, under the same name, and so it exists once.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Protocol

from shared.audit.formats import FORMATS, Entry
from shared.codec import decode, encode
from shared.errors import StorageConflictError
from shared.export.records import BrokenRecordError, Records
from shared.ports import Blobs, Clock, Row, Table, Value
from shared.storage.audit_reader import Place
from shared.storage.audit_state import CHAIN

RECORDS = 5_000  # records of one file
BYTES = 16 * 1024 * 1024  # of the chain that one file covers
FILES = 40  # files a run: a long backlog is worked off over several


@dataclass(frozen=True, slots=True)
class Cursor:
    """``done``: up to here everything is out. ``planned``: the end of the file in hand."""

    done: Place = field(default_factory=Place)
    planned: Place | None = None
    etag: str = ""


class Sink(Protocol):
    """Where the entries of a range of records go."""

    async def put(self, first: int, last: int, entries: Sequence[Entry]) -> None:
        """Durable when it returns; may be called twice for one range, with the same entries."""


@dataclass(frozen=True, slots=True)
class Files:
    """Files in a container: ``ocsf/2026/11/24/0000000000000001-0000000000005000.ocsf.ndjson``."""

    blobs: Blobs
    format: str

    async def put(self, first: int, last: int, entries: Sequence[Entry]) -> None:
        """Write one file once; its day is that of its first event (UTC)."""
        made = FORMATS[self.format]
        day = entries[0].event.time
        name = f"{self.format}/{day:%Y/%m/%d}/{first:016d}-{last:016d}{made.suffix}"
        try:
            await self.blobs.put(name, made.render(entries), only_new=True)
        except StorageConflictError:
            return  # written before a crash, from the same records


@dataclass(frozen=True, slots=True)
class Continuous:
    """One export: ``table`` is ``auditevents`` (the cursor is a row beside the checkpoint)."""

    name: str
    records: Records
    table: Table
    sink: Sink
    clock: Clock
    most: int = RECORDS
    size: int = BYTES

    async def run(self, files: int = FILES) -> int:
        """Export what is new; how many records are out now.

        Raises:
            StorageConflictError: another worker is at it.
            BrokenRecordError: the chain does not hold; what lies before it is out.
            TransientError: the sink or the storage is not there.
        """
        cursor = await self._cursor()
        if not cursor.etag:  # from now on it can be told how far behind it is
            cursor = await self._save(cursor)
        for _ in range(files):
            entries, end = await self._next(cursor)
            if end.tip.count == cursor.done.tip.count:
                break
            if entries:
                cursor = await self._save(replace(cursor, planned=end))
                await self.sink.put(cursor.done.tip.count + 1, end.tip.count, entries)
            cursor = await self._save(replace(cursor, done=end, planned=None))
        return cursor.done.tip.count

    async def _next(self, cursor: Cursor) -> tuple[list[Entry], Place]:
        """The entries of the next file, and where it ends: where it was planned to, if it was."""
        entries: list[Entry] = []
        end, size = cursor.done, 0
        until = cursor.planned.tip.count if cursor.planned else 0
        try:
            async for entry, place in self.records.after(cursor.done):
                size += place.offset - end.offset if place.name == end.name else place.offset
                end = place
                if entry is not None:
                    entries.append(entry)
                full = len(entries) >= self.most or size >= self.size
                if end.tip.count == until or (not until and full):
                    break
        except BrokenRecordError:
            if until or not entries:  # first out with what lies before the break
                raise
        return entries, end

    async def _cursor(self) -> Cursor:
        row = await self.table.get(CHAIN, f"export-{self.name}")
        if row is None:
            return Cursor()
        return replace(decode(str(row.values["state"]), Cursor), etag=row.etag)

    async def _save(self, cursor: Cursor) -> Cursor:
        values: dict[str, Value] = {
            "time": self.clock(),
            "up_to": cursor.done.tip.count,
            "state": encode(replace(cursor, etag="")).decode(),
        }
        row = Row(CHAIN, f"export-{self.name}", values)
        table = self.table
        etag = await (table.replace(row, cursor.etag) if cursor.etag else table.insert(row))
        return replace(cursor, etag=etag)
