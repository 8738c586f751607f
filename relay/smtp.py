"""aiosmtpd's SMTP, made strict: what another server might read differently is refused.

Against SMTP smuggling (a second mail hidden behind an end of data that only one side sees): the end
is ``CRLF . CRLF`` and nothing else; a bare CR or LF anywhere in the data refuses the mail; a
command line needs CRLF too; and since PIPELINING is not offered, whatever follows the end of the
data before our answer ends the connection. RFC 3461's DSN parameters are taken, with their case.
"""

from __future__ import annotations

import asyncio
import re
import ssl
from collections import defaultdict
from dataclasses import dataclass, field
from typing import Any

from aiosmtpd.smtp import SMTP

_END = b"\r\n.\r\n"
_CHUNK = 65_536
_COMMAND = 2_048  # RFC 5321's 512, and what SIZE, SMTPUTF8 and DSN add
_PATH = re.compile(r'\s*(<(?:[^<>"]|"(?:[^"\\]|\\.)*")*>)(.*)', re.DOTALL)
_XTEXT = re.compile(r"(?:[!-*,-<>-~]|\+[0-9A-F]{2}){1,500}")
_NOTIFY = re.compile(r"NEVER|(?:SUCCESS|FAILURE|DELAY)(?:,(?:SUCCESS|FAILURE|DELAY)){0,2}")
_LOST = (ConnectionError, asyncio.IncompleteReadError)


@dataclass(slots=True)
class Limits:
    """What one connection may do, and what all of them hold in memory now."""

    message: int
    line: int
    in_hand: int
    held: int = field(default=0)


class StrictSMTP(SMTP):
    """One connection. ``admission`` has ``enter(peer) -> str`` (a refusal or "") and ``leave``."""

    line_length_limit = _CHUNK  # the reader's buffer; lines of data are measured by us

    def __init__(
        self,
        handler: Any,
        *,
        limits: Limits,
        admission: Any,
        hostname: str,
        timeout: float,
        tls_context: ssl.SSLContext | None,
        require_starttls: bool,
    ) -> None:
        super().__init__(
            handler,
            data_size_limit=limits.message,
            enable_SMTPUTF8=True,
            hostname=hostname,
            ident="Sekisho",
            tls_context=tls_context,
            require_starttls=require_starttls,
            timeout=timeout,
            auth_exclude_mechanism=("LOGIN", "PLAIN"),
            loop=asyncio.get_running_loop(),
        )
        # aiosmtpd shares one table between all connections and adds to it with each EHLO.
        self.command_size_limits = defaultdict(lambda: _COMMAND)
        self.command_size_limit = _COMMAND
        self._limits = limits
        self._admission = admission
        self.in_data = False

    async def _handle_client(self) -> None:
        assert self.session is not None
        peer = self.session.peer
        refusal = self._admission.enter(self, peer)
        if refusal:
            await self.push(refusal)
            self._close()
            return
        try:
            self._reader.readuntil = _crlf_lines(self._reader)  # type: ignore[method-assign]
            await super()._handle_client()
        except _LOST:
            self._close()
        finally:
            self._admission.leave(self, peer)

    def _close(self) -> None:
        if self.transport is not None:
            self.transport.close()

    async def smtp_MAIL(self, arg: str | None) -> None:  # noqa: N802 - aiosmtpd's
        """``RET`` and ``ENVID`` are ours, the rest aiosmtpd's."""
        rest, options, wrong = _taken(arg, "FROM:", _mail_option)
        if wrong:
            await self.push(wrong)
            return
        await super().smtp_MAIL(rest)
        if self.envelope is not None and self.envelope.mail_from is not None:
            self.envelope.mail_options.extend(options)

    async def smtp_RCPT(self, arg: str | None) -> None:  # noqa: N802 - aiosmtpd's
        """``NOTIFY`` and ``ORCPT`` are ours, the rest aiosmtpd's."""
        rest, options, wrong = _taken(arg, "TO:", _recipient_option)
        if wrong:
            await self.push(wrong)
            return
        before = len(self.envelope.rcpt_tos) if self.envelope else 0
        await super().smtp_RCPT(rest)
        if self.envelope is not None and len(self.envelope.rcpt_tos) > before:
            self.envelope.rcpt_options.append(" ".join(options))

    async def smtp_DATA(self, arg: str) -> None:  # noqa: N802 - aiosmtpd's
        """Read to the end in chunks; over the limit nothing more is kept, and 552 is the answer."""
        if await self.check_helo_needed():
            return
        assert self.envelope is not None
        if not self.envelope.rcpt_tos:
            await self.push("503 5.5.1 need RCPT command")
            return
        if arg:
            await self.push("501 5.5.4 Syntax: DATA")
            return
        await self.push("354 End data with <CR><LF>.<CR><LF>")
        self.in_data = True
        try:
            await self._receive()
        finally:
            self.in_data = False

    async def _receive(self) -> None:
        data = _Data(self._limits)
        try:
            rest = await self._read_into(data)
            if rest is None:
                self._close()
                return
            refusal = "554 5.5.0 nothing may follow the end of the data" if rest else data.wrong()
            if not refusal:
                assert self.envelope is not None
                self.envelope.content = self.envelope.original_content = data.content()
                refusal = await self._call_handler_hook("DATA")
        finally:
            data.forget()
        self._set_post_data_state()  # type: ignore[no-untyped-call] # aiosmtpd's
        await self.push(refusal)
        if rest:
            self._close()

    async def _read_into(self, data: _Data) -> bytes | None:
        """Whatever came behind the end; None where the connection was lost before it."""
        while (rest := data.rest) is None:
            chunk = await self._reader.read(_CHUNK)
            if not chunk:
                return None
            self._reset_timeout()
            data.add(chunk)
        return rest


