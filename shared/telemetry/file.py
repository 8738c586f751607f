"""Spans and counts as JSON lines in a file, for one machine: what a person can grep."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any, override

from opentelemetry.sdk.metrics.export import (
    MetricExporter,
    MetricExportResult,
    MetricsData,
)
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.sdk.trace.export import SpanExporter, SpanExportResult


class SpanLines(SpanExporter):
    """One line a span; several processes may add to the same file."""

    def __init__(self, path: Path) -> None:
        self.path = path

    @override
    def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
        _add(self.path, [_line(each) for each in spans])
        return SpanExportResult.SUCCESS


class MetricLines(MetricExporter):
    """One line a series and export; counts are totals of the process."""

    def __init__(self, path: Path) -> None:
        super().__init__()
        self.path = path

    @override
    def export(
        self, metrics_data: MetricsData, timeout_millis: float = 10_000, **kwargs: Any
    ) -> MetricExportResult:
        lines = [
            {
                "metric": metric.name,
                "role": resource.resource.attributes.get("service.name"),
                "labels": dict(point.attributes or {}),
                "value": getattr(point, "value", getattr(point, "sum", 0)),
                "count": getattr(point, "count", None),
            }
            for resource in metrics_data.resource_metrics
            for scope in resource.scope_metrics
            for metric in scope.metrics
            for point in metric.data.data_points
        ]
        _add(self.path, lines)
        return MetricExportResult.SUCCESS

    @override
    def force_flush(self, timeout_millis: float = 10_000) -> bool:
        return True

    @override
    def shutdown(self, timeout_millis: float = 30_000, **kwargs: Any) -> None:
        return


def _line(span: ReadableSpan) -> dict[str, Any]:
    context, above = span.get_span_context(), span.parent
    assert context is not None, "an ended span has a context"
    return {
        "trace": f"{context.trace_id:032x}",
        "span": f"{context.span_id:016x}",
        "parent": f"{above.span_id:016x}" if above else "",
        "name": span.name,
        "role": span.resource.attributes.get("service.name"),
        "start": span.start_time,
        "end": span.end_time,
        "status": span.status.status_code.name,
        "attributes": dict(span.attributes or {}),
    }


def _add(path: Path, lines: list[dict[str, Any]]) -> None:
    """One write, so that lines of two processes do not mix (O_APPEND)."""
    if lines:
        with path.open("ab", buffering=0) as out:
            out.write("".join(json.dumps(each) + "\n" for each in lines).encode())
