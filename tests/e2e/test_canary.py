"""The value never leaves ``detect``: no planted number anywhere but where an original may be."""

from __future__ import annotations

import base64
import gzip
import json
import re

import httpx
import pytest

from local.demo import report
from local.samples import numbers
from local.samples.numbers import grouped, person, wide
from shared.cli import run
from shared.console.routes import ROUTES
from shared.console.session import ROLES
from tests.e2e.canaries import COUNT, WAYS, canaries, delivered
from tests.e2e.canary import blobs, planted, queues, tables
from tests.e2e.conftest import PERSON, until
from tests.unit.console.conftest import path_of

pytestmark = pytest.mark.e2e
ALL = (*numbers(), *canaries())


@pytest.fixture(scope="module")
def sent(stack, day):
    """The day and the 200 on every way; everything of it is decided."""
    assert day
    left, items = list(canaries()), {}
    for way, count in WAYS.items():
        some, left = left[:count], left[count:]
        items[way] = way(stack, some)
    assert left == []
    every = {each for some in items.values() for each in some}

    def undecided():
        known = {line.key[1] for line in stack.storage.lines() if line.disposition != "none"}
        return every - known

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
    lines = {line.key[1]: line for line in stack.storage.lines() if line.disposition != "none"}
    for way, items in sent.items():
        said = [(lines[each].disposition, lines[each].event["action"]) for each in items]
        if way is delivered:
            assert set(said) == {("allow", "deliver")}, said
        else:
            stopped = sum(disposition in {"block", "review"} for disposition, _ in said)
            assert stopped >= len(items) * 0.9, (way.__name__, said)


def test_no_number_in_logs_and_report(sent, day, stack):
    assert sent
    report.write(stack.folder / "report.json", day, chain_verified=True)
    for name in ("host.log", "graph.log", "report.json"):
        data = (stack.folder / name).read_bytes()
        assert planted(data, ALL) == set(), name


def test_no_number_in_queues(sent, stack):
    assert sent
    for where, data in queues(stack.stack.storage, stack.folder / "azurite"):
        assert planted(data, ALL) == set(), where


def test_no_number_in_tables(sent, stack):
    assert sent
    seen = set()
    for where, data in tables(stack.stack.storage):
        seen.add(where)
        assert planted(data, ALL) == set(), where
    assert {"ledger", "auditevents", "incidents"} <= seen


def test_no_number_in_blobs_names_tags_and_metadata(sent, stack):
    assert sent
    seen = set()
    for where, data in blobs(stack.stack.storage):
        seen.add(where.partition("/")[0])
        assert planted(data, ALL) == set(), where
    assert {"audit", "evidence", "quarantine"} <= seen


def test_no_number_in_what_the_stand_in_was_told(sent, stack):
    """Requests of the product to Graph: notices, categories; deliveries are originals."""
    assert sent
    for text in (stack.folder / "traffic.jsonl").read_text("utf-8").splitlines():
        line = json.loads(text)
        path = line["path"]
        if PERSON in line["headers"].values():
            continue
        if "/content" in path or "_upload" in path or line["method"] not in {"POST", "PATCH"}:
            continue
        if path.endswith("/messages") and "text/plain" in str(line["headers"]).lower():
            continue  # the delivery of a clean mail
        if path.endswith(":/createUploadSession"):
            continue  # that of a clean file, under its name
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
