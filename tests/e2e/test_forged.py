"""A thousand forged and replayed notifications over HTTP: nothing is fetched, done or learned."""

from __future__ import annotations

import http.client
import json
import uuid
from collections import Counter
from urllib.parse import quote, urlsplit

import pytest
from azure.core.exceptions import ResourceNotFoundError
from azure.data.tables import TableServiceClient

from local.demo.world import USERS
from tests.e2e.conftest import until

pytestmark = pytest.mark.e2e
WATCHED = USERS["関所 花子"]
STRANGERS, MALFORMED, SPOILED, GENUINE, TIMES = 500, 100, 200, 20, 10


class Webhook:
    """One connection to the notifications' address."""

    def __init__(self, url):
        self._connection = http.client.HTTPConnection(urlsplit(url).netloc, timeout=30)
        self.answers = Counter()

    def post(self, body):
        self._connection.request("POST", "/api/graph/notifications", body=body)
        answer = self._connection.getresponse()
        headers = tuple((k, v) for k, v in answer.getheaders() if k.lower() != "date")
        self.answers[answer.status, headers, answer.read()] += 1


def alerts(stack, kind):
    service = TableServiceClient.from_connection_string(stack.stack.storage)
    try:
        rows = service.get_table_client("alerts").query_entities(f"PartitionKey eq '{kind}'")
        return {row["RowKey"] for row in rows}
    except ResourceNotFoundError:  # the table is made with its first row
        return set()


@pytest.fixture(scope="module")
def told(stack):
    """Genuine sealed notifications of clean messages, with the tokens that they came with."""
    team = stack.admin("POST", "teams", json_body={"name": "広報課"})
    path = f"teams/{team['id']}/channels/{quote(team['channels'][0]['id'])}/messages"
    message = {"from": WATCHED, "text": "会議室を予約しました。"}
    made = [stack.admin("POST", path, json_body=message)["id"] for _ in range(GENUINE)]
    for each in made:
        until(lambda each=each: stack.lines(each), 60, "the audit line")
    found = {
        part["resourceData"]["id"]: {"value": [part], "validationTokens": delivery["tokens"]}
        for delivery in stack.admin("GET", "state")["deliveries"]
        for part in delivery["notifications"]
        if "encryptedContent" in part and part["resourceData"]["id"] in made
    }
    assert found.keys() == set(made)
    return found


def stranger():
    """Of somebody who does not know a clientState."""
    key = uuid.uuid4().hex
    part = {
        "subscriptionId": str(uuid.uuid4()),
        "clientState": f"mail.{key}.x.forged",
        "changeType": "created",
        "resource": f"Users/{key}/Messages/{key}",
        "resourceData": {"id": key, "@odata.etag": 'W/"x"'},
    }
    return json.dumps({"value": [part]}).encode()


def spoiled(genuine, number):
    """Of somebody who knows a clientState and not Graph's key: another seal, or another token."""
    (part,), (token, *_) = genuine["value"], genuine["validationTokens"]
    content = dict(part["encryptedContent"])
    if number % 2:
        content["dataSignature"] = content["dataSignature"][:-8] + f"{number:07d}="
    else:
        content["dataSignature"] = f"{number:043d}="
        token = f"{token[:-12]}{number:012d}"
    value = [part | {"encryptedContent": content}]
    return json.dumps({"value": value, "validationTokens": [token]}).encode()


def test_thousand_forged_and_replayed_notifications_cause_events_and_nothing_else(stack, told):
    genuine = Webhook(stack.stack.host.url)
    for each in told.values():
        genuine.post(json.dumps(each).encode())  # told twice, as Graph itself may tell it
    before = {kind: alerts(stack, kind) for kind in ("refused", "replayed", "dead_letter")}
    actions = Counter(_ids(stack))
    lines = len(stack.storage.lines())
    forged = Webhook(stack.stack.host.url)
    originals = list(told.values())
    for _ in range(STRANGERS):
        forged.post(stranger())
    for number in range(MALFORMED):
        forged.post(b'{"value": [' + str(number).encode())
    for number in range(SPOILED):
        forged.post(spoiled(originals[number % GENUINE], number))
    for _ in range(TIMES):
        for each in originals:
            forged.post(json.dumps(each).encode())
    assert forged.answers.keys() == genuine.answers.keys()
    assert list(forged.answers.values()) == [STRANGERS + MALFORMED + SPOILED + GENUINE * TIMES]
    refused = STRANGERS + MALFORMED + SPOILED
    until(lambda: len(alerts(stack, "refused") - before["refused"]) == refused, 60, "events")
    until(lambda: len(alerts(stack, "replayed") - before["replayed"]) == GENUINE, 60, "replays")
    assert alerts(stack, "dead_letter") == before["dead_letter"]
    assert Counter(_ids(stack)) == actions
    assert len(stack.storage.lines()) == lines
    assert {line.disposition for each in told for line in stack.lines(each)} == {"allow"}


def _ids(stack):
    """What was asked of Graph about single messages: the sweep's lists are none of it."""
    return [
        (entry["method"], entry["ids"]["message"])
        for entry in stack.log()
        if "message" in entry["ids"]
    ]
