"""Blobs and leases in memory."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from datetime import timedelta

from local.memory_account import Account, HeldBlob, HeldLease, Hook, Port
from shared.errors import (
    BusyError,
    GoneError,
    LeaseLostError,
    PermanentError,
    StorageConflictError,
)
from shared.ports import Blob

BLOCK = 4 * 1024 * 1024


class MemoryBlobs(Port):
    """ports.Blobs: one container."""

    def __init__(self, account: Account, hook: Hook, container: str) -> None:
        super().__init__(account, hook)
        self._name = container
        self._blobs = account.containers.setdefault(container, {})

    async def put(
        self,
        name: str,
        data: bytes,
        *,
        metadata: Mapping[str, str] | None = None,
        tags: Mapping[str, str] | None = None,
        only_new: bool = False,
        etag: str | None = None,
    ) -> str:
        """Write a block blob; ``only_new`` or ``etag`` make it conditional. The new ETag."""

        def work() -> str:
            found = self._blobs.get(name)
            if only_new and found is not None:
                raise StorageConflictError(self._name)
            self._match(found, etag)
            token = self._etag()
            self._blobs[name] = HeldBlob(
                bytearray(data), token, metadata=dict(metadata or {}), tags=dict(tags or {})
            )
            return token

        return await self._do(f"{self._name}.put", work)

    async def get(self, name: str) -> Blob:
        """The whole blob; GoneError."""

        def work() -> Blob:
            found = self._found(name)
            return Blob(bytes(found.data), found.etag, dict(found.metadata))

        return await self._do(f"{self._name}.get", work)

    async def properties(self, name: str) -> Blob | None:
        """ETag and metadata with empty data, or None."""

        def work() -> Blob | None:
            found = self._blobs.get(name)
            return Blob(b"", found.etag, dict(found.metadata)) if found else None

        return await self._do(f"{self._name}.properties", work)

    async def delete(self, name: str, *, etag: str | None = None) -> None:
        """Idempotent without an ETag; StorageConflictError where a given ETag does not match."""

        def work() -> None:
            self._match(self._blobs.get(name), etag)
            self._blobs.pop(name, None)

        await self._do(f"{self._name}.delete", work)

    async def set_tags(self, name: str, tags: Mapping[str, str]) -> None:
        """Replace the blob's index tags."""

        def work() -> None:
            self._found(name).tags = dict(tags)

        await self._do(f"{self._name}.set_tags", work)

    async def get_tags(self, name: str) -> Mapping[str, str]:
        """The blob's index tags."""
        return await self._do(f"{self._name}.get_tags", lambda: dict(self._found(name).tags))

    async def append(self, name: str, data: bytes, *, at: int) -> int:
        """Append one block at exactly ``at`` bytes; the new size, or StorageConflictError."""

        def work() -> int:
            if len(data) > BLOCK:
                message = "a block holds at most 4 MiB"
                raise PermanentError(message)
            found = self._blobs.get(name)
            if found is None and at == 0:
                found = self._blobs[name] = HeldBlob(bytearray(), self._etag(), append=True)
            if found is None or not found.append or len(found.data) != at:
                raise StorageConflictError(self._name)
            found.data += data
            found.etag = self._etag()
            return len(found.data)

        return await self._do(f"{self._name}.append", work)

    async def read_range(self, name: str, start: int, length: int | None = None) -> bytes:
        """The bytes from ``start``, at most ``length``; empty if the blob is missing or shorter."""

        def work() -> bytes:
            found = self._blobs.get(name)
            end = None if length is None else start + length
            return bytes(found.data[start:end]) if found else b""

        return await self._do(f"{self._name}.read_range", work)

    async def names(self, prefix: str = "") -> AsyncIterator[str]:
        """Names in order."""
        found = await self._do(
            f"{self._name}.names", lambda: sorted(n for n in self._blobs if n.startswith(prefix))
        )
        for name in found:
            yield name

    def _found(self, name: str) -> HeldBlob:
        try:
            return self._blobs[name]
        except KeyError:
            raise GoneError(self._name) from None

    def _match(self, found: HeldBlob | None, etag: str | None) -> None:
        if etag is not None and (found is None or found.etag != etag):
            raise StorageConflictError(self._name)

    def _etag(self) -> str:
        return f'"0x{self._account.number():X}"'


class MemoryLease(Port):
    """ports.Lease."""

    def __init__(self, account: Account, hook: Hook, container: str) -> None:
        super().__init__(account, hook)
        self._container = container

    async def acquire(self, name: str, seconds: int = 30) -> str:
        """A token; BusyError while someone else holds it. Seconds are held to 15…60."""

        def work() -> str:
            now = self._account.clock()
            found = self._account.leases.get((self._container, name))
            if found is not None and found.until > now:
                message = f"lease {name} is held"
                raise BusyError(message)
            length = min(max(seconds, 15), 60)
            token = f"lease-{self._account.number()}"
            self._account.leases[self._container, name] = HeldLease(
                token, now + timedelta(seconds=length), length
            )
            return token

        return await self._do("lease.acquire", work)

    async def renew(self, name: str, token: str, seconds: int = 30) -> None:
        """Extend by the length it was acquired for; LeaseLostError if it was taken over."""
        del seconds

        def work() -> None:
            found = self._account.leases.get((self._container, name))
            if found is None or found.token != token:
                message = f"lease {name} was taken over"
                raise LeaseLostError(message)
            found.until = self._account.clock() + timedelta(seconds=found.seconds)

        await self._do("lease.renew", work)

    async def release(self, name: str, token: str) -> None:
        """Give back; never raises for a lease that is lost already."""

        def work() -> None:
            found = self._account.leases.get((self._container, name))
            if found is not None and found.token == token:
                del self._account.leases[self._container, name]

        await self._do("lease.release", work)
