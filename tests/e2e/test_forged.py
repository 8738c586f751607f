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
from azure.storage.queue import QueueServiceClient

from local.demo.world import USERS
from local.graph.rich import FORGERIES
from tests.e2e.conftest import until

pytestmark = pytest.mark.e2e
WATCHED = USERS["関所 花子"]
KINDS = sorted(FORGERIES)
STRANGERS, MALFORMED, SPOILED, FORGED = 250, 50, 200, 20 * len(KINDS)
GENUINE, TIMES = 20, 14
EVENTS = 1000


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


class Channel:
    """A channel whose clean messages are told of."""

    def __init__(self, stack):
        self.stack = stack
        team = stack.admin("POST", "teams", json_body={"name": "広報課"})
        self.path = f"teams/{team['id']}/channels/{quote(team['channels'][0]['id'])}/messages"

    def say(self, forgery=""):
        """A message's id; what tells of it is forged if asked for (the sweep finds it then)."""
        if forgery:
            armed = {"forge_notifications": [forgery]}
            self.stack.admin("POST", "faults", json_body=armed)
        message = {"from": WATCHED, "text": "会議室を予約しました。"}
        return self.stack.admin("POST", self.path, json_body=message)["id"]

    def told(self, messages):
        """What the stand-in sent of each message, when all of it has been dealt with."""
        for each in messages:
            until(lambda each=each: self.stack.lines(each), 90, "the audit line")
        found = {}

        def all_sent():
            for delivery in self.stack.admin("GET", "state")["deliveries"]:
                for part in delivery["notifications"]:
                    if "encryptedContent" in part:
                        body = {"value": [part], "validationTokens": delivery["tokens"]}
                        found[part["resourceData"]["id"]] = body
            return found.keys() >= set(messages)

        until(all_sent, 90, "the deliveries")
        return [found[each] for each in messages]


@pytest.fixture(scope="module")
def channel(stack):
    return Channel(stack)


@pytest.fixture(scope="module")
def told(channel):
    """Genuine sealed notifications of clean messages, with the tokens that they came with."""
    return channel.told([channel.say() for _ in range(GENUINE)])


@pytest.fixture(scope="module")
def forgeries(stack, channel):
    """One sealed notification of each kind of forgery, as it was sent and refused already."""
    before = alerts(stack, "refused")
    sent = channel.told([channel.say(kind) for kind in KINDS])
    until(lambda: len(alerts(stack, "refused") - before) == len(KINDS), 90, "their events")
    return sent


def stranger(key):
    """Of somebody who does not know a clientState."""
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


def test_thousand_forged_and_replayed_notifications_cause_events_and_nothing_else(
    stack, told, forgeries
):
    genuine = Webhook(stack.stack.host.url)
    for each in told:
        genuine.post(json.dumps(each).encode())  # told twice, as Graph itself may tell it
    until(lambda: not hints(stack), 90, "the repetitions")
    before = {kind: alerts(stack, kind) for kind in ("refused", "replayed", "dead_letter")}
    names = [each["value"][0]["resourceData"]["id"] for each in (*told, *forgeries)]
    unknown = [uuid.uuid4().hex for _ in range(STRANGERS)]
    counted = Counter(line.key[1] for line in stack.storage.lines())
    lines = {each: counted[each] for each in (*names, *unknown)}
    asked = asked_of(stack, names)
    forged = Webhook(stack.stack.host.url)
    for each in unknown:
        forged.post(stranger(each))
    for number in range(MALFORMED):
        forged.post(b'{"value": [' + str(number).encode())
    for number in range(SPOILED):
        forged.post(spoiled(told[number % GENUINE], number))
    for number in range(FORGED):
        forged.post(json.dumps(forgeries[number % len(KINDS)]).encode())
    for _ in range(TIMES):
        for each in told:
            forged.post(json.dumps(each).encode())
    assert forged.answers.keys() == genuine.answers.keys()
    assert list(forged.answers.values()) == [EVENTS]
    refused = STRANGERS + MALFORMED + SPOILED + FORGED
    wanted = {"refused": refused, "replayed": GENUINE * TIMES, "dead_letter": 0}
    assert sum(wanted.values()) == EVENTS

    def events():
        return {kind: len(alerts(stack, kind) - before[kind]) for kind in before}

    until(lambda: not hints(stack), 90, "the queue's end")
    until(lambda: sum(events().values()) >= EVENTS, 90, "events")
    assert events() == wanted
    assert asked_of(stack, names) == asked
    assert asked_of(stack, unknown) == Counter()
    after = Counter(line.key[1] for line in stack.storage.lines())
    assert {each: after[each] for each in (*names, *unknown)} == lines
    assert {line.disposition for each in names for line in stack.lines(each)} == {"allow"}


def hints(stack):
    """How many hints wait or are in hand."""
    service = QueueServiceClient.from_connection_string(stack.stack.storage)
    queue = service.get_queue_client("graph-hints")
    return queue.get_queue_properties().approximate_message_count


def asked_of(stack, messages):
    """What was asked of Graph about these messages: the sweep's lists are none of it."""
    found, wanted = Counter(), set(messages)
    for entry in stack.log():
        named = entry["ids"].get("message") or entry["ids"].get("reply")
        found[entry["method"], named] += named in wanted
    return +found
