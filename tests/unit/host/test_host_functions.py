from __future__ import annotations

import json

import pytest

from local.host.errors import HostRefusedError
from local.host.functions import load_functions
from local.host.settings import load_settings
from local.host.storage import DEVELOPMENT, Storage, host_id
from local.host.wire import Indexed, Retry

QUEUE = {"type": "queueTrigger", "direction": "IN", "name": "m", "queueName": "%Q%-x"}


def load(*bindings, settings=None, retry=None):
    indexed = Indexed("subject", [json.dumps(each) for each in bindings], retry)
    return load_functions([indexed], {"Q": "q"} | (settings or {}))[0]


def test_settings_are_resolved_in_bindings_but_not_in_the_connection():
    function = load({**QUEUE, "connection": "%Q%"})
    assert function.trigger.text("queueName") == "q-x"
    assert function.trigger.connection == "%Q%"


def test_connection_defaults_to_the_hosts_own():
    assert load(QUEUE).trigger.connection == "AzureWebJobsStorage"


@pytest.mark.parametrize(
    ("bindings", "named"),
    [
        ([{"type": "serviceBusTrigger", "direction": "IN", "name": "m"}], "serviceBusTrigger"),
        ([QUEUE, {"type": "blob", "direction": "IN", "name": "b", "path": "c/x"}], "binding blob"),
        ([QUEUE, {"type": "cosmosDB", "direction": "OUT", "name": "c"}], "cosmosDB"),
        ([{**QUEUE, "queueName": "%NO_SUCH%"}], "NO_SUCH"),
        ([QUEUE, QUEUE], "2 triggers"),
        ([], "0 triggers"),
        ([{**QUEUE, "properties": {"supportsDeferredBinding": True}}], "deferred"),
        (
            [QUEUE, {"type": "blob", "direction": "OUT", "name": "b", "path": "c/{DateTime:yyyy}"}],
            "{DateTime:yyyy}",
        ),
    ],
)
def test_what_is_not_done_is_refused_by_name(bindings, named):
    with pytest.raises(HostRefusedError, match="subject") as caught:
        load(*bindings)
    assert named in str(caught.value)


def test_retry_policy_is_for_timers_alone():
    retry = Retry(2, delay=1.0)
    timer = {"type": "timerTrigger", "direction": "IN", "name": "t", "schedule": "0 * * * * *"}
    assert load(timer, retry=retry).retry == retry
    with pytest.raises(HostRefusedError, match="a retry policy"):
        load(QUEUE, retry=retry)


@pytest.mark.parametrize("name", ["AzureWebJobs.subject.Disabled", "AzureWebJobs_subject_Disabled"])
def test_function_is_disabled_by_a_setting(name):
    assert load(QUEUE, settings={name: "True"}).disabled
    assert not load(QUEUE, settings={name: "false"}).disabled


def test_http_return_is_no_output_but_a_queues_is():
    http = {"type": "http", "direction": "OUT", "name": "$return"}
    queue = {"type": "queue", "direction": "OUT", "name": "$return", "queueName": "r"}
    assert load(QUEUE, http).result is None
    assert load(QUEUE, queue).result.text("queueName") == "r"


def test_connection_may_be_named_without_its_prefix():
    storage = Storage({"AzureWebJobsOTHER": "UseDevelopmentStorage=true;"})
    assert storage.queues("OTHER").url.startswith("http://127.0.0.1:10001/devstoreaccount1")


def test_settings_that_hold_one_connection_string_share_clients():
    storage = Storage({"A": DEVELOPMENT, "B": DEVELOPMENT})
    assert storage.blobs("A") is storage.blobs("B")


@pytest.mark.parametrize(
    ("settings", "named"),
    [
        ({}, "S is not set"),
        ({"S__accountName": "x"}, "S is by identity \\(S__accountName\\)"),
        ({"S": "not a connection string"}, "S is not a storage connection string"),
    ],
)
def test_connection_that_does_not_serve_is_refused_by_name(settings, named):
    with pytest.raises(HostRefusedError, match=named) as caught:
        Storage(settings).queues("S")
    assert "not a connection string" not in str(caught.value)  # a secret's place: never shown


def test_host_id_is_stable_and_the_setting_wins(tmp_path):
    assert host_id(tmp_path, {}) == host_id(tmp_path, {})
    assert host_id(tmp_path, {}) != host_id(tmp_path / "other", {})
    assert len(host_id(tmp_path, {})) <= 32
    assert host_id(tmp_path, {"AzureFunctionsWebHost__hostid": "mine"}) == "mine"


@pytest.mark.parametrize(
    ("text", "named"), [("{", "not JSON"), ('{"IsEncrypted": true}', "encrypted")]
)
def test_local_settings_that_cannot_be_read_are_refused(tmp_path, text, named):
    (tmp_path / "local.settings.json").write_text(text)
    with pytest.raises(HostRefusedError, match=named):
        load_settings(tmp_path, {})


def test_another_languages_worker_is_refused(tmp_path):
    with pytest.raises(HostRefusedError, match="FUNCTIONS_WORKER_RUNTIME"):
        load_settings(tmp_path, {"FUNCTIONS_WORKER_RUNTIME": "node"})
