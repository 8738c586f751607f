"""relay-results → what the relay, inside the government's network, says became of an order."""

from __future__ import annotations

import azure.functions as func

from shared.bootstrap import reader

bp = func.Blueprint()


@bp.function_name("relay_results")
@bp.queue_trigger(arg_name="msg", queue_name="relay-results", connection="SEKISHO_WORK")
async def relay_results(msg: func.QueueMessage) -> None:
    """Delivered or refused: recorded, and the cloud's copy goes or is a dead letter."""
    await reader("relay-results").handle(msg.get_body())
