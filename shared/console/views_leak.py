"""The leak clock: an incident confirmed as a leak, its deadlines, and the draft of the report."""

from __future__ import annotations

from datetime import datetime

from shared.console.desk import Desk
from shared.console.page import Ask
from shared.console.web import Response
from shared.console.words import catalogue
from shared.errors import GoneError
from shared.model import AuditEvent
from shared.policy.leak import deadlines, draft, persons
from shared.policy.rule import JST
from shared.ports import Row
from shared.storage.causes import EVENTS, parts


async def section(desk: Desk, row: Row) -> dict[str, object]:
    """Whether the clock runs or may be started, until when, and for how many people."""
    known = row.values.get("leak")
    numbers = may_be(row)
    if not isinstance(known, datetime):
        return {"leak": None, "may_leak": numbers}
    due = deadlines(known)
    people = persons(each for event in await events(desk, row) for each in event.findings)
    left = due.days_left(desk.clock().astimezone(JST).date())
    return {
        "leak": {"known": known, "due": due, "left": left, "people": people},
        "may_leak": False,
        "improper_by": deadlines(known, improper=True).final_by,
    }


def may_be(row: Row) -> bool:
    """Whether people's numbers are in it, and nobody called it a leak yet."""
    return str(row.values.get("persons", 0)) != "0" and "leak" not in row.values


async def report(desk: Desk, ask: Ask) -> Response:
    """The nine items as Markdown, prefilled; GoneError before somebody confirmed a leak."""
    row = await desk.incidents.get("/".join(ask.args))
    known = row.values.get("leak")
    if not isinstance(known, datetime):
        message = "the incident is not confirmed as a leak"
        raise GoneError(message)
    await desk.trail.note(ask.user, "leak_draft", f"{row.partition}/{row.key}")
    words = catalogue("ja")
    text = draft(
        await events(desk, row),
        known,
        _named(words, "entity"),
        {name: each.ja for name, each in desk.policy.places.items()},
        improper=ask.query("improper") == "1",
    )
    return Response(200, text.encode(), "text/markdown; charset=utf-8")


async def events(desk: Desk, row: Row) -> list[AuditEvent]:
    """Every event under the incident, as the record has it."""
    ids = [each.event for each in parts(row.values)][-EVENTS:] or [str(row.values["event"])]
    found = [await desk.event(each) for each in ids]
    return [each for each in found if each is not None]


def _named(words: dict[str, str], kind: str) -> dict[str, str]:
    start = f"{kind}."
    return {
        name.removeprefix(start): said for name, said in words.items() if name.startswith(start)
    }
