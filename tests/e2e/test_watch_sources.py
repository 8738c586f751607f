"""Each source through the local host, read back from outside: mail, files, events, messages.

A phase makes one item in every source at once, so that what takes its time is waited for once.
"""

from __future__ import annotations

import base64
import json
import re
import time
import urllib.request
import uuid
from urllib.parse import quote

import pytest
from azure.data.tables import TableServiceClient

from local.demo.world import COLUMN, USERS
from local.samples.numbers import grouped, person
from shared.graph import calls
from tests.contract.test_contract_services import is_call
from tests.e2e.canary import planted
from tests.e2e.conftest import PERSON, until
from tests.e2e.test_faults import is_gone, letter

pytestmark = pytest.mark.e2e
WATCHED = USERS["関所 花子"]
CLEAN = "打合せの資料を共有します。"
PHONE = "電話は 075-000-1234 までお願いします。"
TAGGED = "関所: 確認済"
SOURCES = ("mail", "drive", "library", "calendar", "channel", "chat")


def numbered() -> str:
    """A made-up number with a right check digit (see local.samples.numbers)."""
    return f"個人番号は {grouped(person(7))} です。"


def as_person(stack, method, path, body):
    """A call of Graph that somebody's own program makes."""
    request = urllib.request.Request(
        f"{stack.stack.graph.base_url}/{path}",
        data=json.dumps(body).encode(),
        headers={
            "Authorization": "Bearer person",
            "User-Agent": PERSON,
            "Content-Type": "application/json",
            "Prefer": 'IdType="ImmutableId"',
        },
        method=method,
    )
    with urllib.request.urlopen(request, timeout=30) as answer:
        assert answer.status < 300
        return json.loads(answer.read())


class Mail:
    """Mails of the watched user."""

    failing = r"/users/[^/]+/messages/[^/]+(/\$value)?$"
    write = ("POST", "permanentDelete", 204)

    def __init__(self, stack):
        self.stack, self.user = stack, stack.stack.user_ids[WATCHED]

    def add(self, text):
        data = letter(f"{text}\n")
        return self.stack.admin("POST", f"users/{self.user}/messages", data=data)["id"]

    def draft(self, text):
        """What a person writes can be edited; what came cannot."""
        body = {"subject": "案", "body": {"contentType": "text", "content": text}}
        return as_person(self.stack, "POST", f"users/{self.user}/messages", body)["id"]

    def edit(self, message, text):
        body = {"body": {"contentType": "text", "content": text}}
        as_person(self.stack, "PATCH", f"users/{self.user}/messages/{message}", body)

    def is_blocked(self, message):
        return is_gone(self.stack, message)

    def is_tagged(self, message):
        path = f"/users/{self.user}/messages/{message}"
        return self.stack.readback._graph.json(path)["categories"] == [TAGGED]


class Files:
    """Files of the watched user."""

    failing = r"/items/[^/]+(/content|/permissions)?$"
    write = ("PUT", "content", 200)

    def __init__(self, stack):
        self.stack, self.user = stack, stack.stack.user_ids[WATCHED]
        self.names, self.drive = {}, ""

    def add(self, text, name=""):
        name = name or f"{uuid.uuid4().hex}.txt"
        made = self.stack.admin("POST", f"{self.place()}name={name}", data=text.encode())
        self.names[made["id"]], self.drive = name, made["drive_id"]
        return made["id"]

    def place(self):
        return f"users/{self.user}/files?"

    def edit(self, item, text):
        self.add(text, self.names[item])

    def is_blocked(self, item):
        found = self.stack.readback._graph.get(f"/drives/{self.drive}/items/{item}/content")
        return "停止" in found.decode()

    def is_tagged(self, item):
        path = f"/drives/{self.drive}/items/{item}/listItem"
        fields = self.stack.readback._graph.json(path, **{"$expand": "fields"})["fields"]
        return fields.get(COLUMN) == TAGGED


class Library(Files):
    """Files of a Teams channel: in the library of its team's site, where a member puts them."""

    def __init__(self, stack, team):
        super().__init__(stack)
        self.drive = team["site"]["drive_id"]
        self.stack.admin("POST", f"drives/{self.drive}/columns", json_body={"name": COLUMN})

    def place(self):
        return f"drives/{self.drive}/files?by={WATCHED}&folder={quote('一般')}&"


