"""One storage account's tables, queues, containers and leases, from one connection."""

from __future__ import annotations

import logging
from types import TracebackType
from typing import Any, Protocol, Self

from azure.core.credentials_async import AsyncTokenCredential
from azure.data.tables.aio import TableServiceClient
from azure.storage.blob.aio import BlobServiceClient
from azure.storage.queue.aio import QueueServiceClient

from shared.errors import SettingsError
from shared.ports import Blobs, Lease, Queue, Table
from shared.storage.blobs import AzureBlobs
from shared.storage.leases import AzureLease
from shared.storage.probe import Answered, probe, waiting
from shared.storage.queues import AzureQueue
from shared.storage.tables import AzureTable

# Few and quick: a longer outage is the queue's business (delivery), which loses nothing meanwhile.
RETRIES = 2
TIMES: dict[str, Any] = {"connection_timeout": 10, "read_timeout": 60}


class Stores(Protocol):
    """Where the ports on storage are made; the in-memory double has the same shape."""

    def table(self, name: str) -> Table:
        """One table."""

    def queue(self, name: str) -> Queue:
        """One queue."""

    def blobs(self, container: str) -> Blobs:
        """One container."""

    def lease(self, container: str = "work") -> Lease:
        """Leases kept in one container."""

    async def close(self) -> None:
        """Close the connections."""


class AzureStores:
    """The stores of one account; what is missing there is made at the first need.

    Either ``connection_string`` (the emulator's), or the three URLs with a ``credential``. Clients
    and their connections are shared: one AzureStores a process and account.
    """

    def __init__(
        self,
        *,
        connection_string: str = "",
        blob_url: str = "",
        queue_url: str = "",
        table_url: str = "",
        credential: AsyncTokenCredential | None = None,
        retries: int = RETRIES,
    ) -> None:
        _hush()
        storage: dict[str, Any] = {"retry_total": retries, "initial_backoff": 1, **TIMES}
        storage |= {"increment_base": 2, "random_jitter_range": 1}
        tables: dict[str, Any] = {"retry_total": retries, "retry_backoff_factor": 0.5, **TIMES}
        if connection_string:
            self._blobs = BlobServiceClient.from_connection_string(connection_string, **storage)
            self._queues = QueueServiceClient.from_connection_string(connection_string, **storage)
            self._tables = TableServiceClient.from_connection_string(connection_string, **tables)
        elif blob_url and queue_url and table_url and credential is not None:
            self._blobs = BlobServiceClient(blob_url, credential, **storage)
            self._queues = QueueServiceClient(queue_url, credential=credential, **storage)
            self._tables = TableServiceClient(table_url, credential=credential, **tables)
        else:
            message = "storage: give a connection string, or three service URLs and a credential"
            raise SettingsError(message)

    def table(self, name: str) -> AzureTable:
        """One table."""
        return AzureTable(self._tables.get_table_client(name))

    def queue(self, name: str) -> AzureQueue:
        """One queue."""
        return AzureQueue(self._queues.get_queue_client(name))

    def blobs(self, container: str) -> AzureBlobs:
        """One container."""
        return AzureBlobs(self._blobs.get_container_client(container))

    def lease(self, container: str = "work") -> AzureLease:
        """Leases kept in one container."""
        return AzureLease(self._blobs.get_container_client(container))

    async def probe(self) -> tuple[Answered, ...]:
        """How the account's three services answer to whoever this is."""
        return await probe(self._blobs, self._queues, self._tables)

    async def waiting(self) -> dict[str, int]:
        """About how many messages each queue holds, by its name; AzureError."""
        return await waiting(self._queues)

    async def close(self) -> None:
        """Close the connections."""
        await self._blobs.close()
        await self._queues.close()
        await self._tables.close()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self.close()


def _hush() -> None:
    """Keep the SDK from logging each request's address: the names of blobs and rows stand in it."""
    for name in ("azure.core.pipeline.policies.http_logging_policy", "azure.storage"):
        logging.getLogger(name).setLevel(logging.WARNING)
