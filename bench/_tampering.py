"""A log in memory, signed as the sequencer signs it, and ways to tamper with it.

Each way gives a copy of the log with one change, the kind of break that it is, and the record at
which it must be found.
"""

from __future__ import annotations

import random
from collections.abc import AsyncIterator, Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec

from shared.audit.chain import Kind, Tip, append, parse
from shared.audit.head import Head, Verify, es256_signer, es256_verifier, public_pem, sign
from shared.codec import encode
from shared.errors import GoneError
from shared.ports import Blob
from shared.storage.audit_state import blob_name

START = datetime(2026, 7, 1, tzinfo=UTC)
_SEVEN = b'"seconds":'


@dataclass(frozen=True, slots=True)
class Held:
    """Blobs in memory, as ``AuditReader`` reads them."""

    blobs: Mapping[str, bytes]

    async def get(self, name: str) -> Blob:
        if name not in self.blobs:
            raise GoneError(name)
        return Blob(self.blobs[name], "")

    async def read_range(self, name: str, start: int, length: int | None = None) -> bytes:
        end = None if length is None else start + length
        return self.blobs.get(name, b"")[start:end]

    async def names(self, prefix: str = "") -> AsyncIterator[str]:
        for name in sorted(self.blobs):
            if name.startswith(prefix):
                yield name


@dataclass(frozen=True, slots=True)
class Log:
    """``lines`` are those of all blobs; ``tips[n]`` is where the chain stands after n of them."""

    lines: list[bytes]
    tips: list[Tip]
    heads: Mapping[str, bytes]
    verifier: Verify
    every: int
    per_blob: int

    def held(self, lines: list[bytes] | None = None) -> Held:
        """The log, or one with other lines, cut into blobs at the same places."""
        lines = self.lines if lines is None else lines
        blobs = dict(self.heads)
        for number, first in enumerate(range(0, len(lines), self.per_blob), 1):
            blobs[blob_name(number)] = b"".join(lines[first : first + self.per_blob])
        return Held(blobs)


def make(events: list[bytes], records: int, *, every: int = 500, per_blob: int = 20_000) -> Log:
    """A log of ``records`` records; a head is signed after every ``every`` of them and at the end.

    ``events`` are used in turn.
    """
    pem = ec.generate_private_key(ec.SECP256R1()).private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    signer = es256_signer(pem)
    lines, tips, heads = [], [Tip()], {}
    for number in range(1, records + 1):
        line, tip = append(tips[-1], events[number % len(events)])
        lines.append(line)
        tips.append(tip)
        if number % every == 0 or number == records:
            signed = sign(Head(tip.count, tip.hash, START), signer)
            heads[f"heads/2026/07/01/{number:016d}.json"] = encode(signed)
    return Log(lines, tips, heads, es256_verifier(public_pem(pem)), every, per_blob)


@dataclass(frozen=True, slots=True)
class Tampered:
    """``seq`` is the record that must be named; ``within``: a head shows it, so in its stretch."""

    how: str
    held: Held
    kinds: tuple[Kind, ...]
    seq: int
    within: bool = False


def _edit(log: Log, rng: random.Random) -> Tampered:
    """One byte of one record."""
    at = rng.randrange(len(log.lines))
    data = bytearray(log.lines[at])
    data[rng.randrange(len(data))] ^= 1 + rng.randrange(255)
    last = at == len(log.lines) - 1  # without its line's end the last record is a cut one
    kinds = (Kind.EDIT, Kind.TRUNCATION) if last else (Kind.EDIT,)
    return Tampered("edit", log.held(_with(log, at, bytes(data))), kinds, at + 1)


def _other(log: Log, at: int) -> tuple[bytes, Tip]:
    """Record ``at`` (from 0) with another event, hashed anew."""
    record = parse(log.lines[at])
    assert record is not None
    return append(log.tips[at], bytes(record.event).replace(_SEVEN, _SEVEN + b"7", 1))


