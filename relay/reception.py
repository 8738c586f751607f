"""Taking mail in: who may, for whom, how much; and 250 only when the spool has it on the disk."""

from __future__ import annotations

import asyncio
import logging
import re
from collections import Counter
from collections.abc import Callable, Mapping
from concurrent.futures import Executor
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import format_datetime
from ipaddress import ip_address
from typing import Any

from relay.routes import Route, find
from relay.settings import Network
from relay.smtp import StrictSMTP
from relay.spool import INCOMING, Letter, Spool, new_id

HOPS = 50  # Received lines; a mail with more runs in a circle (RFC 5321, 6.3, asks for 100 at most)
NULL = "<>"
_ADDRESS = re.compile(r"[^@\s/\\]{1,64}@[^@\s/\\]{1,255}")
_SAFE = re.compile(r"[^A-Za-z0-9._:\[\]-]")
log = logging.getLogger("sekisho.relay")


class Admission:
    """Who may connect, and how many at a time; the doors are shut for a stop."""

    def __init__(self, networks: tuple[Network, ...], limit: int, each: int) -> None:
        self._networks = networks
        self._limit = limit
        self._each = each
        self._by = Counter[str]()
        self.open = True
        self.inside: set[StrictSMTP] = set()

    def enter(self, smtp: StrictSMTP, peer: Any) -> str:
        """Empty, or the refusal that the peer is told."""
        address = _host(peer)
        if not self.open:
            return "421 4.3.2 the relay is stopping, try again later"
        if not any(ip_address(address) in each for each in self._networks):
            if not ip_address(address).is_loopback:  # the health check of a container
                log.warning("refused a connection from %s: not in networks", address)
            return "554 5.7.1 this address may not send here"
        if len(self.inside) >= self._limit or self._by[address] >= self._each:
            return "421 4.7.0 too many connections, try again later"
        self.inside.add(smtp)
        self._by[address] += 1
        return ""

    def leave(self, smtp: StrictSMTP, peer: Any) -> None:
        """The connection is over; one that was refused never came in."""
        self.inside.discard(smtp)
        address = _host(peer)
        self._by[address] -= 1
        if self._by[address] <= 0:
            del self._by[address]

    def shut(self) -> None:
        """Nobody new; those between two mails are sent away, those in one may finish."""
        self.open = False
        for each in list(self.inside):
            if not each.in_data and each.transport is not None:
                each.transport.close()


@dataclass(slots=True)
class Room:
    """What the spool may hold."""

    spool: Spool
    max_bytes: int
    min_free: int

    def refusal(self, size: int) -> str:
        """Empty where ``size`` more bytes have room."""
        over = self.spool.bytes_held + size > self.max_bytes
        if over or self.spool.free() - size < self.min_free:
            return "452 4.3.1 the spool is full, try again later"
        return ""


@dataclass(slots=True)
class Rules:
    """For whom, and from whom."""

    routes: Mapping[str, Route]
    sender_domains: frozenset[str]
    max_recipients: int
    hostname: str


@dataclass
class Reception:
    """aiosmtpd's handler. ``arrived(name)`` is called when a mail is on the disk."""

    spool: Spool
    room: Room
    rules: Rules
    disk: Executor
    arrived: Callable[[str], None]
    accepted: int = field(default=0)

    async def handle_EHLO(  # noqa: N802 - aiosmtpd's
        self, _server: Any, session: Any, _envelope: Any, hostname: str, responses: list[str]
    ) -> list[str]:
        """DSN is offered, AUTH is not: who may send is a matter of networks."""
        session.host_name = hostname
        kept = [each for each in responses if not each[4:].startswith("AUTH")]
        return [*kept[:-1], "250-DSN", kept[-1]]

    async def handle_MAIL(  # noqa: N802 - aiosmtpd's
        self, _server: Any, _session: Any, envelope: Any, address: str, options: list[str]
    ) -> str:
        """The sender's domain, and room for what is announced."""
        domain = address.rpartition("@")[2].casefold()
        allowed = self.rules.sender_domains
        if address not in {"", NULL} and allowed and domain not in allowed:
            return "550 5.7.1 mail of this sender's domain is not taken here"
        sizes = [each[5:] for each in options if each.startswith("SIZE=")]
        refusal = self.room.refusal(int(sizes[0]) if sizes else 0)
        if refusal:
            return refusal
        envelope.mail_from = address
        envelope.mail_options.extend(options)
        return "250 2.1.0 OK"

    async def handle_RCPT(  # noqa: N802 - aiosmtpd's
        self, _server: Any, _session: Any, envelope: Any, address: str, _options: list[str]
    ) -> str:
        """Each recipient gets an answer of its own."""
        if len(envelope.rcpt_tos) >= self.rules.max_recipients:
            return "452 4.5.3 too many recipients"
        if not _ADDRESS.fullmatch(address):
            return "553 5.1.3 an address of this form is not taken here"
        if find(self.rules.routes, address) is None:
            return "550 5.7.1 no route to this domain: relaying denied"
        envelope.rcpt_tos.append(address)
        return "250 2.1.5 OK"

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:  # noqa: N802 - aiosmtpd's
        """Onto the disk, then 250."""
        content: bytes = envelope.content
        refusal = self.room.refusal(len(content))
        if refusal:
            return refusal
        if hops(content) > HOPS:
            return "554 5.4.6 too many hops: the mail runs in a circle"
        name, now = new_id(), datetime.now(UTC)
        letter = Letter(
            "" if envelope.mail_from == NULL else envelope.mail_from,
            tuple(envelope.rcpt_tos),
            now,
            tuple(envelope.mail_options),
            tuple(tuple(each.split()) for each in envelope.rcpt_options),
        )
        with_tls = "S" if session.ssl else ""
        kind = "UTF8SMTP" if envelope.smtp_utf8 else "ESMTP"
        kind = f"{kind}{with_tls}" if session.extended_smtp else "SMTP"
        helo, host = _SAFE.sub("?", session.host_name or "")[:255], _host(session.peer)
        trace = (
            f"Received: from {helo} ([{host}])\r\n\tby {self.rules.hostname} (Sekisho)"
            f" with {kind} id {name};\r\n\t{format_datetime(now)}\r\n"
        )
        loop = asyncio.get_running_loop()
        try:
            await loop.run_in_executor(
                self.disk, self.spool.put, INCOMING, name, letter, trace.encode() + content
            )
        except OSError as error:
            log.error("the spool could not be written: %s", type(error).__name__)  # noqa: TRY400 - the text may name a path
            return "451 4.3.0 the spool could not be written, try again later"
        del server
        self.accepted += 1
        self.arrived(name)
        return f"250 2.0.0 OK: kept as {name}"

    async def handle_exception(self, error: Exception) -> str:
        """The kind of error alone; its text may quote the mail."""
        log.error("a session failed: %s", type(error).__name__)
        return "451 4.3.0 an error of the relay's own, try again later"


def hops(content: bytes) -> int:
    """How many ``Received`` lines the mail has."""
    head = content.partition(b"\r\n\r\n")[0]
    return len(re.findall(rb"^Received:", head, re.IGNORECASE | re.MULTILINE))


def _host(peer: Any) -> str:
    host = str(peer[0]) if peer else "0.0.0.0"  # noqa: S104 # nosec B104 - none
    return host.removeprefix("::ffff:").partition("%")[0]
