"""The audit log: every event once in one unforked hash chain, whatever crashes.

An event is a row of the table ``auditevents`` (inserted once, key = event id) and then a record of
the chain. The message that brought it is not finished before it is in the chain, so the queue
itself is the list of what is pending, and nothing need be searched for.

* Whoever holds the lease appends for everybody waiting in this process (one block a batch). The
  lease only saves effort; the fence is the append position: a second writer finds it taken.
* What is in the chain already is known from three sides: rows marked with their number, the tail
  behind the checkpoint, and what this process appended itself. A row that was read before the
  chain's end was last looked up is read again.
* The checkpoint moves only when every record before it is marked, and conditionally on the one
  that was read; so after a crash the tail tells which rows lack their mark.

Operations an event: insert and mark, plus append, checkpoint and lease shared by a batch.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import timedelta

from shared.audit.chain import Tip, append
from shared.audit.head import Head, Signer, sign
from shared.codec import decode, encode
from shared.errors import BusyError, SekishoError, StorageConflictError
from shared.model import AuditEvent
from shared.ports import Blobs, Clock, Lease, Table
from shared.storage.audit_rows import Kept, Rows, inline
from shared.storage.audit_state import State, load, roll_note, save

LEASE = "sequencer"
LEASE_SECONDS = 15  # the shortest there is: a dead holder stops the record for no longer
ATTEMPTS = 5
LINGER = 0.03  # seconds a holder waits for more, when everybody has been told
FAIR = 0.2  # seconds between two tenures, so that another process gets its turn
KNOWN = 50_000  # ids kept in memory before the end is looked up afresh


@dataclass(frozen=True, slots=True)
class Sizes:
    """Limits of the log. An append blob takes 50,000 blocks and 195 GiB; it is rolled long before.

    ``inline`` is the largest event that stands in the chain itself; a larger one stands there by
    its digest. ``tenure`` is how long one holder of the lease goes on before others have a chance;
    ``patience`` the pauses (seconds) while somebody else holds it.
    """

    blocks: int = 40_000
    blob_bytes: int = 64 * 1024 * 1024
    batch: int = 500
    batch_bytes: int = 2 * 1024 * 1024
    inline: int = 1024 * 1024
    parallel: int = 16
    tenure: timedelta = timedelta(seconds=5)
    head_every: timedelta = timedelta(seconds=60)
    patience: tuple[float, ...] = (0.05, 0.1, 0.2, 0.4, 0.8)


@dataclass(slots=True, eq=False)
class _Entry:
    """An event that waits for its record; ``looked``: at which look at the end its row was read."""

    kept: Kept
    looked: int
    done: asyncio.Future[Tip] = field(default_factory=asyncio.Future)

    @property
    def id(self) -> str:
        return self.kept.row.key


class AuditLog:
    """One a process. ``table`` is ``auditevents``, ``blobs`` the container ``audit``."""

    def __init__(
        self,
        table: Table,
        blobs: Blobs,
        lease: Lease,
        clock: Clock,
        *,
        signer: Signer | None = None,
        sizes: Sizes | None = None,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._table = table
        self._blobs = blobs
        self._lease = lease
        self._clock = clock
        self._signer = signer
        self._sizes = sizes or Sizes()
        self._sleep = sleep
        self._rows = Rows(table, blobs)
        self._waiting: list[_Entry] = []
        self._leader: asyncio.Task[None] | None = None
        self._turn = asyncio.Lock()
        self._state: State | None = None
        self._looks = 0

    async def record(self, event: AuditEvent) -> AuditEvent:
        """Return when the event is in the chain: the event as it was first recorded.

        BusyError while another process holds the lease, TransientError; ChainBrokenError (the log
        was tampered with) appends nothing.
        """
        looked = self._looks
        kept = await self._rows.insert(event)
        if kept.tip is None:
            entry = _Entry(kept, looked)
            self._waiting.append(entry)
            if self._leader is None or self._leader.done():
                self._leader = asyncio.ensure_future(self._lead())
            await entry.done
        return decode(kept.data, AuditEvent)

    async def idle(self) -> None:
        """Return when nothing is under way any more (before the stores are closed)."""
        while self._leader is not None and not self._leader.done():
            await asyncio.wait({self._leader})

    async def publish_head(self) -> None:
        """Sign the chain's end now (a timer's work, so that a quiet hour is covered too)."""
        async with self._turn:
            token = await self._acquire()
            try:
                await self._checkpoint(await self._look(), head=True)
            finally:
                await self._lease.release(LEASE, token)

    async def _lead(self) -> None:
        """Append for everybody who waits, until nobody does."""
        try:
            async with self._turn:
                while self._waiting:
                    await self._tenure()
                    if self._waiting:
                        await self._sleep(FAIR)
        except BaseException as error:
            self._state = None  # what was written is not certain: look again
            told = self._fail(error)
            if not told and not isinstance(error, SekishoError):
                raise  # a fault of the program (or the end of the process) that nobody would see

    async def _tenure(self) -> None:
        token = await self._acquire()
        end = self._clock() + self._sizes.tenure
        try:
            while self._waiting and self._clock() < end:
                await self._batch()
                if not self._waiting:  # the next messages are on their way: keep the lease for them
                    await self._sleep(LINGER)
            if self._state is not None:
                await self._checkpoint(self._state)
        except Exception:
            with suppress(SekishoError):
                await self._lease.release(LEASE, token)
            raise
        await self._lease.release(LEASE, token)

    async def _acquire(self) -> str:
        for pause in self._sizes.patience:
            try:
                return await self._lease.acquire(LEASE, LEASE_SECONDS)
            except BusyError:
                await self._sleep(pause)
        return await self._lease.acquire(LEASE, LEASE_SECONDS)

    def _fail(self, error: BaseException) -> bool:
        """Tell everybody who waits; whether anybody did."""
        waiting, self._waiting = self._waiting, []
        for entry in waiting:
            if entry.done.done():
                continue
            if isinstance(error, asyncio.CancelledError):
                entry.done.cancel()
            else:
                entry.done.set_exception(error)
        return bool(waiting)

    def _tell(self, entry: _Entry, tip: Tip) -> None:
        self._waiting.remove(entry)
        if not entry.done.done():  # its caller may have been cancelled
            entry.done.set_result(tip)

    async def _look(self) -> State:
        """The chain's end, looked up; the rows of its tail get their marks."""
        state = await load(self._table, self._blobs)
        await self._all(
            self._rows.mark_found(event, data, state.known[event])
            for event, data in state.tail.items()
        )
        state.tail = {}
        self._looks += 1
        self._state = state
        return state

    async def _batch(self) -> None:
        """One batch of those who wait: append, mark, tell them."""
        for _ in range(ATTEMPTS):
            state = self._state
            if state is None or len(state.known) > KNOWN:
                state = await self._look()
            batch = await self._unrecorded(state)
            if not batch:
                return
            try:
                written = await self._append(state, batch)
            except StorageConflictError:
                self._state = None  # somebody else appended: look again, and try again
                continue
            await self._all(self._rows.mark(entry.kept.row, tip) for entry, tip in written)
            for entry, tip in written:
                self._tell(entry, tip)
            return
        message = "audit: another sequencer is at work"
        raise BusyError(message)

    async def _unrecorded(self, state: State) -> list[_Entry]:
        """A batch of entries that are certainly not in the chain yet, each id once."""
        stale = [e for e in self._waiting if e.looked != self._looks and e.id not in state.known]
        await self._all(self._refresh(entry) for entry in stale[: self._sizes.batch])
        batch: dict[str, _Entry] = {}
        size = 0
        for entry in list(self._waiting):
            tip = state.known.get(entry.id) or entry.kept.tip
            if tip is not None:
                self._tell(entry, tip)
            elif entry.looked == self._looks and entry.id not in batch:
                size += len(entry.kept.data)
                if batch and (size > self._sizes.batch_bytes or len(batch) >= self._sizes.batch):
                    break
                batch[entry.id] = entry
        return list(batch.values())

    async def _refresh(self, entry: _Entry) -> None:
        looked = self._looks
        entry.kept = await self._rows.find(entry.id) or entry.kept
        entry.looked = looked

    async def _append(self, state: State, batch: list[_Entry]) -> list[tuple[_Entry, Tip]]:
        if state.blocks >= self._sizes.blocks or state.offset >= self._sizes.blob_bytes:
            await self._roll(state)
        written: list[tuple[_Entry, Tip]] = []
        lines: list[bytes] = []
        tip = state.tip
        for entry in batch:
            line, tip = append(tip, inline(entry.kept, self._sizes.inline))
            lines.append(line)
            written.append((entry, tip))
        state.offset = await self._blobs.append(state.name(), b"".join(lines), at=state.offset)
        state.blocks += 1
        state.tip = tip
        state.known.update((entry.id, at) for entry, at in written)
        return written

    async def _roll(self, state: State) -> None:
        """Close the blob by a note of where the chain goes on: nobody can append to it any more."""
        line, tip = append(state.tip, roll_note(state.blob + 1))
        await self._blobs.append(state.name(), line, at=state.offset)
        state.tip = tip
        state.blob, state.offset, state.blocks = state.blob + 1, 0, 0

    async def _checkpoint(self, state: State, *, head: bool = False) -> None:
        """Say up to where all is marked; sign the head when it is due."""
        now = self._clock()
        due = state.head_time is None or now - state.head_time >= self._sizes.head_every
        if self._signer and state.tip.count > state.head_count and (head or due):
            signed = sign(Head(state.tip.count, state.tip.hash, now), self._signer)
            name = f"heads/{now:%Y/%m/%d}/{state.tip.count:016d}.json"
            with suppress(StorageConflictError):  # published before a crash
                await self._blobs.put(name, encode(signed), only_new=True)
            state.head_count, state.head_time = state.tip.count, now
        try:
            await save(self._table, state, now)
        except StorageConflictError:
            self._state = None  # another sequencer moved it, from the same tail

    async def _all(self, work: Iterable[Awaitable[None]]) -> None:
        """Do all, a few at a time; the first error once none is running any more."""
        gate = asyncio.Semaphore(self._sizes.parallel)

        async def one(each: Awaitable[None]) -> None:
            async with gate:
                await each

        done = await asyncio.gather(*(one(each) for each in work), return_exceptions=True)
        for result in done:
            if isinstance(result, BaseException):
                raise result
