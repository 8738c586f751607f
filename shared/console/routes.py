"""Every page and every form: its address, who may call it, what it reads."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from shared.console import views, views_incidents, views_leak, views_notices, views_release
from shared.console.desk import Desk
from shared.console.page import Ask
from shared.console.session import ROLES
from shared.console.web import Response

EVERYBODY = ROLES
ANYONE = ("anyone",)
"""Whoever is signed in, with a role or without: the page itself knows whose it is."""

type View = Callable[[Desk, Ask], Awaitable[Response]]


@dataclass(frozen=True, slots=True)
class Route:
    """Who may call what.

    ``pattern`` matches the path after ``/api/console/`` as a whole; its named groups, in order, are
    the view's ``args``. ``query`` and ``form`` name the fields that the view reads; what each may
    hold stands in ``openapi.FIELDS``.
    """

    method: str
    pattern: str
    roles: tuple[str, ...]
    view: View
    query: tuple[str, ...] = ()
    form: tuple[str, ...] = ()


_INCIDENT = r"incidents/(?P<month>\d{4}-\d{2})/(?P<key>\d{13}-[0-9a-f]{1,32})"
_OWN = r"own/(?P<month>\d{4}-\d{2})/(?P<key>\d{13}-[0-9a-f]{1,32})"
BACK = re.compile(_OWN)
"""What a notice links to: the way back to it leads through the sign-in."""
_ASKED = ("step", "reason", "days", "value", "id", "scope")
ROUTES = (
    Route("GET", r"", EVERYBODY, views.overview),
    Route(
        "GET", r"incidents", EVERYBODY, views_incidents.listed,
        query=("state", "source", "disposition", "after"),
    ),
    Route("GET", _INCIDENT, EVERYBODY, views_incidents.shown),
    Route(
        "POST", _INCIDENT, ("reviewer",), views_incidents.acted, form=("action", "version", "note")
    ),
    Route(
        "GET", r"quarantine", ("reviewer", "auditor"), views_incidents.quarantine,
        query=("state", "source", "after"),
    ),
    Route("POST", rf"{_INCIDENT}/release", ("reviewer",), views_release.stepped, form=_ASKED),
    Route(
        "GET", rf"{_INCIDENT}/leak", ("reviewer", "auditor"), views_leak.report,
        query=("improper",),
    ),
    Route("GET", r"exceptions", ("reviewer", "auditor", "admin"), views_release.listed),
    Route(
        "POST", r"exceptions", ("reviewer",), views_release.ended, form=("step", "id", "scope")
    ),
    Route("GET", r"notices", ("admin", "auditor"), views_notices.listed),
    Route("GET", _OWN, ANYONE, views_release.own),
    Route("POST", _OWN, ANYONE, views_release.overridden, form=("reason", "days")),
    Route("GET", r"policy", EVERYBODY, views.policy),
    Route(
        "GET", r"audit", ("auditor",), views.audit, query=("day", "disposition", "item", "after")
    ),
    Route(
        "GET", r"letters", ("admin", "auditor"), views.letters, query=("done", "queue", "behind")
    ),
    Route("POST", r"letters", ("admin",), views.replayed, form=("name", "queue")),
    Route("GET", r"subscriptions", ("admin", "auditor"), views.subscriptions),
)  # fmt: skip
