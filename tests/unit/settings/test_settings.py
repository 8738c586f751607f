from __future__ import annotations

import dataclasses
import json
from pathlib import Path

import pytest

from local.environment import app_settings
from shared.errors import SettingsError
from shared.settings import CONNECTIONS, SETTINGS, Settings

ROOT = Path(__file__).resolve().parents[3]


def env(**changes):
    settings = app_settings(
        storage="UseDevelopmentStorage=true",
        graph_base_url="http://127.0.0.1:1/v1.0",
        host_url="http://127.0.0.1:2",
    )
    return {k: v for k, v in {**settings, **changes}.items() if v is not None}


def test_settings_load_a_local_environment():
    settings = Settings.load(env(SEKISHO_WATCH=" a, b ,"))
    assert settings.watch == ("a", "b")
    assert settings.fingerprint_key is not None


def test_settings_and_their_fields_are_the_same_list():
    names = {s.name.removeprefix("SEKISHO_").lower() for s in SETTINGS}
    connections = {name.removeprefix("SEKISHO_").lower() for name in CONNECTIONS}
    assert names | connections == {field.name for field in dataclasses.fields(Settings)}


@pytest.mark.parametrize(
    "setting", [s for s in SETTINGS if s.default is None], ids=lambda s: s.name
)
def test_settings_name_a_missing_key(setting):
    with pytest.raises(SettingsError, match=setting.name):
        Settings.load(env(**{setting.name: None}))


def test_settings_of_a_role_do_not_ask_for_the_keys_of_another():
    audit = env(
        SEKISHO_ROLE="audit",
        SEKISHO_FINGERPRINT_KEY=None,
        SEKISHO_MARKER_KEY=None,
        SEKISHO_CLIENT_STATE_KEY=None,
    )
    assert Settings.load(audit).fingerprint_key is None


def test_settings_list_every_problem_at_once():
    with pytest.raises(SettingsError) as caught:
        Settings.load(
            env(SEKISHO_ROLE="everything", SEKISHO_MAX_ITEM_BYTES="many", SEKISHO_WORK="")
        )
    for name in ("SEKISHO_ROLE", "SEKISHO_MAX_ITEM_BYTES", "SEKISHO_WORK"):
        assert name in str(caught.value)


@pytest.mark.parametrize(
    "changes",
    [
        {"SEKISHO_GRAPH_BASE_URL": "https://graph.example.com/v1.0"},
        {
            "SEKISHO_GRAPH_CREDENTIAL": "managed_identity",
            "SEKISHO_GRAPH_BASE_URL": "https://graph.example.com/v1.0",
        },
        {"SEKISHO_GRAPH_BASE_URL": "http://graph.microsoft.com/v1.0"},
    ],
)
def test_settings_send_no_token_to_a_foreign_host(changes):
    with pytest.raises(SettingsError, match="SEKISHO_GRAPH"):
        Settings.load(env(**changes))


def test_settings_never_quote_a_key():
    bad = "local-1:bm90LWxvbmctZW5vdWdo"
    with pytest.raises(SettingsError) as caught:
        Settings.load(env(SEKISHO_FINGERPRINT_KEY=bad))
    assert "bm90" not in str(caught.value)
    good = env()
    shown = repr(Settings.load(good))
    assert good["SEKISHO_FINGERPRINT_KEY"].split(":")[1] not in shown


def test_settings_example_names_every_setting():
    example = json.loads((ROOT / "local.settings.json.example").read_text())["Values"]
    assert {s.name for s in SETTINGS} | set(CONNECTIONS) <= set(example)
    known = {s.name for s in SETTINGS} | set(CONNECTIONS)
    assert {name for name in example if name.startswith("SEKISHO_")} <= known


def test_settings_want_the_hubs_name_where_notifications_come_by_event_hub():
    with pytest.raises(SettingsError, match="SEKISHO_NOTIFICATION_HUB"):
        Settings.load(env(SEKISHO_NOTIFICATIONS="eventhub"))
    assert Settings.load(
        env(SEKISHO_NOTIFICATIONS="eventhub", SEKISHO_NOTIFICATION_HUB="graph")
    ).notification_hub == ("graph")
