"""Spans that join over queues by the trace id alone.

The first span of a trace (its event) takes the lower half of the trace id as its span id. So every
later stage knows its parent without a second field in every message.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import datetime

from opentelemetry.context import Context
from opentelemetry.trace import (
    NonRecordingSpan,
    Span,
    SpanContext,
    SpanKind,
    StatusCode,
    TraceFlags,
    set_span_in_context,
)

from shared.model import Envelope
from shared.telemetry import instruments
from shared.telemetry.attributes import clean, kind

HALF = 0xFFFF_FFFF_FFFF_FFFF
TRACE_DIGITS = 32

_here: ContextVar[Span | None] = ContextVar("_here", default=None)
root_of: ContextVar[int] = ContextVar("root_of", default=0)  # the trace whose first span is made


def born(trace: str, what: str) -> None:
    """The first span of a trace: the event came, and is on its queue."""
    number = _number(trace)
    if not instruments.current.on or not number:
        return
    token = root_of.set(number)
    try:
        span = instruments.current.tracer.start_span(
            what, context=Context(), kind=SpanKind.SERVER, attributes=clean({"stage": what})
        )
        span.end()
    finally:
        root_of.reset(token)


def alerted(alert: str) -> None:
    """Somebody should look at something: counted by kind, so that they are told."""
    instruments.current.alerts.add(1, clean({"alert": alert}))


def poisoned(queue: str) -> None:
    """A message of the queue came back from poison: a function died five times under it."""
    instruments.current.messages.add(1, clean({"queue": queue, "end": "poison"}))


def oldest(stage: str, seconds: float) -> None:
    """How long the oldest item at the gate has waited for ``stage`` (``scan``, ``person``)."""
    instruments.current.oldest.set(seconds, clean({"stage": stage}))


@contextmanager
def message(queue: str, envelope: Envelope, now: datetime) -> Iterator[None]:
    """One message's work, as a span of its event's trace; counted by how it ended."""
    given = instruments.current
    if not given.on:
        yield
        return
    labels = clean({"queue": queue})
    given.waits.record(max(0.0, (now - envelope.first_seen).total_seconds()), labels)
    attributes = clean({"queue": queue, "stage": queue, "attempt": envelope.attempt})
    span = given.tracer.start_span(
        queue, context=_parent(envelope.trace), kind=SpanKind.CONSUMER, attributes=attributes
    )
    end = "done"
    try:
        with _current(span):
            yield
    except BaseException as error:
        end = kind(error)
        raise
    finally:
        given.messages.add(1, clean({"queue": queue, "end": end}))


@contextmanager
def stage(name: str, source: str) -> Iterator[None]:
    """A step inside a message's work: a span below it, and its seconds."""
    given = instruments.current
    if not given.on:
        yield
        return
    labels = clean({"stage": name, "source": source})
    started = time.monotonic()
    above = _here.get()
    context = set_span_in_context(above, Context()) if above else Context()
    span = given.tracer.start_span(name, context=context, attributes=labels)
    try:
        with _current(span):
            yield
    finally:
        given.stages.record(time.monotonic() - started, labels)


@contextmanager
def _current(span: Span) -> Iterator[None]:
    """The span for what is called below; ended with the class of an error, never its words.

    Held in a variable of our own: what OpenTelemetry calls current is open to every library below.
    """
    token = _here.set(span)
    try:
        yield
    except BaseException as error:
        span.set_status(StatusCode.ERROR)
        span.set_attributes(clean({"error": kind(error)}))
        raise
    finally:
        _here.reset(token)
        span.end()


def _parent(trace: str) -> Context:
    number = _number(trace)
    if not number:
        return Context()
    context = SpanContext(number, number & HALF, is_remote=True, trace_flags=TraceFlags(1))
    return set_span_in_context(NonRecordingSpan(context), Context())


def _number(trace: str) -> int:
    """The trace id; 0 where an envelope has none, or something that is no trace id."""
    if len(trace) != TRACE_DIGITS or set(trace) - set("0123456789abcdef"):
        return 0
    number = int(trace, 16)
    return number if number & HALF else 0
