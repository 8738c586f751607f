"""Recorded traffic against Microsoft's published description of Graph (an OpenAPI 3.0 slice).

``validate(lines)`` takes the lines that the stand-in's ``--record`` wrote and gives back what is
wrong with each: a request that matches no operation, a query option that the operation has not, a
body or an answer that breaks its schema, or a property that no schema declares (the description
leaves every object open, so a misspelt name would pass otherwise). What the description does not
say, though Graph does it, is in ``EXCEPTIONS``, each with its reason.
"""

from __future__ import annotations

import base64
import binascii
import functools
import json
import os
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, unquote

from openapi_schema_validator import OAS30Validator
from referencing import Registry
from referencing.jsonschema import DRAFT4

ROOT = Path(__file__).resolve().parent.parent.parent
URI = "urn:graph"
PREFIX = "microsoft.graph."

EXCEPTIONS = {
    "pre-authenticated": "/_content, /_upload, /_monitor come out of answers; /common holds keys",
    "batch": "/$batch is not described; each request inside is recorded as a call of its own",
    "mime-request": "messages and sendMail take text/plain base64 MIME; described is JSON only",
    "mime-answer": "a message's $value is text/plain in Graph; described is octet-stream",
    "attachment-value": "GET attachments/{id}/$value is documented, and not described",
    "redirect": "content answers 302 with a Location; described is 2XX with bytes",
    "path-addressing": "items/root:/path: is an address of an item; described are ids only",
    "lists": "groups, their members, and the lists of teams and channels are documented and not in"
    " this part of the description: what they list is held to its own schema (see LISTS)",
    "paging-options": "$skiptoken, $deltatoken, token, $skip come back in links that Graph writes",
    "parameter-case": "an action's parameters come in any case (destinationId, DestinationId)",
    "null-complex": "a complex property is null in Graph; OpenAPI 3.0 has no nullable beside $ref",
    "verdict": "PATCH policyViolation without a user is answered 200 without a body",
    "headers": "If-Match and Prefer are documented on more calls than described; not checked",
    "refused": "a wrong request that was answered 400 is what a test of refusal sends",
    "dropped": "a connection that a fault closed has no answer",
    "truncated": "a body that a fault cut in half is not JSON any more",
}
OUTSIDE = ("/_content/", "/_upload/", "/_monitor/", "/common/", "/v1.0/$batch")
LISTS = (
    (re.compile(r"/groups/[^/]+"), ""),
    (re.compile(r"/groups/[^/]+/(transitiveM|m)embers(/graph\.user)?"), "user"),
    (re.compile(r"/teams"), ""),
    (re.compile(r"/teams/[^/]+/channels"), "channel"),
)
PAGING = {"$skiptoken", "$deltatoken", "token", "$skip", "$top", "includeHiddenFolders"}
# Properties that Graph sends (or takes) and the description does not declare: (schema, property).
OPEN = {
    ("teamworkUserIdentity", "tenantId"): "Graph adds the tenant of a Teams user; here it is newer",
    ("identity", "email"): "OneDrive adds the address of a person to every identity",
    ("identity", "loginName"): "SharePoint adds it",
    ("identitySet", "group"): "of a team's library the owner is the group",
    ("ODataErrors.InnerError", "code"): "nested codes are documented",
    ("listItem", "id"): "declared on entity",
}
FREE = {"fieldValueSet"}  # a list's columns are its own


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing wrong with one line (counted from 0)."""

    line: int
    call: str
    where: str
    message: str


@dataclass(frozen=True, slots=True)
class Call:
    """A line, taken apart."""

    number: int
    method: str
    path: str
    query: tuple[tuple[str, str], ...]
    line: dict[str, Any]

    @property
    def line_body(self) -> str:
        """The request's body as text."""
        return base64.b64decode(self.line["body"]).decode(errors="replace")

    def problem(self, where: str, message: str) -> Problem:
        return Problem(self.number, f"{self.method} {self.path}", where, message)


def slice_path() -> Path:
    """Where the description lies: SEKISHO_GRAPH_SLICE, or beside the repository."""
    named = os.environ.get("SEKISHO_GRAPH_SLICE")
    return (
        Path(named) if named else ROOT.parent / "shared" / "contract" / "graph_openapi_slice.json"
    )


