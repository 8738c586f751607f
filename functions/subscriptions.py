"""Timers → graph-jobs: enrol and renew subscriptions, sweep for what notifications lost."""

from __future__ import annotations

import azure.functions as func

from shared.bootstrap import timers

bp = func.Blueprint()


@bp.function_name("renew_subscriptions")
@bp.timer_trigger(arg_name="timer", schedule="%SEKISHO_RENEW_SCHEDULE%")
async def renew_subscriptions(timer: func.TimerRequest) -> None:
    """Every watched account has its subscriptions, renewed well before they expire."""
    del timer
    await timers().renew()


@bp.function_name("sweep")
@bp.timer_trigger(arg_name="timer", schedule="%SEKISHO_SWEEP_SCHEDULE%")
async def sweep(timer: func.TimerRequest) -> None:
    """Nothing depends on the arrival of a notification."""
    del timer
    await timers().sweep()