class Calendar:
    """Events of the watched user."""

    failing = r"/events/[^/]+(/attachments)?$"
    write = ("PATCH", "", 200)

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

    def edit(self, event, text):
        """As a person does it: by Graph."""
        body = {"body": {"contentType": "html", "content": f"<p>{text}</p>"}}
        as_person(self.stack, "PATCH", f"users/{self.user}/events/{event}", body)

    def state(self, event):
        users = self.stack.admin("GET", "state")["users"]
        (user,) = [each for each in users if each["id"] == self.user]
        (found,) = [each for each in user["events"] if each["id"] == event]
        return found

    def is_blocked(self, event):
        found = self.state(event)
        return "停止しました" in found["subject"] and not found["attachments"]

    def is_tagged(self, event):
        return self.state(event)["categories"] == [TAGGED]


class Messages:
    """Messages of one channel or chat; there is no tag on them, so a tag is recorded only."""

    failing = r"/(chats|channels)/[^/]+/messages/[^/]+$"
    write = ("PATCH", "", 200)

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


def _channel(stack, team):
    where = team["channels"][0]["id"]

    def find(state):
        (found,) = [each for each in state["teams"] if each["id"] == team["id"]]
        return next(each for each in found["channels"] if each["id"] == where)

    return Messages(stack, f"teams/{team['id']}/channels/{quote(where)}", find)


def _chat(stack):
    made = stack.admin("POST", "chats", json_body={"members": [WATCHED]})["id"]
    return Messages(
        stack,
        f"chats/{quote(made)}",
        lambda state: next(each for each in state["chats"] if each["id"] == made),
    )


@pytest.fixture(scope="module")
def sources(stack):
    team = stack.admin("POST", "teams", json_body={"name": "福祉課", "members": [WATCHED]})
    files = (Files(stack), Library(stack, team))
    made = (Mail(stack), *files, Calendar(stack), _channel(stack, team), _chat(stack))
    return dict(zip(SOURCES, made, strict=True))


def everywhere(sources, text, faults):
    """One item in every source while ``faults`` are armed; told when each has its line."""
    stack = sources["mail"].stack
    stack.admin("POST", "faults", json_body=faults)
    try:
        made = {name: source.add(text) for name, source in sources.items()}
        if "faults" not in faults:
            time.sleep(0.3)  # what is told is told now
            stack.admin("DELETE", "faults")
        for name, item in made.items():
            until(lambda item=item: stack.lines(item), 90, f"the audit line: {name}")
    finally:
        stack.admin("DELETE", "faults")
    return made


@pytest.fixture(scope="module")
def created(sources):
    return everywhere(sources, numbered(), {})


@pytest.fixture(scope="module")
def lost(sources):
    return everywhere(sources, numbered(), {"lossy": {"drop": 1}})


@pytest.fixture(scope="module")
def doubled(sources):
    made = everywhere(sources, numbered(), {"lossy": {"duplicate": 1}})
    time.sleep(2)  # the doubles have been through now
    return made


@pytest.fixture(scope="module")
def failed(sources):
    patterns = [source.failing for source in sources.values()]  # some share one
    armed = [{"match": {"path_regex": each}, "times": 3, "status": 503} for each in patterns]
    return everywhere(sources, numbered(), {"faults": armed})


@pytest.fixture(scope="module")
def tagged(sources):
    made = everywhere(sources, PHONE, {})
    time.sleep(6)  # the notification of our own write, and a sweep
    return made


def blocked_once(source, item):
    """It is stopped in the stand-in's own state, and one line of the record says so."""
    until(lambda: source.stack.lines(item), 90, "the audit line")
    until(lambda: source.is_blocked(item), 10, "the block")
    assert [line.disposition for line in source.stack.lines(item)] == ["block"]


def writes(source, item):
    """The writes that stop an item, in the stand-in's own log."""
    method, ending, status = source.write
    return [
        entry
        for entry in source.stack.log()
        if entry["method"] == method
        and entry["status"] == status
        and item in entry["ids"].values()
        and entry["template"].endswith(ending)
    ]


