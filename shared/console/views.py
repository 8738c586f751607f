"""Overview, policy, audit search, dead letters, subscriptions."""

from __future__ import annotations

import asyncio
import re
from collections import Counter
from datetime import date

from shared.console.chart import stacked
from shared.console.desk import SHOWN, Desk, condition
from shared.console.page import Ask, page
from shared.console.web import BASE, Response, redirect
from shared.ports import Row
from shared.storage.index_audit import DISPOSITIONS, LIMIT
from shared.storage.index_counts import day_of

DAYS = 14
TABLES = ("disposition", "source", "entity", "cohort")
_LETTER = re.compile(r"[a-z-]+/\d{4}/\d{2}/\d{2}/[0-9a-f]{32}\.json")


async def overview(desk: Desk, ask: Ask) -> Response:
    """What a chief looks at in the morning; a few counters, no scan."""
    today = day_of(desk.clock())
    days, states, oldest, health, swept = await asyncio.gather(
        desk.pages.counts.days(today, DAYS),
        desk.pages.counts.states(),
        desk.incidents.oldest(),
        desk.health(),
        desk.swept(),
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
    """Events of an item, or of a day; bounded."""
    item, disposition = ask.query("item"), ask.query("disposition")
    disposition = disposition if disposition in DISPOSITIONS else ""
    try:
        day = date.fromisoformat(ask.query("day"))
    except ValueError:
        day = day_of(desk.clock())
    await desk.trail.note(ask.user, "search_audit", "audit")
    rows: list[Row] = []
    if item:
        found = await desk.pages.audit.of_item(item)
        rows = [row for row in found if disposition in {"", row.values["disposition"]}]
    else:
        rows = await desk.pages.audit.of_day(day, disposition)
    return page(
        "audit.html", ask, rows=rows, item=item, disposition=disposition, day=day.isoformat(),
        dispositions=DISPOSITIONS, limit=LIMIT, full=len(rows) >= LIMIT,
        chain=await desk.checkpoint(),
    )  # fmt: skip


async def letters(desk: Desk, ask: Ask) -> Response:
    """What failed for good: the queue, the reason, and a way back."""
    names: list[str] = []
    async for name in desk.letters.names():
        names.append(name)
        if len(names) >= SHOWN:
            break
    found = await asyncio.gather(*(desk.letters.read(name) for name in names[:50]))
    return page(
        "letters.html", ask, letters=list(zip(names, found, strict=False)), count=len(names),
        more=len(names) > len(found), full=len(names) >= SHOWN, done=ask.query("done") == "1",
    )  # fmt: skip


async def replayed(desk: Desk, ask: Ask) -> Response:
    """Put one dead letter back; on the record first, because then the letter is gone."""
    name = ask.request.form().get("name", "")
    if not _LETTER.fullmatch(name):
        return page("message.html", ask, status=400, key="error.form")
    await desk.letters.read(name)
    await desk.trail.note(ask.user, "replay_dead_letter", name)
    await desk.letters.replay(name)
    return redirect(f"{BASE}/letters?done=1")


async def subscriptions(desk: Desk, ask: Ask) -> Response:
    """The watched accounts and whether Graph tells us of them."""
    now = desk.clock()
    rows = await desk.subscriptions()
    return page("subscriptions.html", ask, rows=[(row, condition(row, now)) for row in rows])
