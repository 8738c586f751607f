"""ports.Blobs on Azure Blob storage: one container."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from typing import Any
from urllib.parse import quote, unquote

from azure.core import MatchConditions
from azure.core.exceptions import AzureError, HttpResponseError
from azure.storage.blob.aio import BlobClient, ContainerClient

from shared.errors import GoneError, StorageConflictError
from shared.ports import Blob
from shared.storage.azure import MISSING, Place, code_of, translate

UNSATISFIABLE = 416
# Metadata are HTTP headers, so ASCII; "%" is kept out so that what is read is what was written.
PLAIN = " !#$&'()*+,-./:;<=>?@[]^_`{|}~\""


class AzureBlobs:
    """One container; made at the first need."""

    def __init__(self, client: ContainerClient) -> None:
        self._client = client
        self._place = Place(client.create_container)

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
        """Write a block blob, whole or not at all; ``only_new`` or ``etag`` make it conditional."""
        options: dict[str, Any] = {"overwrite": not only_new}
        if etag is not None:
            options |= {"etag": etag, "match_condition": MatchConditions.IfNotModified}
        if tags:
            options["tags"] = dict(tags)
        written = {key: quote(value, safe=PLAIN) for key, value in (metadata or {}).items()}
        try:
            done = await self._run(
                "blob put",
                name,
                lambda blob: blob.upload_blob(data, metadata=written or None, **options),
            )
        except GoneError as error:  # If-Match on a blob that is gone
            raise StorageConflictError(str(error)) from None
        return str(done["etag"])

    async def get(self, name: str) -> Blob:
        """The whole blob; GoneError."""

        async def read(blob: BlobClient) -> Blob:
            stream = await blob.download_blob()
            data = await stream.readall()
            found = stream.properties
            return Blob(data, str(found.etag), _plain(found.metadata))

        return await self._run("blob get", name, read)

    async def properties(self, name: str) -> Blob | None:
        """ETag and metadata with empty data, or None."""
        try:
            found = await self._run(
                "blob properties", name, lambda blob: blob.get_blob_properties()
            )
        except GoneError:
            return None
        return Blob(b"", str(found.etag), _plain(found.metadata))

    async def delete(self, name: str, *, etag: str | None = None) -> None:
        """Idempotent without an ETag; StorageConflictError where a given ETag does not match."""
        options: dict[str, Any] = {}
        if etag is not None:
            options = {"etag": etag, "match_condition": MatchConditions.IfNotModified}
        try:
            await self._run("blob delete", name, lambda blob: blob.delete_blob(**options))
        except GoneError as error:
            if etag is not None:
                raise StorageConflictError(str(error)) from None

    async def set_tags(self, name: str, tags: Mapping[str, str]) -> None:
        """Replace the blob's index tags."""
        await self._run("blob tags", name, lambda blob: blob.set_blob_tags(dict(tags)))

    async def get_tags(self, name: str) -> Mapping[str, str]:
        """The blob's index tags."""
        return await self._run("blob tags", name, lambda blob: blob.get_blob_tags())

    async def append(self, name: str, data: bytes, *, at: int) -> int:
        """Append one block at exactly ``at`` bytes; the new size, or StorageConflictError."""

        async def write(blob: BlobClient) -> int:
            if at == 0:
                await _create_append_blob(blob)
            await blob.append_block(data, appendpos_condition=at)
            return at + len(data)

        try:
            return await self._run("blob append", name, write)
        except GoneError as error:
            raise StorageConflictError(str(error)) from None

    async def read_range(self, name: str, start: int, length: int | None = None) -> bytes:
        """The bytes from ``start``, at most ``length``; empty if the blob is missing or shorter."""

        async def read(blob: BlobClient) -> bytes:
            try:
                stream = await blob.download_blob(offset=start, length=length)
                return await stream.readall()
            except HttpResponseError as error:
                if error.status_code == UNSATISFIABLE:
                    return b""
                raise

        try:
            return await self._run("blob read", name, read)
        except GoneError:
            return b""

    async def names(self, prefix: str = "") -> AsyncIterator[str]:
        """Names in order."""
        try:
            async for name in self._client.list_blob_names(name_starts_with=prefix):
                yield name
        except AzureError as error:
            if not (isinstance(error, HttpResponseError) and code_of(error) in MISSING):
                raise translate(error, "blob names") from None

    async def _run[T](
        self, operation: str, name: str, call: Callable[[BlobClient], Awaitable[T]]
    ) -> T:
        blob = self._client.get_blob_client(name)
        return await self._place.run(operation, lambda: call(blob))


async def _create_append_blob(blob: BlobClient) -> None:
    """Create an empty append blob unless one is there (else its content would be lost)."""
    try:
        await blob.create_append_blob(match_condition=MatchConditions.IfMissing)
    except HttpResponseError as error:
        if code_of(error) != "BlobAlreadyExists":
            raise


def _plain(metadata: Mapping[str, str] | None) -> dict[str, str]:
    return {key: unquote(value) for key, value in (metadata or {}).items()}
