"""Everything of one app, lazily: an app of one role never makes what only another role needs."""

from __future__ import annotations

import os
import secrets
from datetime import UTC, datetime
from functools import cache

from shared import __version__
from shared.bootstrap.recording import Recording
from shared.bootstrap.scanning import Scanning
from shared.bootstrap.telling import Notifying
from shared.bootstrap.watching import Watching
from shared.ports import Clock
from shared.settings import Settings
from shared.telemetry import Target, configure


def now() -> datetime:
    """The clock of the shell."""
    return datetime.now(UTC)


def new_trace() -> str:
    """A W3C trace id (32 hex digits), one an event."""
    return secrets.token_hex(16)


class Runtime(Scanning, Watching, Recording, Notifying):
    """One a process; its parts are in the files of this package, by duty."""

    def __init__(self, settings: Settings, clock: Clock = now) -> None:
        super().__init__(settings, clock)


@cache
def runtime() -> Runtime:
    """This process's runtime; SettingsError lists what is wrong with the settings."""
    settings = Settings.load(os.environ)
    configure(
        Target(
            settings.applicationinsights_connection_string,
            settings.telemetry_file,
            settings.client_id,
            settings.role,
            __version__,
            settings.telemetry_share / 100,
        )
    )
    return Runtime(settings)
