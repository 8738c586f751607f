"""The value never leaves ``detect``: no planted number anywhere but where an original may be."""

from __future__ import annotations

import base64
import gzip
import json

import pytest
from azure.core.exceptions import HttpResponseError
from azure.data.tables import TableServiceClient
from azure.storage.blob import BlobServiceClient
from azure.storage.queue import QueueServiceClient

from local.demo import report
from local.samples import numbers
from local.samples.numbers import grouped, person, wide
from tests.e2e.canary import planted

pytestmark = pytest.mark.e2e
ORIGINALS = {"landing", "quarantine", "evidence"}


@pytest.mark.parametrize(
    "hide",
    [
        str.encode,
        lambda n: wide(n).encode("cp932"),
        lambda n: grouped(n).encode("utf-16-le"),
        lambda n: base64.b64encode(f'{{"x":"{n}"}}'.encode()),
        lambda n: base64.urlsafe_b64encode(gzip.compress(" ".join(n).encode())),
        lambda n: gzip.compress(base64.b64encode(n.encode() * 3)),
    ],
)
def test_canary_search_finds_what_is_hidden(hide):
    """The search itself can fail, so it is shown what it must find."""
    assert planted(b"log line " + hide(person(1)) + b" more", numbers()) == {person(1)}


def test_no_number_in_logs_and_report(day, stack):
    report.write(stack.folder / "report.json", day, chain_verified=True)
    for name in ("host.log", "graph.log", "report.json"):
        data = (stack.folder / name).read_bytes()
        assert planted(data, numbers()) == set(), name


def test_no_number_in_queues(day, stack):
    """Also those that were read and deleted: Azurite's own files still hold every message."""
    assert day
    service = QueueServiceClient.from_connection_string(stack.stack.storage)
    for queue in service.list_queues():
        for message in service.get_queue_client(queue.name).peek_messages(32):
            assert planted(message.content.encode(), numbers()) == set(), queue.name
    folder = stack.folder / "azurite" / "__queuestorage__"
    extents = [path for path in folder.rglob("*") if path.is_file()]
    assert extents, "the messages' own files were found"
    for path in extents:
        assert planted(path.read_bytes(), numbers()) == set(), path.name


def test_no_number_in_tables(day, stack):
    assert day
    service = TableServiceClient.from_connection_string(stack.stack.storage)
    names = [table.name for table in service.list_tables()]
    assert {"ledger", "auditevents", "incidents"} <= set(names)
    for name in names:
        for row in service.get_table_client(name).list_entities():
            values = {
                key: base64.b64encode(value).decode() if isinstance(value, bytes) else str(value)
                for key, value in row.items()
            }
            data = json.dumps(values, ensure_ascii=False).encode()
            assert planted(data, numbers()) == set(), name


def test_no_number_in_blobs_names_tags_and_metadata(day, stack):
    assert day
    service = BlobServiceClient.from_connection_string(stack.stack.storage)
    seen = set()
    for container in service.list_containers():
        client = service.get_container_client(container.name)
        for blob in client.list_blobs(include=["metadata"]):
            seen.add(container.name)
            shown = json.dumps([blob.name, blob.metadata], ensure_ascii=False).encode()
            assert planted(shown, numbers()) == set(), container.name
            if container.name in ORIGINALS:
                continue
            try:
                data = client.download_blob(blob.name).readall()
            except HttpResponseError:  # moved on meanwhile
                continue
            assert planted(data, numbers()) == set(), f"{container.name}/{blob.name}"
    assert {"audit", "evidence", "quarantine"} <= seen


def test_no_number_in_what_the_stand_in_was_told(day, stack):
    """Requests of the product to Graph: notices, categories; deliveries are originals."""
    assert day
    for text in (stack.folder / "traffic.jsonl").read_text("utf-8").splitlines():
        line = json.loads(text)
        path = line["path"]
        if "/content" in path or "_upload" in path or line["method"] not in {"POST", "PATCH"}:
            continue
        if path.endswith("/messages") and "text/plain" in str(line["headers"]).lower():
            continue  # the delivery of a clean mail
        body = base64.b64decode(line.get("body") or "")
        assert planted(path.encode() + b" " + body, numbers()) == set(), path
