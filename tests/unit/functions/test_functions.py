"""The triggers themselves: thin, and with the promised answers."""

from __future__ import annotations

import json

import azure.functions as func
import pytest

import functions
from functions import health, notifications
from shared.errors import SettingsError, UnavailableError


class Away:
    def handshake(self, query):
        return query.get("validationToken")

    async def receive(self, _body):
        message = "away"
        raise UnavailableError(message)


class There(Away):
    async def receive(self, _body):
        return None


def post(**params):
    return func.HttpRequest(method="POST", url="/", params=params, body=b"{}")


def user_function(blueprint, name):
    """The function as it was written, under its trigger's name."""
    app = func.FunctionApp()
    app.register_functions(blueprint)
    return next(f for f in app.get_functions() if f.get_function_name() == name).get_user_function()


@pytest.mark.parametrize("name", ["notifications", "lifecycle"])
async def test_webhook_answers_5xx_only_when_nothing_was_kept(monkeypatch, name):
    hook = user_function(notifications.bp, name)
    monkeypatch.setattr(notifications, "intake", Away)
    assert (await hook(post())).status_code == 503
    monkeypatch.setattr(notifications, "intake", There)
    answer = await hook(post())
    assert (answer.status_code, answer.get_body()) == (202, b"")


async def test_webhook_echoes_the_token_as_plain_text(monkeypatch):
    monkeypatch.setattr(notifications, "intake", Away)
    answer = await user_function(notifications.bp, "notifications")(post(validationToken="<b>1"))
    assert (answer.status_code, answer.mimetype) == (200, "text/plain")
    assert answer.get_body() == b"<b>1"


async def test_health_names_the_kind_of_error_alone(monkeypatch):
    async def broken():
        message = "settings: SEKISHO_SECRET must be …"
        raise SettingsError(message)

    monkeypatch.setattr(health, "check", broken)
    answer = await user_function(health.bp, "health")(post())
    assert answer.status_code == 503
    assert json.loads(answer.get_body()) == {"status": "unhealthy", "error": "SettingsError"}


@pytest.mark.parametrize("role", functions.ROLES)
def test_role_has_its_functions_and_no_others(role):
    app = func.FunctionApp()
    for blueprint in functions.blueprints(role):
        app.register_functions(blueprint)
    names = {f.get_function_name() for f in app.get_functions()}
    assert "health" in names
    assert ("notifications" in names) == (role in {"all", "intake"})
    assert ("scan_item" in names) == (role in {"all", "scan"})
    assert ("audit" in names) == (role in {"all", "audit"})


def test_role_that_does_not_exist_is_refused_by_name():
    with pytest.raises(SettingsError, match="SEKISHO_ROLE"):
        list(functions.blueprints("everything"))
