"""The record into a Log Analytics workspace (Microsoft Sentinel) by the Logs Ingestion API.

A call takes at most 1 MB, compressed or not (learn.microsoft.com/azure/azure-monitor/
service-limits#logs-ingestion-api). The SDK's own batches do not count the commas between rows and
may come to more, so the batches are made here; it signs, compresses and tries again. The API knows
no idempotence: after a crash between sending and noting it, rows come twice, with the same
``RecordNumber``.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, MutableMapping, Sequence
from typing import Any, Self

from azure.core.credentials_async import AsyncTokenCredential
from azure.core.exceptions import AzureError
from azure.monitor.ingestion.aio import LogsIngestionClient

from shared.audit.formats import Entry
from shared.audit.formats.sentinel import STREAM, row
from shared.storage.azure import translate

LIMIT = 900_000  # bytes of JSON a call
RETRIES = 4

type Json = MutableMapping[str, Any]


class Workspace:
    """``endpoint`` is the data collection endpoint's (or rule's) URL, ``rule`` its immutable id."""

    def __init__(
        self,
        endpoint: str,
        rule: str,
        credential: AsyncTokenCredential,
        *,
        stream: str = STREAM,
        **options: Any,
    ) -> None:
        self._client = LogsIngestionClient(endpoint, credential, retry_total=RETRIES, **options)
        self._rule = rule
        self._stream = stream
        # The stand-in of a test speaks http; a token goes over https alone otherwise.
        self._call: dict[str, Any] = (
            {} if endpoint.startswith("https") else {"enforce_https": False}
        )

    async def put(self, first: int, last: int, entries: Sequence[Entry]) -> None:
        """Send the rows of a range; errors of shared.errors."""
        del first, last  # each row names its record
        try:
            for batch in batches([row(each) for each in entries]):
                await self._client.upload(self._rule, self._stream, batch, **self._call)
        except AzureError as error:
            raise translate(error, "logs ingestion") from None

    async def close(self) -> None:
        """Close the connections."""
        await self._client.close()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()


def batches(rows: Sequence[Json], limit: int = LIMIT) -> Iterator[list[Json]]:
    """Rows cut into lists whose JSON stays below ``limit`` bytes (a row alone is below it)."""
    batch: list[Json] = []
    size = 2
    for each in rows:
        more = len(json.dumps(each)) + 2  # as the SDK writes it, and ", "
        if batch and size + more > limit:
            yield batch
            batch, size = [], 2
        batch.append(each)
        size += more
    if batch:
        yield batch
