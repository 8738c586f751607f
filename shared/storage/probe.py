"""Looking at an account without changing it: does it answer, whom does it let in, what waits?"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any

from azure.core.exceptions import (
    AzureError,
    ClientAuthenticationError,
    HttpResponseError,
    ResourceNotFoundError,
)
from azure.data.tables.aio import TableServiceClient
from azure.storage.blob.aio import BlobServiceClient
from azure.storage.queue.aio import QueueServiceClient

FORBIDDEN = (401, 403)


@dataclass(frozen=True, slots=True)
class Answered:
    """How one service of an account answered.

    ``state`` is ``ok``, ``refused`` (it knows us not, or a role is missing), ``unreached`` or
    ``failed``; ``detail`` an error's code or class; ``date`` the service's own clock.
    """

    kind: str
    state: str
    detail: str = ""
    date: datetime | None = None


async def probe(
    blobs: BlobServiceClient, queues: QueueServiceClient, tables: TableServiceClient
) -> tuple[Answered, ...]:
    """One harmless read of each service; what is not there yet counts as an answer."""

    async def first_row(**options: Any) -> None:
        rows = tables.get_table_client("ledger").query_entities(
            "PartitionKey eq '0'", results_per_page=1, **options
        )
        async for _ in rows:
            return

    return (
        await _ask("blob", blobs.get_container_client("work").get_container_properties),
        await _ask("queue", queues.get_queue_client("scan-items").get_queue_properties),
        await _ask("table", first_row),
    )


async def waiting(queues: QueueServiceClient) -> dict[str, int]:
    """About how many messages each queue holds, by its name; AzureError."""
    found = {}
    async for queue in queues.list_queues():
        with suppress(ResourceNotFoundError):  # removed in between
            client = queues.get_queue_client(queue.name)
            found[queue.name] = int(
                (await client.get_queue_properties()).approximate_message_count or 0
            )
    return found


async def _ask(kind: str, call: Callable[..., Awaitable[object]]) -> Answered:
    seen: dict[str, datetime] = {}

    def hook(answer: Any) -> None:
        with suppress(TypeError, ValueError):
            date = parsedate_to_datetime(answer.http_response.headers.get("Date"))
            seen["date"] = date.astimezone(UTC)

    state, detail = "ok", ""
    try:
        await call(raw_response_hook=hook)
    except ResourceNotFoundError:
        pass
    except ClientAuthenticationError as error:
        state, detail = "refused", type(error).__name__
    except HttpResponseError as error:
        state = "refused" if error.status_code in FORBIDDEN else "failed"
        detail = str(getattr(error, "error_code", "") or error.status_code or type(error).__name__)
    except (AzureError, OSError, ValueError) as error:
        state, detail = "unreached", type(error).__name__
    return Answered(kind, state, detail, seen.get("date"))