@pytest.mark.parametrize("name", SOURCES)
def test_item_with_a_number_is_stopped(sources, created, name):
    blocked_once(sources[name], created[name])


@pytest.mark.parametrize("name", SOURCES)
def test_item_with_a_telephone_number_is_tagged_or_recorded(sources, tagged, name):
    assert sources[name].is_tagged(tagged[name])
    found = sources[name].stack.lines(tagged[name])
    assert [line.disposition for line in found] == ["tag"]


@pytest.mark.parametrize("name", SOURCES)
def test_item_is_stopped_though_its_notification_is_lost(sources, lost, name):
    blocked_once(sources[name], lost[name])


@pytest.mark.parametrize("name", SOURCES)
def test_item_told_of_twice_is_acted_on_once(sources, doubled, name):
    blocked_once(sources[name], doubled[name])
    assert len(writes(sources[name], doubled[name])) == 1


@pytest.mark.parametrize("name", SOURCES)
def test_item_is_stopped_though_graph_fails_three_times(sources, failed, name):
    blocked_once(sources[name], failed[name])


@pytest.mark.parametrize("name", ["mail", "drive", "calendar"])
def test_clean_edit_lifts_the_tag(sources, name):
    source = sources[name]
    item = source.draft(PHONE) if name == "mail" else source.add(PHONE)
    until(lambda: source.is_tagged(item), 60, "the tag")
    until(lambda: source.stack.lines(item), 30, "its line")
    source.edit(item, CLEAN)
    until(lambda: not source.is_tagged(item), 60, "the lifting")
    until(lambda: len(source.stack.lines(item)) == 2, 30, "the second line")
    assert [line.disposition for line in source.stack.lines(item)] == ["tag", "allow"]


@pytest.mark.parametrize("name", ["channel", "chat"])
def test_edit_that_adds_a_number_is_caught_and_a_clean_one_lifts_the_block(sources, name):
    source = sources[name]
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
def test_forged_sealed_notification_fetches_nothing_and_the_sweep_still_finds(sources, forgery):
    channel = sources["channel"]
    stack = channel.stack
    stack.admin("POST", "faults", json_body={"forge_notifications": [forgery]})
    message = channel.add(numbered())
    try:
        blocked_once(channel, message)  # by the sweep: what was forged is not believed
    finally:
        stack.admin("DELETE", "faults")


def test_no_text_of_a_message_is_on_a_queue_in_a_table_or_in_a_log(stack, sources, created):
    for name in SOURCES:
        blocked_once(sources[name], created[name])
    number = (person(7),)
    queues = [p for p in (stack.folder / "azurite" / "__queuestorage__").rglob("*") if p.is_file()]
    assert queues
    for path in (*queues, stack.folder / "host.log"):
        assert planted(path.read_bytes(), number) == set(), path.name
    service = TableServiceClient.from_connection_string(stack.stack.storage)
    for table in service.list_tables():
        for row in service.get_table_client(table.name).list_entities():
            assert planted(str(row).encode(), number) == set(), table.name


# What this run does not need: nobody is told by mail.
UNUSED = {"Mail.Send", "User.Read.All"}
# Links that Graph wrote, batches (each call in one is logged by itself), what only the tests ask.
OTHERS = re.compile(
    r"/root/delta\(\)$|/\$batch$|^/(_|common/)|/items/root:/[^:]+:/content$|/messages$"
)


@pytest.mark.usefixtures("contract", "day", "created", "tagged")
def test_run_makes_the_calls_of_the_table_and_uses_every_permission(stack):
    """The stand-in grants what ``calls.GRANTS`` (and infra) name, and nothing more."""
    made = {(each["method"], each["path"].partition("?")[0]) for each in stack.log()}
    found = {each: [call for call in calls.ALL if is_call(call, *each)] for each in made}
    strange = [each for each, known in found.items() if not known and not OTHERS.search(each[1])]
    assert strange == []
    assert [each for each in stack.log() if each["status"] == 403] == []
    granted = {
        name for known in found.values() for call in known for name in (call.permission, *call.also)
    }
    assert granted == calls.GRANTS - UNUSED
