"""The composition root: the only place where the core and the shell are put together.

One ``Runtime`` a process. Everything is made at its first use, so that an app of one role never
connects to, or imports, what only another role needs (the webhook imports no Graph SDK).
"""

from __future__ import annotations

import hmac
import os
import secrets
from collections.abc import AsyncIterator
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from functools import cache, cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from shared import __version__
from shared.codec import encode
from shared.duties import Gate, Intake, Reader, Scanner, Timers, Undertaker, Work
from shared.errors import BusyError, SettingsError
from shared.model import Envelope, Extraction
from shared.ports import App
from shared.settings import Key, Settings
from shared.storage.accounts import Accounts, managed_identity
from shared.storage.audit_log import AuditLog
from shared.storage.evidence import Evidence
from shared.storage.incidents import Incidents, Pages
from shared.storage.ledger import TableLedger
from shared.storage.recorder import Recorder
from shared.storage.results import QueueResults

if TYPE_CHECKING:
    from shared.console.app import Console
    from shared.console.desk import Desk
    from shared.graph.client import Graph
    from shared.graph.rich import Certificate, Rich
    from shared.graph.subscriptions import Subscriptions
    from shared.policy import Policy
    from shared.services.common import Onward
    from shared.services.gate import GateService
    from shared.services.marker import Markers
    from shared.services.resolve import Resolver
    from shared.services.wiring import Watched

ROOT = Path(__file__).resolve().parent.parent
SWEEP_SPREAD = 600.0  # seconds over which a sweep's jobs are spread in a large tenant
EXCHANGE = "api://AzureADTokenExchange/.default"  # what Entra ID takes as a client's assertion
SMALL = 100  # accounts up to which a sweep starts at once


def now() -> datetime:
    """The clock of the shell."""
    return datetime.now(UTC)


def new_trace() -> str:
    """A W3C trace id (32 hex digits), one an event."""
    return secrets.token_hex(16)


