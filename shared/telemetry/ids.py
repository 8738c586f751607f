"""Ids that follow from the trace, for the first span; random ones for all others."""

from __future__ import annotations

from typing import override

from opentelemetry.sdk.trace.id_generator import RandomIdGenerator

from shared.telemetry.spans import HALF, root_of


class Ids(RandomIdGenerator):
    """The first span of a trace has the trace's id, and its lower half as its own."""

    @override
    def generate_trace_id(self) -> int:
        return root_of.get() or super().generate_trace_id()

    @override
    def generate_span_id(self) -> int:
        return root_of.get() & HALF or super().generate_span_id()
