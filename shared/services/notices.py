"""Sending notices: what waits in the outbox by mail through Graph, or as a card to a webhook.

Many about one person become one notice. A failure is tried again with growing pauses; the last one
is an alert and stays in the table, so that nobody believes that somebody was told.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any
from urllib.parse import urlsplit

import msgspec

from shared.errors import (
    GoneError,
    PermanentError,
    RefusedError,
    SekishoError,
    TransientError,
    UnavailableError,
)
from shared.graph import calls
from shared.graph.answers import Json
from shared.graph.client import Graph
from shared.model import AuditEvent
from shared.policy.notices import Notice, Notices
from shared.ports import Row
from shared.services.marker import Markers
from shared.services.outbox import FAILED, SENT, Address, Entry, Outbox
from shared.services.own_notice import HEADER, mark
from shared.storage.alerts import Alerts

# Where "When a Teams webhook request is received" lives (Power Automate's and Logic Apps' hosts).
WEBHOOK_HOSTS = (".logic.azure.com", ".api.powerplatform.com")
ATTEMPTS = 8
_THROTTLED, _SERVER, _OK = 429, 500, 300

type Send = Callable[[str, Notice], Awaitable[None]]
type Group = list[tuple[Row, Entry]]


class Sender:
    """Carries the outbox to its addressees; ``by`` sends by the address's channel."""

    def __init__(
        self, outbox: Outbox, notices: Notices, alerts: Alerts, by: Mapping[str, Send]
    ) -> None:
        self._outbox = outbox
        self._notices = notices
        self._alerts = alerts
        self._by = by

    async def run(self) -> int:
        """Send what is due, one notice an addressee and kind; how many notices went out."""
        groups: dict[tuple[str, Address, str], Group] = defaultdict(list)
        for row, entry in await self._outbox.due():
            taken = await self._outbox.take(row, entry)
            if taken is not None:
                groups[entry.kind, entry.address, entry.day].append((taken, entry))
        sent = 0
        for (kind, address, day), members in groups.items():
            sent += await self._send(kind, address, day, members)
        return sent

    async def _send(self, kind: str, address: Address, day: str, members: Group) -> bool:
        try:
            events = await self._events(day, members)
            of = date.fromisoformat(day) if day else None
            notice = self._notices.render(kind, events, day=of)
            await self._by[address.channel](address.to, notice)
        except TransientError as error:
            tired = [each for each in members if each[1].attempts + 1 >= ATTEMPTS]
            await self._fail(tired, error)
            return False
        except (SekishoError, KeyError) as error:
            await self._fail(members, error)
            return False
        for row, _ in members:
            await self._outbox.settle(row, SENT, kind=kind)
        return True

    async def _events(self, day: str, members: Group) -> list[AuditEvent]:
        if day:
            events = await self._outbox.of_day(day)
        else:
            events = [entry.event for _, entry in members if entry.event is not None]
        return sorted(events, key=lambda each: each.time)

    async def _fail(self, members: Sequence[tuple[Row, Entry]], error: Exception) -> None:
        for row, entry in members:
            await self._alerts.once("notice_failed", f"{entry.kind}/{row.key[:32]}")
            await self._outbox.settle(row, FAILED, type(error).__name__, entry.kind)


@dataclass(frozen=True, slots=True)
class GraphMail:
    """Mail from one mailbox of the tenant (``Mail.Send``, limited to it by an access policy).

    The header lets us know our own notices again: nobody is told of what a notice says.
    """

    graph: Graph
    sender: str
    markers: Markers = field(repr=False)

    async def send(self, to: str, notice: Notice) -> None:
        """202 from Graph (accepted, not delivered), or Sekisho's errors. Not in Sent Items."""
        message = {
            "subject": notice.subject,
            "body": {"contentType": "html", "content": notice.html},
            "toRecipients": [{"emailAddress": {"address": to}}],
            "internetMessageHeaders": [{"name": HEADER, "value": mark(self.markers)}],
        }
        body = {"message": message, "saveToSentItems": False}
        await self.graph.send(calls.SEND_MAIL, {"user": self.sender}, body=body)


@dataclass(frozen=True, slots=True)
class Directory:
    """Mail to people by what we know of them; ``fallback`` are told for who has no manager."""

    graph: Graph
    mail: Send
    fallback: Sequence[str] = ()

    async def owner(self, user: str, notice: Notice) -> None:
        """To an account's own address; PermanentError if there is no such account."""
        await self.mail(await self._address(user), notice)

    async def manager(self, user: str, notice: Notice) -> None:
        """To whom the directory names as the account's manager, else to the fallback."""
        try:
            answer = await self.graph.send(calls.USER_MANAGER, {"user": user}, query=_SELECT)
            found = _mail(answer.json())
        except GoneError:
            found = ""
        for each in [found] if found else self.fallback:
            await self.mail(each, notice)
        if not found and not self.fallback:
            message = "the account has no manager, and nobody to be told instead"
            raise PermanentError(message)

    async def _address(self, user: str) -> str:
        try:
            answer = await self.graph.send(calls.USER_GET, {"user": user}, query=_SELECT)
        except GoneError:
            message = "the account to be told is not in the directory"
            raise PermanentError(message) from None
        return _mail(answer.json())


_SELECT = {"select": "id,mail,userPrincipalName"}


def _mail(person: Json) -> str:
    return str(person.get("mail") or person.get("userPrincipalName") or "")


class Webhook:
    """Posts cards, to allowed hosts over https alone; follows no redirect."""

    def __init__(
        self,
        urls: Mapping[str, str],
        hosts: Sequence[str] = WEBHOOK_HOSTS,
        *,
        transport: Any = None,
    ) -> None:
        """``urls`` by the name that an address holds."""
        self._urls = dict(urls)
        self._hosts = tuple(host.lower() for host in hosts)
        self._transport = transport

    async def send(self, to: str, notice: Notice) -> None:
        """RefusedError for another host; UnavailableError and PermanentError by the answer."""
        url = self._urls.get(to, "")
        self._check(url)
        import httpx  # noqa: PLC0415 - whoever sends no card loads nothing

        headers = {"Content-Type": "application/json"}
        data = msgspec.json.encode(notice.card)
        async with httpx.AsyncClient(
            transport=self._transport, follow_redirects=False, timeout=30.0, trust_env=False
        ) as client:
            try:
                answer = await client.post(url, content=data, headers=headers)
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