class Runtime(Accounts):
    """Everything of one app, lazily."""

    def __init__(self, settings: Settings) -> None:
        super().__init__(settings, now)

    @cached_property
    def ledger(self) -> TableLedger:
        """Who is working on what, what was intended, what is done."""
        return TableLedger(
            self.work.table("ledger"),
            self.work.table("ownwrites"),
            self.checks,
            now,
            self.policy.version,
            lease=timedelta(seconds=self.settings.lease_seconds),
        )

    # ---- core

    @cached_property
    def policy(self) -> Policy:
        """The defaults, and the site's file over them."""
        from shared.policy import Policy, default_text  # noqa: PLC0415 - only roles that decide

        texts, names = [default_text()], ["default.yaml"]
        if self.settings.policy_file:
            path = ROOT / self.settings.policy_file
            try:
                texts.append(path.read_text(encoding="utf-8"))
            except OSError:
                message = f"SEKISHO_POLICY_FILE: {self.settings.policy_file} cannot be read"
                raise SettingsError(message) from None
            names.append(path.name)
        return Policy.load(texts, names)

    @cached_property
    def app(self) -> App:
        """What a scan needs."""
        from shared.detect import Engine, FingerprintKey  # noqa: PLC0415 - scanning roles alone
        from shared.extract import Limits  # noqa: PLC0415 - the same
        from shared.sandbox import Sandbox  # noqa: PLC0415 - the same

        key = _needed(self.settings.fingerprint_key, "SEKISHO_FINGERPRINT_KEY")
        names = self.settings.names == "on"
        engine = Engine(FingerprintKey(key.id, key.value), names=names)
        sandbox = Sandbox(
            mode=self.settings.isolation,  # type: ignore[arg-type] # checked by settings
            limits=Limits(ocr=self.settings.ocr == "on"),
        )
        return App(
            clock=now,
            ledger=self.ledger,
            services=self._services(sandbox.extract),
            extract=sandbox.extract,
            detect=engine.scan,
            decide=self.policy.decide,
            digest=self._digest,
            results=QueueResults(
                self.work.queue("scan-results"), self.checks, now, self.policy.version
            ),
            policy_version=self.policy.version,
            renew_every=self.settings.lease_seconds / 6,
        )

    def _digest(self, extraction: Extraction) -> str:
        key = _needed(self.settings.fingerprint_key, "SEKISHO_FINGERPRINT_KEY")
        return hmac.digest(key.value, b"content\0" + encode(extraction), "sha256").hex()

    # ---- Graph and services

    @cached_property
    def graph(self) -> Graph:
        """The client; its SDK is imported with the first call."""
        from shared.graph.client import Graph  # noqa: PLC0415 - not in the webhook
        from shared.graph.credential import StaticTokenCredential  # noqa: PLC0415 - the same

        base = self.settings.graph_base_url
        local = self.settings.graph_credential == "local"
        credential = (
            StaticTokenCredential(base) if local else managed_identity(self.settings.client_id)
        )
        return Graph(credential, base_url=base)

    @cached_property
    def onward(self) -> Onward:
        """Fresh items."""
        from shared.services.common import Onward  # noqa: PLC0415 - not in the webhook

        return Onward(self.work.queue("scan-items"), now)

    @cached_property
    def markers(self) -> Markers:
        """The marker on what was handled."""
        from shared.services.marker import Markers  # noqa: PLC0415 - not in the webhook

        return Markers([_needed(self.settings.marker_key, "SEKISHO_MARKER_KEY").value])

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

    @cached_property
    def subscriptions(self) -> Subscriptions:
        """One a watched account and source."""
        from shared.graph.subscriptions import Subscriptions  # noqa: PLC0415 - not in the webhook

        url = self.settings.notification_url
        return Subscriptions(
            self.graph,
            self.work.table("subscriptions"),
            key=_needed(self.settings.client_state_key, "SEKISHO_CLIENT_STATE_KEY").value,
            notification_url=f"{url}/notifications",
            lifecycle_url=f"{url}/lifecycle",
            clock=now,
            nonce=lambda: secrets.token_hex(8),
            certificate=next(iter(self.certificates), None),
            model=self.settings.teams_model,
        )

    @cached_property
    def watched(self) -> Watched:
        """Whom and what this deployment watches."""
        from shared.services.wiring import Watched  # noqa: PLC0415 - not in the webhook

        return Watched(self.settings.watch, self.settings.teams == "on")

    @cached_property
    def resolver(self) -> Resolver:
        """Hints and jobs to items."""
        from shared.services.rounds import Links  # noqa: PLC0415 - resolve
        from shared.services.wiring import resolver  # noqa: PLC0415 - not in the webhook

        return resolver(
            self.graph,
            subscriptions=self.subscriptions,
            links=Links(self.work.table("drives"), self.work.lease("work"), now),
            onward=self.onward,
            ledger=self.ledger,
            jobs=self.work.queue("graph-jobs"),
            aside=self.checks,
            rich=self._rich(),
            watched=self.watched,
        )

    @cached_property
    def certificates(self) -> tuple[Certificate, ...]:
        """What sealed notifications are sealed for, the newest first."""
        from shared.graph.rich import Certificate  # noqa: PLC0415 - resolve alone

        try:
            given = self.settings.rich_certificates
            return tuple(Certificate.load(each.id, each.value) for each in given)
        except ValueError:
            message = "SEKISHO_RICH_CERTIFICATES holds a PEM that does not load"
            raise SettingsError(message) from None

    def _rich(self) -> Rich | None:
        """What opens sealed notifications; None without a certificate."""
        from shared.graph.rich import Keys, Rich, fetch_from  # noqa: PLC0415 - resolve alone

        if not self.certificates:
            return None
        keys = Keys(fetch_from(self.settings.validation_keys_url), now)
        given = self.settings
        return Rich(self.certificates, keys, audience=given.client_id, tenant=given.tenant_id)

    @cached_property
    def incidents(self) -> Incidents:
        """Incidents, and the rows that find and count them."""
        pages = Pages.of(self.audit.table("incidentindex"))
        return Incidents(self.audit.table("incidents"), pages)

    @cached_property
    def console(self) -> Console:
        """Pages for people; SettingsError where no sign-in is set up."""
        from shared.console.assemble import assemble  # noqa: PLC0415 - the console's role alone

        cloud = self.settings.console_url.startswith("https://")
        return assemble(self.settings, lambda: self.desk, self._assertion if cloud else None)

    async def _assertion(self) -> str:
        """Proves the app to the issuer by its managed identity, so that there is no secret."""
        token = await managed_identity(self.settings.client_id).get_token(EXCHANGE)
        return str(token.token)

    @cached_property
    def desk(self) -> Desk:
        """What the console's pages read and do."""
        from shared.console.assemble import furnish  # noqa: PLC0415 - the console's role alone

        return furnish(self.audit, self.work, self.incidents, self.dead, self.policy, now)

    @cached_property
    def recorder(self) -> Recorder:
        """The record."""
        from shared.audit.head import es256_signer  # noqa: PLC0415 - the audit role alone

        pem = _needed(self.settings.signing_key, "SEKISHO_SIGNING_KEY")
        log = AuditLog(
            self.audit.table("auditevents"),
            self.audit.blobs("audit"),
            self.work.lease("work"),  # the audit container is immutable in the cloud
            now,
            signer=es256_signer(pem),
        )
        return Recorder(log, self.incidents, self.alerts, self.checks)

    async def accounts(self) -> AsyncIterator[tuple[str, str]]:
        """Source and reference of every enrolled account."""
        for source in (*self.watched.sources, "teams"):
            async for account in self.subscriptions.accounts(source):
                yield source, account.ref

    def due(self) -> AsyncIterator[Envelope]:
        """Enrol and end jobs for what is new, due or watched no more."""
        return self.watched.due(self.subscriptions, now)


