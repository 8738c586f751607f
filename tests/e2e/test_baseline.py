"""What was there before it was watched goes through the queue of its own, behind what is fresh."""

from __future__ import annotations

import json

import pytest

from local.demo.world import USERS
from local.samples.numbers import grouped, person
from tests.e2e.conftest import until
from tests.e2e.test_faults import is_gone, letter

pytestmark = pytest.mark.e2e
WATCHED = USERS["関所 花子"]
OLD = "2026-01-05T09:00:00+00:00"


def spans(stack, trace):
    """The stages that a trace passed."""
    lines = (stack.folder / "telemetry.jsonl").read_text(encoding="utf-8").splitlines()
    return {each["name"] for each in map(json.loads, lines) if each.get("trace") == trace}


def test_old_mail_that_an_enumeration_finds_is_stopped_by_way_of_the_bulk_queue(stack):
    """Graph forgets the place of a delta (410), so that everything is enumerated anew."""
    user = stack.stack.user_ids[WATCHED]
    resync = {"match": {"path_regex": r"/messages/delta.*deltatoken"}, "status": 410, "times": 40}
    stack.admin("POST", "faults", json_body=resync)
    stack.admin("POST", "faults", json_body={"drop_notifications": 1})
    data = letter(f"個人番号は {grouped(person(5))} です。\n")
    path = f"users/{user}/messages?modified={OLD.replace('+', '%2B')}"
    try:
        message = stack.admin("POST", path, data=data)["id"]
        until(lambda: stack.lines(message), 90, "the baseline")
    finally:
        stack.admin("DELETE", "faults")
    assert is_gone(stack, message)
    (line,) = stack.lines(message)
    assert line.disposition == "block"
    passed = spans(stack, line.event["trace"])
    assert "scan-bulk" in passed
    assert "scan-items" not in passed
