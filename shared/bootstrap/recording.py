"""What the record needs: the audit's chain, incidents, the console."""

from __future__ import annotations

from collections.abc import Callable
from functools import cached_property
from typing import TYPE_CHECKING

from shared.bootstrap.core import needed
from shared.bootstrap.telling import Notifying
from shared.model import AuditEvent
from shared.storage.accounts import managed_identity
from shared.storage.audit_log import AuditLog
from shared.storage.incidents import Incidents, Pages
from shared.storage.recorder import Recorder

if TYPE_CHECKING:
    from shared.console.app import Console
    from shared.console.desk import Desk
    from shared.export.continuous import Continuous
    from shared.storage.chain_watch import ChainWatch
    from shared.storage.recount import Recount
    from shared.storage.retention import Retention
    from shared.storage.watchdog import Watchdog

EXCHANGE = "api://AzureADTokenExchange/.default"  # what Entra ID takes as a client's assertion


class Recording(Notifying):
    """The record and its readers."""

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

        hold = self.settings.legal_hold == "on"
        return furnish(
            self.audit, self.work, self.incidents, self.dead, self.policy, self.clock, hold=hold
        )

    @cached_property
    def chain_watch(self) -> ChainWatch:
        """Verifies the chain by and by."""
        from shared.audit.head import any_of, public_pem  # noqa: PLC0415 - the audit role alone
        from shared.storage.audit_reader import AuditReader  # noqa: PLC0415 - the same
        from shared.storage.chain_watch import ChainWatch  # noqa: PLC0415 - the same

        private = needed(self.settings.signing_key, "SEKISHO_SIGNING_KEY")
        return ChainWatch(
            AuditReader(self.audit.blobs("audit")),
            self.audit.table("auditevents"),
            self.alerts,
            self.clock,
            any_of([public_pem(private), *self.settings.head_keys]),
        )

    @cached_property
    def exports(self) -> list[Continuous]:
        """The record for other tools: a file or a call at a time, each with a cursor of its own."""
        from shared.export.continuous import Continuous, Files, Sink  # noqa: PLC0415 - audit alone
        from shared.export.records import Records  # noqa: PLC0415 - the same
        from shared.storage.audit_reader import AuditReader  # noqa: PLC0415 - the same

        files = self.audit.blobs("exports")
        sinks: dict[str, Sink] = {kind: Files(files, kind) for kind in self.settings.export_formats}
        if self.settings.sentinel_endpoint:
            from shared.export.workspace import Workspace  # noqa: PLC0415 - where it is set up

            who = managed_identity(self.settings.audit.client_id)
            sinks["sentinel"] = Workspace(
                self.settings.sentinel_endpoint, self.settings.sentinel_rule, who
            )
        records, table = Records(AuditReader(self.audit.blobs("audit"))), "auditevents"
        return [
            Continuous(name, records, self.audit.table(table), sink, self.clock)
            for name, sink in sinks.items()
        ]

    @cached_property
    def watchdog(self) -> Watchdog:
        """Looks at what raises no error of its own."""
        from shared.storage.index_counts import Counts  # noqa: PLC0415 - the audit role alone
        from shared.storage.watchdog import QUEUES, Limits, Watchdog  # noqa: PLC0415 - the same

        given = self.settings
        sentinel = ("sentinel",) if given.sentinel_endpoint else ()
        return Watchdog(
            {name: self.work.queue(name) for name in QUEUES},
            self.work.table("subscriptions"),
            Counts(self.audit.table("incidentindex")),
            self.audit.table("auditevents"),
            (*given.export_formats, *sentinel),
            self.alerts,
            self.clock,
            Limits(given.alert_sweep_items, given.alert_queue_minutes, given.alert_lapsed),
        )

    @cached_property
    def retention(self) -> Retention:
        """What is not kept for ever."""
        from shared.storage.disposal import Disposals  # noqa: PLC0415 - the audit role alone
        from shared.storage.retention import Periods, Retention  # noqa: PLC0415 - the same

        given = self.settings
        return Retention(
            self.incidents,
            self.audit.table("incidentindex"),
            Disposals(self.work.table("exceptions"), self.clock),
            self.clock,
            Periods(
                given.retain_copies_days,
                given.retain_incidents_days,
                given.retain_search_days,
                given.legal_hold == "on",
            ),
            self.work.queue("scan-results"),
        )

    @cached_property
    def recount(self) -> Recount:
        """Counters held against what they count."""
        from shared.storage.index_counts import Counts  # noqa: PLC0415 - the audit role alone
        from shared.storage.recount import Recount  # noqa: PLC0415 - the same

        index = self.audit.table("incidentindex")
        return Recount(self.audit.table("incidents"), index, Counts(index), self.clock)

    def _alarming(self) -> Callable[[AuditEvent], bool] | None:
        """Which events are alerts of themselves; None: none."""
        from shared.services.strictest import strictest  # noqa: PLC0415 - the audit role alone
        from shared.storage.recorder import alarm  # noqa: PLC0415 - the same

        chosen = self.settings.alert_blocks
        if chosen == "off":
            return None
        return alarm(strictest(self.policy) if chosen == "strictest" else None)

    @cached_property
    def recorder(self) -> Recorder:
        """The record."""
        from shared.audit.head import es256_signer  # noqa: PLC0415 - the audit role alone

        pem = needed(self.settings.signing_key, "SEKISHO_SIGNING_KEY")
        log = AuditLog(
            self.audit.table("auditevents"),
            self.audit.blobs("audit"),
            self.work.lease("work"),  # the audit container is immutable in the cloud
            self.clock,
            signer=es256_signer(pem),
        )
        return Recorder(
            log,
            self.incidents,
            self.alerts,
            self.checks,
            self.telling.event,
            self._alarming(),
        )
