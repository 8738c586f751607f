"""Poison queues → durable dead letters and alerts (poison messages expire after seven days).

Fixed by the platform: github.com/Azure/azure-webjobs-sdk-extensions/issues/891.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable

import azure.functions as func

from shared.bootstrap import undertaker

bp = func.Blueprint()

QUEUES = (
    "graph-hints",
    "graph-jobs",
    "landing-events",
    "scan-items",
    "scan-bulk",
    "scan-results",
    "relay-results",
    "relay-deliver",
)


def _keeper(queue: str) -> Callable[[func.QueueMessage], Awaitable[None]]:
    async def keep(msg: func.QueueMessage) -> None:
        await undertaker(queue).bury(msg.get_body())

    keep.__doc__ = f"{queue}-poison → dead letter."
    return keep


for _queue in QUEUES:
    bp.function_name(f"dead_letter_{_queue.replace('-', '_')}")(
        bp.queue_trigger(arg_name="msg", queue_name=f"{_queue}-poison", connection="SEKISHO_WORK")(
            _keeper(_queue)
        )
    )
