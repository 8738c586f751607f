"""Which alerts an account in memory holds, beside the marks of those that nobody was told of."""

from __future__ import annotations

from shared.storage.alerts import FRESH


def alerted(account) -> list[str]:
    """The kinds, one an alert."""
    return [kind for kind, _ in account.tables.get("alerts", {}) if kind != FRESH]
