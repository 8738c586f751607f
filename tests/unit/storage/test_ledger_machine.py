"""The ledger against a model: hypothesis makes the story, the model says what must be answered."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, precondition, rule

from local.memory import Account, MemoryStores
from shared.errors import BusyError, LeaseLostError
from shared.model import (
    Context,
    Decision,
    Disposition,
    Intent,
    Item,
    Mode,
    Outcome,
    OutcomeState,
)
from shared.storage.claimcheck import ClaimCheck
from shared.storage.ledger import TableLedger

ITEM = Item("mail", "m1", "box", "ck1")
DONE = Outcome("tag", OutcomeState.APPLIED)
workers = st.integers(0, 2)


def intent(number):
    decision = Decision(Disposition.TAG, Disposition.TAG, Mode.ENFORCE, "p1", (str(number),))
    return Intent(decision, Context("mail", "own_mailbox"), "d", "e")


class LedgerMachine(RuleBasedStateMachine):
    """Three workers, one item. ``holder`` is who may write, ``until`` when others may take over."""

    def __init__(self):
        super().__init__()
        self.loop = asyncio.new_event_loop()
        self.now = datetime(2026, 11, 24, tzinfo=UTC)
        stores = MemoryStores(Account(lambda: self.now))
        checks = ClaimCheck(stores.blobs("work"))
        self.ledger = TableLedger(
            stores.table("ledger"), stores.table("own"), checks, lambda: self.now, "p1"
        )
        self.claims = {}
        self.holder = None
        self.until = self.now
        self.fence = 0
        self.intent = None
        self.done = False
        self.count = 0

    def teardown(self):
        self.loop.close()

    def call(self, work):
        return self.loop.run_until_complete(work)

    def write(self, worker, call):
        """A conditional write: it succeeds for the holder alone."""
        if worker == self.holder:
            return self.call(call)
        with pytest.raises(LeaseLostError):
            self.call(call)
        return None

    @rule(worker=workers)
    def claim(self, worker):
        call = self.ledger.claim(ITEM, self.now)
        if not self.done and self.holder is not None and self.until > self.now:
            with pytest.raises(BusyError):
                self.call(call)
            return
        claim = self.call(call)
        assert (claim.done, claim.intent) == (self.done, self.intent)
        if self.done:
            return
        self.fence += 1
        assert claim.fence == self.fence
        self.claims[worker] = claim
        self.holder, self.until = worker, self.now + timedelta(seconds=120)

    @precondition(lambda self: self.claims)
    @rule(data=st.data())
    def renew(self, data):
        worker = data.draw(st.sampled_from(sorted(self.claims)))
        claim = self.write(worker, self.ledger.renew(self.claims[worker]))
        if claim:
            self.claims[worker] = claim
            self.until = self.now + timedelta(seconds=120)

    @precondition(lambda self: self.claims)
    @rule(data=st.data())
    def intend(self, data):
        worker = data.draw(st.sampled_from(sorted(self.claims)))
        if worker == self.holder and self.claims[worker].intent:
            return  # the pipeline intends once
        self.count += 1
        claim = self.write(worker, self.ledger.intend(self.claims[worker], intent(self.count)))
        if claim:
            self.claims[worker], self.intent = claim, claim.intent
            self.until = self.now + timedelta(seconds=120)

    @precondition(lambda self: self.claims)
    @rule(data=st.data())
    def complete(self, data):
        worker = data.draw(st.sampled_from(sorted(self.claims)))
        mine = worker == self.holder
        self.write(worker, self.ledger.complete(self.claims[worker], DONE))
        if mine:
            self.done, self.holder = True, None
            del self.claims[worker]

    @precondition(lambda self: self.claims)
    @rule(data=st.data())
    def release(self, data):
        worker = data.draw(st.sampled_from(sorted(self.claims)))
        self.call(self.ledger.release(self.claims.pop(worker)))
        if worker == self.holder:
            self.holder = None

    @rule(seconds=st.sampled_from([1, 60, 119, 121]))
    def turn(self, seconds):
        self.now += timedelta(seconds=seconds)


LedgerMachine.TestCase.settings = settings(max_examples=100, stateful_step_count=30, deadline=None)
test_ledger_answers_as_the_model_does = LedgerMachine.TestCase
