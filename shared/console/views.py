"""Overview, policy, audit search, dead letters, subscriptions."""

from __future__ import annotations

import asyncio
import re
from collections import Counter
from contextlib import suppress
from datetime import date
from urllib.parse import urlencode

from shared.console.chart import stacked
from shared.console.desk import Desk, condition
from shared.console.page import Ask, page
from shared.console.web import BASE, Response, redirect
from shared.errors import GoneError
from shared.services.gate.waiting import MOST
from shared.storage.index_audit import DISPOSITIONS, LIMIT
from shared.storage.index_counts import day_of

DAYS = 14
TABLES = ("disposition", "source", "entity", "cohort")
LETTERS, AT_ONCE = 50, 100  # letters on a page; letters put back by one press
QUEUES = (
    "graph-hints", "graph-jobs", "landing-events", "scan-items", "scan-bulk", "scan-results",
    "relay-results",
)  # fmt: skip
KEY = re.compile(r"[0-9]{13}-[0-9a-f]{1,32}")
_LETTER = re.compile(r"[a-z-]+/\d{4}/\d{2}/\d{2}/[0-9a-f]{32}\.json")


async def overview(desk: Desk, ask: Ask) -> Response:
    """What a chief looks at in the morning; a few counters, no scan."""
    today = day_of(desk.clock())
    days, states, oldest, health, swept, gate = await asyncio.gather(
        desk.pages.counts.days(today, DAYS),
        desk.pages.counts.states(),
        desk.incidents.oldest(),
        desk.health(),
        desk.swept(),
        desk.at_the_gate(),
    )
    chain, verified = await asyncio.gather(desk.checkpoint(), desk.verified())
    week: Counter[str] = Counter()
    for _, sums in days:
        week.update(sums)
    waiting: Counter[str] = Counter()
    for name, count in states.items():
        waiting[name.split("|")[1]] += count
    trend = [(f"{day:%m/%d}", _part(sums, "disposition")) for day, sums in days]
    return page(
        "overview.html",
        ask,
        today=_part(days[-1][1], "disposition"),
        today_all=days[-1][1].get("all", 0),
        waiting=waiting,
        oldest=oldest,
        gate=gate,
        most=MOST,
        now=desk.clock(),
        health=health,
        chain=chain,
        verified=verified,
        swept=swept,
        missed=week.get("found|sweep", 0),
        chart=stacked(trend),
        trend=trend,
        tables=[(kind, _sorted(_part(week, kind))) for kind in TABLES],
        days=DAYS,
    )


def _part(sums: Counter[str] | dict[str, int], kind: str) -> dict[str, int]:
    """The counts of one kind: ``disposition|block`` → ``block``."""
    prefix = f"{kind}|"
    return {name.removeprefix(prefix): n for name, n in sums.items() if name.startswith(prefix)}


def _sorted(counts: dict[str, int]) -> list[tuple[str, int]]:
    return sorted(counts.items(), key=lambda each: (-each[1], each[0]))


async def policy(desk: Desk, ask: Ask) -> Response:
    """The line: a class of information in a place → what follows; and the rules."""
    return page("policy.html", ask, policy=desk.policy)


async def audit(desk: Desk, ask: Ask) -> Response:
    """Events of an item, or of a day; a page of them."""
    item, disposition, after = ask.query("item"), ask.query("disposition"), ask.query("after")
    disposition = disposition if disposition in DISPOSITIONS else ""
    after = after if KEY.fullmatch(after) else ""
    try:
        day = date.fromisoformat(ask.query("day"))
    except ValueError:
        day = day_of(desk.clock())
    await desk.trail.note(ask.user, "search_audit", "audit")
    if item:
        found = await desk.pages.audit.of_item(item, after)
    else:
        found = await desk.pages.audit.of_day(day, disposition, after)
    following = found[-1].key if len(found) >= LIMIT else ""
    fields = {"item": item, "day": day.isoformat(), "disposition": disposition, "after": following}
    return page(
        "audit.html", ask, item=item, disposition=disposition, day=day.isoformat(),
        rows=[row for row in found if disposition in {"", row.values["disposition"]}],
        dispositions=DISPOSITIONS, first=not after, chain=await desk.checkpoint(),
        following=f"{BASE}/audit?{urlencode(fields)}" if following else "",
    )  # fmt: skip


async def letters(desk: Desk, ask: Ask) -> Response:
    """What failed for good: the queue, the reason, and a way back."""
    queue, behind = ask.query("queue"), ask.query("behind")
    queue = queue if queue in QUEUES else ""
    behind = behind if _LETTER.fullmatch(behind) else ""
    names: list[str] = []
    async for name in desk.letters.names(queue):
        if name > behind:
            names.append(name)
        if len(names) > LETTERS:
            break
    shown = names[:LETTERS]
    found = await asyncio.gather(*(desk.letters.read(name) for name in shown))
    fields = {"queue": queue, "behind": shown[-1] if shown else ""}
    done = ask.query("done")
    return page(
        "letters.html", ask, letters=list(zip(shown, found, strict=True)), queue=queue,
        queues=QUEUES, first=not behind, most=AT_ONCE, done=done if done.isdecimal() else "",
        following=f"{BASE}/letters?{urlencode(fields)}" if len(names) > LETTERS else "",
    )  # fmt: skip


async def replayed(desk: Desk, ask: Ask) -> Response:
    """Put dead letters back: one, or the oldest of one queue.

    Each is on the record first, because then the letter is gone.
    """
    form = ask.request.form()
    name, queue = form.get("name", ""), form.get("queue", "")
    if queue in QUEUES and not name:
        return redirect(f"{BASE}/letters?queue={queue}&done={await _all_of(desk, ask, queue)}")
    if not _LETTER.fullmatch(name):
        return page("message.html", ask, status=400, key="error.form")
    await _replay(desk, ask, name)
    return redirect(f"{BASE}/letters?done=1")


async def _all_of(desk: Desk, ask: Ask, queue: str) -> int:
    """How many of the queue's oldest letters were put back."""
    names: list[str] = []
    async for name in desk.letters.names(queue):
        names.append(name)
        if len(names) >= AT_ONCE:
            break
    for name in names:  # one after another: what is put back is worked on at once
        with suppress(GoneError):  # somebody else put it back
            await _replay(desk, ask, name)
    return len(names)


async def _replay(desk: Desk, ask: Ask, name: str) -> None:
    await desk.letters.read(name)
    await desk.trail.note(ask.user, "replay_dead_letter", name)
    await desk.letters.replay(name)


async def subscriptions(desk: Desk, ask: Ask) -> Response:
    """The watched accounts and whether Graph tells us of them."""
    now = desk.clock()
    rows = await desk.subscriptions()
    return page("subscriptions.html", ask, rows=[(row, condition(row, now)) for row in rows])
