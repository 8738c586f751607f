"""The spool: a folder a state, a sealed file a mail, nothing said before the disk has it.

``incoming`` was accepted (250) and is not judged, or not in the cloud, yet · ``held`` was stopped
and waits for a person · ``outgoing`` is to be delivered · ``dead`` could not be delivered. Beside
them ``notes`` (what became of a held mail), ``requests`` (what people ask for) and ``tmp``. A
state changes by renaming, so a mail is always in exactly one, whenever the machine stops; names
begin with the time, so that the order of names is the order of arrival. Everything here blocks:
call it in a thread.
"""

from __future__ import annotations

import os
import secrets
import threading
import time
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime
from io import BufferedReader, FileIO
from pathlib import Path

from relay.sealed import Sealer, key_id
from shared.codec import decode, encode
from shared.errors import GoneError

INCOMING, HELD, OUTGOING, DEAD = "incoming", "held", "outgoing", "dead"
STATES = (INCOMING, HELD, OUTGOING, DEAD)
NOTES, REQUESTS, TMP = "notes", "requests", "tmp"
_HEAD = 65_536  # bytes that hold the envelope of nearly every mail


@dataclass(frozen=True, slots=True)
class Letter:
    """A mail as it was accepted; the options are ESMTP's, a tuple of them a recipient."""

    sender: str = field(repr=False)
    recipients: tuple[str, ...] = field(repr=False)
    received_at: datetime
    mail_options: tuple[str, ...] = field(default=(), repr=False)
    recipient_options: tuple[tuple[str, ...], ...] = field(default=(), repr=False)


def new_id() -> str:
    """A name that sorts by time: milliseconds and 48 random bits, in hex."""
    return f"{time.time_ns() // 1_000_000:012x}{secrets.token_hex(6)}"


