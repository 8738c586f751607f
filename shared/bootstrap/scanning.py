"""What a scan needs: extraction, detection, the services."""

from __future__ import annotations

import hmac
from functools import cached_property
from typing import TYPE_CHECKING, Any

from shared.bootstrap.core import needed
from shared.bootstrap.gating import Gating
from shared.codec import encode
from shared.model import Extraction
from shared.ports import App, everyone
from shared.storage.evidence import Evidence
from shared.storage.results import QueueResults
from shared.telemetry import observe

if TYPE_CHECKING:
    from shared.storage.anew import Anew
    from shared.storage.disposal import Disposer


class Scanning(Gating):
    """The app that the pipeline is given."""

    @cached_property
    def app(self) -> App:
        """What a scan needs."""
        sandbox, engine = self.sandbox, self.engine
        return observe(
            App(
                clock=self.clock,
                ledger=self.ledger,
                services=self._services(sandbox.extract),
                extract=sandbox.extract,
                detect=engine.scan,
                decide=self.policy.decide,
                digest=self._digest,
                results=QueueResults(
                    self.work.queue("scan-results"), self.checks, self.clock, self.policy.version
                ),
                policy_version=self.policy.version,
                renew_every=self.settings.lease_seconds / 6,
                exceptions=self.exceptions,
                cohort=self.cohorts.of if self.settings.cohorts else everyone,
            )
        )

    @cached_property
    def anew(self) -> Anew:
        """What an exception's beginning and end bring about."""
        from shared.storage.anew import Anew  # noqa: PLC0415 - scanning roles alone

        items, bulk, results = map(self.work.queue, ("scan-items", "scan-bulk", "scan-results"))
        return Anew(
            self.exceptions, items, bulk, results, self.clock, self.policy.version,
            self.relay_delivery.turned,
        )  # fmt: skip

    @cached_property
    def disposer(self) -> Disposer:
        """Deletes the copies whose end was ordered."""
        from shared.storage.disposal import Disposals, Disposer  # noqa: PLC0415 - scanning roles alone

        disposals = Disposals(self.work.table("exceptions"), self.clock)
        return Disposer(disposals, self.evidence.blobs, self.work.queue("scan-results"), self.clock)

    def _digest(self, extraction: Extraction) -> str:
        key = needed(self.settings.fingerprint_key, "SEKISHO_FINGERPRINT_KEY")
        return hmac.digest(key.value, b"content\0" + encode(extraction), "sha256").hex()

    def _services(self, extract: Any) -> dict[str, Any]:
        from shared.services.drive_tag import Tags  # noqa: PLC0415 - scanning roles alone
        from shared.services.wiring import watch_services  # noqa: PLC0415 - scanning roles alone

        async def redigest(content: Any) -> str:
            return self._digest(await extract(content))

        services = watch_services(
            self.graph,
            evidence=Evidence(self.evidence.blobs("evidence"), self.alerts),
            quarantine=Evidence(self.evidence.blobs("quarantine"), self.alerts, "quarantine"),
            onward=self.onward,
            markers=self.markers,
            policy_version=self.policy.version,
            redigest=redigest,
            limit=self.settings.max_item_bytes,
            tenant=self.settings.tenant_id,
            clock=self.clock,
            inside=self.settings.mail_domains,
            tags=Tags(
                self.work.table("tags"),
                self.clock,
                self.settings.file_labels,
                read=self.policy.asks_for_labels,
            ),
            passed=self.passed,
        )
        return {**services, "gate": self.gate_service}
