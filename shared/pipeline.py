"""The order in which an item passes: claim, read, decide, write it down, act, report, done.

Every step may run twice and the process may die between any two of them. What makes that safe:
the decision is written down before acting and is never made again (a second reading would find our
own tombstone); the action is idempotent and conditional on the version that was read; the result is
on its queue before the ledger says done.
"""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

from shared.errors import (
    ChangedError,
    GoneError,
    LeaseLostError,
    MalformedError,
    SekishoError,
    TransientError,
)
from shared.model import (
    Claim,
    Decision,
    Fetched,
    Finding,
    Gap,
    Intent,
    Item,
    Outcome,
    OutcomeState,
    Segment,
)
from shared.ports import App, Service

# Renewals that may fail in a row before we must assume that the lease is gone (with the defaults
# 4 x 20 s, below the lease of 120 s).
MISSES = 4
# Characters above which detection leaves the event loop (some milliseconds of work).
LONG = 500_000


async def scan(
    item: Item, app: App, *, first_seen: datetime, trace: str = "", found: str = ""
) -> Decision | None:
    """Take one item through; its decision, or None where there was nothing to judge.

    None: our own write, an item that carries our valid marker, gone, or superseded. Raises
    TransientError (BusyError, LeaseLostError …) to be tried again, PermanentError for a dead
    letter. The lease is given back on every error but a lost lease.
    """
    service = app.services.get(item.source)
    if service is None:
        message = f"no service for source {item.source!r}"
        raise MalformedError(message)
    if await app.ledger.is_own_write(item):
        return None
    claim = replace(await app.ledger.claim(item, first_seen), trace=trace, found=found)
    if claim.done:
        return claim.intent.decision if claim.intent else None
    held = _Held(claim, app)
    return await _while_held(_work(held, service, app), held)


async def _work(held: _Held, service: Service, app: App) -> Decision | None:
    try:
        return await _steps(held, service, app)
    except LeaseLostError:
        raise
    except Exception:
        await held.release()
        raise


async def _steps(held: _Held, service: Service, app: App) -> Decision | None:
    if held.claim.intent is None and not await _decide(held, service, app):
        return None
    intent = held.claim.intent
    assert intent is not None
    await held.confirm()
    try:
        outcome = await service.apply(held.claim)
    except ChangedError as error:
        outcome = Outcome("none", _state(error))
    if outcome.copies:
        await app.exceptions.copied(held.claim.item, outcome.copies)
    await held.confirm()
    await app.results.put(held.claim, outcome)
    await held.complete(outcome)
    return intent.decision


async def _decide(held: _Held, service: Service, app: App) -> bool:
    """Read, judge and write the intent down; False where there is nothing to act on."""
    item = held.claim.item
    try:
        fetched = await service.fetch(item)
    except ChangedError as error:
        # Nobody judged it, so the record says neither allow nor anything else; and the ledger
        # does not say done, so that the same version is read should it come back (a restored file).
        await app.results.put(held.claim, Outcome("none", _state(error)))
        await held.release()
        return False
    extraction = await app.extract(fetched.content)
    digest = app.digest(extraction)
    if service.recognises(held.claim, fetched, digest):
        await held.complete(Outcome("none", OutcomeState.UNCHANGED))
        return False
    context = replace(fetched.context, cohort=await app.cohort(fetched.context.owner))
    fetched = replace(fetched, context=context)
    findings = await _detect(app, extraction.segments)
    gaps = (*fetched.gaps, *extraction.gaps)
    decision = await _judge(item, fetched, findings, gaps, app)
    await held.intend(Intent(decision, fetched.context, digest, fetched.etag))
    return True


async def _judge(
    item: Item, fetched: Fetched, findings: Sequence[Finding], gaps: Sequence[Gap], app: App
) -> Decision:
    """The decision, with what people granted; written down is what it rests on.

    That comes before the intent, and is looked at once more afterwards: an exception that ended
    meanwhile may have been ended without this item.
    """
    if not findings and not gaps:  # what is clean needs no exception
        return app.decide(fetched.context, findings, gaps, ())
    places = [item.place_key(), *filter(None, [fetched.origin])]
    granted: Sequence[Any] = await app.exceptions.applying(*places)
    while True:
        decision = app.decide(fetched.context, findings, gaps, granted)
        if not granted:
            return decision
        await app.exceptions.used(item, decision.rule_ids)
        before, granted = granted, await app.exceptions.applying(*places)
        if granted == before:
            return decision


async def _detect(app: App, segments: Sequence[Segment]) -> tuple[Finding, ...]:
    """In a thread where it takes long: the lease must be renewed meanwhile."""
    if sum(len(segment.text) for segment in segments) > LONG:
        return await asyncio.to_thread(app.detect, segments)
    return app.detect(segments)


def _state(error: ChangedError) -> OutcomeState:
    return OutcomeState.GONE if isinstance(error, GoneError) else OutcomeState.SUPERSEDED


class _Held:
    """A claim in our hands. One write at a time: each needs the ETag of the one before."""

    def __init__(self, claim: Claim, app: App) -> None:
        self.claim = claim
        self._ledger = app.ledger
        self._every = app.renew_every
        self._clock = app.clock
        self._written = app.clock()
        self._lock = asyncio.Lock()

    async def intend(self, intent: Intent) -> None:
        async with self._lock:
            self._hold(await self._ledger.intend(self.claim, intent))

    async def confirm(self) -> None:
        """LeaseLostError if the lease is lost; asks only if this process stood still for long.

        A worker that slept through its lease must neither act nor report: another did, and what
        this one would find now is what the other left.
        """
        if (self._clock() - self._written).total_seconds() <= 2 * self._every:
            return
        async with self._lock:
            self._hold(await self._ledger.renew(self.claim))

    async def complete(self, outcome: Outcome) -> None:
        async with self._lock:
            await self._ledger.complete(self.claim, outcome)

    async def release(self) -> None:
        """Best effort: what cannot be given back expires."""
        async with self._lock:
            try:
                await self._ledger.release(self.claim)
            except SekishoError:
                return

    async def keep(self) -> None:
        """Renew until cancelled; LeaseLostError when the lease is, or may be, lost."""
        misses = 0
        while misses < MISSES:
            await asyncio.sleep(self._every)
            async with self._lock:
                try:
                    self._hold(await self._ledger.renew(self.claim))
                    misses = 0
                except LeaseLostError:
                    raise
                except TransientError:
                    misses += 1
        message = f"ledger: {self.claim.key} could not be renewed"
        raise LeaseLostError(message)

    def _hold(self, claim: Claim) -> None:
        self.claim, self._written = claim, self._clock()


async def _while_held[T](work: Coroutine[None, None, T], held: _Held) -> T:
    """Run ``work`` while its lease is renewed; a lost lease cancels it."""
    working, keeping = asyncio.ensure_future(work), asyncio.ensure_future(held.keep())
    both: tuple[asyncio.Future[T], asyncio.Future[None]] = (working, keeping)
    try:
        await asyncio.wait(both, return_when=asyncio.FIRST_COMPLETED)
        if not working.done():
            working.cancel()
            await asyncio.wait({working})
            keeping.result()
        return working.result()
    finally:
        for each in both:
            each.cancel()
        await asyncio.gather(*both, return_exceptions=True)
