"""Documents agree with the code."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from jsonschema import Draft202012Validator

from local.docs import PAGES
from shared.codec import encode
from tests.unit.audit.payloads import event

ROOT = Path(__file__).resolve().parents[2]


@pytest.mark.parametrize("name", PAGES)
def test_generated_page_is_up_to_date(name):
    assert (ROOT / name).read_text(encoding="utf-8") == PAGES[name](), "run: python -m local.docs"


def test_schema_of_the_audit_event_takes_what_is_recorded_and_nothing_else():
    schema = json.loads((ROOT / "docs/reference/audit-event.schema.json").read_text("utf-8"))
    check = Draft202012Validator(schema)
    made = json.loads(encode(event("own")))
    assert list(check.iter_errors(made)) == []
    for change in ({"time": 7}, {"findings": [{"entity": "my_number"}]}, {"rule_ids": "r"}):
        assert list(check.iter_errors(made | change))
    assert list(check.iter_errors({name: made[name] for name in made if name != "id"}))
