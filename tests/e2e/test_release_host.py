"""In the running system: a stopped mail, its notice, and its release by two people."""

from __future__ import annotations

import email
import email.policy
import re
from contextlib import closing
from email.message import EmailMessage

import httpx
import pytest

from local.demo.readback import Graph
from local.demo.watch import Storage
from local.samples.numbers import person
from local.stack import Stack
from tests.e2e.conftest import until

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(240)]

OWNER, SENDER = "hanako@city.example.jp", "sekisho@city.example.jp"
CISO = "ciso@city.example.jp"
USERS = {"福祉 花子": OWNER, "関所": SENDER, "統括 責任者": CISO}


@pytest.fixture(scope="module")
def town(tmp_path_factory):
    overrides = {
        "SEKISHO_NOTICE_MAILBOX": SENDER,
        "SEKISHO_NOTICE_SECURITY": CISO,
        "SEKISHO_LEASE_SECONDS": "10",
        "SEKISHO_SWEEP_SCHEDULE": "*/5 * * * * *",
    }
    with Stack(tmp_path_factory.mktemp("release"), users=USERS, overrides=overrides) as running:
        yield running


@pytest.fixture
def graph(town):
    return Graph(town.graph.base_url)


def mails(graph, user):
    """Subject → (id, MIME) of a mailbox; the folder does not matter."""
    found = graph.json(f"/users/{user}/messages", **{"$select": "id,subject", "$top": "100"})
    return {
        each["subject"]: (each["id"], graph.get(f"/users/{user}/messages/{each['id']}/$value"))
        for each in found["value"]
    }


def written(subject, body):
    message = EmailMessage()
    message["From"], message["To"], message["Subject"] = "citizen@example.com", OWNER, subject
    message["Message-ID"] = "<release-1@example.com>"
    message.set_content(body)
    return message.as_bytes()


def text(mime):
    message = email.message_from_bytes(mime, policy=email.policy.default)
    bodies = [part.get_content() for part in message.walk() if not part.is_multipart()]
    return "".join([str(message["subject"]), *map(str, bodies)])


def enter(town, who):
    origin = town.host.url
    client = httpx.Client(base_url=f"{origin}/api/console", follow_redirects=True, timeout=30)
    answer = client.post(
        "/login", data={"role": "reviewer", "person": who}, headers={"origin": origin}
    )
    assert answer.status_code == 200, answer.text
    return client


def post(town, client, path, **form):
    """A form of the page at ``path``, to the form's own address."""
    target = form.pop("to", path)
    csrf = re.findall(r'name="csrf" value="([0-9a-f]+)"', client.get(path).text)[-1]
    data = {"csrf": csrf, **form}
    return client.post(target, data=data, headers={"origin": town.host.url})


def test_stopped_mail_is_told_without_its_value_and_released_by_two_people(town, graph):
    number = person(7)
    subject = "住民税の照会"
    mime = written(subject, f"氏名: 見本 花子\n個人番号: {number}\n")
    town.graph.admin("POST", f"users/{OWNER}/messages", data=mime)
    until(lambda: subject not in mails(graph, OWNER), 60, "the mail is stopped")

    def told():
        return [
            mime
            for name, (_, mime) in mails(graph, OWNER).items()
            if name.startswith("【関所】あなたの情報")
        ]

    (notice,) = until(told, 40, "a notice in the owner's mailbox")
    assert number not in text(notice)
    (report,) = until(
        lambda: [m for s, (_, m) in mails(graph, CISO).items() if s.startswith("【関所】確認")],
        40,
        "a notice to the people in charge",
    )
    assert number not in text(report)

    with closing(enter(town, "oid-a")) as first, closing(enter(town, "oid-b")) as second:
        page = first.get("/incidents?disposition=block").text
        incident = re.search(r'href="/api/console(/incidents/\d[^"]+)"', page)[1]
        form = {"step": "release", "reason": "本人の同意を得て業務に用いるため", "days": "7"}
        assert post(town, first, incident, to=f"{incident}/release", **form).status_code == 200
        with closing(enter(town, "oid-a")) as again:  # another browser, the same person
            waiting = again.get("/exceptions").text
            (name,) = re.findall(r'name="id" value="([0-9a-f]{32})"', waiting)
            (scope,) = re.findall(r'name="scope" value="([^"]+)"', waiting)
            step = {"step": "approve", "id": name, "scope": scope}
            assert 'value="approve"' not in waiting
            assert post(town, again, "/exceptions", **step).status_code == 409
        assert post(town, second, "/exceptions", **step).status_code == 200

    back = until(lambda: mails(graph, OWNER).get(subject), 60, "the mail is back")
    assert number in text(back[1])
    storage = Storage(town.storage)

    def recorded():
        events = [line.event for line in storage.lines()]
        return {"exception_granted", "release"} <= {each["action"] for each in events} and [
            each for each in events if f"exception:{name}" in each["rule_ids"]
        ]

    until(recorded, 60, "the release and its use in the record")
    settled = mails(graph, OWNER)
    assert subject in settled
    # Nobody was told of a notice: what is there is one notice, and the mail.
    until(lambda: len(told()) == 1, 10, "one notice and no more")
