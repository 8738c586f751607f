"""The stores in memory, exact enough that one suite holds them and Azurite to the same behaviour.

For tests that must stop between any two operations: before and after each one a *hook* is awaited,
which may wait (another worker goes on) or raise ``Crash`` (the process dies there). Time is the
clock's. ``MemoryStores(account, hook)`` are one worker's stores; all share the account's data.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta

from local.memory_account import Account, Crash, Hook, Message, Port, nothing
from local.memory_blobs import MemoryBlobs, MemoryLease
from shared.errors import PermanentError, StorageConflictError
from shared.ports import Row, Taken, Value

__all__ = ["Account", "Crash", "Hook", "MemoryStores", "Message", "nothing"]

MESSAGE, PROPERTY = 48 * 1024, 64 * 1024


class MemoryStores:
    """The same shape as shared.storage.stores.AzureStores."""

    def __init__(self, account: Account, hook: Hook = nothing) -> None:
        self.account = account
        self._hook = hook

    def table(self, name: str) -> MemoryTable:
        """One table."""
        return MemoryTable(self.account, self._hook, name)

    def queue(self, name: str) -> MemoryQueue:
        """One queue."""
        return MemoryQueue(self.account, self._hook, name)

    def blobs(self, container: str) -> MemoryBlobs:
        """One container."""
        return MemoryBlobs(self.account, self._hook, container)

    def lease(self, container: str = "work") -> MemoryLease:
        """Leases kept in one container."""
        return MemoryLease(self.account, self._hook, container)

    async def close(self) -> None:
        """Nothing to close."""


class MemoryTable(Port):
    """ports.Table."""

    def __init__(self, account: Account, hook: Hook, name: str) -> None:
        super().__init__(account, hook)
        self._name = name
        self._rows = account.tables.setdefault(name, {})

    async def get(self, partition: str, key: str) -> Row | None:
        """The row, or None."""
        return await self._do(f"{self._name}.get", lambda: self._rows.get((partition, key)))

    async def insert(self, row: Row) -> str:
        """The new row's ETag; StorageConflictError if it exists."""
        return await self._do(f"{self._name}.insert", lambda: self._write(row, "", new=True))

    async def replace(self, row: Row, etag: str) -> str:
        """The new ETag; StorageConflictError if the row is gone or has another ETag."""
        return await self._do(f"{self._name}.replace", lambda: self._write(row, etag))

    async def put(self, row: Row) -> str:
        """Insert or replace; the new ETag."""
        return await self._do(f"{self._name}.put", lambda: self._write(row, None))

    async def delete(self, partition: str, key: str, etag: str | None = None) -> None:
        """StorageConflictError where a given ETag does not match; a row that is gone is fine."""

        def work() -> None:
            found = self._rows.get((partition, key))
            if etag is not None and found is not None and found.etag != etag:
                raise StorageConflictError(self._name)
            self._rows.pop((partition, key), None)

        await self._do(f"{self._name}.delete", work)

    async def query(
        self, partition: str, *, start: str = "", end: str = "", limit: int = 1000
    ) -> AsyncIterator[Row]:
        """Rows of the partition with start ≤ key < end, in key order, at most limit."""
        keys = sorted(key for part, key in self._rows if part == partition)
        chosen = [key for key in keys if key >= start and (not end or key < end)][:limit]
        rows = await self._do(
            f"{self._name}.query", lambda: [self._rows[partition, key] for key in chosen]
        )
        for row in rows:
            yield row

    def _write(self, row: Row, etag: str | None, *, new: bool = False) -> str:
        place = (row.partition, row.key)
        found = self._rows.get(place)
        if new and found is not None:
            raise StorageConflictError(self._name)
        if not new and etag is not None and (found is None or found.etag != etag):
            raise StorageConflictError(self._name)
        token = f'W/"{self._account.number()}"'
        values = {name: _checked(value) for name, value in row.values.items()}
        self._rows[place] = Row(row.partition, row.key, values, token)
        return token


def _checked(value: Value) -> Value:
    size = 0
    if isinstance(value, str):
        size = len(value.encode("utf-16-le"))
    elif isinstance(value, bytes):
        size = len(value)
    elif isinstance(value, datetime):
        return value.astimezone(UTC)
    if size > PROPERTY:
        message = "a property holds at most 64 KiB"
        raise PermanentError(message)
    return value


class MemoryQueue(Port):
    """ports.Queue, and what a platform does with one: ``receive`` and ``delete``."""

    def __init__(self, account: Account, hook: Hook, name: str) -> None:
        super().__init__(account, hook)
        self._name = name
        self._messages = account.queues.setdefault(name, [])

    async def put(self, body: bytes, *, delay: float = 0.0) -> None:
        """Durable when it returns; visible after ``delay`` seconds."""

        def work() -> None:
            if len(body) > MESSAGE:
                message = f"queue put: {len(body)} bytes"
                raise PermanentError(message)
            visible = self._account.clock() + timedelta(seconds=max(delay, 0))
            now = self._account.clock()
            self._messages.append(Message(self._account.number(), body, visible, now))

        await self._do(f"{self._name}.put", work)

    async def take(self, hidden: float) -> tuple[Taken, ...]:
        """At most 32 of what waits; each comes back after ``hidden`` seconds."""

        def work() -> tuple[Taken, ...]:
            received = [self.receive(each, hidden) for each in self.visible()[:32]]
            return tuple(Taken(m.body, str(m.id), str(m.receipt)) for m in received)

        return await self._do(f"{self._name}.take", work)

    async def drop(self, taken: Taken) -> None:
        """Delete it, unless it is gone or was received again since."""

        def work() -> None:
            for each in [m for m in self._messages if str(m.id) == taken.id]:
                self.delete(each, int(taken.receipt))

        await self._do(f"{self._name}.drop", work)

    async def oldest(self) -> datetime | None:
        """When the first visible message was put there; None where nothing waits."""
        waiting = self.visible()
        return min(each.inserted for each in waiting) if waiting else None

    def visible(self) -> list[Message]:
        """Messages that may be received now."""
        now = self._account.clock()
        return [each for each in self._messages if each.visible <= now]

    def receive(self, message: Message, visibility: float = 60.0) -> Message:
        """Take one of the visible messages; it comes back after ``visibility`` seconds."""
        message.visible = self._account.clock() + timedelta(seconds=visibility)
        message.dequeued += 1
        message.receipt = self._account.number()
        return message

    def delete(self, message: Message, receipt: int) -> bool:
        """Delete what was received with this receipt; False if it was received again since."""
        if message.receipt != receipt or message not in self._messages:
            return False
        self._messages.remove(message)
        return True

    def __len__(self) -> int:
        return len(self._messages)
