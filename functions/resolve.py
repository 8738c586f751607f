"""Hints and jobs → items: what changed, by id or by delta under one lease a drive."""

from __future__ import annotations

import azure.functions as func

from shared.bootstrap import reader

bp = func.Blueprint()


@bp.function_name("resolve_hint")
@bp.queue_trigger(arg_name="msg", queue_name="graph-hints", connection="SEKISHO_WORK")
async def resolve_hint(msg: func.QueueMessage) -> None:
    """graph-hints → scan-items."""
    await reader("graph-hints").handle(msg.get_body())


@bp.function_name("resolve_job")
@bp.queue_trigger(arg_name="msg", queue_name="graph-jobs", connection="SEKISHO_WORK")
async def resolve_job(msg: func.QueueMessage) -> None:
    """graph-jobs (enrol, renew, sweep) → subscriptions, scan-items."""
    await reader("graph-jobs").handle(msg.get_body())
