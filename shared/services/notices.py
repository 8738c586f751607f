"""Sending notices: an outbox that loses nothing, mail by Graph, cards to a Workflows webhook.

A notice is put into the outbox beside the record and sent by a timer: many about one person become
one. A failure is tried again with growing pauses; the last one is an alert and stays in the table,
so that nobody believes that somebody was told.
"""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urlsplit

import msgspec

from shared.codec import decode, encode
from shared.errors import (
    PermanentError,
    RefusedError,
    SekishoError,
    StorageConflictError,
    TransientError,
    UnavailableError,
)
from shared.graph.calls import Call
from shared.graph.client import Graph
from shared.model import AuditEvent
from shared.policy.notices import Notice, Notices
from shared.ports import Clock, Row, Table, Value
from shared.storage.alerts import Alerts

# learn.microsoft.com/graph/api/user-sendmail: 202 says accepted, not delivered.
SEND_MAIL = Call("POST", "/users/{user}/sendMail", "Mail.Send")
# Where "When a Teams webhook request is received" lives (Power Automate's and Logic Apps' hosts).
WEBHOOK_HOSTS = (".logic.azure.com", ".api.powerplatform.com")
ATTEMPTS = 8
PAUSE, LONGEST = timedelta(minutes=1), timedelta(hours=6)
KEPT = 100  # findings of one event that a notice counts; the record has them all
BATCH = 200
PENDING, SENT, FAILED = "pending", "sent", "failed"
_THROTTLED, _SERVER, _OK = 429, 500, 300


@dataclass(frozen=True, slots=True)
class Address:
    """Where a notice goes: ``mail`` to a user, or ``card`` to a webhook's URL (a secret)."""

    channel: str
    to: str


@dataclass(frozen=True, slots=True)
class Entry:
    """One event that somebody is to be told of."""

    kind: str
    address: Address
    event: AuditEvent
    attempts: int = 0


@dataclass(frozen=True, slots=True)
class Outbox:
    """The table ``outbox``: partitions ``pending``, ``sent``, ``failed``; a row an event."""

    table: Table
    clock: Clock

    async def put(self, kind: str, address: Address, event: AuditEvent) -> None:
        """Durable when it returns; once for the same event, kind and address."""
        slim = tuple(replace(each, evidence=()) for each in event.findings[:KEPT])
        entry = Entry(kind, address, replace(event, findings=slim, context=None))
        said = f"{kind}\0{address.channel}\0{address.to}\0{event.id}"
        key = hashlib.sha256(said.encode()).hexdigest()
        if await self.table.get(SENT, key) or await self.table.get(FAILED, key):
            return
        with suppress(StorageConflictError):  # it waits already
            await self.table.insert(_row(PENDING, key, entry, self.clock()))

    async def due(self) -> list[tuple[Row, Entry]]:
        """What is to be sent now."""
        now = self.clock()
        return [
            (row, decode(_bytes(row), Entry))
            async for row in self.table.query(PENDING, limit=BATCH)
            if _time(row) <= now
        ]

    async def take(self, row: Row, entry: Entry) -> Row | None:
        """Ours for this attempt (None: another worker's); it comes back after a pause."""
        pause = min(PAUSE * 2**entry.attempts, LONGEST)
        more = replace(entry, attempts=entry.attempts + 1)
        taken = _row(PENDING, row.key, more, self.clock() + pause)
        try:
            return replace(taken, etag=await self.table.replace(taken, row.etag))
        except StorageConflictError:
            return None

    async def settle(self, row: Row, partition: str, why: str = "") -> None:
        """Move it to where it ends; the event's findings are not kept there."""
        values: dict[str, Value] = {"time": self.clock(), "why": why, "reference": row.key[:12]}
        await self.table.put(Row(partition, row.key, values))
        await self.table.delete(PENDING, row.key)


