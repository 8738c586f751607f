"""The gate in the running system: sanitised, released, blocked, passwords, a pushed folder."""

from __future__ import annotations

import email
import email.policy
import io
import json
import os
import re
import uuid
import zipfile
from contextlib import closing, suppress
from urllib.parse import quote

import httpx
import pytest
from azure.core.exceptions import ResourceExistsError, ResourceNotFoundError
from azure.data.tables import TableServiceClient
from azure.storage.blob import BlobServiceClient
from azure.storage.queue import QueueServiceClient

from local.demo.readback import Graph
from local.demo.watch import Storage
from local.samples.numbers import person
from local.stack import Stack
from shared.cli import run
from tests.e2e.conftest import until
from tests.e2e.test_release_host import enter, mails, post, text
from tests.unit.sanitize.sanitize_office import xlsm
from tests.unit.services.gate_parts import locked_zip, mail

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(240)]

OWNER = "hanako@city.example.jp"
PAGE_WORD, MAIL_WORD, FIRST_WORD = "Kanaria-Page-7Q", "Kanaria-Mail-9X", "Kanaria-First-5Z"
WORDS = "総会の資料の本文です"


@pytest.fixture(scope="module")
def town(tmp_path_factory):
    overrides = {"SEKISHO_MAIL_DOMAINS": "city.example.jp", "SEKISHO_LEASE_SECONDS": "10"}
    folder = tmp_path_factory.mktemp("gate")
    with Stack(folder, users={"福祉 花子": OWNER}, overrides=overrides) as running:
        yield running


@pytest.fixture
def graph(town):
    return Graph(town.graph.base_url)


@pytest.fixture
def storage(town):
    return Storage(town.storage)


def land(town, raw, sender):
    name = f"mail/{uuid.uuid4().hex}.eml"
    envelope = {"recipients": [OWNER], "sender": sender, "via": "relay"}
    blobs = BlobServiceClient.from_connection_string(town.storage)
    for container, key, data in (
        ("envelopes", f"{name}.json", json.dumps(envelope).encode()),
        ("landing", name, raw),
    ):
        client = blobs.get_container_client(container)
        with suppress(ResourceExistsError):
            client.create_container()
        client.upload_blob(key, data)
    return name


def held(storage, name):
    return until(lambda: storage.tag("landing", name) == "held", 60, f"{name} is held")


def send(town, subject, body="お世話になっております。\n", sender="a@other.example.com", **given):
    raw = mail(subject, body, sender=sender, number=uuid.uuid4().hex, **given)
    return land(town, raw, sender)


def attachments(mime):
    message = email.message_from_bytes(mime, policy=email.policy.default)
    return {
        part.get_filename(): part.get_payload(decode=True) for part in message.iter_attachments()
    }


def test_gate_through_the_running_system(town, graph, storage, tmp_path, monkeypatch):
    number = person(11)
    page_zip = locked_zip(PAGE_WORD, [("資料.txt", WORDS.encode())])
    mail_zip = locked_zip(MAIL_WORD, [("資料.txt", WORDS.encode())])
    first_zip = locked_zip(FIRST_WORD, [("資料.txt", WORDS.encode())])
    send(town, "先にお知らせ", f"パスワードは {FIRST_WORD} です。\n", sender="d@other.example.com")
    html = f'<p>{WORDS}</p><script>alert(1)</script><img src="http://t.example/x.gif">'
    send(town, "様式の送付", html=html, attach=[("様式.xlsm", xlsm().data())])
    unread = send(town, "読めない添付", attach=[("図面.dat", os.urandom(4_000))])
    blocked = send(town, "照会", f"氏名: 見本 花子\n個人番号: {number}\n")
    page = send(town, "資料（一）", attach=[("資料.zip", page_zip)], sender="b@other.example.com")
    by_mail = send(
        town, "資料（二）", attach=[("資料.zip", mail_zip)], sender="c@other.example.com"
    )
    push_folder(town, tmp_path, monkeypatch)

    clean = until(lambda: mails(graph, OWNER).get("様式の送付"), 60, "the sanitised mail")[1]
    read = text(clean)
    assert WORDS in read
    assert "<script>" not in read
    assert "macro removed" in read
    assert "無害化" in read
    assert until(
        lambda: mails(graph, OWNER).get("先にお知らせ"), 60, "the password that comes first"
    )
    by_first = send(
        town, "資料（三）", attach=[("資料.zip", first_zip)], sender="d@other.example.com"
    )
    with zipfile.ZipFile(io.BytesIO(attachments(clean)["様式.xlsx"])) as package:
        assert not [each for each in package.namelist() if "vba" in each.lower()]

    for name in (unread, page, by_mail):
        held(storage, name)
    with closing(enter(town, "oid-a")) as client:
        release(town, client, storage, unread)
    assert until(lambda: mails(graph, OWNER).get("読めない添付"), 60, "the released mail")

    link = until(lambda: link_for(graph, "b@other.example.com"), 40, "the letter with the link")
    form = httpx.get(link, timeout=30)
    assert 'type="password"' in form.text
    wrong = httpx.post(link, data={"password": "falsch"}, timeout=60)
    assert "パスワードが違います" in wrong.text
    held(storage, page)
    right = httpx.post(link, data={"password": PAGE_WORD}, timeout=60)
    assert "開きました" in right.text
    send(town, "先ほどの件", f"パスワードは {MAIL_WORD} です。\n", sender="c@other.example.com")
    for subject in ("資料（一）", "資料（二）", "資料（三）"):
        opened = until(lambda s=subject: mails(graph, OWNER).get(s), 120, subject)[1]
        with zipfile.ZipFile(io.BytesIO(attachments(opened)["資料.zip"])) as archive:
            assert archive.read("資料.txt").decode() == WORDS

    drive = graph.json(f"/users/{OWNER}/drive")["id"]
    for path in ("受付/申請書.txt", "名簿.csv"):
        where = f"/drives/{drive}/items/root:/{quote(path)}:/content"
        until(lambda w=where: graph.get(w), 60, path)
    until(lambda: storage.tag("landing", blocked) == "", 60, "the blocked mail has left landing")
    found = mails(graph, OWNER)
    assert "照会" not in found
    assert len([each for each in found if each in {"読めない添付", "様式の送付"}]) == 2
    twice = graph.json(f"/users/{OWNER}/messages", **{"$select": "subject", "$top": "100"})
    subjects = [each["subject"] for each in twice["value"]]
    assert len(subjects) == len(set(subjects)) + subjects.count(LETTER) - 1
    until(lambda: storage.tag("landing", by_first) == "", 60, "the opened mail has left landing")
    no_password_anywhere(town, (PAGE_WORD, MAIL_WORD, FIRST_WORD))


