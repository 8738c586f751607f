"""Files of a folder into the landing container: each once, names and times as they were.

The blob's id is made of owner, path and content, so the same file is the same upload however often
it is pushed; whatever landed before is known by its outcome, though the blob be long delivered. A
state file spares reading what was pushed and has not changed since; nothing depends on it.
"""

from __future__ import annotations

import asyncio
import hashlib
import os
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path

import msgspec

from shared.errors import GoneError, StorageConflictError, UnavailableError
from shared.ports import Blobs, Clock
from shared.services import sidecar as envelopes_of
from shared.services.gate.arrivals import FILES
from shared.services.sidecar import Sidecar

LARGEST = 500_000_000  # bytes: the most that SEKISHO_MAX_ITEM_BYTES can allow
# What programs leave behind while a file is open, and what shells keep in folders.
_NOT_FILES = ("~$", ".~lock.")
_SYSTEM = frozenset({"thumbs.db", "desktop.ini", ".ds_store"})


class State(StrEnum):
    """What became of one file."""

    PUSHED = "pushed"
    THERE = "there"  # landed before, whether it waits still or was delivered
    KNOWN = "known"  # the state file says so, and size and time are as then
    TOO_LARGE = "too_large"
    CHANGING = "changing"  # it was written while it was read
    UNREADABLE = "unreadable"


@dataclass(frozen=True, slots=True)
class Found:
    """A file below the folder; ``path`` is its path there as it is to be in OneDrive."""

    file: Path
    path: str = field(repr=False)
    size: int
    modified_ns: int

    @property
    def stamp(self) -> str:
        """Changes when the file does."""
        return f"{self.size}:{self.modified_ns}"


@dataclass(frozen=True, slots=True)
class Line:
    """One line of the state file."""

    path: str
    stamp: str
    sha256: str
    id: str


class Journal:
    """The state file: JSON lines, appended; the last line of a path counts. Torn lines do not."""

    def __init__(self, file: Path) -> None:
        self._file = file
        self._lines: dict[str, Line] = {}
        if file.exists():
            for raw in file.read_bytes().splitlines():
                with suppress(msgspec.MsgspecError, UnicodeDecodeError):
                    line = msgspec.json.decode(raw, type=Line)
                    self._lines[line.path] = line

    def knows(self, found: Found) -> bool:
        """Whether the file as it is was pushed before."""
        line = self._lines.get(_shown(found.path))
        return line is not None and line.stamp == found.stamp

    def add(self, found: Found, digest: str, blob: str) -> None:
        """Durable when it returns."""
        line = Line(_shown(found.path), found.stamp, digest, blob)
        self._file.parent.mkdir(parents=True, exist_ok=True)
        new = not self._file.exists()
        with self._file.open("ab") as out:
            # A line that a killed process left torn ends here.
            out.write((b"" if new else b"\n") + msgspec.json.encode(line))
            out.flush()
            os.fsync(out.fileno())
        self._lines[line.path] = line


@dataclass(frozen=True, slots=True)
class Push:
    """``into`` is a folder of the owner's OneDrive; empty: its root."""

    landing: Blobs
    envelopes: Blobs
    journal: Journal
    clock: Clock
    owner: str
    into: str = ""
    conflict: str = envelopes_of.RENAME

    async def file(self, found: Found) -> State:
        """Push one file. TransientError while storage is away: nothing is noted then."""
        if self.journal.knows(found):
            return State.KNOWN
        if found.size > LARGEST:
            return State.TOO_LARGE
        try:
            data = await asyncio.to_thread(found.file.read_bytes)
            after = found.file.stat()
        except OSError:
            return State.UNREADABLE
        if (after.st_size, after.st_mtime_ns) != (found.size, found.modified_ns):
            return State.CHANGING
        digest = hashlib.sha256(data).hexdigest()
        path = envelopes_of.clean_path("/".join(filter(None, (self.into, found.path))))
        blob = FILES + self._id(path, digest)
        state = State.THERE if await self._taken(blob) else await self._put(blob, path, found, data)
        self.journal.add(found, digest, blob)
        return state

    async def _put(self, blob: str, path: str, found: Found, data: bytes) -> State:
        created, modified = _times(found)
        sidecar = Sidecar(
            (self.owner,),
            path,
            received_at=self.clock(),
            conflict=self.conflict,
            via="push",
            created_at=created,
            modified_at=modified,
        )
        await envelopes_of.write(self.envelopes, blob, sidecar)
        state = State.PUSHED
        try:
            await self.landing.put(blob, data, only_new=True)
        except StorageConflictError:
            state = State.THERE
        with suppress(GoneError):  # it is on its way already
            if (await self.landing.get(blob)).data != data:
                message = "a pushed file read back is not what was sent"
                raise UnavailableError(message)
        return state

    async def _taken(self, blob: str) -> bool:
        """Whether it was pushed, and dealt with, before."""
        async for name in self.envelopes.names(f"{blob}."):
            if name.endswith(".outcome"):
                return True
        return False

    def _id(self, path: str, digest: str) -> str:
        said = f"{self.owner.casefold()}\0{path}\0{digest}\0{self.conflict}"
        return hashlib.sha256(said.encode("utf-8", "surrogatepass")).hexdigest()[:32]


def files_of(folder: Path) -> Iterator[Found]:
    """Every file below the folder in order; links are not followed, lock files are left out."""
    for top, folders, names in os.walk(folder):
        folders.sort()
        for name in sorted(names):
            if name.startswith(_NOT_FILES) or name.casefold() in _SYSTEM:
                continue
            file = Path(top) / name
            try:
                stat = file.lstat()
            except OSError:
                continue
            if file.is_symlink() or not file.is_file():
                continue
            path = readable(file.relative_to(folder).as_posix())
            yield Found(file, path, stat.st_size, stat.st_mtime_ns)


def readable(path: str) -> str:
    """A name as people wrote it: bytes that are no UTF-8 are CP932 (file servers of old).

    Composed and decomposed letters (NFC, NFD) stay as they are.
    """
    try:
        path.encode()
    except UnicodeEncodeError:
        raw = os.fsencode(path)
        return raw.decode("cp932", "replace")
    return path


def settled(before: Mapping[str, str], found: Found) -> bool:
    """Whether the file is as it was at the last look (nobody is writing it)."""
    return before.get(str(found.file)) == found.stamp


def _times(found: Found) -> tuple[datetime, datetime]:
    """When it was made, where the system knows, and when it was changed."""
    stat = found.file.stat()
    modified = datetime.fromtimestamp(stat.st_mtime, UTC)
    born = getattr(stat, "st_birthtime", None)
    created = datetime.fromtimestamp(born, UTC) if born else modified
    return min(created, modified), modified


def _shown(path: str) -> str:
    return path.encode("utf-8", "replace").decode()
