"""scan-results → audit log (once an event, in one hash chain), incidents, alerts."""

from __future__ import annotations

import azure.functions as func

from shared.bootstrap import export_record, look, publish_head, reader, tidy, verify_chain

bp = func.Blueprint()


@bp.function_name("audit")
@bp.queue_trigger(arg_name="msg", queue_name="scan-results", connection="SEKISHO_WORK")
async def audit(msg: func.QueueMessage) -> None:
    """Insert once; then whoever holds the sequencer's lease appends to the chain."""
    await reader("scan-results").handle(msg.get_body())


@bp.function_name("sign_head")
@bp.timer_trigger(arg_name="timer", schedule="%SEKISHO_HEAD_SCHEDULE%")
async def sign_head(timer: func.TimerRequest) -> None:
    """The signed head shows a truncation; in a quiet hour too."""
    del timer
    await publish_head()


@bp.function_name("verify_chain")
@bp.timer_trigger(arg_name="timer", schedule="%SEKISHO_VERIFY_SCHEDULE%")
async def verify(timer: func.TimerRequest) -> None:
    """What is new in the chain, and a further part of the whole; a break is an alert."""
    del timer
    await verify_chain()


@bp.function_name("export_record")
@bp.timer_trigger(arg_name="timer", schedule="%SEKISHO_EXPORT_SCHEDULE%")
async def export(timer: func.TimerRequest) -> None:
    """What is new of the record, for other tools: each record in one file of a format."""
    del timer
    await export_record()


@bp.function_name("watch")
@bp.timer_trigger(arg_name="timer", schedule="%SEKISHO_ALERT_SCHEDULE%")
async def watch(timer: func.TimerRequest) -> None:
    """What raises no error of its own: age, lapse, loss, standstill."""
    del timer
    await look()


@bp.function_name("retention")
@bp.timer_trigger(arg_name="timer", schedule="%SEKISHO_RETENTION_SCHEDULE%")
async def retention(timer: func.TimerRequest) -> None:
    """What is over its time goes, unless it is held; counters are counted anew."""
    del timer
    await tidy()
