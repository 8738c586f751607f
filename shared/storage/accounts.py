"""The three storage accounts of a deployment, and what stands on them alone; made at first use."""

from __future__ import annotations

from functools import cached_property
from typing import Any

from shared.ports import Clock
from shared.settings import Connection, Settings
from shared.storage.alerts import Alerts
from shared.storage.claimcheck import ClaimCheck
from shared.storage.dead_letters import DeadLetters
from shared.storage.stores import AzureStores


class Accounts:
    """By connection string (the emulator), or by URL and managed identity."""

    def __init__(self, settings: Settings, clock: Clock) -> None:
        self.settings = settings
        self.clock = clock

    def _stores(self, connection: Connection) -> AzureStores:
        if connection.string:
            return AzureStores(connection_string=connection.string)
        return AzureStores(
            blob_url=connection.blob_url,
            queue_url=connection.queue_url,
            table_url=connection.table_url,
            credential=managed_identity(connection.client_id),
        )

    @cached_property
    def work(self) -> AzureStores:
        """Queues, landing, claim checks, ledger and state."""
        return self._stores(self.settings.work)

    @cached_property
    def evidence(self) -> AzureStores:
        """Quarantine and evidence."""
        return self._stores(self.settings.evidence)

    @cached_property
    def audit(self) -> AzureStores:
        """Audit events, the chain, incidents and alerts."""
        return self._stores(self.settings.audit)

    @cached_property
    def alerts(self) -> Alerts:
        """What somebody should look at; beside the work, so that every role can raise one."""
        return Alerts(self.work.table("alerts"), self.clock)

    @cached_property
    def dead(self) -> DeadLetters:
        """What failed for good."""
        return DeadLetters(self.work.blobs("deadletters"), self.alerts, self.work.queue, self.clock)

    @cached_property
    def checks(self) -> ClaimCheck:
        """What outgrows a message or a row."""
        return ClaimCheck(self.work.blobs("work"))


def managed_identity(client_id: str) -> Any:
    """The credential of this app in the cloud; the system's own identity where there is no id."""
    from azure.identity.aio import ManagedIdentityCredential  # noqa: PLC0415 - cloud alone

    return ManagedIdentityCredential(client_id=client_id or None)
