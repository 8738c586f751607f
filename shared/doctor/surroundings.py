"""What the checks look at; a test puts another clock or credential in."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from shared.graph.client import Graph
from shared.graph.credential import StaticTokenCredential
from shared.ports import Clock
from shared.settings import Connection, Settings
from shared.storage.stores import AzureStores

QUICK = 1  # retries: a person is waiting


@dataclass
class Surroundings:
    """The environment of an app. ``who`` gives the credential for a client id."""

    env: Mapping[str, str] = field(repr=False)
    clock: Clock
    who: Callable[[str], Any]

    def stores(self, connection: Connection) -> AzureStores:
        """An account as this app reaches it; the caller closes it. SettingsError, ValueError."""
        if connection.string:
            return AzureStores(connection_string=connection.string, retries=QUICK)
        return AzureStores(
            blob_url=connection.blob_url,
            queue_url=connection.queue_url,
            table_url=connection.table_url,
            credential=self.who(connection.client_id),
            retries=QUICK,
        )

    def graph(self, settings: Settings) -> tuple[Graph, Any]:
        """The client and its credential."""
        base = settings.graph_base_url
        local = settings.graph_credential == "local"
        credential = StaticTokenCredential(base) if local else self.who(settings.client_id)
        return Graph(credential, base_url=base, timeout=15.0), credential
