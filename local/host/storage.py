"""Connections: the name of a setting → the storage clients, one pair a connection string."""

from __future__ import annotations

import asyncio
import hashlib
import re
import socket
from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path
from typing import Any

from azure.core.exceptions import ResourceExistsError
from azure.storage.blob.aio import BlobServiceClient
from azure.storage.queue.aio import QueueServiceClient

from local.host.errors import HostRefusedError

# What UseDevelopmentStorage=true stands for; the emulator's account and key are published
# (learn.microsoft.com/azure/storage/common/storage-use-azurite#well-known-storage-account-and-key).
_ACCOUNT = "devstoreaccount1"
DEVELOPMENT = (
    f"DefaultEndpointsProtocol=http;AccountName={_ACCOUNT};AccountKey="
    "Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw==;"
    f"BlobEndpoint=http://127.0.0.1:10000/{_ACCOUNT};"
    f"QueueEndpoint=http://127.0.0.1:10001/{_ACCOUNT};"
)
# The SDK's own first retry waits 15 s: too long where Azurite restarts in one.
_RETRIES: Mapping[str, Any] = {
    "initial_backoff": 1,
    "increment_base": 2,
    "random_jitter_range": 0,
    "retry_total": 3,
}


class Storage:
    """The app's storage accounts, opened when first asked for."""

    def __init__(self, settings: Mapping[str, str]) -> None:
        self._settings = settings
        self._clients: dict[str, tuple[BlobServiceClient, QueueServiceClient]] = {}

    def blobs(self, connection: str) -> BlobServiceClient:
        """Blobs of a connection; HostRefusedError if its setting does not serve."""
        return self._pair(connection)[0]

    def queues(self, connection: str) -> QueueServiceClient:
        """Queues of a connection; HostRefusedError if its setting does not serve."""
        return self._pair(connection)[1]

    async def close(self) -> None:
        """Close every client."""
        for blobs, queues in self._clients.values():
            await asyncio.gather(blobs.close(), queues.close())

    def _pair(self, connection: str) -> tuple[BlobServiceClient, QueueServiceClient]:
        text = self._connection_string(connection)
        if text not in self._clients:
            try:
                self._clients[text] = (
                    BlobServiceClient.from_connection_string(text, **_RETRIES),
                    QueueServiceClient.from_connection_string(text, **_RETRIES),
                )
            except ValueError as error:
                message = f"the setting {connection} is not a storage connection string"
                raise HostRefusedError(message) from error
        return self._clients[text]

    def _connection_string(self, connection: str) -> str:
        text = self._settings.get(connection) or self._settings.get(f"AzureWebJobs{connection}")
        if text:
            short = text.strip().rstrip(";").lower() == "usedevelopmentstorage=true"
            return DEVELOPMENT if short else text
        prefix = f"{connection}__".lower()
        identity = sorted(name for name in self._settings if name.lower().startswith(prefix))
        if identity:
            message = (
                f"the connection {connection} is by identity ({', '.join(identity)}): the local "
                f"host has none; set {connection} to a connection string or "
                "UseDevelopmentStorage=true"
            )
        else:
            message = f"the connection {connection} is not set: give it a connection string"
        raise HostRefusedError(message)


async def create_missing(create: Callable[[], Awaitable[Any]]) -> None:
    """Create a container or a queue, or find it there."""
    try:
        await create()
    except ResourceExistsError:
        return


def host_id(appdir: Path, settings: Mapping[str, str]) -> str:
    """The name of the app's receipts and timer states: stable for an app folder on a machine.

    ``AzureFunctionsWebHost__hostid`` sets it, as in the cloud.
    """
    given = settings.get("AzureFunctionsWebHost__hostid")
    if given:
        return given
    name = re.sub(r"[^a-z0-9]", "", socket.gethostname().lower())[:20]
    digest = hashlib.sha256(str(appdir).encode()).hexdigest()[:10]
    return f"{name or 'local'}-{digest}"
