"""Blob triggers: polling, receipts, poison, events."""

from __future__ import annotations

import base64
import json
import time

import pytest
from azure.core.exceptions import ResourceNotFoundError

from tests.integration.host.host_bench import call, status, until


@pytest.mark.usefixtures("host")
def test_blob_to_queue_to_queue(shared_bench):
    shared_bench.upload("inbox", "総務/請求書.eml", b"12345", metadata={"src": "mail"})
    (done,) = shared_bench.receive_json("done")
    assert done["got"] == {
        "name": f"{shared_bench.run}-inbox/総務/請求書.eml",
        "length": 5,
        "meta": {"src": "mail"},
    }


@pytest.mark.usefixtures("host")
def test_blob_that_does_not_match_the_path_does_not_fire(shared_bench):
    shared_bench.upload("inbox", "paths/x.txt")
    shared_bench.upload("inbox", "top.eml")
    shared_bench.upload("inbox", "paths/x.eml")
    assert shared_bench.receive_json("done")[0]["got"]["name"].endswith("paths/x.eml")
    assert shared_bench.receive("done", within=1) == []


@pytest.mark.usefixtures("host")
def test_blob_fires_once_a_version(shared_bench):
    shared_bench.upload("inbox", "versions/x.eml", b"1")
    assert shared_bench.receive_json("done")[0]["got"]["length"] == 1
    shared_bench.upload("inbox", "versions/x.eml", b"22")
    assert shared_bench.receive_json("done")[0]["got"]["length"] == 2
    assert shared_bench.receive("done", within=1) == []


def test_blob_does_not_fire_again_after_a_kill_and_one_that_came_meanwhile_does(bench):
    host = bench.host()
    host.start()
    try:
        bench.upload("inbox", "a/x.eml")
        assert len(bench.receive("done")) == 1
        url = host.url
        host.kill()
        bench.upload("inbox", "a/y.eml")
        host.start()
        assert host.url == url
        names = [each["got"]["name"] for each in bench.receive_json("done", 2, within=2)]
        assert names == [f"{bench.run}-inbox/a/y.eml"]
    finally:
        host.stop()


@pytest.mark.usefixtures("host")
def test_many_blobs_fire_exactly_once_each(shared_bench):
    names = {f"many/{number}.eml" for number in range(40)}
    for name in names:
        shared_bench.upload("inbox", name)
    done = [each["got"]["name"] for each in shared_bench.receive_json("done", 40)]
    assert sorted(done) == sorted(f"{shared_bench.run}-inbox/{name}" for name in names)
    assert shared_bench.receive("done", within=1) == []


def test_blob_function_that_fails_poison_threshold_times_leaves_a_poison_message(
    host, shared_bench
):
    before = status(host)["functions"]["on_blob"]["failure"]
    shared_bench.upload("inbox", "a/bad.eml")
    mine = until(lambda: _poison(shared_bench), within=20)
    assert mine["BlobName"] == "a/bad.eml"
    assert mine["ContainerName"] == f"{shared_bench.run}-inbox"
    assert mine["FunctionId"] == "Host.Functions.on_blob"
    assert status(host)["functions"]["on_blob"]["failure"] == before + 2


PEAK = """
import threading, time
import azure.functions as func
app, lock, running = func.FunctionApp(), threading.Lock(), [0]
@app.blob_trigger(arg_name="b", path="%RUN%-peak/{name}", connection="AzureWebJobsStorage")
@app.queue_output(arg_name="out", queue_name="%RUN%-done", connection="AzureWebJobsStorage")
def peak(b: func.InputStream, out: func.Out[str]) -> None:
    with lock:
        running[0] += 1
        out.set(str(running[0]))
    time.sleep(0.3)
    with lock:
        running[0] -= 1
"""


@pytest.mark.parametrize("degree", [1, 3])
def test_max_degree_of_parallelism_bounds_blob_functions(bench, app_folder, degree):
    options = {"extensions": {"blobs": {"maxDegreeOfParallelism": degree}}}
    for number in range(5):
        bench.upload("peak", f"{number}")
    env = {"PYTHON_THREADPOOL_THREAD_COUNT": "8"}
    with bench.host(appdir=app_folder(PEAK, {"version": "2.0", **options}), env=env):
        peaks = [int(each) for each in bench.receive("done", 5)]
    assert len(peaks) == 5
    assert max(peaks) <= degree
    assert (max(peaks) > 1) is (degree > 1)


def test_webhook_answers_the_validation_handshake(host):
    event = {
        "eventType": "Microsoft.EventGrid.SubscriptionValidationEvent",
        "data": {"validationCode": "c0de"},
    }
    assert _post(host, [event]) == (200, '{"validationResponse": "c0de"}')


def test_webhook_takes_an_event_before_the_scan_and_the_scan_does_not_repeat_it(bench):
    with bench.host(blob_poll=2) as host:
        time.sleep(0.3)  # the first scan is over
        bench.upload("inbox", "a/x y.eml")
        blob = bench.blobs.get_blob_client(f"{bench.run}-inbox", "a/x y.eml")
        data = {"url": blob.url, "eTag": blob.get_blob_properties().etag.strip('"')}
        event = {"eventType": "Microsoft.Storage.BlobCreated", "data": data}
        assert _post(host, [event])[0] == 202
        assert len(bench.receive("done", within=1.5)) == 1
        assert bench.receive("done", within=2) == []


def test_webhook_refuses_other_keys_functions_and_bodies(host):
    event = {"eventType": "Microsoft.Storage.BlobCreated", "data": {"url": "http://x/a/b/c"}}
    assert _post(host, [event], key=host.host_key)[0] == 401
    assert _post(host, [event])[0] == 400  # no eTag
    event["data"]["eTag"] = "0x1"
    assert _post(host, [event], function="on_work")[0] == 404


def _post(host, events, *, key=None, function="on_blob"):
    path = f"/runtime/webhooks/blobs?functionName=Host.Functions.{function}"
    body = json.dumps(events)
    return call(host, path, method="POST", body=body, key=key or host.master_key)[:2]


def _poison(bench):
    """Our run's message on the poison queue that every app of the account shares."""
    queue = bench.queues.get_queue_client("webjobs-blobtrigger-poison")
    try:
        found = [
            json.loads(base64.b64decode(each.content))
            for each in queue.peek_messages(max_messages=32)
        ]
    except ResourceNotFoundError:
        return None
    return next((each for each in found if each["ContainerName"].startswith(bench.run)), None)