LETTER = "【関所】パスワードの入力が必要です / A mail to you waits for its password"


def link_for(graph, sender):
    found = graph.json(f"/users/{OWNER}/messages", **{"$select": "id,subject", "$top": "100"})
    for each in found["value"]:
        if each["subject"] == LETTER:
            body = text(graph.get(f"/users/{OWNER}/messages/{each['id']}/$value"))
            if sender in body:
                return re.search(r"http://\S+/api/passwords/\S+", body)[0]
    return None


def release(town, client, storage, name):
    """By one person, whose exception covers what could not be read."""
    rows = TableServiceClient.from_connection_string(town.storage).get_table_client("incidents")

    def incident():
        ids = {line.event["id"] for line in storage.lines() if line.key[1] == name}
        with suppress(ResourceNotFoundError):  # nothing was recorded yet
            for row in rows.list_entities():
                if row.get("event") in ids:
                    return f"/incidents/{row['PartitionKey']}/{row['RowKey']}"
        return None

    path = until(incident, 60, "the incident")
    form = {"step": "release", "reason": "差出人に確かめたため業務に用いる", "days": "7"}
    assert post(town, client, path, to=f"{path}/release", **form).status_code == 200


def push_folder(town, tmp_path, monkeypatch):
    folder = tmp_path / "共有"
    (folder / "受付").mkdir(parents=True)
    (folder / "受付" / "申請書.txt").write_text("申請の内容です。\n", encoding="utf-8")
    (folder / "名簿.csv").write_text("課,係\n福祉,庶務\n", encoding="utf-8")
    monkeypatch.setenv("SEKISHO_WORK", town.storage)
    command = ["push", str(folder), "--to", OWNER, "--state", str(tmp_path / "state.jsonl")]
    for _ in range(2):
        assert run(command) == 0


def no_password_anywhere(town, words):
    """Nor in the host's log; the mail that carried one has left the gate with its delivery."""
    found = [each.read_bytes() for each in town.folder.rglob("*.log")]
    blobs = BlobServiceClient.from_connection_string(town.storage)
    for container in blobs.list_containers():
        client = blobs.get_container_client(container.name)
        for blob in client.list_blobs(include=["metadata"]):
            found += [repr(blob).encode(), client.download_blob(blob.name).readall()]
    tables = TableServiceClient.from_connection_string(town.storage)
    for table in tables.list_tables():
        rows = tables.get_table_client(table.name).list_entities()
        found += [repr(dict(row)).encode() for row in rows]
    queues = QueueServiceClient.from_connection_string(town.storage)
    for queue in queues.list_queues():
        waiting = queues.get_queue_client(queue.name).peek_messages(max_messages=32)
        found += [each.content.encode() for each in waiting]
    for word in words:
        assert not [each for each in found if word.encode() in each], word
