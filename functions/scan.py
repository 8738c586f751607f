"""scan-items → fetch, extract, detect, decide, act → scan-results."""

from __future__ import annotations

import azure.functions as func

from shared.bootstrap import reader

bp = func.Blueprint()


@bp.function_name("scan_item")
@bp.queue_trigger(arg_name="msg", queue_name="scan-items", connection="SEKISHO_WORK")
async def scan_item(msg: func.QueueMessage) -> None:
    """Fresh items."""
    await reader("scan-items").handle(msg.get_body())


@bp.function_name("scan_bulk")
@bp.queue_trigger(arg_name="msg", queue_name="scan-bulk", connection="SEKISHO_WORK")
async def scan_bulk(msg: func.QueueMessage) -> None:
    """Existing content, behind the fresh items."""
    await reader("scan-bulk").handle(msg.get_body())
