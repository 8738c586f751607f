"""Options: a file, the environment over it, every problem named at once."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest

from relay.routes import Route, find, route
from relay.settings import OPTIONS, Settings
from shared.errors import SettingsError
from tests.integration.relay.parts import key_file

ROOT = Path(__file__).resolve().parents[3]


@pytest.fixture
def file(tmp_path):
    key_file(tmp_path / "spool.key")
    key_file(tmp_path / "finger.key")
    (tmp_path / "storage").write_text("UseDevelopmentStorage=true")
    path = tmp_path / "relay.toml"
    path.write_text(
        f"""
        networks = ["10.1.0.0/16", "192.0.2.7/32"]
        tls = "off"
        spool = "{tmp_path}/spool"
        spool_keys = "{tmp_path}/spool.key"
        fingerprint_key = "{tmp_path}/finger.key"
        storage = "{tmp_path}/storage"
        notice_from = "sekisho@city.example"
        max_recipients = 100
        [routes]
        "city.example" = "starttls://mail.example:25"
        "*" = "smtp://out.example"
        """
    )
    return path


def test_options_and_their_fields_are_the_same_list():
    assert [each.name for each in OPTIONS] == [each.name for each in dataclasses.fields(Settings)]


def test_file_is_read_and_the_environment_is_over_it(file):
    settings = Settings.load(file, {"SEKISHO_RELAY_MAX_RECIPIENTS": "7"})
    assert (settings.max_recipients, settings.listen) == (7, ("127.0.0.1", 25))
    assert settings.routes["*"] == Route("smtp", "out.example", 25)
    assert len(settings.networks) == 2


def test_every_problem_is_named_at_once_and_no_secret(file, tmp_path):
    text = file.read_text().replace("max_recipients = 100", 'max_recipients = "many"\nlistn = "x"')
    file.write_text(text)
    with pytest.raises(SettingsError) as caught:
        Settings.load(file, {"SEKISHO_RELAY_NETWORKS": "everywhere", "SEKISHO_RELAY_TLS": "maybe"})
    said = str(caught.value)
    for name in ("listn is no option", "max_recipients must be", "networks must be", "tls must be"):
        assert name in said
    assert (tmp_path / "spool.key").read_text().strip() not in said


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("TLS", "required", "tls_certificate and tls_key"),
        ("STORAGE", "", "blob_url, queue_url, tenant_id, client_id, certificate missing"),
        ("NOTICE_FROM", "", "notice_from"),
        ("BLOB_URL", "http://x.example", "blob_url must be https"),
        ("NOTICES", "inside", "inside_domains"),
        ("ROUTES", "city.example=ftp://x", "starttls://host:25"),
        ("LISTEN", "25", "listen must be an address and a port"),
        ("SPOOL_KEYS", "/nowhere", "spool_keys must be a file"),
    ],
)
def test_what_does_not_fit_together_says_what_to_do(file, name, value, said):
    with pytest.raises(SettingsError, match=said):
        Settings.load(file, {f"SEKISHO_RELAY_{name}": value})


def test_file_that_is_none_is_named(tmp_path):
    with pytest.raises(SettingsError, match="cannot be read"):
        Settings.load(tmp_path / "none.toml", {})
    (tmp_path / "bad.toml").write_text("listen = ")
    with pytest.raises(SettingsError, match="no TOML"):
        Settings.load(tmp_path / "bad.toml", {})


def test_route_is_the_domains_then_its_parents_then_all_others():
    routes = {"city.example": route("plain://a"), "*": route("plain://b:2525")}
    assert find(routes, "x@City.Example").host == "a"
    assert find(routes, "x@mail.city.example").host == "a"
    assert find(routes, "x@notcity.example") == Route("plain", "b", 2525)
    assert find({"city.example": route("plain://a")}, "x@example") is None


@pytest.mark.parametrize(
    "text", ["", "host", "smtp://", "smtp://h:99999", "smtp://h/x", "http://h"]
)
def test_route_that_is_none_is_refused(text):
    with pytest.raises(ValueError, match="starttls"):
        route(text)


def test_sample_file_names_no_option_that_is_none():
    import tomllib  # noqa: PLC0415 - only here

    sample = tomllib.loads((ROOT / "infra/relay/relay.toml").read_text(encoding="utf-8"))
    assert set(sample) <= {each.name for each in OPTIONS}
