"""Every operation of the console's description, called as it says and as it does not: no 5xx."""

from __future__ import annotations

from urllib.parse import urlsplit

import pytest
import requests
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from schemathesis.checks import not_a_server_error
from schemathesis.generation import GenerationMode
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    status_code_conformance,
)

from shared.console.openapi import description
from shared.console.routes import ROUTES
from shared.console.session import COOKIE, ROLES
from shared.console.web import HEADERS
from tests.e2e.console_server import Served

SCHEMA = schemathesis.openapi.from_dict(description(ROUTES, "0"))
OPERATIONS = [found.ok() for found in SCHEMA.get_all_operations()]
EXAMPLES = 25


@pytest.fixture(scope="module")
def served():
    with Served(40) as running:
        yield running


class Caller:
    """Somebody with every role; forms carry the session's own token, so that they get further."""

    def __init__(self, served):
        house = served.house
        self.server = served.url.removesuffix(urlsplit(served.url).path)
        self.base = served.url
        user = house.user(*ROLES)
        self.cookie, self.csrf = house.sessions.seal(user), house.sessions.csrf(user)
        self.ids, self.letter = house.ids, served.run(anext(house.letters.names()))
        self.session = requests.Session()

    def call(self, case, real, number):
        """Send a case; where ``real``, with ids of things that are there."""
        if real:
            month, _, key = self.ids[number % len(self.ids)].partition("/")
            known = {"month": month, "key": key}
            for name in {**case.path_parameters} if case.path_parameters else ():
                case.path_parameters[name] = known.get(name, case.path_parameters[name])
        body = case.body if isinstance(case.body, dict) else None
        if real and body is not None and "csrf" in body:
            body["csrf"] = self.csrf
            if "name" in body:
                body["name"] = self.letter
            if "version" in body:
                body["version"] = str(number % 2)
        case.cookies = {COOKIE: self.cookie}
        headers = {"origin": self.server}
        return case.call(
            base_url=self.base, session=self.session, headers=headers, allow_redirects=False
        )


@pytest.fixture(scope="module")
def caller(served):
    return Caller(served)


@pytest.mark.parametrize("mode", [GenerationMode.POSITIVE, GenerationMode.NEGATIVE])
@pytest.mark.parametrize("operation", OPERATIONS, ids=lambda each: each.label)
def test_operation_answers_whatever_is_sent(operation, mode, caller):
    told = [not_a_server_error, content_type_conformance]
    if mode is GenerationMode.POSITIVE:
        told.append(status_code_conformance)

    @settings(
        max_examples=EXAMPLES, deadline=None, database=None, phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )  # fmt: skip
    @given(case=operation.as_strategy(mode), real=st.booleans(), number=st.integers(0, 99))
    def run(case, real, number):
        answer = caller.call(case, real, number)
        case.validate_response(answer, checks=told)
        assert answer.headers["content-security-policy"] == [HEADERS["Content-Security-Policy"]]

    run()
