"""What the watch needs: subscriptions, and what turns hints and jobs into items."""

from __future__ import annotations

import secrets
from collections.abc import AsyncIterator
from functools import cached_property
from typing import TYPE_CHECKING

from shared.bootstrap.core import Core, needed
from shared.errors import SettingsError
from shared.model import Envelope

if TYPE_CHECKING:
    from shared.graph.rich import Certificate, Rich
    from shared.graph.subscriptions import Subscriptions
    from shared.services.baseline import Baseline
    from shared.services.resolve import Resolver
    from shared.services.seals import Seals
    from shared.services.wiring import Watched


class Watching(Core):
    """Who is watched, and by what."""

    @cached_property
    def subscriptions(self) -> Subscriptions:
        """One a watched account and source."""
        from shared.graph.subscriptions import Subscriptions  # noqa: PLC0415 - not in the webhook

        change, lifecycle = self._addresses()
        return Subscriptions(
            self.graph,
            self.work.table("subscriptions"),
            key=needed(self.settings.client_state_key, "SEKISHO_CLIENT_STATE_KEY").value,
            notification_url=change,
            lifecycle_url=lifecycle,
            clock=self.clock,
            nonce=lambda: secrets.token_hex(8),
            certificate=next(iter(self.certificates), None),
            model=self.settings.teams_model,
        )

    def _addresses(self) -> tuple[str, str]:
        """Where Graph sends change and lifecycle notifications: two webhooks, or one event hub."""
        url = self.settings.notification_url
        if self.settings.notifications == "eventhub":
            return (f"EventHub:{url}",) * 2 if url else ("", "")
        return f"{url}/notifications", f"{url}/lifecycle"

    @cached_property
    def watched(self) -> Watched:
        """Whom and what this deployment watches."""
        from shared.services.wiring import Watched  # noqa: PLC0415 - not in the webhook

        given = self.settings
        return Watched(given.watch, given.teams == "on", bool(given.cohorts), given.sites)

    @cached_property
    def resolver(self) -> Resolver:
        """Hints and jobs to items."""
        from shared.services.rounds import Links  # noqa: PLC0415 - resolve
        from shared.services.wiring import resolver  # noqa: PLC0415 - not in the webhook

        return resolver(
            self.graph,
            subscriptions=self.subscriptions,
            links=Links(self.work.table("drives"), self.work.lease("work"), self.clock),
            onward=self.onward,
            ledger=self.ledger,
            jobs=self.work.queue("graph-jobs"),
            aside=self.checks,
            alerts=self.alerts,
            bulk=self.baseline,
            rich=self._rich(),
            seals=self.seals,
            watched=self.watched,
            refresh=lambda: self.cohorts.refresh(self.graph, self.settings.cohorts),
        )

    @cached_property
    def seals(self) -> Seals:
        """Which sealed notifications were told before."""
        from shared.services.seals import Seals  # noqa: PLC0415 - resolve and retention

        return Seals(self.work.table("told"), self.alerts, self.clock)

    @cached_property
    def baseline(self) -> Baseline:
        """Where what was there before goes on to."""
        from shared.services.baseline import QUEUE, Baseline  # noqa: PLC0415 - resolve alone

        return Baseline(
            self.work.queue(QUEUE),
            self.work.table("baseline"),
            self.clock,
            self.settings.baseline_per_minute,
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
        keys = Keys(fetch_from(self.settings.validation_keys_url), self.clock)
        given = self.settings
        return Rich(self.certificates, keys, audience=given.client_id, tenant=given.tenant_id)

    async def accounts(self) -> AsyncIterator[tuple[str, str]]:
        """Source and reference of every enrolled account."""
        for source in (*self.watched.sources, "teams", "site", "library"):
            async for account in self.subscriptions.accounts(source):
                yield source, account.ref

    def due(self) -> AsyncIterator[Envelope]:
        """Enrol and end jobs for what is new, due or watched no more."""
        return self.watched.due(self.subscriptions, self.clock)
