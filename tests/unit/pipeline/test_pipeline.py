"""The pipeline by itself: leases kept and lost, errors, and how many operations an item costs."""

# ruff: noqa: ARG001, ARG002, ARG005 - doubles have the signatures of their ports

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from shared.errors import (
    GoneError,
    LeaseLostError,
    MalformedError,
    PermanentError,
    SupersededError,
    UnavailableError,
)
from shared.model import (
    Claim,
    Content,
    Context,
    Decision,
    Disposition,
    Extraction,
    Fetched,
    Gap,
    GapCode,
    Intent,
    Item,
    Mode,
    Outcome,
    OutcomeState,
    Segment,
)
from shared.pipeline import scan
from shared.ports import App
from tests.unit.pipeline.world import World

NOW = datetime(2026, 11, 24, tzinfo=UTC)
ITEM = Item("mail", "m1", "box", "ck1")


class Ledger:
    """Counts calls; renewals can be told to fail."""

    def __init__(self):
        self.calls = []
        self.own = False
        self.done = False
        self.intent = None
        self.renewal = None

    async def claim(self, item, first_seen):
        return Claim(item, "k", "me", 1, "0", first_seen, self.intent, self.done)

    async def renew(self, claim):
        self.calls.append("renew")
        if self.renewal:
            raise self.renewal
        return replace(claim, token=claim.token + "r")

    async def intend(self, claim, intent):
        self.calls.append(f"intend {claim.token}")
        return replace(claim, intent=intent, token="i")

    async def complete(self, claim, outcome):
        self.calls.append(f"complete {outcome.state.value}")
        self.outcome = outcome

    async def release(self, claim):
        self.calls.append("release")

    async def is_own_write(self, item):
        return self.own


class Service:
    def __init__(self):
        self.error = None
        self.apply_error = None
        self.pause = None
        self.known = False
        self.gaps = ()
        self.applied = []

    async def fetch(self, item):
        if self.error:
            raise self.error
        if self.pause:
            await self.pause.wait()
        return Fetched(Content(b"x"), Context("mail", "own_mailbox"), "e1", gaps=self.gaps)

    def recognises(self, claim, fetched, digest):
        return self.known

    async def apply(self, claim):
        if self.apply_error:
            raise self.apply_error
        self.applied.append(claim.intent)
        return Outcome("tag", OutcomeState.APPLIED)


class Results:
    def __init__(self):
        self.put_ = []

    async def put(self, claim, outcome):
        self.put_.append((claim, outcome))


@pytest.fixture
def app():
    async def extract(content):
        return Extraction((Segment("", "text"),), (Gap(GapCode.MALFORMED, "a"),))

    return App(
        clock=lambda: NOW, ledger=Ledger(), services={"mail": Service()}, extract=extract,
        detect=lambda segments: (), digest=lambda extraction: "d", results=Results(),
        decide=lambda context, findings, gaps, exceptions: Decision(
            Disposition.REVIEW, Disposition.REVIEW, Mode.ENFORCE, "p1", gaps=tuple(gaps)
        ),
        policy_version="p1", renew_every=0.001,
    )  # fmt: skip


async def go(app, item=ITEM):
    return await scan(item, app, first_seen=NOW, trace="t")


async def test_scan_intends_acts_reports_completes_in_this_order(app):
    decision = await go(replace(app, renew_every=1e6))
    assert app.ledger.calls == ["intend 0", "complete applied"]
    ((claim, outcome),) = app.results.put_
    assert (claim.trace, claim.intent.decision, outcome.state) == ("t", decision, "applied")
    assert claim.intent == Intent(decision, Context("mail", "own_mailbox"), "d", "e1")


async def test_gaps_of_the_source_and_of_reading_both_reach_the_decision(app):
    app.services["mail"].gaps = (Gap(GapCode.TOO_LARGE, ""),)
    decision = await go(app)
    assert [gap.code for gap in decision.gaps] == [GapCode.TOO_LARGE, GapCode.MALFORMED]


async def test_own_write_is_nothing_to_do(app):
    app.ledger.own = True
    assert await go(app) is None
    assert (app.ledger.calls, app.results.put_) == ([], [])


