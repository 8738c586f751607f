"""Where telemetry goes: Application Insights, or a file on this machine; OpenTelemetry's SDK.

Imported with the package but the SDK only in ``configure``: the webhook's cold start does not wait
for what it may not use.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from shared.telemetry.instruments import Instruments, use

if TYPE_CHECKING:
    from opentelemetry.sdk.metrics.export import MetricExporter
    from opentelemetry.sdk.trace.export import SpanExporter

EVERY = 60.0  # seconds between two exports of metrics


@dataclass(frozen=True, slots=True)
class Target:
    """Where to, and as whom.

    ``connection`` is Application Insights' connection string (no secret where local authentication
    is off; then the identity ``client_id`` signs in), ``file`` a path that JSON lines are added to,
    ``share`` the part of traces that is kept, 0…1, by trace id, so that a kept trace is whole.
    """

    connection: str = field(default="", repr=False)
    file: str = ""
    client_id: str = ""
    role: str = "all"
    version: str = ""
    share: float = 1.0


def configure(target: Target) -> None:
    """From now on spans and counts of this process go there; nowhere where neither is named."""
    if not (target.connection or target.file):
        use(None)
        return
    from opentelemetry.sdk.metrics import MeterProvider  # noqa: PLC0415 - see the module
    from opentelemetry.sdk.metrics.export import PeriodicExportingMetricReader  # noqa: PLC0415
    from opentelemetry.sdk.resources import Resource  # noqa: PLC0415
    from opentelemetry.sdk.trace import TracerProvider  # noqa: PLC0415
    from opentelemetry.sdk.trace.export import (  # noqa: PLC0415
        BatchSpanProcessor,
        SimpleSpanProcessor,
    )
    from opentelemetry.sdk.trace.sampling import TraceIdRatioBased  # noqa: PLC0415

    from shared.telemetry.ids import Ids  # noqa: PLC0415 - needs the SDK

    spans, metrics = _exporters(target)
    resource = Resource(
        {
            "service.namespace": "sekisho",
            "service.name": f"sekisho-{target.role}",
            "service.version": target.version,
        }
    )
    tracers = TracerProvider(
        sampler=TraceIdRatioBased(target.share), resource=resource, id_generator=Ids()
    )
    tracers.add_span_processor(
        SimpleSpanProcessor(spans) if target.file else BatchSpanProcessor(spans)
    )
    every = 1.0 if target.file else EVERY
    reader = PeriodicExportingMetricReader(metrics, export_interval_millis=every * 1000)
    meters = MeterProvider([reader], resource=resource)
    use(Instruments.of(tracers.get_tracer("sekisho"), meters.get_meter("sekisho"), on=True))


def _exporters(target: Target) -> tuple[SpanExporter, MetricExporter]:
    if target.file:
        from shared.telemetry.file import MetricLines, SpanLines  # noqa: PLC0415 - needs the SDK

        return SpanLines(Path(target.file)), MetricLines(Path(target.file))
    from azure.identity import ManagedIdentityCredential  # noqa: PLC0415 - cloud alone
    from azure.monitor.opentelemetry.exporter import (  # noqa: PLC0415 - cloud alone
        AzureMonitorMetricExporter,
        AzureMonitorTraceExporter,
    )

    given = {
        "connection_string": target.connection,
        "credential": ManagedIdentityCredential(client_id=target.client_id or None),
        "disable_offline_storage": True,  # nothing of ours on the platform's disk
    }
    return AzureMonitorTraceExporter(**given), AzureMonitorMetricExporter(**given)
