"""ports.Lease on blob leases: one empty blob a name."""

from __future__ import annotations

from azure.storage.blob.aio import BlobLeaseClient, ContainerClient

from shared.errors import BusyError, GoneError, LeaseLostError, StorageConflictError
from shared.storage.azure import Place
from shared.storage.blobs import AzureBlobs

# learn.microsoft.com/rest/api/storageservices/lease-blob: 15 to 60 seconds, or for ever.
SHORTEST, LONGEST = 15, 60


class AzureLease:
    """Leases on the blobs ``leases/{name}`` of one container."""

    def __init__(self, client: ContainerClient) -> None:
        self._client = client
        self._place = Place(client.create_container)
        self._blobs = AzureBlobs(client)

    async def acquire(self, name: str, seconds: int = 30) -> str:
        """A token; BusyError while someone else holds it. Seconds are held to 15…60."""
        length = min(max(seconds, SHORTEST), LONGEST)
        lease = self._lease(name)
        try:
            await self._place.run("lease acquire", lambda: lease.acquire(length))
        except GoneError:
            await self._make(name)
            return await self.acquire(name, seconds)
        except StorageConflictError:
            message = f"lease {name} is held"
            raise BusyError(message) from None
        return lease.id

    async def renew(self, name: str, token: str, seconds: int = 30) -> None:
        """Extend by the length it was acquired for; LeaseLostError if it was taken over."""
        del seconds  # a blob lease keeps its length
        lease = self._lease(name, token)
        try:
            await self._place.run("lease renew", lease.renew)
        except (StorageConflictError, GoneError):
            message = f"lease {name} was taken over"
            raise LeaseLostError(message) from None

    async def release(self, name: str, token: str) -> None:
        """Give back; never raises for a lease that is lost already."""
        lease = self._lease(name, token)
        try:
            await self._place.run("lease release", lease.release)
        except (StorageConflictError, GoneError):
            return

    def _lease(self, name: str, token: str | None = None) -> BlobLeaseClient:
        return BlobLeaseClient(self._client.get_blob_client(f"leases/{name}"), lease_id=token)

    async def _make(self, name: str) -> None:
        try:
            await self._blobs.put(f"leases/{name}", b"", only_new=True)
        except StorageConflictError:
            return  # somebody else made it
