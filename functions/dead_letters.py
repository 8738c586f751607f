"""Poison queues → their queue again, or durable dead letters and alerts.

By a timer: a queue trigger would never again run a message of a poison queue whose function died
five times, and it would expire after seven days
(github.com/Azure/azure-webjobs-sdk-extensions/issues/891).
"""

from __future__ import annotations

import azure.functions as func

from shared.bootstrap import settle_poison

bp = func.Blueprint()


@bp.function_name("dead_letters")
@bp.timer_trigger(arg_name="timer", schedule="%SEKISHO_POISON_SCHEDULE%")
async def dead_letters(timer: func.TimerRequest) -> None:
    """What workers died under is tried again; what they always die under is kept and told of."""
    del timer
    await settle_poison()
