"""HTTP: routes, keys, outputs, the administrative paths."""

from __future__ import annotations

import json
import os
import signal

import pytest

from tests.integration.host.host_bench import call, status, until


def test_http_async_function_gets_route_query_header_and_body(host):
    code, body, headers = call(
        host,
        "/api/things/abc/7?validationToken=1&validationToken=2&%E5%90%8D=%E9%83%A8",
        method="POST",
        body="本文",
        headers={"X-Test": "yes"},
    )
    assert code == 201
    assert json.loads(body) == {
        "route": {"kind": "abc", "id": "7"},
        "query": {"validationToken": "1,2", "名": "部"},
        "header": "yes",
        "body": "本文",
    }
    assert headers["content-type"] == "application/json"
    assert headers.get_all("set-cookie") == ["a=1; HttpOnly; Path=/", "b=2; Path=/"]


@pytest.mark.parametrize("path", ["/api/things/abc", "/api/THINGS/abc/"])
def test_http_optional_parameter_may_be_absent(host, path):
    code, body, _ = call(host, path)
    assert code == 201
    assert json.loads(body)["route"] == {"kind": "abc"}


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/api/things/abc/x7"),  # the int constraint
        ("GET", "/api/things/a1"),  # the alpha constraint
        ("DELETE", "/api/things/abc"),  # a method that is not listed: 404, as on the platform
        ("GET", "/things/abc"),  # without the prefix
        ("GET", "/api/nothing"),
    ],
)
def test_http_path_or_method_that_does_not_match_is_404(host, method, path):
    assert call(host, path, method=method)[0] == 404


def test_http_function_level_takes_host_and_master_key_alone(host):
    path = "/api/blobs/k"
    assert call(host, path, method="POST", body="1")[0] == 401
    assert call(host, path, method="POST", body="1", key="wrong")[0] == 401
    assert call(host, path, method="POST", body="1", key=host.host_key)[0] == 200
    assert call(host, path, method="POST", body="1", key=host.master_key)[0] == 200
    assert call(host, f"{path}?code={host.host_key}", method="POST", body="1")[0] == 200


def test_http_admin_level_takes_the_master_key_alone(host):
    assert call(host, "/api/admin-only", key=host.host_key)[0] == 401
    assert call(host, "/api/admin-only", key=host.master_key)[:2] == (200, "yes")


def test_http_failed_function_is_500_without_its_message(host):
    code, body, _ = call(host, "/api/fails")
    assert code == 500
    assert "planted" not in body


def test_http_blob_output_goes_to_its_own_connection(host, shared_bench):
    code, body, _ = call(host, "/api/blobs/x", method="POST", body=b"\x00\xff", key=host.host_key)
    assert (code, body) == (200, "written")
    blob = shared_bench.blobs.get_blob_client("written", "x.bin")
    assert blob.download_blob().readall() == b"\x00\xff"


def test_http_queue_output_creates_the_queue_that_the_route_names(host, shared_bench):
    code, _, _ = call(host, "/api/queue/named", method="POST", body="件名", key=host.host_key)
    assert code == 202
    assert shared_bench.receive("named") == ["件名"]


def test_http_functions_log_goes_to_the_hosts_stderr(host):
    call(host, "/api/blobs/logged", method="POST", body="1", key=host.host_key)
    assert "INFO write_blob function_app: wrote a blob" in host.log_path.read_text()


def test_admin_status_needs_the_master_key_and_counts(host):
    assert call(host, "/admin/host/status", key=host.host_key)[0] == 401
    before = status(host)["functions"]["fails"]
    call(host, "/api/fails")
    after = status(host)
    assert after["state"] == "Running"
    assert after["functions"]["fails"]["failure"] == before["failure"] + 1
    assert after["functions"]["fails"]["success"] == 0
    assert after["functions"]["fails"]["inFlight"] == 0


def test_admin_runs_a_timer_and_a_queue_function_now(host, shared_bench):
    key = host.master_key
    assert call(host, "/admin/functions/tick", method="POST", body="{}", key=key)[0] == 202
    assert shared_bench.receive_json("ticks") == [{"past_due": False}]
    body = json.dumps({"input": json.dumps([1, "二"])})
    assert call(host, "/admin/functions/on_many", method="POST", body=body, key=key)[0] == 202
    assert sorted(shared_bench.receive("done", 2)) == ["1", "二"]


@pytest.mark.parametrize(("name", "code"), [("nothing", 404), ("things", 400), ("on_blob", 400)])
def test_admin_says_what_it_does_not_run(host, name, code):
    path = f"/admin/functions/{name}"
    assert call(host, path, method="POST", body="{}", key=host.master_key)[0] == code


def test_admin_needs_the_master_key_to_run_a_function(host):
    assert call(host, "/admin/functions/tick", method="POST", key=host.host_key)[0] == 401


def test_http_without_auth_needs_no_key(bench):
    with bench.host(enable_auth=False) as open_host:
        assert call(open_host, "/api/admin-only")[0] == 200
        assert call(open_host, "/admin/host/status")[0] == 200


def test_worker_crash_in_one_request_fails_it_and_leaves_the_host_serving(host):
    before = status(host)["workers"][0]["restarts"]
    first = json.loads(call(host, "/api/environment?name=RUN")[1])
    os.kill(first["pid"], signal.SIGKILL)
    second = until(lambda: call(host, "/api/environment?name=RUN")[0] == 200)
    assert second
    assert status(host)["workers"][0]["restarts"] == before + 1