def _needed[T](value: T | None, name: str) -> T:
    if value is None:
        message = f"{name} is missing: this role needs it (docs/reference/settings.md)"
        raise SettingsError(message)
    return value


@cache
def runtime() -> Runtime:
    """This process's runtime; SettingsError lists what is wrong with the settings."""
    return Runtime(Settings.load(os.environ))


@cache
def intake() -> Intake:
    """For ``functions/notifications``."""
    run = runtime()
    key: Key = _needed(run.settings.client_state_key, "SEKISHO_CLIENT_STATE_KEY")
    hints, jobs = run.work.queue("graph-hints"), run.work.queue("graph-jobs")
    return Intake(hints, jobs, run.alerts, now, (key.value,), new_trace, run.checks)


@cache
def timers() -> Timers:
    """For ``functions/subscriptions``."""
    run = runtime()
    spread = SWEEP_SPREAD if len(run.settings.watch) > SMALL else 0.0
    return Timers(run.work.queue("graph-jobs"), run.due, run.accounts, now, spread)


@cache
def reader(name: str) -> Reader:
    """For the functions that read a queue: ``name`` is the queue's."""
    run = runtime()
    return Reader(name, run.work.queue(name), run.dead, now, _work(run, name))


def _work(run: Runtime, name: str) -> Work:
    match name:
        case "graph-hints":
            return run.resolver.hint
        case "graph-jobs":
            return run.resolver.job
        case "scan-results":
            return run.recorder.record
        case _:
            return Scanner(run.app).scan


@cache
def gate() -> Gate:
    """For ``functions/blobs``."""
    run = runtime()
    return Gate(run.gate_service.items_for, run.work.queue("scan-items"), now, new_trace)


@cache
def undertaker(name: str) -> Undertaker:
    """For ``functions/dead_letters``: ``name`` is the queue whose poison queue is read."""
    run = runtime()
    return Undertaker(name, run.work.queue(name), run.work.queue(f"{name}-poison"), run.dead)


def console() -> Console:
    """For ``functions/console``; SettingsError where no sign-in is set up."""
    return runtime().console


async def publish_head() -> None:
    """For the timer of ``functions/audit``: the chain's end is signed though nothing comes."""
    with suppress(BusyError):  # whoever holds the sequencer signs it
        await runtime().recorder.log.publish_head()


async def health() -> dict[str, str]:
    """Role and version; raises what is wrong: SettingsError, TransientError."""
    run = runtime()
    await run.work.blobs("work").properties("health")
    return {"status": "healthy", "role": run.settings.role, "version": __version__}
