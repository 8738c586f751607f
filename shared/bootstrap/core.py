"""What several duties stand on: the ledger, the policy, Graph, where items go on to."""

from __future__ import annotations

from datetime import timedelta
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from shared.errors import SettingsError
from shared.storage.accounts import Accounts, managed_identity
from shared.storage.ledger import TableLedger

if TYPE_CHECKING:
    from shared.graph.client import Graph
    from shared.policy import Policy
    from shared.services.cohorts import Cohorts
    from shared.services.common import Onward
    from shared.services.marker import Markers
    from shared.storage.exceptions import Exceptions

ROOT = Path(__file__).resolve().parent.parent.parent


def needed[T](value: T | None, name: str) -> T:
    """The value; SettingsError where this role's setting is missing."""
    if value is None:
        message = f"{name} is missing: this role needs it (docs/reference/settings.md)"
        raise SettingsError(message)
    return value


class Core(Accounts):
    """The parts that more than one duty needs, lazily."""

    @cached_property
    def ledger(self) -> TableLedger:
        """Who is working on what, what was intended, what is done."""
        return TableLedger(
            self.work.table("ledger"),
            self.work.table("ownwrites"),
            self.checks,
            self.clock,
            self.policy.version,
            lease=timedelta(seconds=self.settings.lease_seconds),
        )

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
    def exceptions(self) -> Exceptions:
        """What people granted, until when."""
        from shared.storage.exceptions import Exceptions  # noqa: PLC0415 - only roles that decide

        return Exceptions(self.work.table("exceptions"), self.clock)

    @cached_property
    def cohorts(self) -> Cohorts:
        """Who is in which cohort of the policy."""
        from shared.services.cohorts import Cohorts  # noqa: PLC0415 - not in the webhook

        return Cohorts(self.work.table("cohorts"), self.clock)

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

        return Onward(self.work.queue("scan-items"), self.clock)

    @cached_property
    def markers(self) -> Markers:
        """The marker on what was handled."""
        from shared.services.marker import Markers  # noqa: PLC0415 - not in the webhook

        return Markers([needed(self.settings.marker_key, "SEKISHO_MARKER_KEY").value])
