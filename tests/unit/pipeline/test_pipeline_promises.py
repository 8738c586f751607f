"""What the pipeline asks of each port, and when: exceptions, cohorts, long texts, slow workers."""

# ruff: noqa: ARG001, ARG005 - doubles have the signatures of their ports

from __future__ import annotations

import asyncio
import threading
from dataclasses import replace
from datetime import timedelta

import pytest

from shared.errors import LeaseLostError, UnavailableError
from shared.model import (
    Claim,
    Content,
    Context,
    Decision,
    Disposition,
    Extraction,
    Fetched,
    Finding,
    Gap,
    GapCode,
    Item,
    Level,
    Mode,
    Outcome,
    OutcomeState,
    Segment,
)
from shared.pipeline import LONG, scan
from shared.ports import App
from tests.unit.pipeline.test_pipeline import ITEM, NOW, Ledger, Results, Service

FINDING = Finding("my_number", "", 0, 12, 1.0, Level.HIGH, "1***", "k:0")
GAP = Gap(GapCode.MALFORMED, "a")
FETCHED = Fetched(Content(b"x"), Context("mail", "own_mailbox", owner="hanako"), "e1")


class Exceptions:
    """Gives what is granted, one answer after the other; the last one stays."""

    def __init__(self, *answers):
        self.answers = list(answers)
        self.asked = []
        self.rests_on = []
        self.copies = []

    async def applying(self, *place_keys):
        self.asked.append(place_keys)
        return self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]

    async def used(self, item, rule_ids):
        self.rests_on.append((item, rule_ids))

    async def copied(self, item, copies):
        self.copies.append((item, copies))


class Judging(Service):
    """A source whose reading, recognising and acting can be set; it notes what it is asked."""

    fetched = FETCHED
    outcome = Outcome("tag", OutcomeState.APPLIED)
    asked = None
    cancelled = False

    async def fetch(self, item):
        try:
            await super().fetch(item)
        except asyncio.CancelledError:
            self.cancelled = True
            raise
        return self.fetched

    def recognises(self, claim, fetched, digest):
        self.asked = (claim, fetched, digest)
        return self.known

    async def apply(self, claim):
        await super().apply(claim)
        return self.outcome


def made(exceptions, *, findings=(FINDING,), gaps=(), text="text", cohort="everyone", **more):
    """An app whose decision carries, as rule ids, what was granted."""

    async def extract(content):
        return Extraction((Segment("", text),), gaps)

    async def of(owner):
        return f"{cohort} of {owner}"

    def decide(context, found, named, granted):
        return Decision(
            Disposition.REVIEW, Disposition.REVIEW, Mode.ENFORCE, "p1",
            tuple(granted), (context.cohort,), tuple(found), tuple(named),
        )  # fmt: skip

    given = {"detect": lambda segments: findings, "renew_every": 1e6, "clock": lambda: NOW} | more
    return App(
        ledger=Ledger(), services={"mail": Judging()}, extract=extract, results=Results(),
        digest=lambda extraction: f"digest of {extraction.segments[0].text}", decide=decide,
        policy_version="p1", exceptions=exceptions, cohort=of, **given,
    )  # fmt: skip


async def go(app, **more):
    return await scan(ITEM, app, first_seen=NOW, **more)


async def test_decision_is_made_of_everything_that_was_found():
    decision = await go(made(Exceptions(()), gaps=(GAP,), cohort="trial"))
    assert (decision.findings, decision.gaps) == ((FINDING,), (GAP,))
    assert decision.obligations == ("trial of hanako",)


async def test_intent_holds_what_the_action_needs():
    app = made(Exceptions(()), cohort="trial")
    await go(app)
    (intent,) = app.services["mail"].applied
    assert intent.context == replace(FETCHED.context, cohort="trial of hanako")
    assert (intent.etag, intent.content_digest) == ("e1", "digest of text")


async def test_own_marker_is_looked_for_in_what_was_read():
    app = made(Exceptions(()))
    await go(app)
    claim, fetched, digest = app.services["mail"].asked
    assert (claim.item, fetched, digest) == (ITEM, FETCHED, "digest of text")


async def test_record_says_how_the_item_was_found_and_its_trace():
    app = made(Exceptions(()))
    await go(app, trace="t", found="sweep")
    assert [(c.trace, c.found) for c, _ in app.results.put_] == [("t", "sweep")]


async def test_clean_item_asks_for_no_exception():
    exceptions = Exceptions(("never",))
    decision = await go(made(exceptions, findings=()))
    assert (exceptions.asked, decision.rule_ids) == ([], ())


@pytest.mark.parametrize("kind", [{"findings": ()}, {"gaps": ()}])
async def test_gap_alone_or_finding_alone_may_be_excepted(kind):
    exceptions = Exceptions(("granted",))
    decision = await go(made(exceptions, **({"gaps": (GAP,)} | kind)))
    assert decision.rule_ids == ("granted",)