class Sender:
    """Carries the outbox to its addressees."""

    def __init__(
        self,
        outbox: Outbox,
        notices: Notices,
        alerts: Alerts,
        mail: Callable[[str, Notice], Awaitable[None]],
        card: Callable[[str, Notice], Awaitable[None]],
    ) -> None:
        self._outbox = outbox
        self._notices = notices
        self._alerts = alerts
        self._by = {"mail": mail, "card": card}

    async def run(self) -> int:
        """Send what is due, one notice an addressee and kind; how many notices went out."""
        groups: dict[tuple[str, Address], list[tuple[Row, Entry]]] = defaultdict(list)
        for row, entry in await self._outbox.due():
            taken = await self._outbox.take(row, entry)
            if taken is not None:
                groups[entry.kind, entry.address].append((taken, entry))
        sent = 0
        for (kind, address), members in groups.items():
            sent += await self._send(kind, address, members)
        return sent

    async def _send(
        self, kind: str, address: Address, members: Sequence[tuple[Row, Entry]]
    ) -> bool:
        events = sorted((entry.event for _, entry in members), key=lambda each: each.time)
        try:
            notice = self._notices.render(kind, events)
            await self._by[address.channel](address.to, notice)
        except TransientError as error:
            tired = [each for each in members if each[1].attempts + 1 >= ATTEMPTS]
            await self._fail(tired, error)
            return False
        except (SekishoError, KeyError) as error:
            await self._fail(members, error)
            return False
        for row, _ in members:
            await self._outbox.settle(row, SENT)
        return True

    async def _fail(self, members: Sequence[tuple[Row, Entry]], error: Exception) -> None:
        for row, entry in members:
            await self._alerts.once("notice_failed", f"{entry.kind}/{row.key[:32]}")
            await self._outbox.settle(row, FAILED, type(error).__name__)


@dataclass(frozen=True, slots=True)
class GraphMail:
    """Mail from one mailbox of the tenant (``Mail.Send``, limited to it by an access policy)."""

    graph: Graph
    sender: str

    async def send(self, to: str, notice: Notice) -> None:
        """202 from Graph, or Sekisho's errors. The mail is not kept in Sent Items."""
        message = {
            "subject": notice.subject,
            "body": {"contentType": "html", "content": notice.html},
            "toRecipients": [{"emailAddress": {"address": to}}],
        }
        body = {"message": message, "saveToSentItems": False}
        await self.graph.send(SEND_MAIL, {"user": self.sender}, body=body)


class Webhook:
    """Posts cards, to allowed hosts over https alone; follows no redirect."""

    def __init__(self, hosts: Sequence[str] = WEBHOOK_HOSTS, *, transport: Any = None) -> None:
        self._hosts = tuple(host.lower() for host in hosts)
        self._transport = transport

    async def send(self, to: str, notice: Notice) -> None:
        """RefusedError for another host; UnavailableError and PermanentError by the answer."""
        self._check(to)
        import httpx  # noqa: PLC0415 - whoever sends no card loads nothing

        headers = {"Content-Type": "application/json"}
        data = msgspec.json.encode(notice.card)
        async with httpx.AsyncClient(
            transport=self._transport, follow_redirects=False, timeout=30.0, trust_env=False
        ) as client:
            try:
                answer = await client.post(to, content=data, headers=headers)
            except httpx.HTTPError as error:
                message = f"webhook: {type(error).__name__}"
                raise UnavailableError(message) from None
        if answer.status_code == _THROTTLED or answer.status_code >= _SERVER:
            message = f"webhook: {answer.status_code}"
            raise UnavailableError(message)
        if answer.status_code >= _OK:
            message = f"webhook: {answer.status_code}"
            raise PermanentError(message)

    def _check(self, url: str) -> None:
        parts = urlsplit(url)
        host = (parts.hostname or "").lower()
        known = any(
            host.endswith(each) if each.startswith(".") else host == each for each in self._hosts
        )
        if parts.scheme != "https" or not known or parts.username is not None:
            message = "webhook: not an https address of an allowed host"
            raise RefusedError(message)


def _row(partition: str, key: str, entry: Entry, due: datetime) -> Row:
    return Row(partition, key, {"due": due, "entry": encode(entry)})


def _bytes(row: Row) -> bytes:
    value = row.values["entry"]
    assert isinstance(value, bytes)
    return value


def _time(row: Row) -> datetime:
    value = row.values["due"]
    assert isinstance(value, datetime)
    return value
