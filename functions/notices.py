"""A timer sends what waits in the outbox: notices to people, alerts, the day's digest."""

from __future__ import annotations

import azure.functions as func

from shared.bootstrap import send_notices

bp = func.Blueprint()


@bp.function_name("send_notices")
@bp.timer_trigger(arg_name="timer", schedule="%SEKISHO_NOTICE_SCHEDULE%")
async def notices(timer: func.TimerRequest) -> None:
    """Many about one person are one notice; a failure is tried again."""
    del timer
    await send_notices()
