"""A blob in the landing container → one item a recipient on scan-items.

Only the blob's name is used: scanning reads the content itself, under the ledger's claim.
"""

from __future__ import annotations

import os

import azure.functions as func

from shared.bootstrap import gate

bp = func.Blueprint()

# Flex Consumption knows EventGrid alone; the Core Tools on one machine can only poll.
POLLING = os.environ.get("SEKISHO_BLOB_SOURCE") == "LogsAndContainerScan"
SOURCE = func.BlobSource.LOGS_AND_CONTAINER_SCAN if POLLING else func.BlobSource.EVENT_GRID


@bp.function_name("landing")
@bp.blob_trigger(arg_name="blob", path="landing/{name}", connection="SEKISHO_WORK", source=SOURCE)
async def landing(blob: func.InputStream) -> None:
    """An upload has landed."""
    await gate().landed((blob.name or "").partition("/")[2])
