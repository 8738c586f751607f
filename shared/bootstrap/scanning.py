"""What a scan needs: extraction, detection, the services."""

from __future__ import annotations

import hmac
from functools import cached_property
from typing import TYPE_CHECKING, Any

from shared.bootstrap.core import Core, needed
from shared.codec import encode
from shared.model import Extraction
from shared.ports import App
from shared.storage.evidence import Evidence
from shared.storage.results import QueueResults
from shared.telemetry import observe

if TYPE_CHECKING:
    from shared.services.gate import GateService
    from shared.services.relay_delivery import RelayDelivery
    from shared.storage.anew import Anew
    from shared.storage.disposal import Disposer


class Scanning(Core):
    """The app that the pipeline is given."""

    @cached_property
    def app(self) -> App:
        """What a scan needs."""
        from shared.detect import Engine, FingerprintKey  # noqa: PLC0415 - scanning roles alone
        from shared.extract import Limits  # noqa: PLC0415 - the same
        from shared.sandbox import Sandbox  # noqa: PLC0415 - the same

        key = needed(self.settings.fingerprint_key, "SEKISHO_FINGERPRINT_KEY")
        names = self.settings.names == "on"
        engine = Engine(FingerprintKey(key.id, key.value), names=names)
        sandbox = Sandbox(
            mode=self.settings.isolation,  # type: ignore[arg-type] # checked by settings
            limits=Limits(ocr=self.settings.ocr == "on"),
        )
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
            )
        )

    @cached_property
    def anew(self) -> Anew:
        """What an exception's beginning and end bring about."""
        from shared.storage.anew import Anew  # noqa: PLC0415 - scanning roles alone

        items, bulk, results = map(self.work.queue, ("scan-items", "scan-bulk", "scan-results"))
        return Anew(self.exceptions, items, bulk, results, self.clock, self.policy.version)

    @cached_property
    def disposer(self) -> Disposer:
        """Deletes the copies whose end was ordered."""
        from shared.storage.disposal import Disposals, Disposer  # noqa: PLC0415 - scanning roles alone

        disposals = Disposals(self.work.table("exceptions"), self.clock)
        return Disposer(
            disposals, self.evidence.blobs, self.work.queue("scan-results"), self.clock
        )

    def _digest(self, extraction: Extraction) -> str:
        key = needed(self.settings.fingerprint_key, "SEKISHO_FINGERPRINT_KEY")
        return hmac.digest(key.value, b"content\0" + encode(extraction), "sha256").hex()

    @cached_property
    def gate_service(self) -> GateService:
        """The landing container."""
        from shared.services.gate import GateService  # noqa: PLC0415 - not in the webhook

        return GateService(
            self.graph,
            landing=self.work.blobs("landing"),
            envelopes=self.work.blobs("envelopes"),
            quarantine=Evidence(self.evidence.blobs("quarantine"), self.alerts, "quarantine"),
            limit=self.settings.max_item_bytes,
            relay=self.relay_delivery if self.settings.gate_delivery == "relay" else None,
        )

    @cached_property
    def relay_delivery(self) -> RelayDelivery:
        """Mail that the relay delivers."""
        from shared.services import relay_delivery as relay  # noqa: PLC0415 - scanning roles alone

        return relay.RelayDelivery(
            copies=self.work.blobs(relay.CONTAINER),
            orders=self.work.queue(relay.ORDERS),
            results=self.work.queue("scan-results"),
            checks=self.checks,
            dead=self.dead,
            clock=self.clock,
        )

    def _services(self, extract: Any) -> dict[str, Any]:
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
        )
        return {**services, "gate": self.gate_service}
