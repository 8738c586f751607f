"""A city hall's day through the real thing, read back from outside."""

from __future__ import annotations

import json
from functools import partial

import pytest

from local.demo.report import chain_holds
from local.samples import samples
from tests.contract.validator import validate
from tests.e2e.conftest import until

pytestmark = pytest.mark.e2e


@pytest.mark.parametrize("name", [sample.name for sample in samples()])
def test_sample_is_handled_as_it_was_written_down_beforehand(day, name):
    result = next(each for each in day if each.sent.sample.name == name)
    assert result.problems == []


def test_day_has_all_sources_and_dispositions(day):
    assert {each.sent.sample.source for each in day} == {"mail", "drive", "gate"}
    assert {each.line.disposition for each in day} == {"allow", "tag", "review", "block"}


def test_each_item_is_acted_on_once(day, stack):
    """Counted in the stand-in's own log: one removal, and one notice, a stopped mail."""
    blocked = {each.sent.item_id for each in day if each.state and each.state.name == "removed"}
    removals = [
        list(entry["ids"].values())[-1]
        for entry in stack.log()
        if entry["template"].endswith("permanentDelete") and entry["status"] == 204
    ]
    assert blocked
    assert all(removals.count(each) == 1 for each in blocked)
    ids = [line.event["id"] for line in stack.storage.lines()]
    assert len(ids) == len(set(ids))


def test_chain_is_whole(day, stack):
    assert day
    assert chain_holds(stack.storage.chain())


def test_traffic_keeps_the_published_contract(day, stack, contract):
    assert day
    lines = (stack.folder / "traffic.jsonl").read_text(encoding="utf-8").splitlines()
    assert len(lines) > 100
    assert list(map(str, validate(lines, contract)))[:20] == []


def spans_of(stack, trace):
    text = (stack.folder / "telemetry.jsonl").read_text(encoding="utf-8")
    whole = text.rpartition("\n")[0].splitlines()  # the host writes on meanwhile
    told = [each for each in map(json.loads, whole) if each.get("trace") == trace]
    return [each for each in told if "span" in each]


def recorded(stack, trace):
    return "scan-results" in {each["name"] for each in spans_of(stack, trace)}


def told_by_its_notification(stack, sample):
    """The trace of the sample's mail; it is sent again where the sweep was there first."""
    for _ in range(8):
        (result,) = stack.settle([stack.world.send(sample)])
        trace = result.line.event["trace"]
        until(partial(recorded, stack, trace), 20, "the audit's span")
        if "notification" in {each["name"] for each in spans_of(stack, trace)}:
            return trace
    pytest.fail("eight mails in a row were found by the sweep")


def test_one_trace_joins_every_stage_of_a_mail_over_the_queues(day, stack):
    """From the notification to the audit, as spans of one trace below the event's own."""
    sample = next(
        each.sent.sample
        for each in day
        if each.sent.sample.source == "mail" and each.line.disposition == "tag"
    )
    told = spans_of(stack, told_by_its_notification(stack, sample))
    named = {each["name"]: each for each in told}
    assert {
        "notification",
        "graph-hints",
        "scan-items",
        "fetch",
        "extract",
        "detect",
        "decide",
        "apply",
        "report",
        "scan-results",
    } <= named.keys()
    known = {each["span"] for each in told}
    assert [each["name"] for each in told if each["parent"] not in known] == ["notification"]
    starts = [named[name]["start"] for name in ("notification", "graph-hints", "scan-items")]
    assert starts == sorted(starts)
