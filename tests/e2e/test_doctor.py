"""The doctor finds nothing wrong with a sound town, and each planted fault by its name."""

from __future__ import annotations

import base64
import json
from datetime import UTC, datetime, timedelta

import pytest
from azure.data.tables import TableClient, UpdateMode
from azure.storage.blob import BlobServiceClient
from azure.storage.queue import QueueClient
from click.testing import CliRunner

from local.azurite import KEY
from local.environment import fresh_certificate, fresh_signing_key
from local.graph.process import GraphProcess
from local.stack import Stack
from shared.cli.doctoring import doctor
from shared.doctor import State, Surroundings, examine
from tests.contract.validator import slice_path
from tests.e2e.conftest import look, until

pytestmark = pytest.mark.e2e
NOBODY = "00000000-0000-4000-8000-00000000dead"
CLOSED = "http://127.0.0.1:9"  # the discard port: nobody listens


@pytest.fixture(scope="module")
def sound(tmp_path_factory):
    """A town that runs, subscribed and with a signed head; its settings."""
    folder = tmp_path_factory.mktemp("doctor")
    users = {"関所 花子": "hanako@city.example"}
    with Stack(folder, users=users, overrides={"SEKISHO_HEAD_SCHEDULE": "*/2 * * * * *"}) as stack:
        town = look(stack)
        until(lambda: town.world.enrolled() >= 5, 60, "subscriptions")
        user = stack.user_ids["hanako@city.example"]
        message = b"From: a@example.jp\r\nTo: hanako@city.example\r\nSubject: t\r\n\r\nt\r\n"
        stack.graph.admin("POST", f"users/{user}/messages", data=message)
        blobs = BlobServiceClient.from_connection_string(stack.storage)
        container = blobs.get_container_client("audit")
        until(
            lambda: (
                container.exists() and list(container.list_blob_names(name_starts_with="heads/"))
            ),
            60,
            "a signed head",
        )
        yield stack


async def found(settings, clock=lambda: datetime.now(UTC), last=""):
    """Every result (up to the code ``last``), by its code; the worst where a code comes twice."""
    results = {}
    order = [State.OK, State.UNKNOWN, State.WARN, State.FAIL]
    async for each in examine(Surroundings(settings, clock, lambda _client: None)):
        before = results.get(each.code)
        if before is None or order.index(before.state) < order.index(each.state):
            results[each.code] = each
        if each.code == last:
            break
    return results


async def test_a_sound_town_is_green(sound):
    results = await found(sound.settings)
    assert {code: each.state for code, each in results.items() if each.state != State.OK} == {}
    assert {
        "settings",
        "policy",
        "isolation",
        "keys",
        "certificate",
        "storage_work",
        "storage_evidence",
        "storage_audit",
        "clock",
        "queues",
        "permissions",
        "account_mail",
        "account_onedrive",
        "sites",
        "webhook",
        "subscriptions",
        "head",
        "dead_letters",
    } <= results.keys()


def old_certificate():
    """A pair that ended yesterday."""
    from unittest import mock  # noqa: PLC0415 - only here

    import local.environment  # noqa: PLC0415 - only here

    class Past(datetime):
        @classmethod
        def now(cls, tz=None):
            return datetime.now(tz) - timedelta(days=366)

    with mock.patch.object(local.environment, "datetime", Past):
        return fresh_certificate("old-1")


FAULTS = {
    "a setting out of range": ({"SEKISHO_LEASE_SECONDS": "0"}, "settings"),
    "a key that is missing": ({"SEKISHO_FINGERPRINT_KEY": ""}, "settings"),
    "the stand-in's token for a far host": (
        {"SEKISHO_GRAPH_BASE_URL": "https://graph.microsoft.com/v1.0"},
        "settings",
    ),
    "a policy file that is not there": ({"SEKISHO_POLICY_FILE": "site/none.yaml"}, "policy"),
    "no isolation": ({"SEKISHO_ISOLATION": "inline"}, "isolation"),
    "a certificate that ended": ({"SEKISHO_RICH_CERTIFICATES": old_certificate}, "certificate"),
    "storage that is away": ({"SEKISHO_AUDIT": CLOSED}, "storage_audit"),
    "a wrong storage key": ({"SEKISHO_EVIDENCE": "wrong key"}, "storage_evidence"),
    "Graph that is away": ({"SEKISHO_GRAPH_BASE_URL": f"{CLOSED}/v1.0"}, "account_mail"),
    "an account that nobody has": ({"SEKISHO_WATCH": NOBODY}, "account_mail"),
    "sites that nobody watches": ({"SEKISHO_SITES": ""}, "sites"),
    "a site that is not there": (
        {"SEKISHO_SITES": f"city.sharepoint.example,{NOBODY},{NOBODY}"},
        "sites",
    ),
    "a webhook that does not answer": (
        {"SEKISHO_NOTIFICATION_URL": f"{CLOSED}/api/graph"},
        "webhook",
    ),
    "another signing key": ({"SEKISHO_SIGNING_KEY": fresh_signing_key}, "head"),
}


def planted(sound, changes):
    """The settings with a fault in them."""
    settings = dict(sound.settings)
    for name, value in changes.items():
        given = value() if callable(value) else value
        if given == CLOSED:
            given = sound.storage.replace(f":{sound.azurite.ports[0]}/", ":9/")
        if given == "wrong key":
            given = sound.storage.replace(KEY, base64.b64encode(b"x" * 64).decode())
        settings[name] = given
    return settings