class Contract:
    """A description that requests and answers are held against."""

    def __init__(self, document: dict[str, Any]) -> None:
        self.document = document
        self._registry = Registry().with_resource(URI, DRAFT4.create_resource(document))
        paths = sorted(document["paths"], key=lambda path: (path.count("{"), -len(path)))
        self._paths = [(path, _pattern(path)) for path in paths]
        self.seen: set[tuple[str, str]] = set()

    def operation(self, method: str, path: str) -> tuple[str, dict[str, Any]] | None:
        """(pointer, operation); a path with fewer parameters wins over one with more."""
        for template, pattern in self._paths:
            found = self.document["paths"][template].get(method.lower())
            if found is not None and pattern.fullmatch(path):
                self.seen.add((method, template))
                escaped = template.replace("~", "~0").replace("/", "~1")
                return f"/paths/{escaped}/{method.lower()}", found
        return None

    def resolve(self, node: dict[str, Any], pointer: str) -> tuple[dict[str, Any], str]:
        """Follow a ``$ref``."""
        while "$ref" in node:
            pointer = node["$ref"].removeprefix("#")
            node = functools.reduce(
                lambda at, key: at[key.replace("~1", "/").replace("~0", "~")],
                pointer.strip("/").split("/"),
                self.document,
            )
        return node, pointer

    def body_schema(self, holder: dict[str, Any], pointer: str, kind: str) -> str | None:
        """The pointer of the schema for a media type, or None."""
        holder, pointer = self.resolve(holder, pointer)
        if kind not in holder.get("content", {}):
            return None
        return f"{pointer}/content/{kind.replace('/', '~1')}/schema"

    def errors(self, pointer: str, value: Any) -> Iterator[str]:
        """What breaks the schema, then what the schema does not declare."""
        schema = {"$ref": f"{URI}#{_quoted(pointer)}"}
        checker = OAS30Validator(
            schema, registry=self._registry, format_checker=OAS30Validator.FORMAT_CHECKER
        )
        for error in checker.iter_errors(value):
            if error.instance is None and error.schema.get("type") == "object":  # null-complex
                continue
            yield f"{error.json_path}: {error.message[:200]}"
        yield from self._undeclared({"$ref": f"#{pointer}"}, value, "$")

    def _undeclared(self, schema: dict[str, Any], value: Any, at: str) -> Iterator[str]:
        schema, pointer = self.resolve(schema, "")
        if isinstance(value, list):
            for index, each in enumerate(value):
                yield from self._undeclared(schema.get("items", {}), each, f"{at}[{index}]")
        if not isinstance(value, dict):
            return
        name = pointer.rpartition("/")[2].removeprefix(PREFIX)
        kind = str(value.get("@odata.type", "")).removeprefix("#")
        if kind in self.document["components"]["schemas"]:
            schema, name = self.document["components"]["schemas"][kind], kind.removeprefix(PREFIX)
        declared = self._properties(schema)
        if not declared or name in FREE:
            return
        for key, each in value.items():
            if "@" in key:
                continue
            if key not in declared:
                if (name, key) not in OPEN:
                    yield f"{at}.{key}: {name or 'this object'} declares no such property"
                continue
            yield from self._undeclared(declared[key], each, f"{at}.{key}")

    def _properties(self, schema: dict[str, Any]) -> dict[str, dict[str, Any]]:
        schema, _ = self.resolve(schema, "")
        found = dict(schema.get("properties", {}))
        for part in schema.get("allOf", []):
            found |= self._properties(part)
        return found

    def declared_case(self, pointer: str, body: dict[str, Any]) -> dict[str, Any]:
        """An action's parameters under the names that the description gives them.

        Graph compares them without regard to case (documentation writes ``destinationId``, the
        description and the SDK ``DestinationId``).
        """
        node, where = self.resolve({"$ref": f"#{pointer}"}, pointer)
        if where != pointer:
            return body
        names = {name.lower(): name for name in node.get("properties", {})}
        return {names.get(key.lower(), key): value for key, value in body.items()}


@functools.cache
def load(path: Path) -> Contract:
    """The description at the path, read once."""
    return Contract(json.loads(path.read_text(encoding="utf-8")))


def validate(lines: Iterable[str], contract: Contract | None = None) -> list[Problem]:
    """Everything that is wrong with the recorded calls; empty where all is as described."""
    contract = contract or load(slice_path())
    found: list[Problem] = []
    for number, text in enumerate(lines):
        line = json.loads(text)
        raw, _, query = line["path"].partition("?")
        if raw.startswith(OUTSIDE):  # pre-authenticated, batch
            continue
        pairs = tuple(parse_qsl(query, keep_blank_values=True))
        call = Call(number, line["method"], _addressed(raw), pairs, line)
        found += _check(contract, call)
    return found


def _check(contract: Contract, call: Call) -> Iterator[Problem]:
    path = call.path
    attachment_value = re.fullmatch(r"(.*/attachments/[^/]+)/\$value", path)
    if attachment_value and call.method == "GET":  # attachment-value
        path = attachment_value[1]
    match = contract.operation(call.method, path)
    if match is None:
        if call.method == "GET" and any(p.fullmatch(path) for p, _ in LISTS):  # lists
            yield from _check_list(contract, call)
            return
        yield call.problem("operation", "matches no operation of the description")
        return
    pointer, operation = match
    yield from _check_query(contract, call, operation)
    yield from _check_request(contract, call, pointer, operation)
    if not attachment_value:
        yield from _check_answer(contract, call, pointer, operation)


