"""Function keys: who may call an HTTP function of which level."""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field

HOST_KEY = "SEKISHO_HOST_KEY"
MASTER_KEY = "SEKISHO_MASTER_KEY"


@dataclass(frozen=True, slots=True)
class Keys:
    """The host key opens level function, the master key every level.

    Without ``enabled`` every call passes, as in ``func start`` without ``--enableAuth``.
    """

    host: str = field(repr=False)
    master: str = field(repr=False)
    enabled: bool = True

    @classmethod
    def load(cls, settings: Mapping[str, str], *, enabled: bool) -> Keys:
        """From the settings, or made up at random where they are not set."""
        return cls(
            settings.get(HOST_KEY) or secrets.token_urlsafe(32),
            settings.get(MASTER_KEY) or secrets.token_urlsafe(32),
            enabled,
        )

    def opens(self, level: str, given: str | None) -> bool:
        """Whether a given key (header ``x-functions-key`` or query ``code``) opens the level."""
        if not self.enabled or level == "anonymous":
            return True
        allowed = [self.master, self.host] if level == "function" else [self.master]
        offered = (given or "").encode()
        # Every key is compared, so that the time tells nothing.
        same = [secrets.compare_digest(offered, each.encode()) for each in allowed]
        return any(same)
