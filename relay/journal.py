"""What is to be delivered and what was: one SQLite file, so that a mail is delivered once.

``ready`` waits for its turn or its next attempt · ``sending`` is written, synced, right before the
data goes out · ``delivered`` and ``failed`` right after the answer. A key that was seen is never
taken for new again, however often the cloud repeats its order. What a crash leaves in ``sending``
is the one moment that SMTP itself leaves open (RFC 5321, 4.5.3.2.6 and RFC 1047): it is sent again,
with the same Message-ID and ``X-Sekisho-Id``, by which a mailbox drops the second copy.

At night: ``sqlite3 journal.db 'select * from delivery where state != "delivered"'``. There are no
names in it.
"""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

READY, SENDING, DELIVERED, FAILED = "ready", "sending", "delivered", "failed"
ORDER, RELEASED, NOTICE, REPORT = "order", "released", "notice", "report"
KEPT_DAYS = 60
_DAY = 86_400.0

_SCHEMA = """
create table if not exists delivery (
  key text primary key, kind text not null, state text not null, first_seen real not null,
  attempts integer not null default 0, next_at real not null default 0,
  code text not null default '', changed_at real not null, told integer not null default 0,
  uncertain integer not null default 0
);
create index if not exists due on delivery (state, next_at, first_seen);
create index if not exists untold on delivery (told, state);
"""


@dataclass(frozen=True, slots=True)
class Entry:
    """One row; times are Unix seconds, ``first_seen`` is when the mail first came."""

    key: str
    kind: str
    state: str
    first_seen: float
    attempts: int
    next_at: float
    code: str
    told: bool


class Journal:
    """Blocking; safe from any thread. Each change is on the disk when its method returns."""

    def __init__(self, path: Path, *, read_only: bool = False) -> None:
        self._lock = threading.Lock()
        if read_only:  # beside a running relay: makes no file, changes nothing
            uri = f"{path.absolute().as_uri()}?mode=ro"
            self._db = sqlite3.connect(uri, uri=True, check_same_thread=False)
            return
        self._db = sqlite3.connect(path, check_same_thread=False, isolation_level=None)
        self._db.execute("pragma journal_mode=wal")
        self._db.execute("pragma synchronous=full")
        self._db.executescript(_SCHEMA)

    def close(self) -> None:
        """Close the file."""
        with self._lock:
            self._db.close()

    def add(self, key: str, kind: str, first_seen: float, now: float) -> bool:
        """Take a key in as ``ready``; False if it was ever taken in before."""
        with self._changing() as db:
            made = db.execute(
                "insert or ignore into delivery (key, kind, state, first_seen, changed_at)"
                " values (?, ?, ?, ?, ?)",
                (key, kind, READY, first_seen, now),
            )
            return made.rowcount == 1

    def get(self, key: str) -> Entry | None:
        """One row."""
        found = self._rows("where key = ?", (key,))
        return found[0] if found else None

    def due(self, now: float, limit: int) -> list[Entry]:
        """What may be sent now, the oldest mail first."""
        return self._rows(
            "where state in ('ready', 'sending') and next_at <= ? order by first_seen limit ?",
            (now, limit),
        )

    def open(self) -> list[Entry]:
        """All that is neither delivered nor failed, the oldest first."""
        return self._rows("where state in ('ready', 'sending') order by first_seen", ())

    def recover(self) -> int:
        """What a crash left in ``sending`` may be sent again; how many."""
        with self._changing() as db:
            made = db.execute(
                "update delivery set state = 'ready', next_at = 0, uncertain = uncertain + 1"
                " where state = 'sending'"
            )
            return made.rowcount

    def sending(self, key: str, now: float) -> None:
        """The data goes out now."""
        self._set(key, now, "state = 'sending'")

    def later(self, key: str, now: float, next_at: float, code: str) -> None:
        """It did not take; again at ``next_at``."""
        self._set(
            key, now, "state = 'ready', attempts = attempts + 1, next_at = ?, code = ?",
            (next_at, code),
        )  # fmt: skip

    def done(self, key: str, now: float, state: str, code: str) -> None:
        """``delivered`` or ``failed`` for good; the cloud is to be told."""
        self._set(key, now, "state = ?, code = ?, told = 0", (state, code))

    def again(self, key: str, now: float) -> None:
        """A person put it back: as new."""
        self._set(key, now, "state = 'ready', attempts = 0, next_at = 0, told = 0")

    def untold(self, limit: int) -> list[Entry]:
        """What became of orders and the cloud does not know yet."""
        return self._rows(
            "where told = 0 and state in ('delivered', 'failed') order by changed_at limit ?",
            (limit,),
        )

    def told(self, key: str, now: float) -> None:
        """The cloud knows."""
        self._set(key, now, "told = 1")

    def tell_again(self, key: str) -> None:
        """The cloud asked again for what is settled."""
        with self._changing() as db:
            db.execute("update delivery set told = 0 where key = ?", (key,))

    def prune(self, now: float) -> int:
        """Forget what was settled long ago (longer than any queue or mail system remembers)."""
        with self._changing() as db:
            made = db.execute(
                "delete from delivery where told = 1 and state = 'delivered' and changed_at < ?",
                (now - KEPT_DAYS * _DAY,),
            )
            return made.rowcount

    def counts(self) -> dict[str, int]:
        """Rows by state, and ``uncertain``: how often a crash fell into the open moment."""
        with self._lock:
            found = dict(
                self._db.execute("select state, count(*) from delivery group by state").fetchall()
            )
            (open_moments,) = self._db.execute(
                "select coalesce(sum(uncertain), 0) from delivery"
            ).fetchone()
        return {**found, "uncertain": int(open_moments)}

    def _set(self, key: str, now: float, what: str, values: tuple[object, ...] = ()) -> None:
        with self._changing() as db:
            db.execute(
                f"update delivery set {what}, changed_at = ? where key = ?",  # noqa: S608 # nosec B608 - ours
                (*values, now, key),
            )

    def _rows(self, where: str, values: tuple[object, ...]) -> list[Entry]:
        with self._lock:
            found = self._db.execute(
                "select key, kind, state, first_seen, attempts, next_at, code, told from delivery "  # noqa: S608 # nosec B608 - ours
                + where,
                values,
            ).fetchall()
        return [Entry(*row) for row in found]

    @contextmanager
    def _changing(self) -> Iterator[sqlite3.Connection]:
        with self._lock:
            yield self._db  # autocommit: synced with each statement
