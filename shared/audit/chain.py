"""The hash chain: each record vouches for all before it. Pure.

A record is one canonical JSON line ``{"seq","prev","hash","event"}``; ``seq`` counts from 1, the
first ``prev`` is 64 zeros, and ``hash`` is SHA-256 over a domain name, ``prev``, ``seq`` and the
event's very bytes. Lines are compared byte for byte with what ``append`` would have written, so
there is one spelling of a record. The chain alone cannot show that its end was cut off or that it
was rewritten from some record on: signed heads (shared.audit.head) show that.
"""

from __future__ import annotations

import hashlib
from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from enum import StrEnum

import msgspec

GENESIS = "0" * 64
DOMAIN = b"sekisho/audit/record/v1\x00"
MEMORY = 4096  # hashes remembered, to tell a repetition from a fork


class Record(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One line; ``event`` is the raw JSON of an audit event (or of a note of the chain's own)."""

    seq: int
    prev: str
    hash: str
    event: msgspec.Raw


@dataclass(frozen=True, slots=True)
class Tip:
    """Where a chain stands: how many records, and the hash of the last."""

    count: int = 0
    hash: str = GENESIS


class Kind(StrEnum):
    """What kind of break it is."""

    EDIT = "edit"  # a record does not match its own hash, or its successor's word
    DELETE = "delete"  # records are missing in the middle
    REORDER = "reorder"  # a record is there, elsewhere or twice
    FORK = "fork"  # another history from here on
    TRUNCATION = "truncation"  # the end is missing


@dataclass(frozen=True, slots=True)
class Break:
    """The first record (by the number it should have) that does not hold, and why.

    Where a signed head alone shows it, the first changed record lies in ``earliest`` … ``seq``;
    0: it is ``seq`` itself.
    """

    seq: int
    kind: Kind
    words: str
    earliest: int = 0


@dataclass(frozen=True, slots=True)
class Verdict:
    """How far the chain holds; ``broken`` is None for a whole chain."""

    tip: Tip
    broken: Break | None = None


_DECODER = msgspec.json.Decoder(Record)


def digest(prev: str, seq: int, event: bytes) -> str:
    """The record's hash, 64 hex digits."""
    head = b"%b%b%b" % (DOMAIN, bytes.fromhex(prev), seq.to_bytes(8, "big"))
    return hashlib.sha256(head + event).hexdigest()


def append(tip: Tip, event: bytes) -> tuple[bytes, Tip]:
    """The next line (with its newline) and where the chain stands after it.

    ``event`` is one JSON value on one line, as shared.codec encodes it.
    """
    seq = tip.count + 1
    value = digest(tip.hash, seq, event)
    return _line(seq, tip.hash, value, event), Tip(seq, value)


def parse(line: bytes) -> Record | None:
    """The record of a line, or None where the line is no record or does not match its own hash."""
    try:
        record = _DECODER.decode(line)
        event = bytes(record.event)
        value = digest(record.prev, record.seq, event)
    except (msgspec.DecodeError, UnicodeDecodeError, ValueError, OverflowError):
        return None
    if value != record.hash or record.seq < 1:
        return None
    spelled = _line(record.seq, record.prev, value, event)
    return record if line in (spelled, spelled[:-1]) else None


def verify(lines: Iterable[bytes], start: Tip | None = None, heads: Iterable[Tip] = ()) -> Verdict:
    """Check the lines that follow ``start`` (default: the beginning) against the chain and heads.

    ``heads`` are tips whose signatures were checked, in ascending order of count; those before
    ``start`` are passed over. Streams: only what follows a break is read ahead, to name its kind.
    """
    walk = Walk(start, heads)
    walk.feed(lines)
    return walk.finish()


class Walk:
    """A verification in pieces: ``feed`` what comes, then ``finish``.

    Once ``broken`` is set, what is fed is only searched for the record ``missing`` (0: none): if it
    is there, records were moved and not removed.
    """

    def __init__(self, start: Tip | None = None, heads: Iterable[Tip] = ()) -> None:
        self.tip = start or Tip()
        self.broken: Break | None = None
        self.missing = 0
        self._agreed = self.tip.count  # up to here a head, or whoever gave the start, vouches
        self._wanted = deque(head for head in heads if head.count >= max(self.tip.count, 1))
        self._recent = deque([self.tip], maxlen=MEMORY)

    def feed(self, lines: Iterable[bytes]) -> None:
        """Check the next lines, up to the first break."""
        rest = iter(lines)
        if self.broken is None:
            self._advance(rest)
        if self.missing:
            self._look(rest)

    def finish(self, rest: bytes = b"") -> Verdict:
        """The log ends here; ``rest`` are bytes at its end that are no whole line."""
        if self.broken is None and rest:
            words = "the last line is cut off"
            self.broken = Break(self.tip.count + 1, Kind.TRUNCATION, words)
        if self.broken is None:
            self.broken = self._against()
        if self.broken is None and self._wanted:
            count = self._wanted[-1].count
            words = f"a head counts {count} records, the log ends at {self.tip.count}"
            self.broken = Break(self.tip.count + 1, Kind.TRUNCATION, words)
        return Verdict(self.tip, self.broken)

    def _advance(self, rest: Iterator[bytes]) -> None:
        for line in rest:
            record = parse(line)
            broken = self._check(record)
            if broken is None and self._wanted and self._wanted[0].count <= self.tip.count:
                broken = self._against()
            if broken or record is None:
                self.broken = broken
                return
            self.tip = Tip(record.seq, record.hash)
            self._recent.append(self.tip)

    def _look(self, rest: Iterator[bytes]) -> None:
        """Missing, or only elsewhere?"""
        for line in rest:
            later = parse(line)
            if later is not None and later.seq == self.missing:
                assert self.broken is not None
                words = f"record {self.missing} stands further on, another in its place"
                self.broken = replace(self.broken, kind=Kind.REORDER, words=words)
                self.missing = 0
                return

    def _check(self, record: Record | None) -> Break | None:
        """What is wrong with the record that follows the tip, if anything."""
        tip = self.tip
        expected = tip.count + 1
        if record is None:
            return Break(expected, Kind.EDIT, "the record does not match its own hash")
        if record.seq > expected:
            self.missing = expected
            words = f"records {expected} to {record.seq - 1} are missing"
            return Break(expected, Kind.DELETE, words)
        if record.seq < expected:
            return _again(record, expected, self._recent)
        if record.prev == tip.hash:
            return None
        # It vouches for another predecessor: that one was changed and hashed anew.
        return Break(tip.count or 1, Kind.EDIT, "its successor vouches for another hash")

    def _against(self) -> Break | None:
        """Compare with the signed heads up to here, which are then done with."""
        while self._wanted and self._wanted[0].count <= self.tip.count:
            head = self._wanted.popleft()
            if head.count < self.tip.count:
                continue
            if head.hash != self.tip.hash:
                words = f"a head of {head.count} records has another hash: rewritten before"
                return Break(head.count, Kind.FORK, words, self._agreed + 1)
            self._agreed = head.count
        return None


def _line(seq: int, prev: str, value: str, event: bytes) -> bytes:
    return b'{"seq":%d,"prev":"%b","hash":"%b","event":%b}\n' % (
        seq,
        prev.encode(),
        value.encode(),
        event,
    )


def _again(record: Record, expected: int, recent: deque[Tip]) -> Break:
    """A number that has been there before."""
    if Tip(record.seq, record.hash) in recent:
        return Break(expected, Kind.REORDER, f"record {record.seq} stands here again")
    if any(known.count == record.seq for known in recent):
        return Break(record.seq, Kind.FORK, f"two records claim the number {record.seq}")
    return Break(expected, Kind.REORDER, f"record {record.seq} stands here")