def _check_list(contract: Contract, call: Call) -> Iterator[Problem]:
    """Each listed entity against the schema of its kind; groups have none."""
    kind = next(kind for pattern, kind in LISTS if pattern.fullmatch(call.path))
    if call.line["status"] != 200 or not kind:
        return
    schema = f"/components/schemas/{PREFIX}{kind}"
    for each in json.loads(base64.b64decode(call.line["response_body"]))["value"]:
        if each.get("@odata.type") != "#microsoft.graph.group":
            for message in contract.errors(schema, each):
                yield call.problem("response", message)


def _check_query(contract: Contract, call: Call, operation: dict[str, Any]) -> Iterator[Problem]:
    parameters = [contract.resolve(each, "")[0] for each in operation.get("parameters", [])]
    declared = {each["name"] for each in parameters if each["in"] == "query"}
    for name, _ in call.query:
        if name not in declared and name not in PAGING:  # paging-options
            yield call.problem("query", f"the operation has no option {name}")


def _check_request(
    contract: Contract, call: Call, pointer: str, operation: dict[str, Any]
) -> Iterator[Problem]:
    data = base64.b64decode(call.line["body"])
    kind = _kind(call.line["headers"])
    holder = operation.get("requestBody")
    if holder is None:
        if data.strip() not in {b"", b"{}"}:
            yield call.problem("request", "the operation takes no body")
        return
    if kind == "text/plain" and re.search(r"/(messages|sendMail)$", call.path):  # mime-request
        yield from _check_base64(call, data)
        return
    schema = contract.body_schema(holder, f"{pointer}/requestBody", kind)
    if schema is None and "application/octet-stream" in contract.resolve(holder, "")[0]["content"]:
        return  # bytes have whatever type the client knows of them
    if schema is None:
        yield call.problem("request", f"the operation takes no {kind or 'body without a type'}")
    elif kind == "application/json":
        yield from _check_json(contract, call, "request", schema, data)


def _check_base64(call: Call, data: bytes) -> Iterator[Problem]:
    try:
        base64.b64decode(data, validate=True)
    except binascii.Error:
        if call.line["status"] != 400:
            yield call.problem("request", "MIME that is not base64 was accepted")


def _check_answer(
    contract: Contract, call: Call, pointer: str, operation: dict[str, Any]
) -> Iterator[Problem]:
    status, headers = call.line["status"], call.line["response_headers"]
    data = base64.b64decode(call.line["response_body"])
    if status is None or call.line.get("truncated"):  # dropped, truncated
        return
    if status == 302 and call.path.endswith("/content"):  # redirect
        if "Location" not in headers:
            yield call.problem("response", "302 without a Location")
        return
    if status == 410 and "Location" not in headers:
        yield call.problem("response", "410 without a Location to start over from")
    code = next((c for c in (str(status), f"{status // 100}XX") if c in operation["responses"]), "")
    holder = operation["responses"].get(code or "default")
    where = f"{pointer}/responses/{code or 'default'}"
    described = contract.resolve(holder, where)[0].get("content", {})
    if 200 <= status < 300 and "application/octet-stream" in described:  # mime-answer
        return
    if not data:
        verdict = call.method == "PATCH" and "policyViolation" in call.line_body  # verdict
        if described and status not in {202, 204} and not verdict:
            yield call.problem("response", "an answer without a body")
        return
    schema = contract.body_schema(holder, where, _kind(headers))
    if schema is None:
        yield call.problem("response", f"no {_kind(headers)} is described for {status}")
        return
    yield from _check_json(contract, call, "response", schema, data)


def _check_json(
    contract: Contract, call: Call, where: str, schema: str, data: bytes
) -> Iterator[Problem]:
    try:
        value = json.loads(data)
    except ValueError:
        refused = where == "request" and (call.line["status"] or 400) >= 400
        if not refused:
            yield call.problem(where, "not JSON")
        return
    if where == "request" and isinstance(value, dict):
        value = contract.declared_case(schema, value)  # parameter-case
    problems = [call.problem(where, message) for message in contract.errors(schema, value)]
    if where == "request" and (call.line["status"] or 0) == 400:
        return  # refused
    yield from problems


def _pattern(template: str) -> re.Pattern[str]:
    parts = re.split(r"(\{[^}]+\})", template)
    return re.compile("".join("[^/]+" if part[:1] == "{" else re.escape(part) for part in parts))


def _addressed(raw: str) -> str:
    """The path below the version, its segments decoded; ``items/root:/path:`` as an item's id."""
    path = raw.removeprefix("/v1.0")
    path = re.sub(r"(/items)/[^/:]+:/[^:]+:?", r"\1/by-path", path)  # path-addressing
    return "/".join(unquote(each).replace("/", "%2F") for each in path.split("/"))


def _kind(headers: dict[str, str]) -> str:
    lower = {key.lower(): value for key, value in headers.items()}
    return lower.get("content-type", "").partition(";")[0].strip().lower()


def _quoted(pointer: str) -> str:
    return pointer.replace("%", "%25").replace("{", "%7B").replace("}", "%7D").replace(" ", "%20")
