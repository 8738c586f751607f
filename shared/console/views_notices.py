"""Notices that wait, and those that could not be sent: nobody shall believe somebody was told."""

from __future__ import annotations

from shared.console.desk import Desk
from shared.console.page import Ask, page
from shared.console.web import Response


async def listed(desk: Desk, ask: Ask) -> Response:
    """How many wait, and what was given up, the newest first."""
    outbox = desk.outbox
    waiting = await outbox.waiting()
    failed = [row async for row in outbox.given_up()]
    failed.sort(key=lambda row: str(row.values["time"]), reverse=True)
    return page("notices.html", ask, waiting=waiting, failed=failed)
