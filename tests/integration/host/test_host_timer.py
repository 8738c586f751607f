"""Timer triggers: schedule, memory, retries."""

from __future__ import annotations

import contextlib
import datetime as dt
import json

from azure.core.exceptions import ResourceExistsError, ResourceNotFoundError

from tests.integration.host.host_bench import call, until

HOURLY = "0 0 * * * *"


def test_timer_fires_by_its_schedule(bench):
    with bench.host(env={"TICK": "* * * * * *"}):
        assert bench.receive_json("ticks", 2, within=6) == [{"past_due": False}] * 2


def test_timer_remembers_its_next_time(bench):
    with bench.host(env={"TICK": HOURLY}):
        following = dt.datetime.fromisoformat(until(lambda: _state(bench))["Next"])
        assert dt.timedelta(0) < following - dt.datetime.now(dt.UTC) <= dt.timedelta(hours=1)
        assert bench.receive("ticks", within=0.3) == []


def test_timer_time_that_passed_while_the_host_was_down_is_made_up_for_once(bench):
    past = (dt.datetime.now(dt.UTC) - dt.timedelta(hours=5)).isoformat()
    with contextlib.suppress(ResourceExistsError):
        bench.blobs.create_container("azure-webjobs-hosts")
    _blob(bench).upload_blob(json.dumps({"Last": past, "Next": past, "LastUpdated": past}))
    with bench.host(env={"TICK": HOURLY}):
        assert bench.receive_json("ticks", 2, within=2) == [{"past_due": True}]
        assert dt.datetime.fromisoformat(_state(bench)["Next"]) > dt.datetime.now(dt.UTC)


def test_timer_run_on_startup(bench, app_folder):
    folder = app_folder(f"""
import azure.functions as func
app = func.FunctionApp()
@app.timer_trigger(arg_name="t", schedule="{HOURLY}", run_on_startup=True)
@app.queue_output(arg_name="out", queue_name="%RUN%-ticks", connection="AzureWebJobsStorage")
def tick(t: func.TimerRequest, out: func.Out[str]) -> None:
    out.set("ran")
""")
    with bench.host(appdir=folder):
        assert bench.receive("ticks") == ["ran"]


def test_timer_is_tried_again_by_its_retry_policy(bench, app_folder):
    folder = app_folder("""
import azure.functions as func
app = func.FunctionApp()
@app.timer_trigger(arg_name="t", schedule="0 0 0 1 1 *", run_on_startup=True)
@app.retry(strategy="fixed_delay", max_retry_count="2", delay_interval="00:00:00")
@app.queue_output(arg_name="out", queue_name="%RUN%-retries", connection="AzureWebJobsStorage")
def stubborn(t: func.TimerRequest, context: func.Context, out: func.Out[str]) -> None:
    tried, most = context.retry_context.retry_count, context.retry_context.max_retry_count
    if tried < 2:
        raise ValueError("planted")
    out.set(f"{tried} of {most}")
""")
    with bench.host(appdir=folder):
        assert bench.receive("retries") == ["2 of 2"]


def test_timer_run_by_hand_is_not_retried(host, shared_bench):
    path = "/admin/functions/stubborn"
    assert call(host, path, method="POST", body="{}", key=host.master_key)[0] == 202
    assert shared_bench.receive("retries", within=1) == []


def _blob(bench):
    name = f"timers/{bench.run}/Host.Functions.tick/status"
    return bench.blobs.get_blob_client("azure-webjobs-hosts", name)


def _state(bench):
    try:
        return json.loads(_blob(bench).download_blob().readall())
    except ResourceNotFoundError:
        return None
