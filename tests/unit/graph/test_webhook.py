"""Notifications: genuine ones become hints, forged ones security events; nothing else raises."""

from __future__ import annotations

import json
import subprocess
import sys
from datetime import UTC, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shared.errors import MalformedError, RefusedError
from shared.graph.webhook import (
    account_ref,
    client_state,
    handshake,
    parse,
    verify_client_state,
    version_of,
)

KEY, OLD, NOW = b"k" * 32, b"o" * 32, datetime(2026, 4, 1, tzinfo=UTC)
REF = account_ref("mail", "hanako@city.example.jp")


def part(source="mail", state=None, **given):
    ref = account_ref(source, "hanako@city.example.jp")
    return {
        "subscriptionId": "5a1c9a3e-7e0b-4c0e-9a61-6f0b5e3d2c71",
        "clientState": client_state(KEY, source, ref, "n") if state is None else state,
        "changeType": "created",
        "resource": "Users/x/Messages/AAk=",
        "resourceData": {"id": "AAk=", "@odata.etag": 'W/"CQ+A/A=="'},
        **given,
    }


def read(*parts, keys=(KEY,)):
    return parse(json.dumps({"value": parts}).encode(), keys, NOW)


def test_handshake_answers_the_token_as_it_was_decoded():
    assert handshake({"validationToken": "Validation: a b+c/漢"}) == "Validation: a b+c/漢"
    assert handshake({"other": "x"}) is None


@pytest.mark.parametrize("token", ["", "x" * 2049, "a\nb", "a\x00b"])
def test_handshake_refuses_what_it_should_not_echo(token):
    with pytest.raises(MalformedError):
        handshake({"validationToken": token})


def test_client_state_fits_and_verifies_with_either_key():
    state = client_state(OLD, "drive", REF, "n" * 16)
    assert len(state) <= 128
    assert verify_client_state((KEY, OLD), state) == ("drive", REF)
    assert verify_client_state((KEY,), state) is None


@pytest.mark.parametrize(
    "state",
    [
        None,
        7,
        "",
        "mail",
        "mail.a.b.c.d",
        f"mail.{REF}.n.",
        client_state(KEY, "mail", REF, "n")[:-1],
        client_state(KEY, "mail", REF, "n").replace("mail.", "drive."),
        client_state(KEY, "secrets", REF, "n"),
        client_state(KEY, "mail", REF, "n") + "x" * 100,
        "mail.é.ü.\ud800",
    ],
)
def test_client_state_that_is_not_ours_is_refused(state):
    assert verify_client_state((KEY,), state) is None


def test_mail_notification_is_a_hint_with_opaque_ids_only():
    (hint,) = read(part()).hints
    assert (hint.kind, hint.first_seen) == ("hint", NOW)
    assert hint.body == {
        "source": "mail",
        "account": REF,
        "change": "created",
        "subscription": "5a1c9a3e-7e0b-4c0e-9a61-6f0b5e3d2c71",
        "id": "AAk=",
        "version": "CQ+A/A==",
        "told": hint.body["told"],
    }


def test_drive_notification_names_no_item():
    (hint,) = read(part("drive", changeType="updated")).hints
    assert hint.body["source"] == "drive"
    assert "id" not in hint.body


def test_genuine_mail_without_a_readable_id_is_a_sweep():
    intake = read(part(resourceData={"id": "a b\n"}), part(resourceData=None))
    assert [each.body["job"] for each in intake.jobs] == ["sweep", "sweep"]


def test_deletion_asks_for_nothing():
    intake = read(part(changeType="deleted"))
    assert (intake.hints, intake.jobs, intake.ignored) == ((), (), 1)


def test_trial_of_an_event_hub_is_neither_a_hint_nor_forged():
    trial = "Validation: Testing client application reachability for subscription Request-Id: 5"
    found = read({"clientState": "NA", "subscriptionId": "NA", "changeType": trial})
    assert (found.hints, found.jobs, found.refused, found.ignored) == ((), (), (), 1)
    assert len(read({"clientState": "NB", "changeType": trial}).refused) == 1


def test_forged_parts_are_told_apart_from_genuine_ones_in_one_batch():
    intake = read(part(state="x"), part(), part(state=client_state(OLD, "mail", REF, "n")))
    assert len(intake.hints) == 1
    assert [type(each) for each in intake.refused] == [RefusedError, RefusedError]


