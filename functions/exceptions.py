"""A timer → scan-items: what an exception's beginning and end concern is judged anew."""

from __future__ import annotations

import azure.functions as func

from shared.bootstrap import judge_anew

bp = func.Blueprint()


@bp.function_name("judge_anew")
@bp.timer_trigger(arg_name="timer", schedule="%SEKISHO_EXCEPTIONS_SCHEDULE%")
async def anew(timer: func.TimerRequest) -> None:
    """A release takes effect, and what it let go is stopped again at its end."""
    del timer
    await judge_anew()
