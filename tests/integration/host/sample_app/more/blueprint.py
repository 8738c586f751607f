"""Queue, blob and timer functions; names of queues and containers begin with the setting RUN."""

from __future__ import annotations

import json
import os
import time

import azure.functions as func

blueprint = func.Blueprint()
STORE = "AzureWebJobsStorage"


@blueprint.blob_trigger(
    arg_name="blob",
    path="%RUN%-inbox/{folder}/{name}.eml",
    connection=STORE,
    source=func.BlobSource.EVENT_GRID,
)
@blueprint.queue_output(arg_name="out", queue_name="%RUN%-work", connection=STORE)
def on_blob(blob: func.InputStream, out: func.Out[str]) -> None:
    """Hands a blob's name, length and metadata to the work queue."""
    if blob.name.endswith("bad.eml"):
        message = "planted"
        raise ValueError(message)
    data = blob.read()
    out.set(
        json.dumps(
            {"name": blob.name, "length": len(data), "meta": blob.metadata}, ensure_ascii=False
        )
    )


@blueprint.queue_trigger(arg_name="msg", queue_name="%RUN%-work", connection=STORE)
@blueprint.queue_output(arg_name="out", queue_name="%RUN%-done", connection=STORE)
async def on_work(msg: func.QueueMessage, out: func.Out[str]) -> None:
    """Passes a message on, or misbehaves as it says."""
    text = msg.get_body().decode()
    job = json.loads(text) if text.startswith("{") else {}
    count = msg.dequeue_count
    if job.get("do") == "fail":
        message = "planted"
        raise ValueError(message)
    if job.get("do") == "crash" and count == 1:
        os._exit(3)
    if job.get("do") == "hang" and count == 1:
        time.sleep(60)  # noqa: ASYNC251 - blocks the worker's loop: only a kill helps
    out.set(json.dumps({"got": job or text, "count": count, "pid": os.getpid()}))


@blueprint.queue_trigger(arg_name="msg", queue_name="%RUN%-slow", connection="STORE_B")
@blueprint.queue_output(arg_name="out", queue_name="%RUN%-done", connection=STORE)
def on_slow(msg: func.QueueMessage, out: func.Out[str]) -> None:
    """Works for as many seconds as the message says."""
    seconds = float(msg.get_body())
    time.sleep(seconds)
    out.set(json.dumps({"slept": seconds, "count": msg.dequeue_count}))


@blueprint.queue_trigger(arg_name="msg", queue_name="%RUN%-many", connection=STORE)
@blueprint.queue_output(arg_name="$return", queue_name="%RUN%-done", connection=STORE)
def on_many(msg: func.QueueMessage) -> str:
    """A returned JSON array is one message an element."""
    return msg.get_body().decode()


@blueprint.timer_trigger(arg_name="timer", schedule="%TICK%", run_on_startup=False)
@blueprint.queue_output(arg_name="out", queue_name="%RUN%-ticks", connection=STORE)
def tick(timer: func.TimerRequest, out: func.Out[str]) -> None:
    """Says that it ran."""
    out.set(json.dumps({"past_due": timer.past_due}))


@blueprint.timer_trigger(arg_name="timer", schedule="0 0 0 1 1 *", use_monitor=False)
@blueprint.retry(strategy="fixed_delay", max_retry_count="2", delay_interval="00:00:00")
@blueprint.queue_output(arg_name="out", queue_name="%RUN%-retries", connection=STORE)
def stubborn(
    timer: func.TimerRequest,  # noqa: ARG001 - the binding's name
    context: func.Context,
    out: func.Out[str],
) -> None:
    """Fails twice, then says how often it was tried again."""
    tried = context.retry_context.retry_count
    if tried < 2:
        message = "planted"
        raise ValueError(message)
    out.set(str(tried))
