"""Evidence: a copy of what is about to be blocked, read back before anything is removed."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass

from shared.errors import PermanentError, StorageConflictError
from shared.ports import Blobs
from shared.storage.alerts import Alerts


class EvidenceError(PermanentError):
    """The copy is not what was written; nothing may be removed on the strength of it."""


@dataclass(frozen=True, slots=True)
class Evidence:
    """The container ``evidence`` (or ``quarantine``): written once, never overwritten."""

    blobs: Blobs
    alerts: Alerts
    container: str = "evidence"

    async def keep(self, key: str, data: bytes, metadata: Mapping[str, str] | None = None) -> str:
        """Write ``data`` once, read it back, compare; the reference ``{container}/{key}``.

        ``key`` is the ledger's key (64 hex digits, perhaps with a suffix). Idempotent;
        EvidenceError and an alert where the blob holds anything else.
        """
        ref = f"{self.container}/{key}"
        digest = hashlib.sha256(data).hexdigest()
        noted = {**(metadata or {}), "sha256": digest}
        with suppress(StorageConflictError):  # an earlier attempt wrote it: the comparison decides
            await self.blobs.put(key, data, metadata=noted, only_new=True)
        found = await self.blobs.get(key)
        if hashlib.sha256(found.data).hexdigest() != digest:
            await self.alerts.once("evidence_mismatch", ref)
            message = f"{ref} differs from what was to be kept"
            raise EvidenceError(message)
        return ref

    async def read(self, ref: str) -> bytes:
        """The bytes of a reference; GoneError."""
        return (await self.blobs.get(ref.removeprefix(f"{self.container}/"))).data
