"""What the gate needs beside the pipeline: sanitising, masked copies, passwords, who is told."""

from __future__ import annotations

import hmac
from functools import cached_property
from typing import TYPE_CHECKING, Any

from shared.bootstrap.core import needed
from shared.bootstrap.telling import Notifying
from shared.storage.evidence import Evidence

if TYPE_CHECKING:
    from shared.model import Item, Outcome
    from shared.sandbox import Sandbox
    from shared.sandbox.treatments import Treatments
    from shared.services.gate import GateService
    from shared.services.gate.arrivals import Arrivals
    from shared.services.gate.clean import Cleaning
    from shared.services.gate.expiring import Expiring
    from shared.services.gate.landed import Shelf
    from shared.services.gate.locked import Locks
    from shared.services.gate.masked import Masking
    from shared.services.gate.originals import Originals
    from shared.services.gate.telling import GateNotices
    from shared.services.gate.waiting import Waiting
    from shared.services.relay_delivery import RelayDelivery
    from shared.services.relay_granted import Publishing
    from shared.services.release_header import ReleaseHeader


class Gating(Notifying):
    """The landing container and what stands around it."""

    @cached_property
    def sandbox(self) -> Sandbox:
        """Reads hostile bytes."""
        from shared.extract import Limits  # noqa: PLC0415 - scanning roles alone
        from shared.sandbox import Sandbox  # noqa: PLC0415 - the same

        return Sandbox(
            mode=self.settings.isolation,  # type: ignore[arg-type] # checked by settings
            limits=Limits(ocr=self.settings.ocr == "on"),
        )

    @cached_property
    def engine(self) -> Any:
        """Finds what is protected."""
        from shared.detect import Engine, FingerprintKey  # noqa: PLC0415 - scanning roles alone

        key = needed(self.settings.fingerprint_key, "SEKISHO_FINGERPRINT_KEY")
        return Engine(FingerprintKey(key.id, key.value), names=self.settings.names == "on")

    @cached_property
    def treatments(self) -> Treatments:
        """Sanitises, unlocks and masks in limited processes."""
        from shared.sandbox.treatments import Treatments  # noqa: PLC0415 - scanning roles alone

        return Treatments(mode=self.settings.isolation)

    @cached_property
    def waiting(self) -> Waiting:
        """How long things have waited at the gate."""
        from shared.services.gate.waiting import TABLE, Waiting  # noqa: PLC0415 - not in the webhook

        return Waiting(self.work.table(TABLE), self.clock)

    @cached_property
    def gate_arrivals(self) -> Arrivals:
        """The way in, which needs no key."""
        from shared.services.gate.arrivals import Arrivals  # noqa: PLC0415 - not in the webhook

        shelf = self._shelf
        return Arrivals(shelf.landing, shelf.envelopes, self.clock, self.waiting)

    @cached_property
    def gate_service(self) -> GateService:
        """The landing container."""
        from shared.services.gate import GateService  # noqa: PLC0415 - not in the webhook

        shelf = self._shelf
        return GateService(
            self.graph,
            landing=shelf.landing,
            envelopes=shelf.envelopes,
            quarantine=shelf.quarantine,
            limit=self.settings.max_item_bytes,
            relay=self.relay_delivery if self.settings.gate_delivery == "relay" else None,
            cleaning=self._cleaning,
            masking=self._masking,
            locks=self.locks,
            notices=self._gate_notices,
            waiting=self.waiting,
            subject_tag=self.settings.gate_subject_tag,
            passed=self.passed,
        )

    @cached_property
    def passed(self) -> ReleaseHeader:
        """The header of what was released before it left, at the gate or at the relay."""
        from shared.services.release_header import passed  # noqa: PLC0415 - scanning roles alone

        return passed(needed(self.settings.fingerprint_key, "SEKISHO_FINGERPRINT_KEY").value)

    @cached_property
    def locks(self) -> Locks:
        """What waits for a password."""
        from shared.services.gate.earlier import Mailbox  # noqa: PLC0415 - scanning roles alone
        from shared.services.gate.locked import Locks  # noqa: PLC0415 - the same
        from shared.services.gate.outcomes import Outcomes  # noqa: PLC0415 - the same

        marker = needed(self.settings.marker_key, "SEKISHO_MARKER_KEY").value
        return Locks(
            self._shelf,
            Outcomes(self._shelf, self.waiting),
            self.clock,
            hmac.digest(marker, b"password pages", "sha256"),
            self.treatments.unlock,
            self.sandbox.extract,
            self._record,
            self.settings.password_url,
            Mailbox(self.graph, self.sandbox.extract),
            self.work.queue("scan-items"),
        )

    @cached_property
    def expiring(self) -> Expiring:
        """Locks that nobody opened in their time."""
        from shared.services.gate.expiring import Expiring  # noqa: PLC0415 - scanning roles alone
        from shared.services.gate.outcomes import Outcomes  # noqa: PLC0415 - the same

        shelf = self._shelf
        return Expiring(
            shelf.envelopes,
            Outcomes(shelf, self.waiting),
            self.waiting,
            self._record,
            self._gate_notices.expired,
        )

    @cached_property
    def originals(self) -> Originals:
        """The originals of what was sanitised and delivered."""
        from shared.services.gate.originals import Originals  # noqa: PLC0415 - scanning roles alone

        marker = needed(self.settings.marker_key, "SEKISHO_MARKER_KEY").value
        return Originals(
            self._shelf,
            self.work.queue("scan-items"),
            self.clock,
            hmac.digest(marker, b"original pages", "sha256"),
            self._record,
            self.settings.password_url,
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
            exceptions=self.exceptions,
        )

    @cached_property
    def relay_granted(self) -> Publishing:
        """What people granted, as the relay may know it."""
        from shared.services import relay_granted as given  # noqa: PLC0415 - scanning roles alone

        key = needed(self.settings.fingerprint_key, "SEKISHO_FINGERPRINT_KEY").value
        return given.Publishing(
            self.exceptions, self.work.blobs(given.CONTAINER), given.list_key(key), self.clock
        )

    @cached_property
    def _shelf(self) -> Shelf:
        from shared.services.gate.landed import Shelf  # noqa: PLC0415 - not in the webhook

        quarantine = Evidence(self.evidence.blobs("quarantine"), self.alerts, "quarantine")
        return Shelf(self.work.blobs("landing"), self.work.blobs("envelopes"), quarantine)

    @cached_property
    def _cleaning(self) -> Cleaning:
        from shared.sanitize import Links, Options, Parts  # noqa: PLC0415 - scanning roles alone
        from shared.services.gate.clean import Cleaning  # noqa: PLC0415 - the same

        given = self.settings
        key = needed(given.fingerprint_key, "SEKISHO_FINGERPRINT_KEY").value
        options = Options(Links(given.sanitise_links), Parts(given.sanitise_parts))
        return Cleaning(
            self._shelf,
            self.treatments.sanitise,
            lambda data: hmac.digest(key, b"lineage\0" + data, "sha256").hex(),
            given.sanitise,
            given.mail_domains,
            options,
            given.max_item_bytes,
            self.originals.link,
        )

    @cached_property
    def _masking(self) -> Masking:
        from shared.services.gate.masked import Masking  # noqa: PLC0415 - scanning roles alone

        return Masking(self.treatments.mask, self.sandbox.extract, self.engine.scan)

    @cached_property
    def _gate_notices(self) -> GateNotices:
        from shared.services.gate.telling import GateNotices  # noqa: PLC0415 - scanning roles alone

        given = self.settings
        return GateNotices(
            self.outbox,
            self.policy,
            self.clock,
            bool(given.notice_mailbox),
            given.gate_tells_senders,
            given.mail_domains,
        )

    async def _record(self, item: Item, outcome: Outcome) -> None:
        """An event of its own that judges nothing; its id is the item's and the outcome's."""
        from shared.audit.event import UNJUDGED, build  # noqa: PLC0415 - scanning roles alone
        from shared.model import Claim, Envelope  # noqa: PLC0415 - the same

        now = self.clock()
        claim = Claim(item, f"{item.key(self.policy.version)}:{outcome.action}", "gate", 0, "", now)
        event = build(claim, outcome, time=now, policy_version=UNJUDGED)
        envelope = Envelope("result", first_seen=now, event=event)
        await self.work.queue("scan-results").put(await self.checks.pack(envelope))
