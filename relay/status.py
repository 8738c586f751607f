"""How the relay is: counts and ages, for people, for Prometheus, for a container's health check."""

from __future__ import annotations

import socket
import time
from dataclasses import asdict, dataclass
from pathlib import Path

from relay.journal import Journal
from relay.spool import DEAD, HELD, INCOMING, OUTGOING, Spool

METRICS = "metrics.prom"
_STALE = 120.0  # seconds after which a silent relay is taken to hang


@dataclass(frozen=True, slots=True)
class Status:
    """Counts of mails; ages in seconds, 0 where nothing waits. Nothing of any mail is in it."""

    incoming: int
    held: int
    outgoing: int
    dead: int
    oldest_incoming_seconds: float
    oldest_outgoing_seconds: float
    spool_bytes: int
    free_bytes: int
    delivered: int
    failed: int
    uncertain: int


def look(spool: Spool, journal: Journal, now: float) -> Status:
    """Count. Blocking."""
    spool.measure()
    incoming = spool.names(INCOMING)
    waiting = journal.open()
    counts = journal.counts()
    return Status(
        incoming=len(incoming),
        held=len(spool.names(HELD)),
        outgoing=len(spool.names(OUTGOING)),
        dead=len(spool.names(DEAD)),
        oldest_incoming_seconds=_age(incoming[0], now) if incoming else 0.0,
        oldest_outgoing_seconds=max(now - waiting[0].first_seen, 0.0) if waiting else 0.0,
        spool_bytes=spool.bytes_held,
        free_bytes=spool.free(),
        delivered=counts.get("delivered", 0),
        failed=counts.get("failed", 0),
        uncertain=counts.get("uncertain", 0),
    )


def _age(name: str, now: float) -> float:
    """A name begins with its milliseconds."""
    return round(max(now - int(name[:12], 16) / 1000, 0.0), 3)


def write(status: Status, folder: Path) -> None:
    """``metrics.prom``, whole or not at all, as Prometheus' node exporter reads it."""
    lines = []
    for name, value in asdict(status).items():
        lines += [f"# TYPE sekisho_relay_{name} gauge", f"sekisho_relay_{name} {value}"]
    temporary = folder / f"{METRICS}.tmp"
    temporary.write_text("\n".join(lines) + "\n", encoding="ascii")
    temporary.rename(folder / METRICS)


def healthy(folder: Path, address: tuple[str, int]) -> str:
    """Empty, or what is wrong: the loop stands still, or SMTP does not answer."""
    try:
        age = time.time() - (folder / METRICS).stat().st_mtime
    except FileNotFoundError:
        return "the relay has not started yet"
    if age > _STALE:
        return f"the relay has not counted for {age:.0f} s"
    host, port = address
    try:
        with socket.create_connection((_reachable(host), port), timeout=10) as there:
            greeting = there.recv(512)
    except OSError as error:
        return f"SMTP does not answer: {type(error).__name__}"
    # 554 is an answer too: this machine need not be one that may send.
    return "" if greeting[:3].isdigit() else "SMTP does not greet"


def _reachable(host: str) -> str:
    anywhere = {"0.0.0.0": "127.0.0.1", "::": "::1"}  # noqa: S104 # nosec B104
    return anywhere.get(host, host)
