"""The list of incidents, one incident, and what a person does with it."""

from __future__ import annotations

import asyncio
import re
import unicodedata
from contextlib import suppress
from dataclasses import replace
from urllib.parse import urlencode

from shared.codec import decode
from shared.console import views_leak, views_release
from shared.console.desk import Desk
from shared.console.page import Ask, page
from shared.console.session import User
from shared.console.web import BASE, Response, redirect
from shared.errors import RefusedError, StorageConflictError
from shared.model import AuditEvent
from shared.ports import Row
from shared.services.held import HELD
from shared.storage.causes import parts
from shared.storage.disposal import people
from shared.storage.incidents import ACTIONS, DELETING, DISPOSING, Change, timeline
from shared.storage.index import DISPOSITIONS, SOURCES, STATES, Filter, held

# A release is an exception and no change of the incident: see views_release.
OFFERED = (
    "claim", "hand_back", "confirm", "leak", "false_positive", "close", "note", *DISPOSING
)  # fmt: skip
_DIGITS = re.compile(r"(?:\d[\s\-‐-―ー_./,、・]*){10,}")
_VERSION = re.compile(r"[0-9]{1,9}")
_KEY = re.compile(r"[0-9]{13}-[0-9a-f]{1,32}")


async def listed(desk: Desk, ask: Ask) -> Response:
    """A page of incidents, by state, source and disposition."""
    return await _listed(desk, ask, _filter(ask), "incidents")


async def quarantine(desk: Desk, ask: Ask) -> Response:
    """What is held: how long, where it was, and where its copy is."""
    return await _listed(desk, ask, replace(_filter(ask), held=True), "quarantine")


async def _listed(desk: Desk, ask: Ask, wanted: Filter, name: str) -> Response:
    after = ask.query("after")
    after = after if _KEY.fullmatch(after) else ""
    rows, following = await desk.incidents.list(wanted, after, now=desk.clock())
    if wanted.held:
        settled = await asyncio.gather(*(_settled(desk, row) for row in rows))
        rows = [row for row in settled if held(row.values)]
    fields = {"state": wanted.state, "source": wanted.source, "disposition": wanted.disposition}
    more = {key: value for key, value in fields.items() if value} | {"after": following}
    return page(
        f"{name}.html",
        ask,
        rows=[(row, decode(str(row.values["counts"]), dict[str, int])) for row in rows],
        wanted=wanted,
        following=f"{BASE}/{name}?{urlencode(more)}" if following else "",
        first=not after,
        hold=desk.hold,
        states=STATES,
        sources=SOURCES,
        dispositions=DISPOSITIONS,
        now=desk.clock(),
    )


async def _settled(desk: Desk, row: Row) -> Row:
    """The incident, after asking what became of the order to delete its copy (told again)."""
    if row.values.get("copy") != "ordered":
        return row
    refs = [each.copy for each in parts(row.values)] + [str(row.values["evidence_ref"])]
    kept = list(dict.fromkeys(filter(None, refs)))
    assert desk.disposals is not None
    said = await desk.disposals.order(f"{row.partition}/{row.key}", kept, people(row.values))
    if said != "deleted":
        return row
    with suppress(StorageConflictError):  # another page was quicker to say so
        return await desk.incidents.deleted(row, desk.clock())
    return await desk.incidents.get(f"{row.partition}/{row.key}")


def _filter(ask: Ask) -> Filter:
    def chosen(name: str, every: tuple[str, ...]) -> str:
        value = ask.query(name)
        return value if value in every else ""

    return Filter(
        chosen("state", STATES), chosen("source", SOURCES), chosen("disposition", DISPOSITIONS)
    )


async def shown(desk: Desk, ask: Ask) -> Response:
    """One incident: that somebody looks at it is on the record first."""
    row = await _settled(desk, await desk.incidents.get("/".join(ask.args)))
    await desk.trail.note(ask.user, "view_incident", f"{row.partition}/{row.key}")
    await _tell_again(desk, row)
    return await _shown(desk, ask, row)


