"""The console from its settings: which door, which keys, which address."""

from __future__ import annotations

import secrets
import time
from collections.abc import Awaitable, Callable

import httpx

from shared.console.app import Console
from shared.console.desk import Desk
from shared.console.limits import Buckets
from shared.console.login import Door
from shared.console.oidc import Issuer
from shared.console.session import Sessions
from shared.console.trail import Trail
from shared.console.web import BASE
from shared.errors import SettingsError
from shared.policy import Policy
from shared.ports import Clock
from shared.services.gate.waiting import TABLE, Waiting
from shared.settings import Settings
from shared.storage.audit_rows import Rows
from shared.storage.dead_letters import DeadLetters
from shared.storage.disposal import Disposals
from shared.storage.exceptions import Exceptions
from shared.storage.incidents import Incidents
from shared.storage.stores import Stores

TIMEOUT = 10.0  # seconds that the issuer may take


def _now() -> int:
    return int(time.time())


def _fresh() -> str:
    return secrets.token_urlsafe(32)


def furnish(
    audit: Stores,
    work: Stores,
    incidents: Incidents,
    letters: DeadLetters,
    policy: Policy,
    clock: Clock,
    *,
    hold: bool = False,
) -> Desk:
    """What the pages read and do, from the two accounts that the console may use."""
    events = audit.table("auditevents")
    return Desk(
        incidents=incidents,
        events=Rows(events, audit.blobs("audit")),
        chain=events,
        letters=letters,
        accounts=work.table("subscriptions"),
        policy=policy,
        trail=Trail(work.queue("scan-results"), clock),
        clock=clock,
        granted=Exceptions(work.table("exceptions"), clock),
        notices=work.table("outbox"),
        disposals=Disposals(work.table("exceptions"), clock),
        gate=Waiting(work.table(TABLE), clock),
        hold=hold,
    )


def assemble(
    settings: Settings,
    desk: Callable[[], Desk],
    assertion: Callable[[], Awaitable[str]] | None = None,
) -> Console:
    """The console; SettingsError where no sign-in is set up.

    ``assertion`` gives the client assertion for the issuer (a managed identity's token).
    """
    key = settings.console_key
    if settings.console_login == "off" or key is None:
        message = "SEKISHO_CONSOLE_LOGIN is off"
        raise SettingsError(message)
    issuer = None
    if settings.console_login == "oidc":
        issuer = Issuer(
            settings.console_issuer,
            settings.console_client_id,
            f"{settings.console_url}{BASE}/login/back",
            _now,
            httpx.AsyncClient(timeout=TIMEOUT, follow_redirects=False),
            assertion,
        )
    secure = settings.console_url.startswith("https://")
    door = Door(
        settings.console_login, Sessions(key.value, _now), _fresh, secure=secure, issuer=issuer
    )
    return Console(door, desk, settings.console_url, Buckets(time.monotonic))
