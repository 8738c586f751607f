"""The tracer and the counters that this process writes to; nothing until ``configure`` set them.

They are held here and not given to OpenTelemetry's global registry: the SDKs of Graph and Storage
look there, and their spans name URLs, which hold ids and file names.
"""

from __future__ import annotations

from dataclasses import dataclass

from opentelemetry.metrics import Counter, Histogram, Meter, NoOpMeterProvider
from opentelemetry.metrics import _Gauge as Gauge
from opentelemetry.trace import NoOpTracerProvider, Tracer


@dataclass
class Instruments:
    """One set a process."""

    tracer: Tracer
    items: Counter
    gaps: Counter
    messages: Counter
    alerts: Counter
    stages: Histogram
    ages: Histogram
    waits: Histogram
    oldest: Gauge
    on: bool = False

    @classmethod
    def of(cls, tracer: Tracer, meter: Meter, *, on: bool) -> Instruments:
        """The instruments of a tracer and a meter."""
        return cls(
            tracer,
            meter.create_counter("sekisho.items", "1", "Items by disposition and state"),
            meter.create_counter("sekisho.gaps", "1", "Parts that could not be read, by code"),
            meter.create_counter("sekisho.messages", "1", "Queue messages by how they ended"),
            meter.create_counter("sekisho.alerts", "1", "Alerts raised, by kind"),
            meter.create_histogram("sekisho.stage.duration", "s", "Time a stage takes"),
            meter.create_histogram("sekisho.item.age", "s", "From the event to its result"),
            meter.create_histogram("sekisho.queue.age", "s", "From the event to this queue's work"),
            meter.create_gauge("sekisho.gate.oldest", "s", "Age of the oldest that waits"),
            on,
        )


def _nothing() -> Instruments:
    tracer = NoOpTracerProvider().get_tracer("sekisho")
    return Instruments.of(tracer, NoOpMeterProvider().get_meter("sekisho"), on=False)


current: Instruments = _nothing()


def use(instruments: Instruments | None) -> None:
    """From now on these; None: nothing."""
    global current  # noqa: PLW0603 - one set a process, as OpenTelemetry itself holds it
    current = instruments or _nothing()