@pytest.mark.parametrize(("changes", "code"), FAULTS.values(), ids=FAULTS.keys())
async def test_a_fault_in_the_settings_is_found_and_explained(sound, changes, code):
    result = (await found(planted(sound, changes), last=code))[code]
    assert result.state in (State.FAIL, State.WARN)
    assert all((result.ja, result.en, result.do_ja, result.do_en))


async def test_what_cannot_be_looked_at_is_unknown_and_never_left_out(sound):
    results = await found(planted(sound, {"SEKISHO_AUDIT": CLOSED, "SEKISHO_WORK": CLOSED}))
    assert results["head"].state == results["dead_letters"].state == State.UNKNOWN


async def test_a_head_that_is_no_head_is_not_passed_over(sound):
    blobs = BlobServiceClient.from_connection_string(sound.storage)
    name = "heads/9999/01/01/99999999999999999999.json"
    blobs.get_blob_client("audit", name).upload_blob(b"{}")
    try:
        result = (await found(sound.settings, last="head"))["head"]
    finally:
        blobs.get_blob_client("audit", name).delete_blob()
    assert result.state == State.UNKNOWN
    assert "MalformedError" in result.en


async def test_one_key_for_two_purposes_is_found(sound):
    settings = sound.settings | {"SEKISHO_MARKER_KEY": sound.settings["SEKISHO_FINGERPRINT_KEY"]}
    assert (await found(settings, last="keys"))["keys"].state == State.FAIL


@pytest.mark.parametrize(("ahead", "state"), [(120, State.WARN), (-1200, State.FAIL)])
async def test_a_wrong_clock_is_found(sound, ahead, state):
    results = await found(
        sound.settings, lambda: datetime.now(UTC) + timedelta(seconds=ahead), "clock"
    )
    assert results["clock"].state == state
    assert ("+1" if ahead > 0 else "-1") in results["clock"].ja


async def test_subscriptions_that_ended_are_found(sound):
    """The town's own timer mends it within five seconds, so it may have to be planted again."""
    with TableClient.from_connection_string(sound.storage, "subscriptions") as table:
        row = next(each for each in table.list_entities() if each.get("subscription"))
        change = {"PartitionKey": row["PartitionKey"], "RowKey": row["RowKey"]}
        ended = change | {"expires": datetime.now(UTC) - timedelta(hours=1), "state": "active"}
        for _ in range(5):
            table.update_entity(ended, mode=UpdateMode.MERGE)
            result = (await found(sound.settings, last="subscriptions"))["subscriptions"]
            if result.state == State.FAIL:
                break
        table.update_entity(change | {"expires": row["expires"]}, mode=UpdateMode.MERGE)
    assert result.state == State.FAIL
    assert "1" in result.ja


async def test_poison_and_dead_letters_are_found(sound):
    letters = BlobServiceClient.from_connection_string(sound.storage).get_container_client(
        "deadletters"
    )
    if not letters.exists():
        letters.create_container()
    letters.upload_blob("scan-items/2026/01/01/planted.json", b"{}")
    with QueueClient.from_connection_string(sound.storage, "planted-poison") as queue:
        queue.create_queue()
        queue.send_message("eA==")
        try:
            results = await found(sound.settings)
        finally:
            queue.delete_queue()
            letters.delete_blob("scan-items/2026/01/01/planted.json")
    assert results["poison"].state == State.FAIL
    assert "planted-poison 1" in results["poison"].ja
    assert results["dead_letters"].state == State.WARN


async def test_a_permission_that_was_not_granted_is_named(sound, tmp_path):
    if not slice_path().exists():
        pytest.skip(f"no description of Graph at {slice_path()}")
    given = ["Mail.ReadWrite", "Mail.Read", "User.Read.All"]
    with GraphProcess(
        log_path=tmp_path / "graph.log", contract=slice_path(), permissions=given
    ) as graph:
        user = graph.admin("POST", "/users", json_body={"name": "n", "upn": "n@city.example"})["id"]
        changes = {"SEKISHO_GRAPH_BASE_URL": graph.base_url, "SEKISHO_WATCH": user}
        results = await found(sound.settings | changes)
    assert results["account_mail"].state == State.OK
    assert results["account_onedrive"].state == State.FAIL
    assert "Files.Read.All" in results["account_onedrive"].en


def test_the_command_prints_a_table_and_json_lines(sound, tmp_path):
    file = tmp_path / "local.settings.json"
    file.write_text(json.dumps({"Values": sound.settings}), encoding="utf-8")
    shown = CliRunner().invoke(doctor, ["--settings", str(file)], standalone_mode=False)
    assert shown.return_value == 0
    assert "異常 0" in shown.output
    lines = CliRunner().invoke(
        doctor, ["--settings", str(file), "--format", "json"], standalone_mode=False
    )
    codes = [json.loads(line)["code"] for line in lines.stdout.splitlines() if line[0] == "{"]
    assert codes[0] == "settings"
    secret = sound.settings["SEKISHO_FINGERPRINT_KEY"].partition(":")[2]
    assert secret not in shown.output + lines.output
    assert KEY not in shown.output + lines.output
