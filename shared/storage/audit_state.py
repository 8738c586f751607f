"""Where the audit chain's end is: the checkpoint, and the tail behind it.

The chain lives in append blobs ``chain/00000001.jsonl`` … A blob that is full ends with a note that
names the next one, so that whoever still believes it open finds his position taken. The checkpoint
row says up to where every record's row is marked; what was appended after it is the *tail*.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

import msgspec

from shared.audit.chain import GENESIS, Record, Tip, parse
from shared.errors import PermanentError
from shared.ports import Blobs, Row, Table, Value

CHAIN, CHECKPOINT = "chain", "checkpoint"


class ChainBrokenError(PermanentError):
    """The log's tail does not continue what the checkpoint vouches for: nothing is appended."""


@dataclass(slots=True)
class State:
    """What a sequencer knows: position, tip, and what was appended since it last looked.

    ``known`` holds the ids appended since then (by us, or found in the tail); ``tail`` the events
    found there.
    """

    blob: int = 1
    offset: int = 0
    blocks: int = 0
    tip: Tip = field(default_factory=Tip)
    etag: str = ""
    head_count: int = 0
    head_time: datetime | None = None
    known: dict[str, Tip] = field(default_factory=dict)
    tail: dict[str, bytes] = field(default_factory=dict)

    def name(self) -> str:
        """The blob that is open."""
        return blob_name(self.blob)


def blob_name(number: int) -> str:
    """The name of the chain's blob ``number``, counting from 1."""
    return f"chain/{number:08d}.jsonl"


def roll_note(number: int) -> bytes:
    """The event of a blob's last record: where the chain goes on."""
    return msgspec.json.encode({"roll": blob_name(number)})


class Subject(msgspec.Struct):
    """What the sequencer needs of a record's event: whose it is, or that it is a roll note."""

    id: str = ""
    roll: str = ""


async def load(table: Table, blobs: Blobs) -> State:
    """The state at the end of the log; ``known`` and ``tail`` hold the tail. ChainBrokenError."""
    row = await table.get(CHAIN, CHECKPOINT)
    state = _from_row(row) if row else State()
    while True:
        tail = await blobs.read_range(state.name(), state.offset)
        rolled = False
        for line in tail.splitlines(keepends=True):
            record = _next(state, line)
            subject = msgspec.json.decode(record.event, type=Subject)
            if subject.id:
                state.known[subject.id] = state.tip
                state.tail[subject.id] = bytes(record.event)
            rolled = bool(subject.roll)
        if not rolled:
            return state
        state.blob, state.offset, state.blocks = state.blob + 1, 0, 0


def _next(state: State, line: bytes) -> Record:
    record = parse(line)
    if record is None or record.prev != state.tip.hash or record.seq != state.tip.count + 1:
        message = f"audit: {state.name()} breaks after record {state.tip.count}"
        raise ChainBrokenError(message)
    state.tip = Tip(record.seq, record.hash)
    state.offset += len(line)
    state.blocks += 1  # at most: several records may share a block
    return record


async def save(table: Table, state: State, now: datetime) -> None:
    """Move the checkpoint to ``state``; StorageConflictError if somebody else moved it."""
    values: dict[str, Value] = {
        "blob": state.blob,
        "offset": state.offset,
        "blocks": state.blocks,
        "seq": state.tip.count,
        "hash": state.tip.hash,
        "head_count": state.head_count,
        "written": now,
    }
    if state.head_time is not None:
        values["head_time"] = state.head_time
    row = Row(CHAIN, CHECKPOINT, values)
    if state.etag:
        state.etag = await table.replace(row, state.etag)
    else:
        state.etag = await table.insert(row)


def _from_row(row: Row) -> State:
    values = row.values
    time = values.get("head_time")
    return State(
        blob=_whole(values, "blob"),
        offset=_whole(values, "offset"),
        blocks=_whole(values, "blocks"),
        tip=Tip(_whole(values, "seq"), str(values.get("hash", GENESIS))),
        etag=row.etag,
        head_count=_whole(values, "head_count"),
        head_time=time if isinstance(time, datetime) else None,
    )


def _whole(values: Mapping[str, Value], name: str) -> int:
    value = values[name]
    assert isinstance(value, int)
    return value