async def test_done_item_gives_its_decision_and_nothing_else(app):
    decision = await go(app)
    app.ledger.intent = Intent(decision, Context("mail", "x"), "d", "e")
    app.ledger.done = True
    app.results.put_.clear()
    app.ledger.calls.clear()
    assert await go(app) == decision is not None
    assert (app.ledger.calls, app.results.put_) == ([], [])


async def test_intended_item_is_not_read_again(app):
    decision = await go(app)
    app.ledger.intent = Intent(decision, Context("mail", "own_mailbox"), "d", "e1")
    app.services["mail"].error = AssertionError("read again")
    assert await go(app) == decision


async def test_marked_item_is_completed_without_an_event(app):
    app.services["mail"].known = True
    assert await go(app) is None
    assert (app.ledger.calls[-1], app.results.put_) == ("complete unchanged", [])
    assert app.ledger.outcome == Outcome("none", OutcomeState.UNCHANGED)


@pytest.mark.parametrize(
    ("error", "state"), [(GoneError("x"), "gone"), (SupersededError("x"), "superseded")]
)
async def test_item_that_moved_on_before_reading_is_recorded_unjudged_and_not_done(
    app, error, state
):
    app.services["mail"].error = error
    assert await go(app) is None
    ((claim, outcome),) = app.results.put_
    assert (claim.intent, outcome.action, outcome.state) == (None, "none", state)
    assert app.ledger.calls == ["release"]


@pytest.mark.parametrize(
    ("error", "state"), [(GoneError("x"), "gone"), (SupersededError("x"), "superseded")]
)
async def test_item_that_moved_on_before_acting_is_recorded_with_its_decision(app, error, state):
    app.services["mail"].apply_error = error
    assert (await go(app)).disposition is Disposition.REVIEW
    assert [(each.action, each.state) for _, each in app.results.put_] == [("none", state)]
    assert app.ledger.calls[-1] == f"complete {state}"


@pytest.mark.parametrize("error", [UnavailableError("x"), PermanentError("x"), ZeroDivisionError()])
async def test_failure_gives_the_lease_back(app, error):
    app.services["mail"].error = error
    with pytest.raises(type(error)):
        await go(app)
    assert app.ledger.calls == ["release"]


async def test_unknown_source_is_malformed(app):
    with pytest.raises(MalformedError):
        await go(app, replace(ITEM, source="fax"))


async def test_lease_is_renewed_while_work_goes_on_and_the_newest_token_is_used(app):
    service = app.services["mail"]
    service.pause = asyncio.Event()
    task = asyncio.ensure_future(go(app))
    while app.ledger.calls.count("renew") < 3:  # noqa: ASYNC110 - the double has no event
        await asyncio.sleep(0.001)
    service.pause.set()
    await task
    renewals = app.ledger.calls.index(next(c for c in app.ledger.calls if c.startswith("intend")))
    assert app.ledger.calls[renewals] == "intend 0" + "r" * renewals


async def test_lost_lease_stops_the_work(app):
    app.services["mail"].pause = asyncio.Event()
    app.ledger.renewal = LeaseLostError("x")
    with pytest.raises(LeaseLostError):
        await go(app)
    assert app.ledger.calls == ["renew"], "nothing is written any more"


async def test_lease_that_cannot_be_renewed_counts_as_lost(app):
    app.services["mail"].pause = asyncio.Event()
    app.ledger.renewal = UnavailableError("x")
    with pytest.raises(LeaseLostError):
        await go(app)
    assert app.ledger.calls == ["renew"] * 4


async def test_scan_costs_five_operations_on_storage():
    world = World(["plain"] * 20)
    await world.run(())
    scanning = {"ledger", "ownwrites", "scan-results"}
    spent = world.account.operations
    assert sum(n for name, n in spent.items() if name.split(".")[0] in scanning) == 20 * 5


async def test_worker_that_slept_through_its_lease_neither_acts_nor_reports(app):
    moments = iter([NOW, NOW, NOW + timedelta(seconds=200)])
    app.ledger.renewal = LeaseLostError("x")
    app = replace(app, clock=lambda: next(moments), renew_every=20.0)
    with pytest.raises(LeaseLostError):
        await go(app)
    assert (app.services["mail"].applied, app.results.put_) == ([], [])