@pytest.mark.parametrize(("origin", "more"), [("", ()), ("mail/of a copy", ("mail/of a copy",))])
async def test_exceptions_are_those_of_the_place_and_of_what_it_is_a_copy_of(origin, more):
    exceptions = Exceptions(())
    app = made(exceptions)
    app.services["mail"].fetched = replace(FETCHED, origin=origin)
    await go(app)
    assert exceptions.asked == [(ITEM.place_key(), *more)]


async def test_what_a_decision_rests_on_is_written_down_before_the_intent():
    exceptions = Exceptions(("granted",))
    app = made(exceptions)
    seen = []
    used = exceptions.used

    async def noted(item, rule_ids):
        seen.append(list(app.ledger.calls))
        await used(item, rule_ids)

    exceptions.used = noted
    await go(app)
    assert exceptions.rests_on == [(ITEM, ("granted",))]
    assert seen == [[]]


async def test_exception_that_ends_while_it_is_noted_is_judged_without():
    exceptions = Exceptions(("a", "b"), ("a",), ("a",))
    decision = await go(made(exceptions))
    assert decision.rule_ids == ("a",)
    assert [rules for _, rules in exceptions.rests_on] == [("a", "b"), ("a",)]


async def test_exception_that_ends_altogether_leaves_the_plain_decision():
    exceptions = Exceptions(("a",), ())
    assert (await go(made(exceptions))).rule_ids == ()


async def test_copies_that_the_action_made_inherit_what_was_granted():
    exceptions = Exceptions(())
    app = made(exceptions)
    copy = Item("mail", "m2", "box", "ck1")
    app.services["mail"].outcome = Outcome("moved", OutcomeState.APPLIED, copies=(copy,))
    await go(app)
    assert exceptions.copies == [(ITEM, (copy,))]


async def test_action_without_copies_notes_none():
    exceptions = Exceptions(())
    await go(made(exceptions))
    assert exceptions.copies == []


@pytest.mark.parametrize(("size", "aside"), [(LONG, False), (LONG + 1, True)])
async def test_long_text_is_looked_through_beside_the_event_loop(size, aside):
    threads = []

    def detect(segments):
        threads.append(threading.get_ident())
        assert [len(segment.text) for segment in segments] == [size]
        return (FINDING,)

    decision = await go(made(Exceptions(()), text="x" * size, detect=detect))
    assert [one != threading.get_ident() for one in threads] == [aside]
    assert decision.findings == (FINDING,)


class Renewing(Ledger):
    """Renewals end as told, one after the other; then they succeed. ``enough`` is set behind."""

    def __init__(self, *ends):
        super().__init__()
        self.ends = list(ends)
        self.enough = asyncio.Event()

    async def renew(self, claim):
        self.calls.append("renew")
        if not self.ends:
            self.enough.set()
            return claim
        if error := self.ends.pop(0):
            raise error
        return claim


async def test_renewals_that_fail_now_and_then_do_not_lose_the_lease():
    bad = UnavailableError("x")
    app = replace(
        made(Exceptions(()), renew_every=0.001),
        ledger=Renewing(*[bad] * 3, None, *[bad] * 3, None, *[bad] * 3),
    )
    app.services["mail"].pause = app.ledger.enough
    await go(app)
    assert app.ledger.calls[-1] == "complete applied"


async def test_lost_lease_cancels_the_reading_and_says_whose_it_was():
    app = made(Exceptions(()), renew_every=0.001)
    app.services["mail"].pause = asyncio.Event()
    app.ledger.renewal = UnavailableError("x")
    with pytest.raises(LeaseLostError, match="k could not be renewed"):
        await go(app)
    assert app.services["mail"].cancelled


async def test_scan_that_is_cancelled_leaves_nothing_running():
    app = made(Exceptions(()))
    app.services["mail"].pause = asyncio.Event()
    before = asyncio.all_tasks()
    task = asyncio.ensure_future(go(app))
    while len(asyncio.all_tasks()) < len(before) + 3:  # noqa: ASYNC110 - scan, work, keeping
        await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert asyncio.all_tasks() == before
    assert app.services["mail"].cancelled


async def test_scan_leaves_no_renewal_behind():
    before = asyncio.all_tasks()
    await go(made(Exceptions(())))
    assert asyncio.all_tasks() == before


@pytest.mark.parametrize(("slept", "asks"), [(40, 0), (40.5, 1)])
async def test_worker_that_stood_still_for_two_renewals_asks_before_it_acts(slept, asks):
    moments = [NOW, NOW, NOW + timedelta(seconds=slept)]
    app = made(Exceptions(()), renew_every=20.0)
    app = replace(app, clock=lambda: moments.pop(0) if len(moments) > 1 else moments[0])
    await go(app)
    assert app.ledger.calls.count("renew") == asks
    assert len(app.services["mail"].applied) == 1


async def test_lease_that_cannot_be_given_back_does_not_hide_the_error():
    app = made(Exceptions(()))
    app.services["mail"].error = ZeroDivisionError()

    async def release(claim: Claim):
        raise UnavailableError(claim.key)

    app.ledger.release = release
    with pytest.raises(ZeroDivisionError):
        await go(app)


async def test_done_item_without_an_intent_has_no_decision():
    app = made(Exceptions(()))
    app.ledger.done = True
    assert await go(app) is None
    assert app.services["mail"].asked is None
