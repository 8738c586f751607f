"""The validator itself: each kind of wrong call is found, each exception is narrow."""

from __future__ import annotations

import base64
import json
from pathlib import Path

import pytest

from tests.contract import validator
from tests.contract.validator import EXCEPTIONS, validate

pytestmark = pytest.mark.contract
MESSAGE = "/v1.0/users/u/messages/m"
MESSAGES = "/v1.0/users/u/messages"
FILE = "/v1.0/drives/d/items/i"


def encoded(body):
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    return base64.b64encode(raw).decode()


def line(method, path, *, body=b"", status=200, answer=b"", kind="application/json", headers=None):
    record = {
        "method": method,
        "path": path,
        "headers": {"Content-Type": kind} if body else {},
        "body": encoded(body),
        "status": status,
        "response_headers": {"Content-Type": "application/json; charset=utf-8", **(headers or {})},
        "response_body": encoded(answer),
    }
    return json.dumps(record)


def found(contract, *args, **kwargs):
    return [(each.where, each.message) for each in validate([line(*args, **kwargs)], contract)]


RIGHT = [
    ("GET", MESSAGE, {"answer": {"id": "m", "subject": "s"}}),
    ("GET", f"{MESSAGE}?$select=id", {"answer": {"id": "m"}}),
    ("GET", f"{MESSAGE}?%24select=id", {"answer": {"id": "m"}}),
    ("GET", f"{MESSAGE}/$value", {"answer": b"From: a\r\n\r\n", "headers": {}}),
    ("GET", f"{MESSAGE}/attachments/a/$value", {"answer": b"bytes"}),
    ("GET", f"{FILE}/content", {"status": 302, "headers": {"Location": "http://x/"}}),
    ("GET", "/v1.0/drives/d/items/root:/a/b.txt:/content", {"answer": b"bytes"}),
    ("GET", "/v1.0/drives/d/items/root%3A%2Fa.txt%3A", {"answer": {"id": "i"}}),
    ("POST", f"{MESSAGE}/move", {"body": {"destinationId": "f"}, "answer": {"id": "m"}}),
    ("POST", MESSAGES, {"body": base64.b64encode(b"A: b"), "kind": "text/plain", "answer": {}}),
    ("POST", f"{MESSAGE}/permanentDelete", {"status": 204}),
    ("GET", "/_content/token", {"answer": b"bytes"}),
    ("GET", MESSAGE, {"status": 404, "answer": {"error": {"code": "c", "message": "m"}}}),
    ("PUT", f"{FILE}/content", {"body": b"x", "kind": "text/plain", "answer": {"id": "i"}}),
]
WRONG = [
    ("GET", "/v1.0/users/u/letters/m", {}, "operation", "no operation"),
    ("PUT", MESSAGE, {"body": {}}, "operation", "no operation"),
    ("GET", f"{MESSAGE}?$selekt=id", {"answer": {}}, "query", "$selekt"),
    ("PATCH", MESSAGE, {"body": {"categories": "one"}, "answer": {}}, "request", "categories"),
    ("PATCH", MESSAGE, {"body": {"catagories": []}, "answer": {}}, "request", "catagories"),
    ("PATCH", MESSAGE, {"body": b"{", "answer": {}}, "request", "not JSON"),
    ("PATCH", MESSAGE, {"body": b"<a/>", "kind": "text/xml", "answer": {}}, "request", "text/xml"),
    ("POST", f"{MESSAGE}/permanentDelete", {"body": {"a": 1}, "status": 204}, "request", "no body"),
    ("POST", MESSAGES, {"body": b"!!", "kind": "text/plain", "answer": {}}, "request", "base64"),
    ("GET", MESSAGE, {"answer": {"hasAttachments": "yes"}}, "response", "hasAttachments"),
    ("GET", MESSAGE, {"answer": {"receivedDateTime": "now"}}, "response", "receivedDateTime"),
    ("GET", MESSAGE, {"answer": {"from": {"emailAdress": {}}}}, "response", "emailAdress"),
    ("GET", MESSAGES, {"answer": {"value": [{"subject": 1}]}}, "response", "subject"),
    ("GET", MESSAGE, {"status": 404, "answer": {"code": "c"}}, "response", "error"),
    ("GET", MESSAGE, {"status": 200}, "response", "without a body"),
    ("GET", f"{FILE}/content", {"status": 302}, "response", "Location"),
    (
        "GET",
        "/v1.0/drives/d/items/root/delta()?token=t",
        {"status": 410, "answer": {"error": {"code": "resyncRequired", "message": "m"}}},
        "response",
        "Location",
    ),
]


@pytest.mark.parametrize(("method", "path", "call"), RIGHT)
def test_validator_accepts_what_graph_does(contract, method, path, call):
    assert found(contract, method, path, **call) == []


@pytest.mark.parametrize(("method", "path", "call", "where", "part"), WRONG)
def test_validator_finds_what_is_wrong(contract, method, path, call, where, part):
    problems = found(contract, method, path, **call)
    assert any(w == where and part in message for w, message in problems), problems


def test_validator_reads_derived_types_by_their_name(contract):
    file = {"@odata.type": "#microsoft.graph.fileAttachment", "contentBytes": "eA=="}
    assert found(contract, "GET", f"{MESSAGE}/attachments", answer={"value": [file]}) == []
    item = {"@odata.type": "#microsoft.graph.itemAttachment", "contentBytes": "eA=="}
    assert found(contract, "GET", f"{MESSAGE}/attachments", answer={"value": [item]}) != []


def test_validator_names_the_line(contract):
    lines = [line("GET", MESSAGE, answer={"id": "m"}), line("GET", "/v1.0/nowhere")]
    assert [each.line for each in validate(lines, contract)] == [1]


def test_exceptions_are_each_used_where_they_are_named():
    source = Path(validator.__file__).read_text(encoding="utf-8").partition("\nPAGING")[2]
    assert [name for name in EXCEPTIONS if name not in source] == []
