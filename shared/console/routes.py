"""Every page and every form: its address, who may call it, what it reads."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from shared.console import views, views_incidents
from shared.console.desk import Desk
from shared.console.page import Ask
from shared.console.session import ROLES
from shared.console.web import Response

EVERYBODY = ROLES

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
    Route("GET", r"policy", EVERYBODY, views.policy),
    Route("GET", r"audit", ("auditor",), views.audit, query=("day", "disposition", "item")),
    Route("GET", r"letters", ("admin", "auditor"), views.letters, query=("done",)),
    Route("POST", r"letters", ("admin",), views.replayed, form=("name",)),
    Route("GET", r"subscriptions", ("admin", "auditor"), views.subscriptions),
)  # fmt: skip
