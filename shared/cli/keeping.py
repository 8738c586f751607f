"""``sekisho audit recount`` and ``hold``: what is counted, and what is kept."""

from __future__ import annotations

import getpass
from collections.abc import AsyncIterator
from contextlib import suppress
from datetime import UTC, date, datetime, time, timedelta

import click
from rich.table import Table

from shared.cli import stores
from shared.cli.output import console
from shared.codec import encode
from shared.errors import GoneError, StorageConflictError
from shared.export.records import Records
from shared.model import AuditEvent, Envelope, Step
from shared.storage.audit_reader import AuditReader
from shared.storage.incidents import Incidents, Pages
from shared.storage.index_counts import JAPAN, Counts, day_of
from shared.storage.recount import Drift, Recount
from shared.storage.retention import deed

AGREE, DIFFER = 0, 1
SHOWN = 40


async def recount(days: int, *, fix: bool) -> int:
    """Hold the counters against what they count; the exit code."""
    async with stores.stores("SEKISHO_AUDIT") as audit:
        index = audit.table("incidentindex")
        anew = Recount(audit.table("incidents"), index, Counts(index), _now)
        drift = await anew.run(fix=fix)
        if days:
            last = day_of(_now()) - timedelta(days=1)
            first = last - timedelta(days=days - 1)
            records = Records(AuditReader(audit.blobs("audit")))
            drift.days = await anew.days(_events(records, first), first, last, fix=fix)
    _tell(drift, fix=fix)
    return DIFFER if (drift and not fix) or not drift.settled else AGREE


async def _events(records: Records, first: date) -> AsyncIterator[AuditEvent]:
    start = datetime.combine(first, time(0), JAPAN)
    async for entry, _ in records.since(start):
        if entry is not None:
            yield entry.event


def _tell(drift: Drift, *, fix: bool) -> None:
    screen = console()
    if not drift.settled:
        screen.print(
            "案件が変わり続けています。後でもう一度 / incidents keep changing: try again later"
        )
    if not drift:
        screen.print(f"件数は合っています / the counters agree: {drift.incidents} incidents")
        return
    rows = [("案件 incidents", name, str(n)) for name, n in drift.counters.items()]
    rows += [
        (str(day), name, str(n)) for day, each in drift.days.items() for name, n in each.items()
    ]
    rows += [("索引 index", "missing", str(drift.missing))] if drift.missing else []
    rows += [("索引 index", "stale", str(drift.stale))] if drift.stale else []
    table = Table("どこ / where", "何 / what", "差 / difference")
    for row in rows[:SHOWN]:
        table.add_row(*row)
    screen.print(table)
    if len(rows) > SHOWN:
        screen.print(f"ほか {len(rows) - SHOWN} 行 / more rows")
    screen.print("直しました / written" if fix else "直すには --fix / to write them: --fix")


async def hold(incident: str, why: str) -> int:
    """Begin a hold (or lift it, without ``why``); 0, or StoreError."""
    async with stores.stores("SEKISHO_AUDIT") as audit:
        incidents = Incidents(audit.table("incidents"), Pages.of(audit.table("incidentindex")))
        try:
            row = await incidents.hold(incident, why, _now())
        except GoneError:
            message = f"案件がありません / there is no incident {incident}"
            raise stores.StoreError(message) from None
        except StorageConflictError:
            message = (
                "案件がちょうど変わりました。もう一度 / the incident changed just now: try again"
            )
            raise stores.StoreError(message) from None
    await _record(f"{row.partition}/{row.key}", "hold" if why else "hold_lifted")
    words = "保全しました / held" if why else "保全を解きました / the hold is lifted"
    console().print(f"{words}: {row.partition}/{row.key}", markup=False)
    return AGREE


async def _record(incident: str, action: str) -> None:
    """An event of its own, by the queue of results like every other."""
    if not stores.has("SEKISHO_WORK"):
        click.echo("SEKISHO_WORK がないため、監査記録には残りません / not on the record", err=True)
        return
    who = ""
    with suppress(OSError, KeyError):
        who = getpass.getuser()
    event = deed("command", action, incident, [Step("account", who)], _now())
    async with stores.stores("SEKISHO_WORK") as work:
        envelope = Envelope("result", first_seen=event.time, event=event)
        await work.queue("scan-results").put(encode(envelope))


def _now() -> datetime:
    return datetime.now(UTC)
