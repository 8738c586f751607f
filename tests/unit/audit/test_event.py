"""The event of a claim: what was decided and what became of it."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from shared.audit.event import build
from shared.model import (
    Claim,
    Decision,
    Disposition,
    Gap,
    GapCode,
    Intent,
    Item,
    Mode,
    Outcome,
    OutcomeState,
    Step,
)
from tests.unit.audit.told import EVENTS, NUMBER, TIME

ITEM = Item("mail", "item-1", "box-1", "version-1")
GAPS = (Gap(GapCode.ENCRYPTED, "添付1"),)
DECISION = Decision(
    Disposition.TAG, Disposition.BLOCK, Mode.SIMULATE, "policy-1", ("rule-1",), (), (NUMBER,), GAPS
)
CONTEXT = EVENTS["a mail is stopped"].context
INTENT = Intent(DECISION, CONTEXT, "digest-1", "etag-1")
OUTCOME = Outcome("tagged", OutcomeState.APPLIED, (Step("tagged", "yes"),), (), "evidence-1")
BEFORE = TIME - timedelta(seconds=2.34567)


def claim(intent, first_seen=BEFORE):
    return Claim(ITEM, "key-1", "me", 1, "t", first_seen, intent, trace="trace-1", found="sweep")


def built(intent, outcome=OUTCOME, **more):
    return build(claim(intent, **more), outcome, time=TIME, policy_version="policy-2")


def test_event_of_a_decision_tells_all_of_it():
    made = built(INTENT)
    assert (made.id, made.time, made.item) == ("key-1", TIME, ITEM)
    assert (made.disposition, made.would_be, made.mode) == ("tag", "block", "simulate")
    assert (made.policy_version, made.rule_ids) == ("policy-1", ("rule-1",))
    assert (made.findings, made.gaps) == ((NUMBER,), GAPS)
    assert (made.place, made.owner, made.context) == ("place-1", "owner-1", CONTEXT)
    assert (made.action, made.action_state, made.steps) == ("tagged", "applied", OUTCOME.steps)
    assert (made.evidence_ref, made.trace, made.found) == ("evidence-1", "trace-1", "sweep")


def test_event_of_what_nobody_judged_never_says_allow():
    made = built(None, Outcome("none", OutcomeState.GONE))
    assert (made.disposition, made.would_be, made.mode) == ("none", "none", "none")
    assert (made.policy_version, made.rule_ids, made.findings, made.gaps) == (
        "policy-2",
        (),
        (),
        (),
    )
    assert (made.place, made.owner, made.context) == ("", "", None)
    assert (made.action, made.action_state, made.item) == ("none", "gone", ITEM)


def test_item_that_comes_back_is_an_event_of_its_own():
    gone = built(None, Outcome("none", OutcomeState.GONE))
    moved_on = built(None, Outcome("none", OutcomeState.SUPERSEDED))
    ids = {gone.id, moved_on.id, built(INTENT).id}
    assert len(ids) == 3
    assert built(None, Outcome("none", OutcomeState.GONE)).id == gone.id, "told twice, kept once"


@pytest.mark.parametrize(("earlier", "seconds"), [(2.34567, 2.346), (0, 0.0), (-5, 0.0)])
def test_seconds_run_from_when_the_item_was_first_seen_and_are_never_negative(earlier, seconds):
    assert built(INTENT, first_seen=TIME - timedelta(seconds=earlier)).seconds == seconds


def test_two_items_that_vanished_are_two_events():
    gone = Outcome("none", OutcomeState.GONE)
    other = replace(claim(None), key="key-2")
    assert built(None, gone).id != build(other, gone, time=TIME, policy_version="policy-2").id