class _Data:
    """The bytes between DATA and the end, as they come."""

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self._chunks: list[bytes] = []
        self._tail = b"\r\n"  # the end may be the very first line
        self._kept = 0
        self._total = 0
        self._answer = ""
        self._cut = 0  # bytes of the end that came with an earlier chunk
        self.rest: bytes | None = None

    def add(self, chunk: bytes) -> None:
        seen = self._tail + chunk
        at = seen.find(_END)
        if at >= 0:
            self.rest = seen[at + len(_END) :]
            chunk = seen[len(self._tail) : at + 2] if at + 2 > len(self._tail) else b""
            self._cut = max(len(self._tail) - (at + 2), 0)
        self._tail = seen[-4:]
        self._total += len(chunk)
        if self._total > self._limits.message:
            self._answer = self._answer or "552 5.3.4 message size exceeds the limit"
        elif self._limits.held + len(chunk) > self._limits.in_hand:
            self._answer = self._answer or "452 4.3.1 too much mail at a time, try again later"
        if self._answer:
            self.forget()
            return
        self._chunks.append(chunk)
        self._kept += len(chunk)
        self._limits.held += len(chunk)

    def forget(self) -> None:
        """Give the memory back."""
        self._chunks.clear()
        self._limits.held -= self._kept
        self._kept = 0

    def wrong(self) -> str:
        """The refusal, or empty."""
        if self._answer:
            return self._answer
        raw = self._raw()
        ends = raw.count(b"\r\n")
        if raw.count(b"\n") != ends or raw.count(b"\r") != ends:
            return "554 5.6.0 a bare CR or LF in the data (RFC 5321, 2.3.8)"
        longest = max(map(len, raw.split(b"\r\n")))
        if longest > self._limits.line + 1:  # the dot that the sender added
            return "554 5.6.0 a line is too long (RFC 5321, 4.5.3.1.6)"
        return ""

    def content(self) -> bytes:
        """Without the dots that the sender put before dots (RFC 5321, 4.5.2)."""
        return (b"\r\n" + self._raw()).replace(b"\r\n.", b"\r\n")[2:]

    def _raw(self) -> bytes:
        raw = b"".join(self._chunks)
        if self._cut:
            raw = raw[: -self._cut]
        self._cut = 0
        self._chunks = [raw]
        return raw


def _crlf_lines(reader: asyncio.StreamReader) -> Any:
    """``readuntil`` for command lines: to CRLF; one with a bare CR or LF becomes an empty line."""
    plain = reader.readuntil

    async def readuntil(separator: bytes = b"\r\n") -> bytes:
        line = await plain(separator)
        body = line.removesuffix(b"\r\n")
        return b"\r\n" if b"\n" in body or b"\r" in body else line

    return readuntil


def _taken(arg: str | None, keyword: str, is_wrong: Any) -> tuple[str | None, list[str], str]:
    """The argument without DSN's parameters, these, and a refusal or empty."""
    found = _PATH.fullmatch(arg[len(keyword) :]) if arg else None
    if arg is None or found is None or arg[: len(keyword)].upper() != keyword:
        return arg, [], ""
    kept, ours = [], []
    for each in found[2].split():
        verdict = is_wrong(each)
        if verdict is None:
            kept.append(each)
        elif verdict:
            ours.append(each)
        else:
            return arg, [], "501 5.5.4 a parameter of DSN is malformed (RFC 3461)"
    names = [each.partition("=")[0].upper() for each in ours]
    if len(names) != len(set(names)):
        return arg, [], "501 5.5.4 a parameter of DSN is given twice"
    return " ".join([f"{keyword}{found[1]}", *kept]), ours, ""


def _mail_option(text: str) -> bool | None:
    """Whether ``RET`` or ``ENVID`` is well formed; None for another parameter."""
    name, _, value = text.partition("=")
    match name.upper():
        case "RET":
            return value.upper() in {"FULL", "HDRS"}
        case "ENVID":
            return len(value) <= 100 and _XTEXT.fullmatch(value) is not None  # noqa: PLR2004 - RFC
        case _:
            return None


def _recipient_option(text: str) -> bool | None:
    """Whether ``NOTIFY`` or ``ORCPT`` is well formed; None for another parameter."""
    name, _, value = text.partition("=")
    match name.upper():
        case "NOTIFY":
            return _NOTIFY.fullmatch(value.upper()) is not None
        case "ORCPT":
            kind, _, address = value.partition(";")
            return (
                kind.isascii()
                and kind.replace("-", "").isalnum()
                and bool(_XTEXT.fullmatch(address) or kind.lower() == "utf-8")
            )
        case _:
            return None
