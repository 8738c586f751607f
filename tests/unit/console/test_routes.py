"""The route table: who may call what, and the description that is made of it."""

from __future__ import annotations

import itertools
import re
from pathlib import Path

import pytest
from openapi_spec_validator import OpenAPIV31SpecValidator

from shared import console
from shared.console.openapi import FIELDS, description
from shared.console.routes import ANYONE, ROUTES
from shared.console.session import COOKIE, ROLES
from shared.console.web import BASE, HEADERS, Request
from tests.unit.console.conftest import ORIGIN, path_of, text

METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE")
CALLERS = (None, (), ("somebody",), *((role,) for role in ROLES), ROLES)


async def call(house, method, path, roles):
    """As a person of the roles, with a form of that person's own session; None is nobody."""
    headers, body = {"origin": ORIGIN}, b""
    if roles is not None:
        user = house.user(*roles)
        headers["cookie"] = f"{COOKIE}={house.sessions.seal(user)}"
        body = f"csrf={house.sessions.csrf(user)}".encode()
    return await house.console.handle(Request(method, path, {}, headers, body, "127.0.0.1"))


@pytest.mark.parametrize("pattern", sorted({route.pattern for route in ROUTES}))
async def test_route_lets_in_whom_the_table_names_and_nobody_else(house, pattern):
    """Every route × method × role."""
    mine = {route.method: route for route in ROUTES if route.pattern == pattern}
    path = path_of(next(iter(mine.values())))
    for method, roles in itertools.product(METHODS, CALLERS):
        answer = await call(house, method, path, roles)
        route = mine.get(method)
        what = (method, roles, answer.status)
        if roles is None:
            assert answer.status == 401 or answer.location == f"{BASE}/login", what
        elif route is None:
            assert answer.status == 405, what
        elif route.roles != ANYONE and not set(roles) & set(route.roles):
            assert answer.status == 403, what
        else:
            assert answer.status in {200, 303, 400, 404, 422}, what
        assert answer.headers().items() >= HEADERS.items()
    assert house.told() == [] or "GET" in mine


async def test_refusal_shows_nothing_but_the_refusal(full):
    month, _, key = full.ids[0].partition("/")
    for route in ROUTES:
        answer = await full.get(path_of(route, month=month, key=key), "somebody")
        assert "<table" not in text(answer), route.pattern
        assert key not in text(answer), route.pattern


def test_description_is_valid_and_whole():
    found = description(ROUTES, "0")
    OpenAPIV31SpecValidator(found).validate()
    described = {(m.upper(), p) for p, methods in found["paths"].items() for m in methods}
    assert len(described) >= len(ROUTES) + 3


def test_every_field_that_a_view_reads_is_in_the_table():
    folder = Path(console.__file__).parent
    source = "".join(each.read_text() for each in folder.glob("views*.py"))
    read = set(re.findall(r"""(?:query|form\(\)\.get|form\.get|chosen)\(\s*"(\w+)\"""", source))
    declared = {name for route in ROUTES for name in (*route.query, *route.form)}
    assert read == declared
    assert declared <= FIELDS.keys()
