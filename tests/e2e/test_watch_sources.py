"""Calendar events, channel and chat messages through the local host, read back from outside."""

from __future__ import annotations

import base64
import time
from urllib.parse import quote

import pytest
from azure.data.tables import TableServiceClient

from local.demo.world import USERS
from local.samples.numbers import grouped, person
from tests.e2e.canary import planted
from tests.e2e.conftest import until

pytestmark = pytest.mark.e2e
WATCHED = USERS["関所 花子"]
CLEAN = "打合せの資料を共有します。"
PHONE = "電話は 075-000-1234 までお願いします。"


def numbered() -> str:
    """A made-up number with a right check digit (see local.samples.numbers)."""
    return f"個人番号は {grouped(person(7))} です。"


class Calendar:
    """Events of the watched user."""

    failing = r"/events/[^/]+(/attachments)?$"

    def __init__(self, stack):
        self.stack, self.user = stack, stack.stack.user_ids[WATCHED]

    def add(self, text):
        body = {
            "subject": "面談",
            "body": {"contentType": "html", "content": f"<p>{text}</p>"},
            "start": {"dateTime": "2026-12-01T10:00:00", "timeZone": "UTC"},
            "end": {"dateTime": "2026-12-01T11:00:00", "timeZone": "UTC"},
            "attachments": [
                {
                    "@odata.type": "#microsoft.graph.fileAttachment",
                    "name": "次第.txt",
                    "contentType": "text/plain",
                    "contentBytes": base64.b64encode("次第".encode()).decode(),
                }
            ],
        }
        return self.stack.admin("POST", f"users/{self.user}/events", json_body=body)["id"]

    def state(self, event):
        users = self.stack.admin("GET", "state")["users"]
        (user,) = [each for each in users if each["id"] == self.user]
        (found,) = [each for each in user["events"] if each["id"] == event]
        return found

    def is_blocked(self, event):
        found = self.state(event)
        return "停止しました" in found["subject"] and not found["attachments"]

    def is_tagged(self, event):
        return self.state(event)["categories"] == ["関所: 確認済"]


class Messages:
    """Messages of one channel or chat."""

    failing = r"/messages/[^/]+$"

    def __init__(self, stack, path, find):
        self.stack, self.path, self._find = stack, path, find

    def add(self, text):
        body = {"from": WATCHED, "text": text}
        return self.stack.admin("POST", f"{self.path}/messages", json_body=body)["id"]

    def edit(self, message, text):
        self.stack.admin("PATCH", f"{self.path}/messages/{message}", json_body={"text": text})

    def state(self, message):
        thread = self._find(self.stack.admin("GET", "state"))
        (found,) = [each for each in thread["messages"] if each["id"] == message]
        return found

    def is_blocked(self, message):
        found = self.state(message)["policy_violation"] or {}
        return "blockAccess" in (found.get("dlpAction") or "")

    def is_tagged(self, message):
        return self.state(message)["policy_violation"] is None


@pytest.fixture(scope="module")
def calendar(stack):
    return Calendar(stack)


@pytest.fixture(scope="module")
def channel(stack):
    team = stack.admin("POST", "teams", json_body={"name": "福祉課"})
    where = team["channels"][0]["id"]

    def find(state):
        (found,) = [each for each in state["teams"] if each["id"] == team["id"]]
        return next(each for each in found["channels"] if each["id"] == where)

    return Messages(stack, f"teams/{team['id']}/channels/{quote(where)}", find)


@pytest.fixture(scope="module")
def chat(stack):
    made = stack.admin("POST", "chats", json_body={"members": [WATCHED]})["id"]
    return Messages(
        stack,
        f"chats/{quote(made)}",
        lambda state: next(each for each in state["chats"] if each["id"] == made),
    )


@pytest.fixture(params=["calendar", "channel", "chat"])
def source(request):
    return request.getfixturevalue(request.param)


def blocked_once(source, item):
    """It is stopped in the stand-in's own state, and one line of the record says so."""
    until(lambda: source.stack.lines(item), 90, "the audit line")
    until(lambda: source.is_blocked(item), 10, "the block")
    assert [line.disposition for line in source.stack.lines(item)] == ["block"]


def test_item_with_a_number_is_stopped(source):
    blocked_once(source, source.add(numbered()))


def test_item_with_a_telephone_number_is_tagged_or_recorded(source):
    item = source.add(PHONE)
    until(lambda: source.stack.lines(item), 60, "the audit line")
    assert source.is_tagged(item)
    time.sleep(6)  # the notification of our own write, and a sweep
    assert [line.disposition for line in source.stack.lines(item)] == ["tag"]


def test_item_is_stopped_though_its_notification_is_lost(source):
    source.stack.admin("POST", "faults", json_body={"drop_notifications": 1})
    try:
        blocked_once(source, source.add(numbered()))
    finally:
        source.stack.admin("DELETE", "faults")


def test_item_told_of_twice_is_acted_on_once(source):
    source.stack.admin("POST", "faults", json_body={"duplicate_notifications": 3})
    item = source.add(numbered())
    until(lambda: source.stack.lines(item), 60, "the block")
    time.sleep(3)  # the doubles come now
    source.stack.admin("DELETE", "faults")
    blocked_once(source, item)
    writes = [
        entry
        for entry in source.stack.log()
        if entry["method"] == "PATCH" and item in entry["ids"].values() and entry["status"] == 200
    ]
    assert len(writes) == 1


def test_item_is_stopped_though_graph_fails_three_times(source):
    fault = {"match": {"path_regex": source.failing}, "times": 3, "status": 503}
    source.stack.admin("POST", "faults", json_body=fault)
    try:
        blocked_once(source, source.add(numbered()))
    finally:
        source.stack.admin("DELETE", "faults")


@pytest.mark.parametrize("kind", ["channel", "chat"])
def test_edit_that_adds_a_number_is_caught_and_a_clean_one_lifts_the_block(kind, request):
    source = request.getfixturevalue(kind)
    message = source.add(CLEAN)
    until(lambda: source.stack.lines(message), 60, "the first line")
    source.edit(message, numbered())
    until(lambda: source.is_blocked(message), 60, "the block")
    source.edit(message, CLEAN)
    until(lambda: not source.is_blocked(message), 60, "the lifting")
    until(lambda: len(source.stack.lines(message)) == 3, 30, "three lines")
    found = [line.disposition for line in source.stack.lines(message)]
    assert found == ["allow", "block", "allow"]


@pytest.mark.parametrize("forgery", ["signature", "publisher", "content_signature", "no_token"])
def test_forged_sealed_notification_fetches_nothing_and_the_sweep_still_finds(channel, forgery):
    stack = channel.stack
    stack.admin("POST", "faults", json_body={"forge_notifications": [forgery]})
    message = channel.add(numbered())
    try:
        blocked_once(channel, message)  # by the sweep: what was forged is not believed
    finally:
        stack.admin("DELETE", "faults")


def test_no_text_of_a_message_is_on_a_queue_in_a_table_or_in_a_log(stack, channel, calendar):
    for source in (channel, calendar):
        blocked_once(source, source.add(numbered()))
    number = (person(7),)
    queues = [p for p in (stack.folder / "azurite" / "__queuestorage__").rglob("*") if p.is_file()]
    assert queues
    for path in (*queues, stack.folder / "host.log"):
        assert planted(path.read_bytes(), number) == set(), path.name
    service = TableServiceClient.from_connection_string(stack.stack.storage)
    for table in service.list_tables():
        for row in service.get_table_client(table.name).list_entities():
            assert planted(str(row).encode(), number) == set(), table.name