async def _tell_again(desk: Desk, row: Row) -> None:
    """The last change again: its telling may have failed, and the record keeps an event once."""
    numbered = list(enumerate(reversed(timeline(row.values))))  # one entry a version
    mine = [(back, each) for back, each in numbered if each.who]
    if mine:
        back, last = mine[0]
        who = User(last.who, last.name, ("reviewer",), "", 0)
        version = str(int(str(row.values["version"])) - back)
        await desk.trail.note(who, f"incident_{last.action}", f"{row.partition}/{row.key}", version)


async def _shown(desk: Desk, ask: Ask, row: Row, problem: str = "", status: int = 200) -> Response:
    event = await desk.event(str(row.values["event"]))
    rules = {rule.id: rule for rule in desk.policy.rules}
    return page(
        "incident.html",
        ask,
        status=status,
        row=row,
        event=event,
        rules=[(name, rules.get(name)) for name in (event.rule_ids if event else ())],
        counts=decode(str(row.values["counts"]), dict[str, int]),
        timeline=list(reversed(timeline(row.values))),
        parts=list(reversed(parts(row.values))),
        found=_found(event),
        actions=_fitting(desk, row, ask.user) if ask.may("reviewer") else (),
        copy=str(row.values.get("copy") or ""),
        copy_people=len(people(row.values)),
        copy_needed=max(_needed(desk, event), int(str(row.values.get("copy_needed", 1)))),
        problem=problem,
        **await views_release.section(desk, ask, row),
        **await views_leak.section(desk, row),
    )


def _found(event: AuditEvent | None) -> str:
    """How the item came to be judged: what told of it, or that it was judged anew."""
    if event is None or event.found:
        return event.found if event else ""
    if event.item.generation or event.item.content_version.startswith(HELD):
        return "anew"
    return "gate" if event.item.source == "gate" else "notification"


def _needed(desk: Desk, event: AuditEvent | None) -> int:
    """How many different people policy wants to let go, or to delete, what these rules stopped."""
    return desk.policy.people_for(event.rule_ids if event else ())


def _fitting(desk: Desk, row: Row, user: User) -> tuple[str, ...]:
    values = row.values
    fitting = [each for each in OFFERED if values["state"] in ACTIONS[each][0]]
    if "leak" in fitting and not views_leak.may_be(row):
        fitting.remove("leak")
    if values["state"] == "in_review" and values.get("verdict") != "false_positive":
        fitting.remove("close")
    asking = str(values.get("copy") or "")
    mine = user.id.strip().casefold() in people(values)
    offered = {"": ["ask_delete"], "asked": ["keep"] if mine else ["delete", "keep"]}
    possible = offered.get(asking, []) if values["evidence_ref"] else []
    if desk.hold or values.get(
        "hold"
    ):  # a legal hold: nobody deletes, whoever asked may take it back
        possible = [each for each in possible if each not in DELETING]
    return tuple(each for each in fitting if each not in DISPOSING or each in possible)


async def acted(desk: Desk, ask: Ask) -> Response:
    """A change that a person asked for, under the version that was seen; then on the record."""
    form = ask.request.form()
    month, key = ask.args
    action, note, version = form.get("action", ""), form.get("note", ""), form.get("version", "")
    row = await desk.incidents.get(f"{month}/{key}")
    if action not in OFFERED or not _VERSION.fullmatch(version):
        return await _shown(desk, ask, row, ask.words("error.form"), 400)
    if _DIGITS.search(unicodedata.normalize("NFKC", note)):
        return await _shown(desk, ask, row, ask.words("error.number_in_note"), 422)
    needed = _needed(desk, await desk.event(str(row.values["event"])))
    change = Change(action, ask.user.id, ask.user.name, int(version), note, needed)
    month, key = row.partition, row.key  # a number that was joined leads to the incident
    if desk.hold and action in DELETING:
        return await _shown(desk, ask, row, ask.words("error.state"), 409)
    try:
        row = await desk.incidents.change(f"{month}/{key}", change, desk.clock())
    except StorageConflictError:
        row = await desk.incidents.get(f"{month}/{key}")
        return await _shown(desk, ask, row, ask.words("error.changed"), 409)
    except RefusedError:
        return await _shown(desk, ask, row, ask.words("error.state"), 409)
    await _settled(desk, row)
    told = f"{change.version + 1}"
    await desk.trail.note(ask.user, f"incident_{action}", f"{month}/{key}", told)
    return redirect(f"{BASE}/incidents/{month}/{key}")
