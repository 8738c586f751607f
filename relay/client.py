"""One mail to one next hop by SMTP, over connections that are kept for the next one."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import aiosmtplib
from aiosmtplib import SMTP

from relay.routes import Route
from shared.services.relay_delivery import Order

TIMEOUT = 300.0  # seconds; RFC 5321, 4.5.3.2.6 asks for up to ten minutes after the last dot
CONNECT = 30.0
_ENHANCED = re.compile(r"([245]\.\d{1,3}\.\d{1,3})\b")
_PERMANENT = 500


@dataclass(frozen=True, slots=True)
class Answer:
    """``code`` is ``250 2.0.0``: never the words, which may quote an address.

    ``final`` says that trying again gives the same; ``tracked`` that the next hop took over the
    duty to report success (RFC 3461, 5.2.2).
    """

    code: str
    delivered: bool
    final: bool
    tracked: bool = False


class Hops:
    """Connections by route. Not for two tasks to use the same connection: each takes one out."""

    def __init__(
        self, hostname: str, certificate: Path | None = None, timeout: float = TIMEOUT
    ) -> None:
        self._hostname = hostname
        self._certificate = str(certificate) if certificate else None
        self._timeout = timeout
        self._idle: dict[Route, list[SMTP]] = defaultdict(list)

    async def send(
        self, route: Route, order: Order, data: bytes, before_data: Callable[[], Awaitable[None]]
    ) -> Answer:
        """Deliver; ``before_data`` is awaited when only the data is left to send.

        Whatever goes wrong with the connection is an answer too (421 4.4.2): after the data was
        sent it may have been taken, and the caller sends it again.
        """
        for _ in range(2):  # a kept connection may have been closed meanwhile: once more, afresh
            smtp, kept = await self._take(route)
            if smtp is None:
                return Answer("421 4.4.1", delivered=False, final=False)
            try:
                answer = await self._transaction(smtp, order, data, before_data)
            except _StaleError:
                smtp.close()
                if kept:
                    continue
                return Answer("421 4.4.2", delivered=False, final=False)
            except (aiosmtplib.SMTPException, OSError):
                smtp.close()
                return Answer("421 4.4.2", delivered=False, final=False)
            await self._give_back(route, smtp, answer)
            return answer
        return Answer("421 4.4.2", delivered=False, final=False)

    async def _take(self, route: Route) -> tuple[SMTP | None, bool]:
        while self._idle[route]:
            smtp = self._idle[route].pop()
            if smtp.is_connected:
                return smtp, True
        smtp = SMTP(
            hostname=route.host,
            port=route.port,
            local_hostname=self._hostname,
            timeout=CONNECT,
            start_tls={"starttls": True, "smtp": None, "plain": False}[route.scheme],
            validate_certs=route.scheme == "starttls",
            client_cert=self._certificate if route.scheme == "starttls" else None,
        )
        try:
            await smtp.connect()
        except (aiosmtplib.SMTPException, OSError, ValueError):
            smtp.close()
            return None, False
        return smtp, False

    async def _give_back(self, route: Route, smtp: SMTP, answer: Answer) -> None:
        if not answer.delivered:
            try:
                await smtp.rset()
            except (aiosmtplib.SMTPException, OSError):
                smtp.close()
                return
        self._idle[route].append(smtp)

    async def _transaction(
        self, smtp: SMTP, order: Order, data: bytes, before_data: Callable[[], Awaitable[None]]
    ) -> Answer:
        lacking = await _lacking(smtp, order, data)
        if lacking:
            return Answer(lacking, delivered=False, final=True)
        tracked = smtp.supports_extension("dsn")
        mail, recipient = _options(smtp, order, data, tracked=tracked)
        encoding = "utf-8" if "SMTPUTF8" in mail else "ascii"
        try:
            await smtp.mail(order.sender, options=mail, encoding=encoding)
            await smtp.rcpt(order.recipient, options=recipient, encoding=encoding)
        except aiosmtplib.SMTPResponseException as error:
            return _answer(error.code, error.message)
        except (aiosmtplib.SMTPServerDisconnected, OSError) as error:
            raise _StaleError from error
        await before_data()
        try:
            response = await smtp.data(data, timeout=self._timeout)
        except aiosmtplib.SMTPResponseException as error:
            return _answer(error.code, error.message)
        return _answer(response.code, response.message, tracked=tracked)

    async def close(self) -> None:
        """Say goodbye to all."""
        for idle in self._idle.values():
            for smtp in idle:
                with suppress(aiosmtplib.SMTPException, OSError):
                    await smtp.quit()
            idle.clear()


class _StaleError(Exception):
    """The connection was closed before the mail was given: nothing was sent."""


async def _lacking(smtp: SMTP, order: Order, data: bytes) -> str:
    """The code of what the next hop cannot take (RFC 6152, 6531, 1870); empty where it can."""
    if smtp.last_ehlo_response is None:
        await smtp.ehlo()
    size = smtp.esmtp_extensions.get("size", "")
    if size.isdigit() and 0 < int(size) < len(data):
        return "552 5.3.4"
    if _wants_utf8(order) and not smtp.supports_extension("smtputf8"):
        return "550 5.6.7"
    if not data.isascii() and not smtp.supports_extension("8bitmime"):
        return "554 5.6.3"
    return ""


def _wants_utf8(order: Order) -> bool:
    return "SMTPUTF8" in order.mail_options or not (order.sender + order.recipient).isascii()


def _options(
    smtp: SMTP, order: Order, data: bytes, *, tracked: bool
) -> tuple[list[str], list[str]]:
    mail = []
    if smtp.supports_extension("size"):
        mail.append(f"SIZE={len(data)}")
    if smtp.supports_extension("8bitmime"):
        mail.append("BODY=7BIT" if data.isascii() else "BODY=8BITMIME")
    if _wants_utf8(order):
        mail.append("SMTPUTF8")
    if not tracked:
        return mail, []
    mail += [each for each in order.mail_options if each.upper().startswith(("RET=", "ENVID="))]
    return mail, list(order.recipient_options)


def _answer(code: int, words: str, *, tracked: bool = False) -> Answer:
    if not 200 <= code < 600:  # noqa: PLR2004 - no answer of SMTP's
        return Answer("421 4.4.2", delivered=False, final=False)
    found = _ENHANCED.match(words)
    text = f"{code} {found[1]}" if found else str(code)
    delivered = 200 <= code < 300  # noqa: PLR2004 - SMTP's classes
    return Answer(text, delivered, code >= _PERMANENT, tracked and delivered)
