"""Recorded audit events: from exported lines of the chain, or from the audit storage."""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import Awaitable, Callable, Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path

import click
import msgspec

from shared.audit import chain
from shared.audit.event import UNJUDGED
from shared.cli import stores
from shared.codec import decode
from shared.errors import MalformedError
from shared.model import AuditEvent
from shared.policy.report import Review
from shared.ports import Row
from shared.storage.audit_reader import AuditReader
from shared.storage.audit_rows import Reference, Rows
from shared.storage.causes import parts
from shared.storage.claimcheck import ClaimCheck
from shared.storage.incidents import timeline
from shared.storage.index_audit import AuditIndex
from shared.storage.stores import AzureStores

MOST = 1_000_000  # incidents of one month
_EVENT = msgspec.json.Decoder(AuditEvent)


class RecordsError(click.ClickException):
    """What was asked for cannot be read; the message says where."""

    exit_code = 64


def events(file: Path | None) -> list[AuditEvent]:
    """Every decision of the record, in its order; RecordsError.

    ``file`` holds a line each: records of the chain, or bare events. Without a file the storage
    behind SEKISHO_AUDIT is read. Notes of the chain are passed over. What was too large for the
    chain is fetched from storage; in a file it is missing, which is said on stderr.
    """
    if file is None:
        return asyncio.run(_stored())
    found, missing = [], 0
    for number, line in enumerate(_lines(file), 1):
        event = _parsed(line)
        if isinstance(event, AuditEvent):
            found.append(event)
        elif isinstance(event, Reference):
            missing += 1
        elif event is None:
            message = f"{file}: line {number} is neither an audit event nor a record of the chain"
            raise RecordsError(message)
    if missing:
        words = f"{missing} 件は大きいため保管先にあり、含まれていません / kept elsewhere, left out"
        click.echo(words, err=True)
    return found


def one(name: str, file: Path | None) -> AuditEvent:
    """An event by its id or a beginning of it, or an item's latest decision; RecordsError.

    In storage an event's whole id and an item's id are looked up, a beginning is searched for.
    """
    if file is None and (kept := asyncio.run(_with_stores(lambda found: _looked_up(found, name)))):
        return kept
    return _searched(name, events(file))


def _searched(name: str, every: Sequence[AuditEvent]) -> AuditEvent:
    least = 8
    found = [each for each in every if len(name) >= least and each.id.startswith(name)]
    found = found or [each for each in every if each.item.id == name and _judged(each)][-1:]
    if len(found) != 1:
        message = f"{len(found)} records have an id that begins so, and no item is called so"
        raise RecordsError(message)
    return found[0]


async def _looked_up(opened: AzureStores, name: str) -> AuditEvent | None:
    rows = Rows(opened.table("auditevents"), opened.blobs("audit"))
    index = AuditIndex(opened.table("incidentindex"))
    if re.fullmatch(r"[0-9a-f]{64}", name) and (kept := await rows.find(name)):
        return decode(kept.data, AuditEvent)
    for row in await index.of_item(name):  # the newest first
        kept = await rows.find(str(row.values["event"]))
        event = decode(kept.data, AuditEvent) if kept else None
        if event is not None and _judged(event):
            return event
    return None


def _judged(event: AuditEvent) -> bool:
    return event.disposition != UNJUDGED


def reviews(file: Path | None) -> dict[str, Review]:
    """Verdicts by event id from JSON lines {event, verdict, opened, released}; RecordsError."""
    if file is None:
        return {}
    found = {}
    for number, line in enumerate(_lines(file), 1):
        try:
            row = json.loads(line)
            found[str(row["event"])] = Review(
                str(row.get("verdict", "")), _time(row.get("opened")), _time(row.get("released"))
            )
        except (ValueError, KeyError, TypeError, AttributeError):
            message = f"{file}: line {number} is not an incident"
            raise RecordsError(message) from None
    return found


def stored_reviews(every: Sequence[AuditEvent]) -> dict[str, Review]:
    """Verdicts from the incidents of the events' months in storage; RecordsError."""
    months = sorted({f"{event.time:%Y-%m}" for event in every})

    async def read(opened: AzureStores) -> dict[str, Review]:
        table = opened.table("incidents")
        return {
            event: _review(row)
            for month in months
            async for row in table.query(month, limit=MOST)
            for event in {str(row.values["event"]), *(each.event for each in parts(row.values))}
        }

    return asyncio.run(_with_stores(read))


def _review(row: Row) -> Review:
    opened = row.values.get("opened")
    releases = [each.time for each in timeline(row.values) if each.action == "release"]
    return Review(
        str(row.values.get("verdict", "")),
        opened if isinstance(opened, datetime) else None,
        releases[0] if releases else None,
    )


def _time(text: str | None) -> datetime | None:
    moment = datetime.fromisoformat(text) if text else None
    return moment if moment is None or moment.tzinfo else moment.replace(tzinfo=UTC)


def _lines(file: Path) -> Iterator[bytes]:
    try:
        with file.open("rb") as stream:
            yield from (line for line in stream if line.strip())
    except OSError as error:
        message = f"{file}: {type(error).__name__}"
        raise RecordsError(message) from None


def _parsed(line: bytes) -> AuditEvent | Reference | str | None:
    """The event; a reference to one; "note" for what the chain says of itself; None if neither."""
    record = chain.parse(line)
    raw = bytes(record.event) if record else line
    try:
        return _EVENT.decode(raw)
    except (msgspec.DecodeError, UnicodeDecodeError):
        pass
    if record is None:
        return None
    try:
        return decode(raw, Reference)
    except MalformedError:
        return "note"


async def _stored() -> list[AuditEvent]:
    async def read(opened: AzureStores) -> list[AuditEvent]:
        blobs = opened.blobs("audit")
        checks, found = ClaimCheck(blobs), []
        async for block in AuditReader(blobs).blocks():
            for line in block.splitlines(keepends=True):
                event = _parsed(line)
                if isinstance(event, Reference):
                    event = decode(await checks.get(event.ref), AuditEvent)
                if isinstance(event, AuditEvent):
                    found.append(event)
        return found

    return await _with_stores(read)


async def _with_stores[T](read: Callable[[AzureStores], Awaitable[T]]) -> T:
    if not stores.has("SEKISHO_AUDIT"):
        message = "--events で書き出した記録を渡すか、SEKISHO_AUDIT を設定してください"
        raise RecordsError(message + " / give --events FILE, or set SEKISHO_AUDIT")
    async with stores.stores("SEKISHO_AUDIT") as opened:
        return await read(opened)
