"""A blob in the landing container → one item a recipient on scan-items.

Only the blob's name is used: scanning reads the content itself, under the ledger's claim. In a
private network Event Grid cannot push, so its events come by the queue ``landing-events`` instead.
"""

from __future__ import annotations

import os

import azure.functions as func

from shared.bootstrap import arrivals, gate, stranded
from shared.storage.landed import QUEUE

bp = func.Blueprint()

# Flex Consumption knows EventGrid alone; the Core Tools on one machine can only poll.
WAY = os.environ.get("SEKISHO_BLOB_SOURCE")
POLLING = WAY == "LogsAndContainerScan"
SOURCE = func.BlobSource.LOGS_AND_CONTAINER_SCAN if POLLING else func.BlobSource.EVENT_GRID


async def landing(blob: func.InputStream) -> None:
    """An upload has landed."""
    await gate().landed((blob.name or "").partition("/")[2])


async def landing_stranded(timer: func.TimerRequest) -> None:
    """An upload whose function died five times under it (a deployment, a scale-in) lands again.

    By a timer, as in ``dead_letters``.
    """
    del timer
    await stranded().settle()


async def landing_event(msg: func.QueueMessage) -> None:
    """Event Grid says that an upload has landed."""
    await arrivals().handle(msg.get_body())


if WAY == "StorageQueue":
    bp.function_name("landing_event")(
        bp.queue_trigger(arg_name="msg", queue_name=QUEUE, connection="SEKISHO_WORK")(landing_event)
    )
else:
    bp.function_name("landing")(
        bp.blob_trigger(
            arg_name="blob", path="landing/{name}", connection="SEKISHO_WORK", source=SOURCE
        )(landing)
    )
    bp.function_name("landing_stranded")(
        bp.timer_trigger(arg_name="timer", schedule="%SEKISHO_POISON_SCHEDULE%")(landing_stranded)
    )
