"""Which triggers there are is a setting: webhook or event hub, push or queue."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import azure.functions as func
import pytest

from functions import hub
from shared.bootstrap import QUEUES
from shared.errors import UnavailableError

ROOT = Path(__file__).resolve().parents[3]
LIST = """
import json, azure.functions as func, functions
app = func.FunctionApp()
for blueprint in functions.blueprints("all"):
    app.register_functions(blueprint)
found = {f.get_function_name(): json.loads(f.get_function_json()) for f in app.get_functions()}
print(json.dumps(found))
"""


def indexed(**env):
    done = subprocess.run(
        [sys.executable, "-c", LIST],
        cwd=ROOT,
        env={**os.environ, **env},
        capture_output=True,
        text=True,
        check=True,
    )
    return json.loads(done.stdout)


def test_private_deployment_has_no_webhook_and_no_blob_trigger():
    found = indexed(SEKISHO_NOTIFICATIONS="eventhub", SEKISHO_BLOB_SOURCE="StorageQueue")
    assert {"notifications", "lifecycle", "landing"}.isdisjoint(found)
    (trigger,) = found["hub_notifications"]["bindings"]
    assert (trigger["type"], trigger["connection"]) == ("eventHubTrigger", "SEKISHO_HUB")
    assert (trigger["eventHubName"], trigger["cardinality"]) == (
        "%SEKISHO_NOTIFICATION_HUB%",
        "MANY",
    )
    (trigger,) = found["landing_event"]["bindings"]
    assert (trigger["type"], trigger["queueName"]) == ("queueTrigger", "landing-events")


def test_public_deployment_has_webhooks_and_the_blob_trigger():
    found = indexed(SEKISHO_NOTIFICATIONS="webhook", SEKISHO_BLOB_SOURCE="EventGrid")
    assert {"notifications", "lifecycle", "landing"} <= set(found)
    assert {"hub_notifications", "landing_event"}.isdisjoint(found)


def test_every_queue_that_is_read_has_its_poison_settled_by_a_timer():
    found = indexed(SEKISHO_BLOB_SOURCE="StorageQueue")
    queues = {
        binding["queueName"]
        for each in found.values()
        for binding in each["bindings"]
        if binding["type"] == "queueTrigger"
    }
    relay = "relay-deliver"  # the relay reads it, and sets aside what it cannot carry out
    assert sorted({*queues, relay}) == sorted(QUEUES)
    (trigger,) = found["dead_letters"]["bindings"]
    assert (trigger["type"], trigger["schedule"]) == ("timerTrigger", "%SEKISHO_POISON_SCHEDULE%")


class Kept:
    def __init__(self):
        self.bodies = []

    async def receive(self, body):
        if body == b"away":
            message = "away"
            raise UnavailableError(message)
        self.bodies.append(body)


async def test_hub_hands_every_event_of_a_batch_to_the_intake(monkeypatch):
    kept = Kept()
    monkeypatch.setattr(hub, "intake", lambda: kept)
    await hub.hub_notifications([func.EventHubEvent(body=b"1"), func.EventHubEvent(body=b"2")])
    assert kept.bodies == [b"1", b"2"]


async def test_hub_raises_what_was_not_kept_so_that_the_batch_comes_again(monkeypatch):
    monkeypatch.setattr(hub, "intake", Kept)
    with pytest.raises(UnavailableError):
        await hub.hub_notifications([func.EventHubEvent(body=b"away")])