def _hashed(log: Log, rng: random.Random) -> Tampered:
    """One record, with its own hash made anew."""
    at = rng.randrange(len(log.lines) - 1)
    line, _ = _other(log, at)
    signed = (at + 1) % log.every == 0  # then a head says so before the successor does
    kinds = (Kind.EDIT, Kind.FORK) if signed else (Kind.EDIT,)
    return Tampered("hashed edit", log.held(_with(log, at, line)), kinds, at + 1)


def _delete(log: Log, rng: random.Random) -> Tampered:
    """Some records in the middle."""
    many = rng.choice((1, 1, 2, 10, 300))
    at = rng.randrange(len(log.lines) - many)
    lines = log.lines[:at] + log.lines[at + many :]
    return Tampered("delete", log.held(lines), (Kind.DELETE,), at + 1)


def _blob(log: Log, rng: random.Random) -> Tampered:
    """A whole blob in the middle."""
    whole = dict(log.held().blobs)
    number = 1 + rng.randrange(len(log.lines) // log.per_blob - 1)
    del whole[blob_name(number)]
    seq = (number - 1) * log.per_blob + 1
    return Tampered("blob deleted", Held(whole), (Kind.DELETE,), seq)


def _swap(log: Log, rng: random.Random) -> Tampered:
    """Two records, near or far."""
    one = rng.randrange(len(log.lines) - 1)
    far = rng.choice((1, 1, 100, len(log.lines)))
    two = min(one + 1 + rng.randrange(far), len(log.lines) - 1)
    lines = list(log.lines)
    lines[one], lines[two] = lines[two], lines[one]
    return Tampered("swap", log.held(lines), (Kind.REORDER,), one + 1)


def _repeat(log: Log, rng: random.Random) -> Tampered:
    """A record stands a second time, further on."""
    behind = rng.randrange(1, len(log.lines))
    again = log.lines[rng.randrange(behind)]
    lines = [*log.lines[:behind], again, *log.lines[behind:]]
    return Tampered("repeat", log.held(lines), (Kind.REORDER,), behind + 1)


def _truncate(log: Log, rng: random.Random) -> Tampered:
    """The end, from some byte on."""
    at = rng.randrange(len(log.lines))
    kept = rng.randrange(len(log.lines[at]) - 1) if rng.random() < 0.5 else 0
    lines = [*log.lines[:at], log.lines[at][:kept]]
    return Tampered("truncate", log.held(lines), (Kind.TRUNCATION,), at + 1)


def _fork(log: Log, rng: random.Random) -> Tampered:
    """A second record of the same number behind the first."""
    at = rng.randrange(len(log.lines))
    line, _ = _other(log, at)
    lines = [*log.lines[: at + 1], line, *log.lines[at + 1 :]]
    return Tampered("fork", log.held(lines), (Kind.FORK,), at + 1)


def _rewrite(log: Log, rng: random.Random) -> Tampered:
    """A record changed, and everything behind it hashed anew, to the end."""
    at = rng.randrange(len(log.lines))
    line, tip = _other(log, at)
    lines = [*log.lines[:at], line]
    for old in log.lines[at + 1 :]:
        head = old.index(b'"event":') + 8
        line, tip = append(tip, old[head:-2])
        lines.append(line)
    return Tampered("rewrite", log.held(lines), (Kind.FORK,), at + 1, within=True)


def _with(log: Log, at: int, line: bytes) -> list[bytes]:
    return [*log.lines[:at], line, *log.lines[at + 1 :]]


type Way = Callable[[Log, random.Random], Tampered]
WAYS: tuple[Way, ...] = (
    _edit, _edit, _hashed, _delete, _blob, _swap, _repeat, _truncate, _fork, _rewrite,
)  # fmt: skip


def right(tampered: Tampered, found: object, every: int) -> bool:
    """Whether ``found`` (a Break or None) names the record and the kind."""
    seq, kind = getattr(found, "seq", 0), getattr(found, "kind", None)
    earliest = getattr(found, "earliest", 0) or seq
    if kind not in tampered.kinds:
        return False
    if kind is Kind.FORK and earliest != seq:
        return earliest <= tampered.seq <= seq and seq - earliest < every
    return bool(seq == tampered.seq)
