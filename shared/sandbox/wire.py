"""What passes between the worker and its sandbox processes: length-prefixed msgpack, never pickle.

The child that answers has read hostile bytes, so its answer is decoded into the model's own types
and nothing else. Requests come from the worker and are trusted.
"""

from __future__ import annotations

import os
import struct
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from select import select

import msgspec

from shared.extract import Document, Limits, Used
from shared.model import Extraction, Gap, GapCode, Segment

HEADER = struct.Struct("<BQ")
CHUNK = 1 << 20
MAX_ANSWER = 400_000_000  # bytes: 50 million characters of text and their marks

ANSWER = 0  # status of a frame whose body is batches of an Extraction
FAILED = 1  # status of a frame whose body is a GapCode, then what was read before
TASK = 2  # status of a request whose body is a Task (see shared.sandbox.tasks)


class BrokenWireError(Exception):
    """The other side is gone, or what it sent is no frame."""


class WireTimeoutError(Exception):
    """Nothing came until the deadline."""


@dataclass(frozen=True, slots=True)
class Request:
    """One document to read, and the limits of the child that reads it."""

    document: Document
    limits: Limits
    passwords: tuple[str, ...] = field(default=(), repr=False)
    used: Used = field(default_factory=Used)


@dataclass(frozen=True, slots=True)
class Answer:
    """What was read (all of it, or one batch), and what of the item's budget is then used."""

    extraction: Extraction
    used: Used = field(default_factory=Used)


def pack(value: object) -> bytes:
    """Msgpack of a model value."""
    return msgspec.msgpack.encode(value)


def unpack_request(body: bytes) -> Request:
    """The worker's request."""
    return msgspec.msgpack.decode(body, type=Request)


def pack_answer(answer: Answer) -> bytes:
    """A batch with its length; half surrogate pairs, which UTF-8 cannot hold, become U+FFFD."""
    body = _packed(answer)
    return len(body).to_bytes(4, "little") + body


def _packed(answer: Answer) -> bytes:
    try:
        return pack(answer)
    except UnicodeEncodeError:
        segments = tuple(
            Segment(one.location, _whole(one.text), table=one.table, marks=one.marks)
            for one in answer.extraction.segments
        )
        return pack(Answer(Extraction(segments, answer.extraction.gaps), answer.used))


def _whole(text: str) -> str:
    """Lone surrogates replaced (pairs become the character they mean)."""
    return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")


def unpack_answer(status: int, body: bytes, location: str) -> Answer:
    """What the child read, with the name of its end if it came to none of its own.

    A child writes as it reads, so what a killed one had read is kept. Bytes that do not decode are
    a crash by name.
    """
    gaps: list[Gap] = []
    try:
        if status != ANSWER:
            length = body[0]
            gaps.append(Gap(GapCode(body[1 : 1 + length].decode("ascii")), location))
            body = body[1 + length :]
    except (IndexError, ValueError):
        return failed(GapCode.CRASHED, location)
    segments: list[Segment] = []
    used = Used()
    for batch in _batches(body, whole=status == ANSWER):
        if batch is None:
            gaps.append(Gap(GapCode.CRASHED, location))
            break
        segments.extend(batch.extraction.segments)
        gaps.extend(batch.extraction.gaps)
        used = batch.used
    return Answer(Extraction(tuple(segments), tuple(dict.fromkeys(gaps))), used)


def _batches(body: bytes, *, whole: bool) -> Iterator[Answer | None]:
    """The child's batches in order; None where the bytes break off (silently if it was killed)."""
    at = 0
    if whole and not body:
        yield None
    while at < len(body):
        size = int.from_bytes(body[at : at + 4], "little")
        piece = body[at + 4 : at + 4 + size]
        at += 4 + size
        if len(piece) < size or at < 4:  # noqa: PLR2004 - the length itself
            if whole:
                yield None
            return
        try:
            yield msgspec.msgpack.decode(piece, type=Answer)
        except (msgspec.MsgspecError, ValueError):
            yield None
            return


def failure_of(body: bytes) -> GapCode:
    """The reason in a FAILED frame; a crash where it is none."""
    try:
        return GapCode(body[1 : 1 + body[0]].decode("ascii"))
    except (IndexError, ValueError):
        return GapCode.CRASHED


def pack_failure(code: GapCode, read_so_far: bytes) -> bytes:
    """The body of a FAILED frame."""
    name = code.value.encode("ascii")
    return bytes([len(name)]) + name + read_so_far


def failed(code: GapCode, location: str) -> Answer:
    """Nothing read, and why."""
    return Answer(Extraction((), (Gap(code, location),)))


def write_frame(fd: int, status: int, body: bytes | bytearray) -> None:
    """Write one frame; BrokenWireError if the reader is gone."""
    try:
        for view in (memoryview(HEADER.pack(status, len(body))), memoryview(body)):
            rest = view
            while rest:
                rest = rest[os.write(fd, rest[:CHUNK]) :]
    except OSError:
        message = "the reader is gone"
        raise BrokenWireError(message) from None


def read_frame(
    fd: int, *, deadline: float | None = None, clock: Callable[[], float] = time.monotonic
) -> tuple[int, bytes]:
    """Read one frame; BrokenWireError at the end, WireTimeoutError after ``deadline``."""
    status, size = HEADER.unpack(_read(fd, HEADER.size, deadline, clock))
    if size > 2 * MAX_ANSWER:
        message = "a frame over the limit"
        raise BrokenWireError(message)
    return status, _read(fd, size, deadline, clock)


def _read(fd: int, size: int, deadline: float | None, clock: Callable[[], float]) -> bytes:
    pieces: list[bytes] = []
    while size:
        if deadline is not None:
            left = deadline - clock()
            if left <= 0 or not select([fd], [], [], left)[0]:
                raise WireTimeoutError
        piece = os.read(fd, min(CHUNK, size))
        if not piece:
            message = "the writer is gone"
            raise BrokenWireError(message)
        pieces.append(piece)
        size -= len(piece)
    return b"".join(pieces)
