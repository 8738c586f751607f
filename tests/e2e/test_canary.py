"""The value never leaves ``detect``: no planted number anywhere but where an original may be."""

from __future__ import annotations

import base64
import gzip
import json
import re

import httpx
import pytest
from azure.core.exceptions import HttpResponseError
from azure.data.tables import TableServiceClient
from azure.storage.blob import BlobServiceClient
from azure.storage.queue import QueueServiceClient

from local.demo import report
from local.samples import numbers
from local.samples.numbers import grouped, person, wide
from shared.cli import run
from shared.console.routes import ROUTES
from shared.console.session import ROLES
from tests.e2e.canaries import COUNT, WAYS, canaries
from tests.e2e.canary import planted
from tests.e2e.conftest import until
from tests.unit.console.conftest import path_of

pytestmark = pytest.mark.e2e
ORIGINALS = {"landing", "envelopes", "quarantine", "evidence", "relay"}
ALL = (*numbers(), *canaries())


@pytest.fixture(scope="module")
def sent(stack, day):
    """The day and the 200 on every way; everything of it is decided."""
    assert day
    left, items = list(canaries()), []
    for way, count in WAYS.items():
        some, left = left[:count], left[count:]
        items += way(stack, some)
    assert left == []

    def undecided():
        known = {line.key[1] for line in stack.storage.lines() if line.disposition != "none"}
        return [each for each in items if each not in known]

    until(lambda: not undecided(), 180, "every canary's decision")
    return items


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


def test_canaries_are_200_distinct_numbers_that_look_real():
    assert len(set(canaries())) == COUNT == sum(WAYS.values())
    assert not set(canaries()) & set(numbers()) or len(set(ALL)) > COUNT


def test_canaries_were_found_where_they_were_put(sent, stack):
    """A search that finds nothing means something only if the numbers did pass."""
    lines = {line.key[1]: line.disposition for line in stack.storage.lines() if line.key[1] in sent}
    assert sum(lines[each] in {"block", "review"} for each in sent) >= len(sent) * 0.9, lines


def test_no_number_in_logs_and_report(sent, day, stack):
    assert sent
    report.write(stack.folder / "report.json", day, chain_verified=True)
    for name in ("host.log", "graph.log", "report.json"):
        data = (stack.folder / name).read_bytes()
        assert planted(data, ALL) == set(), name


def test_no_number_in_queues(sent, stack):
    """Also those that were read and deleted: Azurite's own files still hold every message."""
    assert sent
    service = QueueServiceClient.from_connection_string(stack.stack.storage)
    for queue in service.list_queues():
        for message in service.get_queue_client(queue.name).peek_messages(32):
            assert planted(message.content.encode(), ALL) == set(), queue.name
    folder = stack.folder / "azurite" / "__queuestorage__"
    extents = [path for path in folder.rglob("*") if path.is_file()]
    assert extents, "the messages' own files were found"
    for path in extents:
        assert planted(path.read_bytes(), ALL) == set(), path.name


def test_no_number_in_tables(sent, stack):
    assert sent
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
            assert planted(data, ALL) == set(), name


def test_no_number_in_blobs_names_tags_and_metadata(sent, stack):
    assert sent
    service = BlobServiceClient.from_connection_string(stack.stack.storage)
    seen = set()
    for container in service.list_containers():
        client = service.get_container_client(container.name)
        for blob in client.list_blobs(include=["metadata"]):
            seen.add(container.name)
            shown = json.dumps([blob.name, blob.metadata], ensure_ascii=False).encode()
            assert planted(shown, ALL) == set(), container.name
            if container.name in ORIGINALS:
                continue
            try:
                data = client.download_blob(blob.name).readall()
            except HttpResponseError:  # moved on meanwhile
                continue
            assert planted(data, ALL) == set(), f"{container.name}/{blob.name}"
    assert {"audit", "evidence", "quarantine"} <= seen


def test_no_number_in_what_the_stand_in_was_told(sent, stack):
    """Requests of the product to Graph: notices, categories; deliveries are originals."""
    assert sent
    for text in (stack.folder / "traffic.jsonl").read_text("utf-8").splitlines():
        line = json.loads(text)
        path = line["path"]
        if "/content" in path or "_upload" in path or line["method"] not in {"POST", "PATCH"}:
            continue
        if path.endswith("/messages") and "text/plain" in str(line["headers"]).lower():
            continue  # the delivery of a clean mail
        body = base64.b64decode(line.get("body") or "")
        assert planted(path.encode() + b" " + body, ALL) == set(), path


def test_no_number_in_pages(sent, stack):
    """Every page of the console as each role sees it, and every incident's."""
    assert sent
    base = f"{stack.stack.host.url}/api/console"
    for role in ROLES:
        with httpx.Client(base_url=base, follow_redirects=True, timeout=60) as client:
            origin = {"origin": stack.stack.host.url}
            client.post("/login", data={"role": role}, headers=origin)
            mine = [each for each in ROUTES if each.method == "GET" and role in each.roles]
            paths = [path_of(route) for route in mine]
            listed, shown = client.get("/incidents"), []
            assert listed.status_code == 200, listed.text
            if role == "reviewer":
                shown = re.findall(r'href="/api/console/(incidents/\d[^"]+)"', listed.text)
                assert shown, listed.text
            for path in (*paths, *shown):
                page = client.get(f"/{path}").content
                assert planted(page, ALL) == set(), path


@pytest.mark.parametrize("form", ["ocsf", "cef", "cloudevents", "csv", "sentinel"])
def test_no_number_in_exports(sent, stack, tmp_path, form, monkeypatch, capsys):
    assert sent
    monkeypatch.setenv("SEKISHO_AUDIT", stack.stack.storage)
    out = tmp_path / "out"
    assert run(["audit", "export", "--format", form, "--out", str(out)]) == 0
    data = out.read_bytes()
    assert len(data) > 1_000
    assert planted(data + "".join(capsys.readouterr()).encode(), ALL) == set()
