"""The pipeline's steps as spans and counts, around the core, which knows nothing of it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from contextvars import ContextVar
from dataclasses import dataclass, replace

from shared.model import (
    Claim,
    Content,
    Decision,
    Extraction,
    Fetched,
    Finding,
    Item,
    Outcome,
)
from shared.ports import App, Clock, Results, Service
from shared.telemetry import instruments
from shared.telemetry.attributes import clean
from shared.telemetry.spans import stage

_source: ContextVar[str] = ContextVar("_source", default="other")  # of the item in hand


def observe(app: App) -> App:
    """The same app; each step is a span, each decision and gap is counted."""
    return replace(
        app,
        services={name: _Service(name, each) for name, each in app.services.items()},
        extract=_extract(app.extract),
        detect=_detect(app.detect),
        decide=_decide(app.decide),
        results=_Results(app.results, app.clock),
    )


def _extract(
    inner: Callable[[Content], Awaitable[Extraction]],
) -> Callable[[Content], Awaitable[Extraction]]:
    async def extract(content: Content) -> Extraction:
        with stage("extract", _source.get()):
            return await inner(content)

    return extract


def _detect[**P](inner: Callable[P, tuple[Finding, ...]]) -> Callable[P, tuple[Finding, ...]]:
    def detect(*args: P.args, **kwargs: P.kwargs) -> tuple[Finding, ...]:
        with stage("detect", _source.get()):
            return inner(*args, **kwargs)

    return detect


def _decide[**P](inner: Callable[P, Decision]) -> Callable[P, Decision]:
    def decide(*args: P.args, **kwargs: P.kwargs) -> Decision:
        with stage("decide", _source.get()):
            return inner(*args, **kwargs)

    return decide


@dataclass(frozen=True, slots=True)
class _Service:
    name: str
    inner: Service

    async def fetch(self, item: Item) -> Fetched:
        _source.set(self.name)
        with stage("fetch", self.name):
            return await self.inner.fetch(item)

    async def apply(self, claim: Claim) -> Outcome:
        with stage("apply", self.name):
            return await self.inner.apply(claim)

    def recognises(self, claim: Claim, fetched: Fetched, content_digest: str) -> bool:
        return self.inner.recognises(claim, fetched, content_digest)


@dataclass(frozen=True, slots=True)
class _Results:
    inner: Results
    clock: Clock

    async def put(self, claim: Claim, outcome: Outcome) -> None:
        with stage("report", claim.item.source):
            await self.inner.put(claim, outcome)
        _count(claim, outcome, (self.clock() - claim.first_seen).total_seconds())


def _count(claim: Claim, outcome: Outcome, age: float) -> None:
    given, source = instruments.current, claim.item.source
    if not given.on:
        return
    given.ages.record(max(0.0, age), clean({"source": source}))
    labels: dict[str, str | int] = {"source": source, "state": outcome.state.value}
    if claim.intent is not None:
        decision = claim.intent.decision
        labels |= {
            "disposition": decision.disposition.name.lower(),
            "would_be": decision.would_be.name.lower(),
            "mode": decision.mode.value,
        }
        for gap in decision.gaps:
            given.gaps.add(1, clean({"source": source, "gap": gap.code.value}))
    given.items.add(1, clean(labels))