class Spool:
    """See the module. ``bytes_held`` counts what is there, as the last look and our writes say."""

    def __init__(self, folder: Path, sealer: Sealer) -> None:
        self.folder = folder
        self._sealer = sealer
        self._syncs = {name: _FolderSync(folder / name) for name in (*STATES, NOTES, REQUESTS)}
        self._lock = threading.Lock()
        self.bytes_held = 0

    def prepare(self) -> int:
        """Make the folders, drop what was never accepted; how many such files there were."""
        for name in (*STATES, NOTES, REQUESTS, TMP):
            (self.folder / name).mkdir(mode=0o770, parents=True, exist_ok=True)
        unfinished = list((self.folder / TMP).iterdir())
        for path in unfinished:
            path.unlink(missing_ok=True)
        self.measure()
        return len(unfinished)

    def measure(self) -> None:
        """Count again what is there."""
        total = 0
        for state in STATES:
            with os.scandir(self.folder / state) as entries:
                for entry in entries:
                    with suppress(FileNotFoundError):  # moved on meanwhile
                        total += entry.stat().st_size
        with self._lock:
            self.bytes_held = total

    def free(self) -> int:
        """Bytes that the disk has for us."""
        found = os.statvfs(self.folder)
        return found.f_bavail * found.f_frsize

    # ---- mails

    def put(self, state: str, name: str, meta: object, data: bytes) -> None:
        """Durable when it returns (file and folder synced); the same name again replaces it."""
        self._write(state, f"{name}.mail", self._sealer.seal(name, encode(meta), data))

    def names(self, state: str) -> list[str]:
        """Oldest first."""
        found = (self.folder / state).glob("*.mail")
        return sorted(path.name.removesuffix(".mail") for path in found)

    def has(self, state: str, name: str) -> bool:
        """Whether a mail is in this state."""
        return (self.folder / state / f"{name}.mail").exists()

    def path(self, state: str, name: str) -> Path:
        """Where it lies."""
        return self.folder / state / f"{name}.mail"

    def size(self, state: str, name: str) -> int:
        """Bytes on the disk; 0 where it is not."""
        try:
            return self.path(state, name).stat().st_size
        except FileNotFoundError:
            return 0

    def meta[T](self, state: str, name: str, kind: type[T]) -> T:
        """The envelope alone; GoneError where it is not here, MalformedError if damaged."""
        with self._opened(state, name) as file:
            raw = file.read(_HEAD)
            head = raw.partition(b"\n")[2][:4]
            wanted = raw.find(b"\n") + 5 + int.from_bytes(head)
            raw += file.read(max(wanted - len(raw), 0))
        return decode(self._sealer.open_meta(name, raw), kind)

    def read[T](self, state: str, name: str, kind: type[T]) -> tuple[T, bytes]:
        """Envelope and mail; raises as ``meta``."""
        with self._opened(state, name) as file:
            meta, data = self._sealer.open(name, file.read())
        return decode(meta, kind), data

    def move(self, name: str, before: str, after: str) -> None:
        """Durable when it returns; again is harmless."""
        try:
            self.path(before, name).rename(self.path(after, name))
        except FileNotFoundError:
            if not self.has(after, name):
                message = "spool: the mail is not there"
                raise GoneError(message) from None
        self._syncs[after].sync()
        self._syncs[before].sync()

    def remove(self, state: str, name: str) -> None:
        """Gone, durably; again is harmless."""
        size = self.size(state, name)
        self.path(state, name).unlink(missing_ok=True)
        self._syncs[state].sync()
        with self._lock:
            self.bytes_held -= size

    def _opened(self, state: str, name: str) -> BufferedReader:
        try:
            return self.path(state, name).open("rb")
        except FileNotFoundError:
            message = "spool: the mail is not there"
            raise GoneError(message) from None

    # ---- what is said about them

    def note(self, name: str, value: object) -> None:
        """Keep ``value`` beside the mail, sealed; durable."""
        self._write(NOTES, f"{name}.note", self._sealer.seal(f"note/{name}", encode(value)))

    def noted[T](self, name: str, kind: type[T]) -> T | None:
        """What was noted, or None."""
        try:
            raw = (self.folder / NOTES / f"{name}.note").read_bytes()
        except FileNotFoundError:
            return None
        return decode(self._sealer.open_meta(f"note/{name}", raw), kind)

    def forget(self, name: str) -> None:
        """Remove the note."""
        (self.folder / NOTES / f"{name}.note").unlink(missing_ok=True)
        self._syncs[NOTES].sync()

    def noted_names(self) -> list[str]:
        """Whom there are notes of."""
        found = (self.folder / NOTES).glob("*.note")
        return sorted(path.name.removesuffix(".note") for path in found)

    def reseal(self) -> int:
        """Seal again what was sealed with an older key; how many files. Only while stopped."""
        count = 0
        for state in STATES:
            for name in self.names(state):
                raw = self.path(state, name).read_bytes()
                if key_id(raw) == self._sealer.current:
                    continue
                meta, data = self._sealer.open(name, raw)
                self._write(state, f"{name}.mail", self._sealer.seal(name, meta, data))
                count += 1
        for name in self.noted_names():
            path = self.folder / NOTES / f"{name}.note"
            raw = path.read_bytes()
            if key_id(raw) != self._sealer.current:
                meta = self._sealer.open_meta(f"note/{name}", raw)
                self._write(NOTES, path.name, self._sealer.seal(f"note/{name}", meta))
                count += 1
        return count

    def _write(self, state: str, file: str, raw: bytes) -> None:
        """Beside, synced, renamed, and the folder synced: all of it or nothing."""
        temporary = self.folder / TMP / f"{secrets.token_hex(8)}.{state}"
        handle = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o660)
        try:
            with FileIO(handle, "w") as out:
                _all(out, raw)
                os.fsync(out.fileno())
            temporary.rename(self.folder / state / file)
        except OSError:
            temporary.unlink(missing_ok=True)
            raise
        self._syncs[state].sync()
        if state in STATES:
            with self._lock:
                self.bytes_held += len(raw)


class _FolderSync:
    """fsync of a folder, one for all who wait: each waits for one that began after its change."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._begun = 0
        self._done = 0
        self._running = False
        self._turn = threading.Condition()

    def sync(self) -> None:
        """Durable when it returns."""
        with self._turn:
            wanted = self._begun + 1
            while self._running and self._done < wanted:
                self._turn.wait()
            if self._done >= wanted:
                return
            self._running = True
            self._begun += 1
        try:
            handle = os.open(self._path, os.O_RDONLY | os.O_DIRECTORY)
            try:
                os.fsync(handle)
            finally:
                os.close(handle)
        finally:
            with self._turn:
                self._running = False
                self._done = self._begun
                self._turn.notify_all()


def _all(out: FileIO, raw: bytes) -> None:
    view = memoryview(raw)
    while view:
        view = view[out.write(view) or 0 :]
