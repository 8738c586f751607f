"""Release, exception, suppression and the owner's page: forms over ``Releases``."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Awaitable

from shared.console import views_relay
from shared.console.desk import Desk
from shared.console.page import Ask, page
from shared.console.releases import DAYS, STOPPED, VALUES, Releases
from shared.console.session import User
from shared.console.web import BASE, Response, redirect
from shared.errors import GoneError, MalformedError, RefusedError, StorageConflictError
from shared.model import AuditEvent
from shared.policy.exemption import Kind
from shared.ports import Row
from shared.storage.causes import parts
from shared.storage.exceptions import LEAST_WORDS, Request

REASON = 500  # characters
EVENTS = 40  # stops of one incident that are looked at, the latest
STEPS = ("release", "suppress", "approve", "refuse", "revoke")
_DIGITS = re.compile(r"(?:\d[\s\-‐-―ー_./,、・]*){10,}")
_ID = re.compile(r"[0-9a-f]{32}")


async def listed(desk: Desk, ask: Ask) -> Response:
    """Every exception there is, what ends last first."""
    releases = desk.releases
    requests = await releases.exceptions.listed()
    shown = [_shown(each, desk, ask) for each in requests]
    waiting = [each for each in shown if each["state"] == "requested"]
    return page("exceptions.html", ask, waiting=waiting, rows=shown)


async def section(desk: Desk, ask: Ask, row: Row) -> dict[str, object]:
    """What the incident's page shows of releases; told again, for a telling may have failed."""
    events = await stopped_events(desk, row)
    releases, requests = desk.releases, list[Request]()
    for each in events:
        requests += [found for found in await releases.about(each) if found not in requests]
    await releases.tell_again(requests)
    values = {each.fingerprint: each for event in events for each in event.findings}
    mine = ask.user.id.casefold() in {each.owner.casefold() for each in events}
    shown = [_shown(each, desk, ask) for each in requests]
    relay = await views_relay.told(desk, events, requests)
    running = any(
        each.kind is Kind.RELEASE
        and said["state"] in {"requested", "granted"}
        and not (said["state"] == "granted" and relay.original)
        and all(views_relay.covers(each, event) for event in events if _same(each, event))
        for each, said in zip(requests, shown, strict=True)
    )
    reviewer = bool(events) and ask.may("reviewer") and not mine
    return {
        "requests": shown,
        "relay": relay,
        "may_release": reviewer and not running,
        "may_suppress": reviewer,
        "people": max((releases.people_for(each) for each in events), default=1),
        "values": list(values.items())[:VALUES],
        "days": DAYS,
        "least": LEAST_WORDS,
        "longest": REASON,
    }


def _same(request: Request, event: AuditEvent) -> bool:
    return request.scope == event.item.place_key()


async def stopped_events(desk: Desk, row: Row) -> list[AuditEvent]:
    """The latest stop of each item under an incident (a mail has one item a recipient)."""
    ids = [each.event for each in parts(row.values) if each.disposition in STOPPED]
    found: dict[str, AuditEvent] = {}
    for each in reversed(ids[-EVENTS:] or [str(row.values["event"])]):
        event = await desk.event(each)
        if event is not None and event.disposition in STOPPED:
            found.setdefault(event.item.place_key(), event)
    return list(found.values())


async def stepped(desk: Desk, ask: Ask) -> Response:
    """A step about an incident's items: asked for, approved, refused, revoked."""
    month, key = ask.args
    form = ask.request.form_all()
    step = form.get("step", [""])[0]
    back = f"{BASE}/incidents/{month}/{key}"
    if step in {"approve", "refuse", "revoke"}:
        return await _ended(desk, ask, step, back)
    reason, days, problem = _asked(form)
    if problem:
        return _said(ask, problem, back, 422)
    events = await stopped_events(desk, await desk.incidents.get(f"{month}/{key}"))
    if step not in {"release", "suppress"} or not events:
        return _said(ask, "error.form", back, 400)
    values = form.get("value", [])
    return await _done(ask, _ask(desk.releases, events, ask.user, step, reason, days, values), back)


async def _ask(
    releases: Releases, events: list[AuditEvent], user: User, step: str, reason: str, days: int,
    values: list[str],
) -> None:  # fmt: skip
    """One request an item, or one a value, of whichever item it was found in."""
    if step == "release":
        for each in events:
            await releases.ask(each, user, reason, days)
        return
    if not values:
        message = "a suppression names its values"
        raise RefusedError(message)
    left = set(values)
    for each in events:
        here = left & {found.fingerprint for found in each.findings}
        if here:
            await releases.suppress(each, user, reason, days, sorted(here))
        left -= here
    if left:
        message = "a value that is none of the incident's"
        raise RefusedError(message)


