from __future__ import annotations

import json

import pytest

from local.host.errors import HostRefusedError
from local.host.hostjson import HONOURED, load_hostjson


@pytest.fixture
def load(tmp_path):
    def make(content, settings=None):
        (tmp_path / "host.json").write_text(json.dumps({"version": "2.0", **content}))
        return load_hostjson(tmp_path, settings or {})

    return make


def test_defaults_are_the_platforms(load):
    config = load({})
    assert (config.route_prefix, config.function_timeout) == ("api", 1800.0)
    assert (config.queues.batch_size, config.queues.max_dequeue_count) == (16, 5)
    assert (config.queues.visibility_timeout, config.queues.max_polling_interval) == (0.0, 60.0)
    assert config.queues.base64
    assert (config.poison_blob_threshold, config.notes) == (5, ())


# One row a honoured key, with a value that differs from its default and what it must become.
CASES = {
    "functionTimeout": ("00:05:00", lambda c: c.function_timeout == 300.0),
    "extensions.http.routePrefix": ("/v1/", lambda c: c.route_prefix == "v1"),
    "extensions.queues.batchSize": (4, lambda c: c.queues.batch_size == 4),
    "extensions.queues.newBatchThreshold": (0, lambda c: c.queues.threshold == 0),
    "extensions.queues.maxDequeueCount": (2, lambda c: c.queues.max_dequeue_count == 2),
    "extensions.queues.visibilityTimeout": (
        "00:01:00",
        lambda c: c.queues.visibility_timeout == 60.0,
    ),
    "extensions.queues.maxPollingInterval": (
        "00:00:02",
        lambda c: c.queues.max_polling_interval == 2.0,
    ),
    "extensions.queues.messageEncoding": ("none", lambda c: not c.queues.base64),
    "extensions.blobs.maxDegreeOfParallelism": (3, lambda c: c.blob_parallelism == 3),
    "extensions.blobs.poisonBlobThreshold": (1, lambda c: c.poison_blob_threshold == 1),
}


def test_every_honoured_key_has_a_case():
    assert {key.lower() for key in CASES} == set(HONOURED)


@pytest.mark.parametrize("key", CASES)
def test_key_is_read_from_the_file_and_from_an_override(load, key):
    value, holds = CASES[key]
    content = value
    for part in reversed(key.split(".")):
        content = {part: content}
    assert holds(load(content))
    assert not holds(load({}))
    setting = f"AzureFunctionsJobHost__{key.replace('.', '__')}"
    assert holds(load({}, {setting: str(value)}))


def test_timeout_of_minus_one_is_without_bound(load):
    assert load({"functionTimeout": "-1"}).function_timeout is None


@pytest.mark.parametrize(
    ("content", "named"),
    [
        ({"concurrency": {"dynamicConcurrencyEnabled": True}}, "concurrency"),
        ({"retry": {"strategy": "fixedDelay"}}, "@app.retry"),
        ({"extensions": {"http": {"maxConcurrentRequests": 1}}}, "maxConcurrentRequests"),
        ({"extensions": {"durableTask": {"hubName": "x"}}}, "extensions.durableTask.hubName"),
        ({"singleton": {"lockPeriod": "00:00:15"}}, "singleton.lockPeriod"),
        ({"watchDirectories": ["x"]}, "AzureFunctionsJobHost__watchDirectories"),
        ({"extensions": {"queues": {"batchSize": 33}}}, "batchSize"),
        ({"extensions": {"queues": {"batchSize": True}}}, "batchSize"),
        ({"extensions": {"queues": {"maxDequeueCount": "5"}}}, "maxDequeueCount"),
        ({"extensions": {"queues": {"visibilityTimeout": "60"}}}, "visibilityTimeout"),
        ({"extensions": {"queues": {"maxPollingInterval": "00:00:00"}}}, "maxPollingInterval"),
        ({"extensions": {"queues": {"messageEncoding": "utf8"}}}, "messageEncoding"),
    ],
)
def test_other_keys_and_wrong_values_are_refused_by_name(load, content, named):
    with pytest.raises(HostRefusedError, match=r"host\.json") as caught:
        load(content)
    assert named in str(caught.value)


def test_override_that_is_not_honoured_is_refused_too(load):
    with pytest.raises(HostRefusedError, match="concurrency"):
        load({}, {"AzureFunctionsJobHost__concurrency__snapshotPersistenceEnabled": "true"})


def test_ignored_sections_are_noted(load):
    config = load({"logging": {"a": {"b": 1}}, "extensionBundle": {"id": "x"}})
    assert [note.split(" is ")[0] for note in config.notes] == [
        "host.json: extensionBundle",
        "host.json: logging",
    ]


@pytest.mark.parametrize("text", ["{", "{}", '{"version": "1.0"}'])
def test_file_that_is_not_host_json_is_refused(tmp_path, text):
    (tmp_path / "host.json").write_text(text)
    with pytest.raises(HostRefusedError, match=r"host\.json"):
        load_hostjson(tmp_path, {})


def test_folder_without_host_json_is_refused(tmp_path):
    with pytest.raises(HostRefusedError, match=r"no host\.json"):
        load_hostjson(tmp_path, {})
