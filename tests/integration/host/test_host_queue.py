"""Queue triggers: decoding, poison, retries, crashes, kills, timeouts."""

from __future__ import annotations

import os
import signal

import pytest

from tests.integration.host.host_bench import status, until


@pytest.mark.usefixtures("host")
def test_queue_message_runs_and_is_deleted(shared_bench):
    shared_bench.send("work", {"name": "件"})
    (done,) = shared_bench.receive_json("done")
    assert done["got"] == {"name": "件"}
    assert done["count"] == 1
    until(lambda: shared_bench.depth("work") == 0)


@pytest.mark.usefixtures("host")
def test_queue_that_is_created_later_is_picked_up(shared_bench):
    assert shared_bench.depth("slow") == 0  # the host has looked for it since its start
    shared_bench.send("slow", "0")
    assert shared_bench.receive_json("done") == [{"slept": 0.0, "count": 1}]


def test_queue_message_that_does_not_decode_goes_to_poison_verbatim_and_never_runs(
    host, shared_bench
):
    before = status(host)["functions"]["on_work"]
    shared_bench.send("work", '{"not":"base64"}', raw=True)
    assert shared_bench.receive("work-poison", raw=True) == ['{"not":"base64"}']
    assert status(host)["functions"]["on_work"] == before


def test_queue_message_that_fails_max_dequeue_count_times_goes_to_poison(host, shared_bench):
    before = status(host)["functions"]["on_work"]["failure"]
    shared_bench.send("work", {"do": "fail"})
    assert shared_bench.receive_json("work-poison") == [{"do": "fail"}]
    assert status(host)["functions"]["on_work"]["failure"] == before + 3
    until(lambda: shared_bench.depth("work") == 0)


def test_queue_message_that_crashes_its_worker_comes_back_and_succeeds(host, shared_bench):
    before = status(host)["workers"][0]["restarts"]
    shared_bench.send("work", {"do": "crash"})
    (done,) = shared_bench.receive_json("done")
    assert done["count"] == 2
    assert status(host)["workers"][0]["restarts"] == before + 1


def test_queue_function_over_the_timeout_has_its_worker_killed(bench):
    override = {"AzureFunctionsJobHost__functionTimeout": "00:00:01"}
    with bench.host(env=override) as host:
        before = status(host)["workers"][0]["pid"]
        bench.send("work", {"do": "hang"})
        (done,) = bench.receive_json("done")
        assert done["count"] == 2
        assert done["pid"] != before
        assert "overran functionTimeout" in host.log_path.read_text()


def test_queue_message_in_hand_when_the_host_is_killed_is_seen_again(bench):
    host = bench.host(receive_visibility=2)
    host.start()
    try:
        bench.send("slow", "30")
        until(lambda: status(host)["functions"]["on_slow"]["inFlight"] == 1)
        worker = status(host)["workers"][0]["pid"]
        host.kill()
        until(lambda: not _alive(worker))
        assert bench.receive("slow", within=10) == ["30"]
    finally:
        host.kill()


def test_worker_ends_when_its_host_alone_is_killed(bench):
    host = bench.host()
    host.start()
    try:
        bench.send("work", {"do": "hang"})  # even while a function blocks the worker's loop
        until(lambda: status(host)["inFlight"] == 1)
        worker = status(host)["workers"][0]["pid"]
        os.kill(host.pid, signal.SIGKILL)
        until(lambda: not _alive(worker), within=5)
    finally:
        host.kill()


def test_queue_message_is_renewed_while_its_function_runs(bench):
    with bench.host(receive_visibility=1):
        bench.send("slow", "1.8")
        assert bench.receive_json("done") == [{"slept": 1.8, "count": 1}]
        assert bench.receive("done", within=0.5) == []
        assert bench.depth("slow") == 0


def test_stop_lets_a_function_finish(bench):
    host = bench.host()
    host.start()
    bench.send("slow", "1")
    until(lambda: status(host)["inFlight"] == 1)
    host.stop()
    assert bench.receive_json("done") == [{"slept": 1.0, "count": 1}]
    assert bench.depth("slow") == 0


def test_stop_gives_back_what_does_not_finish_at_once(bench):
    env = {"AzureFunctionsJobHost__extensions__queues__visibilityTimeout": "00:10:00"}
    host = bench.host(env=env, options=["--drain", "0.3"])
    host.start()
    bench.send("slow", "30")
    until(lambda: status(host)["inFlight"] == 1)
    host.stop()
    assert bench.receive("slow", within=5) == ["30"]


@pytest.mark.usefixtures("host")
def test_queue_returned_array_is_one_message_an_element(shared_bench):
    shared_bench.send("many", '["a", {"b": "名"}]')
    assert sorted(shared_bench.receive("done", 2)) == ["a", '{"b": "名"}']


def test_two_workers_share_the_work(bench):
    with bench.host(options=["--workers", "2"]) as host:
        assert len({each["pid"] for each in status(host)["workers"]}) == 2
        for _ in range(4):
            bench.send("work", {"x": 1})
        assert len({each["pid"] for each in bench.receive_json("done", 4)}) == 2


def test_in_process_worker_runs_functions_in_the_host(bench):
    with bench.host(options=["--worker", "inprocess"]) as host:
        assert status(host)["workers"][0]["pid"] == host.pid
        bench.send("work", {"x": 1})
        assert bench.receive_json("done")[0]["pid"] == host.pid


def test_disabled_function_does_not_run(bench):
    with bench.host(env={"AzureWebJobs.on_work.Disabled": "true"}) as host:
        assert status(host)["functions"]["on_work"]["disabled"]
        bench.send("work", {"x": 1})
        bench.send("slow", "0")
        assert bench.receive_json("done") == [{"slept": 0.0, "count": 1}]
        assert bench.depth("work") == 1


def _alive(pid):
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True