@pytest.mark.parametrize(
    ("event", "jobs"),
    [
        ("reauthorizationRequired", ["renew"]),
        ("subscriptionRemoved", ["renew", "sweep"]),
        ("missed", ["sweep"]),
        ("somethingNew", ["renew", "sweep"]),
        (7, ["renew", "sweep"]),
    ],
)
def test_lifecycle_event_is_jobs(event, jobs):
    intake = read(part(lifecycleEvent=event))
    assert [each.body["job"] for each in intake.jobs] == jobs
    assert {each.body["account"] for each in intake.jobs} == {REF}


def test_forged_lifecycle_event_is_refused():
    intake = read(part(state="x", lifecycleEvent="missed"))
    assert (intake.jobs, len(intake.refused)) == ((), 1)


@pytest.mark.parametrize(
    "body", [b"", b"{}", b"[]", b"\xff", b'{"value":7}', b'{"value":[7]}', b"[" * 5000]
)
def test_malformed_body_is_malformed_and_not_quoted(body):
    with pytest.raises(MalformedError) as error:
        parse(body, (KEY,), NOW)
    assert "value" not in str(error.value)


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["id", "@odata.etag", "changeType", "resourceData", "lifecycleEvent"]),
            inner,
            max_size=3,
        )
    ),
    max_leaves=8,
)


@settings(max_examples=200, deadline=None)
@given(st.lists(st.dictionaries(st.sampled_from([*part(), "lifecycleEvent"]), json_values)))
def test_any_collection_of_objects_is_read_without_an_exception(parts):
    intake = read(*parts)
    genuine = read(*({**each, "clientState": part()["clientState"]} for each in parts))
    assert len(intake.refused) == len(parts)
    assert not genuine.refused
    assert len(genuine.hints) + len(genuine.jobs) + genuine.ignored >= len(parts)


@settings(max_examples=200, deadline=None)
@given(st.binary(max_size=200))
def test_any_bytes_are_read_or_malformed(data):
    try:
        intake = parse(data, (KEY,), NOW)
    except MalformedError:
        return
    assert intake.hints == ()


def test_version_of_takes_the_wrapping_off():
    assert version_of('W/"abc+/="') == "abc+/="
    assert version_of("abc") == "abc"


def test_webhook_imports_neither_azure_nor_the_graph_sdk():
    code = (
        "import sys, shared.graph.webhook; "
        "print([m for m in sys.modules if m.split('.')[0] in "
        "('azure','msgraph','kiota_abstractions','httpx')])"
    )
    said = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert said.stdout.strip() == "[]"


def test_event_notification_becomes_a_hint_by_its_id():
    (hint,) = read(part("calendar")).hints
    assert (hint.body["source"], hint.body["id"]) == ("calendar", "AAk=")
    assert hint.body["version"] == "CQ+A/A=="


def test_sealed_part_goes_on_as_it_came_with_the_tokens():
    content = {"data": "AA==", "dataKey": "AA==", "dataSignature": "AA=="}
    sealed = part("teams", resource="chats('c')/messages('1')", encryptedContent=content)
    body = json.dumps({"value": [sealed], "validationTokens": ["a.b.c", 5]}).encode()
    (hint,) = parse(body, (KEY,), NOW).hints
    assert json.loads(hint.body["sealed"]) == {"content": content, "tokens": ["a.b.c"]}
    assert "id" not in hint.body


def test_open_teams_part_is_told_by_its_resource():
    (hint,) = read(part("teams", resource="chats('19:a@thread.v2')/messages('1')")).hints
    assert hint.body["resource"] == "chats('19:a@thread.v2')/messages('1')"
    assert "sealed" not in hint.body


@pytest.mark.parametrize("resource", ["chats('漢')", "a b", "", None, 5, "x" * 900])
def test_teams_part_whose_resource_is_not_readable_is_swept(resource):
    (job,) = read(part("teams", resource=resource)).jobs
    assert job.body["job"] == "sweep"


def test_notification_of_a_version_is_known_again_and_another_version_is_not():
    (one, again, other) = (
        read(part(resourceData={"id": "AAk=", "@odata.etag": f'W/"{version}"'})).hints[0].body
        for version in ("a", "a", "b")
    )
    assert one["told"] == again["told"]
    assert one["told"] != other["told"]


def test_seal_is_not_believed_before_it_is_opened():
    sealed = read(part("teams", encryptedContent={"dataSignature": "x"})).hints[0].body
    assert "told" not in sealed


def test_notifications_that_may_look_alike_have_no_mark():
    assert "told" not in read(part("drive", resourceData={})).hints[0].body
    assert "told" not in read(part("teams")).hints[0].body
    unversioned = read(part(resourceData={"id": "AAk="})).hints[0].body
    assert "told" not in unversioned
