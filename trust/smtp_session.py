"""The relay's SMTP without a socket: bytes of a client in, and what the server took for a mail."""

from __future__ import annotations

import asyncio
from typing import Any, override

from relay.smtp import Limits, StrictSMTP

SEEDS = (
    b"EHLO a\r\nMAIL FROM:<a@example.jp> SIZE=20\r\nRCPT TO:<b@example.jp>\r\nDATA\r\n",
    b"Subject: x\r\n\r\nx\r\n.\r\n",
    b"EHLO a\r\nMAIL FROM:<> RET=HDRS ENVID=QQ\r\nRCPT TO:<b@e.jp> NOTIFY=NEVER\r\nQUIT\r\n",
    b"HELO a\r\nRSET\r\nNOOP\r\nVRFY x\r\nSTARTTLS\r\n.\n.\r.\r\n",
)


class Wire(asyncio.Transport):
    """What the server writes to; it is closed as a real one is."""

    def __init__(self) -> None:
        super().__init__({"peername": ("127.0.0.1", 1), "sockname": ("127.0.0.1", 25)})
        self.protocol: Any = None
        self.closed = False
        self.answers = bytearray()

    @override
    def write(self, data: Any) -> None:
        self.answers += data

    @override
    def close(self) -> None:
        if not self.closed:
            self.closed = True
            asyncio.get_running_loop().call_soon(self.protocol.connection_lost, None)

    @override
    def is_closing(self) -> bool:
        return self.closed

    @override
    def pause_reading(self) -> None:
        return

    @override
    def resume_reading(self) -> None:
        return

    @override
    def set_protocol(self, protocol: Any) -> None:
        self.protocol = protocol

    @override
    def get_protocol(self) -> Any:
        return self.protocol


class Admission:
    """Everybody may come in."""

    def enter(self, *_peer: object) -> str:
        return ""

    def leave(self, *_peer: object) -> None:
        return


class Handler:
    """Keeps what was taken for a mail."""

    def __init__(self) -> None:
        self.taken: list[bytes] = []

    async def handle_DATA(self, _server: object, _session: object, envelope: Any) -> str:  # noqa: N802 - aiosmtpd's
        self.taken.append(bytes(envelope.content))
        return "250 2.0.0 taken"


async def session(data: bytes) -> list[bytes]:
    """One connection that sends ``data`` in two pieces and hangs up; the mails that were taken.

    AssertionError: a mail holds a bare CR or LF (what another server may read as its end).
    """
    handler, wire = Handler(), Wire()
    server = StrictSMTP(
        handler,
        limits=Limits(message=100_000, line=10_000, in_hand=1_000_000),
        admission=Admission(),
        hostname="relay.example.jp",
        timeout=30.0,
        tls_context=None,
        require_starttls=False,
    )
    wire.set_protocol(server)
    server.connection_made(wire)
    half = len(data) // 2
    for piece in (data[:half], data[half:]):
        server.data_received(piece)
        await asyncio.sleep(0)
    server.eof_received()
    task: asyncio.Task[None] | None = getattr(server, "_handler_coroutine", None)
    if task is not None:
        await asyncio.wait({task}, timeout=30)
        assert task.done(), "the session does not end"
        error = None if task.cancelled() else task.exception()
        if error is not None:
            raise error
    wire.close()
    await asyncio.sleep(0)
    for mail in handler.taken:
        whole = mail.replace(b"\r\n", b"")
        assert b"\r" not in whole, "a bare CR was taken"
        assert b"\n" not in whole, "a bare LF was taken"
    return handler.taken
