"""Evidence, incidents, results and claim checks."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from shared.codec import decode, encode
from shared.errors import MalformedError
from shared.model import (
    Claim,
    Context,
    Decision,
    Disposition,
    Envelope,
    Finding,
    Gap,
    GapCode,
    Intent,
    Item,
    Level,
    Mode,
    Outcome,
    OutcomeState,
    Step,
)
from shared.storage.alerts import Alerts
from shared.storage.claimcheck import ClaimCheck
from shared.storage.evidence import Evidence, EvidenceError
from shared.storage.incidents import Incidents
from shared.storage.results import QueueResults
from tests.unit.alerted import alerted

ITEM = Item("mail", "m1", "box", "ck1")
FINDING = Finding("my_number", "本文", 0, 12, 0.99, Level.HIGH, "1***********", "k:" + "0" * 64)
CONTEXT = Context("mail", "own_mailbox", "owner1")
DECISION = Decision(
    Disposition.BLOCK, Disposition.BLOCK, Mode.ENFORCE, "p1", ("r1",),
    findings=(FINDING, FINDING), gaps=(Gap(GapCode.ENCRYPTED, "a.zip"),),
)  # fmt: skip


@pytest.fixture
def claim(clock):
    return Claim(
        ITEM,
        ITEM.key("p1"),
        "me",
        1,
        "etag",
        clock(),
        Intent(DECISION, CONTEXT, "d", "e"),
        trace="t1",
    )


@pytest.fixture
def checks(stores):
    return ClaimCheck(stores.blobs("work"))


@pytest.fixture
def results(stores, checks, clock):
    return QueueResults(stores.queue("scan-results"), checks, clock, "p1")


def sent(stores):
    return [decode(m.body, Envelope) for m in stores.account.queues["scan-results"]]


async def test_result_says_what_was_decided_and_what_was_read_back(results, claim, stores, clock):
    clock.turn(12.5)
    outcome = Outcome(
        "block", OutcomeState.PARTIAL, (Step("remove", "403"),), ("ck2",), "evidence/x"
    )
    await results.put(claim, outcome)
    (envelope,) = sent(stores)
    event = envelope.event
    assert (envelope.kind, envelope.trace, envelope.first_seen) == (
        "result",
        "t1",
        claim.first_seen,
    )
    assert (event.id, event.seconds, event.trace) == (claim.key, 12.5, "t1")
    assert (event.disposition, event.action, event.action_state) == ("block", "block", "partial")
    assert (event.place, event.owner, event.evidence_ref) == ("own_mailbox", "owner1", "evidence/x")
    assert (event.steps, event.findings, event.gaps) == (
        outcome.steps,
        DECISION.findings,
        DECISION.gaps,
    )


async def test_result_of_an_item_that_was_gone_is_judged_nothing(results, claim, stores):
    await results.put(replace(claim, intent=None), Outcome("none", OutcomeState.GONE))
    event = sent(stores)[0].event
    assert (event.disposition, event.would_be, event.action_state) == ("none", "none", "gone")
    assert event.id != claim.key, "should it come back, its decision is an event of its own"


async def test_large_result_goes_by_reference_and_comes_back(results, claim, stores, checks):
    many = replace(claim.intent, decision=replace(DECISION, findings=(FINDING,) * 2000))
    await results.put(replace(claim, intent=many), Outcome("block", OutcomeState.APPLIED))
    (envelope,) = sent(stores)
    assert envelope.event is None
    assert len((await checks.event(envelope)).findings) == 2000


async def test_claim_check_refuses_what_its_name_does_not_say(checks, stores):
    ref = await checks.put("results", b"data")
    assert await checks.put("results", b"data") == ref
    await stores.blobs("work").put(ref, b"other")
    with pytest.raises(MalformedError):
        await checks.get(ref)
    with pytest.raises(MalformedError):
        await checks.get("results/" + "0" * 64)


async def test_result_without_an_event_is_malformed(checks, clock):
    with pytest.raises(MalformedError):
        await checks.event(Envelope("result", clock()))


@pytest.fixture
def evidence(stores, clock):
    return Evidence(stores.blobs("evidence"), Alerts(stores.table("alerts"), clock))


async def test_evidence_is_written_once_and_reads_back(evidence):
    assert await evidence.keep("k1", b"bytes", {"item": "m1"}) == "evidence/k1"
    assert await evidence.keep("k1", b"bytes") == "evidence/k1"
    assert await evidence.read("evidence/k1") == b"bytes"
    assert (await evidence.blobs.get("k1")).metadata["item"] == "m1"


async def test_evidence_that_differs_is_an_alert_and_nothing_is_overwritten(evidence, stores):
    await evidence.keep("k1", b"bytes")
    with pytest.raises(EvidenceError):
        await evidence.keep("k1", b"other")
    assert await evidence.read("evidence/k1") == b"bytes"
    assert set(alerted(stores.account)) == {"evidence_mismatch"}


async def test_incident_is_opened_once_and_left_alone(results, claim, stores):
    await results.put(claim, Outcome("block", OutcomeState.APPLIED))
    event = sent(stores)[0].event
    incidents = Incidents(stores.table("incidents"))
    ref = await incidents.open(event)
    partition, key = ref.split("/")
    row = await stores.table("incidents").get(partition, key)
    assert (row.values["state"], json.loads(row.values["counts"])) == ("open", {"my_number": 2})
    assert json.loads(row.values["findings"])[0]["masked"] == "1***********"
    await stores.table("incidents").put(replace(row, values={**row.values, "state": "closed"}))
    assert await incidents.open(event) == ref
    assert (await stores.table("incidents").get(partition, key)).values["state"] == "closed"


@pytest.mark.parametrize("disposition", ["allow", "tag", "none"])
async def test_no_incident_for(disposition, results, claim, stores):
    await results.put(claim, Outcome("x", OutcomeState.RECORDED))
    event = replace(sent(stores)[0].event, disposition=disposition)
    assert await Incidents(stores.table("incidents")).open(event) == ""


async def test_incidents_are_listed_newest_first(results, claim, stores, clock):
    incidents = Incidents(stores.table("incidents"))
    for number in range(3):
        clock.turn(60)
        key = ITEM.key(f"p{number}")
        await results.put(replace(claim, key=key), Outcome("block", OutcomeState.APPLIED))
        await incidents.open(sent(stores)[-1].event)
    opened = [row.values["opened"] async for row in stores.table("incidents").query("2026-11")]
    assert opened == sorted(opened, reverse=True)


async def test_incident_with_huge_locations_still_fits_its_row(results, claim, stores):
    huge = replace(FINDING, location="場所" * 5000)
    many = replace(claim.intent, decision=replace(DECISION, findings=(huge,) * 30))
    await results.put(replace(claim, intent=many), Outcome("block", OutcomeState.APPLIED))
    event = await ClaimCheck(stores.blobs("work")).event(sent(stores)[0])
    assert await Incidents(stores.table("incidents")).open(event)
    assert len(encode(event)) > 65536


async def test_an_alert_that_was_told_is_not_fresh_again_however_often_it_is_raised(stores, clock):
    alerts = Alerts(stores.table("alerts"), clock)
    assert await alerts.once("refused", "notification/1")
    assert [ref async for _, ref, _ in alerts.fresh()] == ["notification/1"]
    await alerts.told("refused", "notification/1")
    assert not await alerts.once("refused", "notification/1")
    assert [ref async for _, ref, _ in alerts.fresh()] == []
