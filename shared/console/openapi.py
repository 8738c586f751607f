"""The console's routes as an OpenAPI 3.1 description, for tests and for those who guard the edge.

It is made from the route table, so that it cannot fall behind; ``python -m local.docs`` writes it
to ``docs/reference/console-openapi.json``.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from shared.console.releases import DAYS
from shared.console.routes import EVERYBODY, Route
from shared.console.session import COOKIE, ROLES
from shared.console.views import QUEUES
from shared.console.views_release import REASON, STEPS
from shared.console.web import BASE
from shared.console.words import LANGUAGES
from shared.storage.exceptions import LEAST_WORDS
from shared.storage.incidents import ACTIONS, NOTE
from shared.storage.index import DISPOSITIONS, SOURCES, STATES
from shared.storage.index_audit import DISPOSITIONS as JUDGED

type Schema = Mapping[str, Any]

_GROUP = re.compile(r"\(\?P<(\w+)>((?:[^()\\]|\\.)+)\)")
_NAME = r"[a-z-]+/\d{4}/\d{2}/\d{2}/[0-9a-f]{32}\.json"

# What a field of an address or a form may hold. An address with anything else is answered as if the
# field were not there; a form with anything else is refused.
FIELDS: Mapping[str, Schema] = {
    "state": {"enum": ["", *STATES]},
    "source": {"enum": ["", *SOURCES]},
    "disposition": {"enum": ["", *dict.fromkeys((*DISPOSITIONS, *JUDGED))]},
    "after": {"pattern": "^([0-9]{13}-[0-9a-f]{1,32})?$"},
    "day": {"format": "date"},
    "item": {"maxLength": 200},
    "done": {"pattern": "^[0-9]{1,4}$"},
    "queue": {"enum": ["", *QUEUES]},
    "behind": {"pattern": f"^({_NAME})?$"},
    "lang": {"enum": list(LANGUAGES)},
    "action": {"enum": list(ACTIONS)},
    "version": {"pattern": "^[0-9]{1,9}$"},
    "note": {"maxLength": NOTE},
    "name": {"pattern": f"^({_NAME})?$"},
    "role": {"enum": ["", *ROLES]},
    "person": {"pattern": "^[0-9a-z-]{0,64}$"},
    "improper": {"enum": ["", "1"]},
    "step": {"enum": list(STEPS)},
    "reason": {"minLength": LEAST_WORDS, "maxLength": REASON},
    "days": {"enum": [str(each) for each in DAYS]},
    "value": {"maxLength": 200},
    "id": {"pattern": "^[0-9a-f]{32}$"},
    "scope": {"maxLength": 200},
}

_SAID = {
    200: "the page",
    303: "done, or sign in first: see the address",
    400: "the form is none of this page's",
    401: "nobody is signed in",
    403: "the role may not, or the form is another site's",
    404: "there is no such page, incident or letter",
    409: "somebody else was quicker, or the action does not fit the state",
    422: "the note holds a long number and was not kept",
    429: "too many requests of one session",
    503: "a store is away",
}
_SIGN_IN = (
    ("get", "login", "The sign-in page", ()),
    ("post", "login", "The stand-in sign-in of one machine", ("role", "person")),
)


def description(routes: Sequence[Route], version: str) -> dict[str, Any]:
    """The whole description, in the routes' order."""
    paths: dict[str, dict[str, Any]] = {}
    for route in routes:
        path = _GROUP.sub(r"{\1}", route.pattern)
        paths.setdefault(f"/{path}", {})[route.method.lower()] = _operation(route)
    for method, path, words, form in _SIGN_IN:
        operation: dict[str, Any] = {
            "summary": words,
            "security": [],
            "responses": _responses((200, 303, 403)),
        }
        if form:
            operation["requestBody"] = _body(form)
        else:
            operation["parameters"] = [_parameter("query", "lang", FIELDS["lang"])]
        paths.setdefault(f"/{path}", {})[method] = operation
    paths["/logout"] = {
        "post": {
            "summary": "Ends the session",
            "requestBody": _body(("csrf",)),
            "responses": _responses((303, 401, 403, 429)),
        }
    }
    return {
        "openapi": "3.1.0",
        "info": {"title": "Sekisho console", "version": version},
        "servers": [{"url": BASE}],
        "security": [{"session": []}],
        "paths": paths,
        "components": {
            "securitySchemes": {"session": {"type": "apiKey", "in": "cookie", "name": COOKIE}}
        },
    }


def _operation(route: Route) -> dict[str, Any]:
    words = (route.view.__doc__ or "").strip().partition("\n")[0]
    statuses = [200, 303, 400, 401, 403, 404, 429, 503]
    if route.method == "POST":
        statuses += [409, 422]
    where = [_parameter("path", name, {"pattern": f"^{said}$"}) for name, said in _groups(route)]
    fields = (*route.query, "lang") if route.method == "GET" else ()
    where += [_parameter("query", name, FIELDS[name]) for name in fields]
    operation: dict[str, Any] = {
        "summary": words,
        "x-roles": list(route.roles),
        "parameters": where,
        "responses": _responses(sorted(statuses)),
    }
    if route.roles == EVERYBODY:
        operation["description"] = "Every role."
    if route.method == "POST":
        operation["requestBody"] = _body(("csrf", *route.form))
    return operation


def _groups(route: Route) -> list[tuple[str, str]]:
    return [(name, said.replace(r"\d", "[0-9]")) for name, said in _GROUP.findall(route.pattern)]


def _parameter(where: str, name: str, schema: Schema) -> dict[str, Any]:
    given = {"in": where, "name": name, "schema": {"type": "string", **schema}}
    return {**given, "required": True} if where == "path" else given


def _body(names: Sequence[str]) -> dict[str, Any]:
    fields = {name: {"type": "string", **FIELDS.get(name, {})} for name in names}
    schema = {"type": "object", "properties": fields, "required": list(names)}
    return {"required": True, "content": {"application/x-www-form-urlencoded": {"schema": schema}}}


def _responses(statuses: Sequence[int]) -> dict[str, Any]:
    page = {"text/html": {"schema": {"type": "string"}}}
    return {
        str(status): {"description": _SAID[status]} | ({} if status == 303 else {"content": page})  # noqa: PLR2004 - HTTP's own number
        for status in statuses
    }