async def ended(desk: Desk, ask: Ask) -> Response:
    """A step about one exception, from the list of them all."""
    step = ask.request.form().get("step", "")
    if step not in {"approve", "refuse", "revoke"}:
        return _said(ask, "error.form", f"{BASE}/exceptions", 400)
    return await _ended(desk, ask, step, f"{BASE}/exceptions")


async def own(desk: Desk, ask: Ask) -> Response:
    """What was stopped of one's own: why, and whether one may set it aside. Nobody else's."""
    event = await _mine(desk, ask)
    await desk.trail.note(ask.user, "view_own", "/".join(ask.args))
    return await _own(desk, ask, event)


async def overridden(desk: Desk, ask: Ask) -> Response:
    """The owner's justification; where every rule permits it, the item is judged anew with it."""
    event = await _mine(desk, ask)
    back = f"{BASE}/own/{'/'.join(ask.args)}"
    reason, days, problem = _asked(ask.request.form_all())
    if problem:
        return await _own(desk, ask, event, ask.words(problem), 422)
    return await _done(ask, desk.releases.override(event, ask.user, reason, days), back)


async def _mine(desk: Desk, ask: Ask) -> AuditEvent:
    """The event, if it is about the person's own item; for all others there is no such page."""
    person = ask.user.id.casefold()
    row = await desk.incidents.get("/".join(ask.args))
    for event in await stopped_events(desk, row):
        if event.owner and event.owner.casefold() == person:
            return event
    message = "no such item of one's own"
    raise GoneError(message)


async def _own(
    desk: Desk, ask: Ask, event: AuditEvent, problem: str = "", status: int = 200
) -> Response:
    releases = desk.releases
    requests = await releases.about(event)
    mine = [each for each in requests if each.kind is not Kind.SUPPRESSION]
    await releases.tell_again(mine)
    open_now = any(each.state in {"requested", "granted"} for each in mine)
    return page(
        "own.html",
        ask,
        status=status,
        event=event,
        path="/".join(ask.args),
        rules=releases.strict(event),
        requests=[_shown(each, desk, ask) for each in mine],
        may_override=releases.overridable(event) and not open_now,
        days=DAYS,
        least=LEAST_WORDS,
        longest=REASON,
        problem=problem,
    )


async def _ended(desk: Desk, ask: Ask, step: str, back: str) -> Response:
    form = ask.request.form()
    name, scope = form.get("id", ""), form.get("scope", "")[:200]
    if not _ID.fullmatch(name):
        return _said(ask, "error.form", back, 400)
    if step == "approve":
        return await _done(ask, desk.releases.approve(scope, name, ask.user), back)
    refuse = step == "refuse"
    return await _done(ask, desk.releases.end(scope, name, refuse=refuse), back)


async def _done(ask: Ask, work: Awaitable[object], back: str) -> Response:
    """The step, or why it was not taken."""
    try:
        await work
    except RefusedError:
        return _said(ask, "error.release_refused", back, 409)
    except StorageConflictError:
        return _said(ask, "error.changed", back, 409)
    except MalformedError:
        return _said(ask, "error.release_many", back, 422)
    return redirect(back)


def _said(ask: Ask, key: str, back: str, status: int) -> Response:
    return page("release_problem.html", ask, status=status, said=ask.words(key), back=back)


def _asked(form: dict[str, list[str]]) -> tuple[str, int, str]:
    """Reason, days, and the key of what is wrong with them."""
    reason, days = form.get("reason", [""])[0].strip(), form.get("days", [""])[0]
    if days not in {str(each) for each in DAYS}:
        return "", 0, "error.form"
    if not LEAST_WORDS <= len(reason) <= REASON:
        return "", 0, "error.reason"
    if _DIGITS.search(unicodedata.normalize("NFKC", reason)):
        return "", 0, "error.number_in_note"
    return reason, int(days), ""


def _shown(request: Request, desk: Desk, ask: Ask) -> dict[str, object]:
    """A request as a page shows it; what has run out is said to have, marked or not."""
    now = desk.clock()
    over = request.state in {"requested", "granted"} and request.expires_at <= now
    state = ("lapsed" if request.state == "requested" else "expired") if over else request.state
    person = ask.user.id.strip().casefold()
    reviewer = ask.may("reviewer")
    return {
        "id": request.id,
        "scope": request.scope,
        "kind": request.kind.value,
        "state": state,
        "rules": request.rules,
        "reason": request.reason,
        "people": request.people,
        "needed": request.needed,
        "asked": request.asked_at,
        "expires": request.expires_at,
        "approve": reviewer
        and state == "requested"
        and person not in (*request.people, request.owner.casefold()),
        "refuse": reviewer and state == "requested",
        "revoke": reviewer and state == "granted",
    }
