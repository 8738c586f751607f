"""Lost, doubled and forged notifications; a Graph that fails; our own writes."""

from __future__ import annotations

import json
import time
import urllib.request
import uuid
from email.message import EmailMessage

import pytest

from local.demo.world import USERS
from local.samples.numbers import grouped, person
from tests.e2e.conftest import until

pytestmark = pytest.mark.e2e
WATCHED = USERS["関所 花子"]


def letter(text: str) -> bytes:
    message = EmailMessage()
    message["From"] = "shimin@example.jp"
    message["To"] = WATCHED
    message["Subject"] = "届出について"
    message["Message-ID"] = f"<{uuid.uuid4().hex}@example.jp>"
    message.set_content(text)
    return message.as_bytes()


def numbered() -> bytes:
    return letter(f"個人番号は {grouped(person(3))} です。\n")


def arrives(stack, data: bytes) -> str:
    user = stack.stack.user_ids[WATCHED]
    return stack.admin("POST", f"users/{user}/messages", data=data)["id"]


def is_gone(stack, message: str) -> bool:
    user = stack.stack.user_ids[WATCHED]
    return stack.readback._graph.get(f"/users/{user}/messages/{message}") is None


def removals(stack, message: str) -> int:
    return sum(
        entry["template"].endswith("permanentDelete")
        and entry["status"] == 204
        and message in entry["ids"].values()
        for entry in stack.log()
    )


@pytest.mark.parametrize("fault", [{"status": 429}, {"drop": True}])
def test_mail_is_stopped_though_graph_fails_three_times(stack, fault):
    match = {"path_regex": r"/messages/[^/]+(/\$value)?$"}
    stack.admin("POST", "faults", json_body={"match": match, "times": 3, **fault})
    message = arrives(stack, numbered())
    until(lambda: stack.lines(message), 90, "the block")
    assert removals(stack, message) == 1
    assert is_gone(stack, message)
    assert [line.disposition for line in stack.lines(message)] == ["block"]


def test_file_shared_again_after_its_block_is_closed_again(stack):
    user = stack.stack.user_ids[WATCHED]
    data = f"氏名,個人番号\n関所 花子,{person(4)}\n".encode()
    made = stack.admin("POST", f"users/{user}/files?name={uuid.uuid4().hex}.csv", data=data)
    until(lambda: stack.lines(made["id"]), 60, "the block")
    path = f"drives/{made['drive_id']}/items/{made['id']}"
    stack.admin("POST", f"{path}/links", json_body={"type": "view", "scope": "anonymous"})

    def links():
        found = stack.readback._graph.json(f"/{path}/permissions")
        return sum("link" in each for each in found["value"])

    until(lambda: links() == 0, 60, "the second revocation")
    assert person(4).encode() not in stack.readback._graph.get(f"/{path}/content")


def test_clean_tag_is_not_woken_by_itself(stack):
    message = arrives(stack, letter("電話は 075-000-1234 までお願いします。\n"))
    until(lambda: stack.lines(message), 60, "the tag")
    patches = [
        entry
        for entry in stack.log()
        if entry["method"] == "PATCH" and message in entry["ids"].values()
    ]
    time.sleep(7)  # the notification of our own write, and a sweep
    assert len(stack.lines(message)) == 1
    assert len(patches) == 1
    assert stack.lines(message)[0].disposition == "tag"


def test_forged_notification_is_answered_like_a_genuine_one_and_fetches_nothing(stack):
    before = stack.log()[-1]["n"]
    secret = str(uuid.uuid4())
    forged = {
        "value": [
            {
                "subscriptionId": secret,
                "clientState": "mail.0123456789abcdef.x.forged",
                "changeType": "created",
                "resource": f"Users/{secret}/Messages/{secret}",
                "resourceData": {"id": secret, "@odata.etag": 'W/"x"'},
            }
        ]
    }
    url = f"{stack.stack.host.url}/api/graph/notifications"
    for body in (json.dumps(forged).encode(), b"{", b""):
        request = urllib.request.Request(url, data=body, method="POST")
        with urllib.request.urlopen(request, timeout=10) as answer:
            assert (answer.status, answer.read()) == (202, b"")
    time.sleep(2)
    assert not any(secret in json.dumps(entry) for entry in stack.log() if entry["n"] > before)
