"""What the host and its worker say to each other: msgpack frames over a Unix socket.

Frames hold items' content, so nothing here is ever logged or put into an exception.
"""

from __future__ import annotations

import asyncio
import struct

import msgspec

_LENGTH = struct.Struct("<I")


class Value(msgspec.Struct, frozen=True, tag=True):
    """A binding's value: ``kind`` is the runtime's Datum type (string, json or bytes)."""

    kind: str
    raw: bytes

    @classmethod
    def of(cls, kind: str, data: str | bytes) -> Value:
        """Text goes as UTF-8."""
        return cls(kind, data if isinstance(data, bytes) else data.encode())

    @property
    def data(self) -> str | bytes:
        """Bytes for the kind bytes, else text."""
        return self.raw if self.kind == "bytes" else self.raw.decode()


class HttpRequest(msgspec.Struct, frozen=True, tag=True):
    """An HTTP trigger's value; header names in lower case."""

    method: str
    url: str
    headers: dict[str, str]
    params: dict[str, str]
    query: dict[str, str]
    body: bytes


class HttpResponse(msgspec.Struct, frozen=True, tag=True):
    """What an HTTP function returned; cookies are whole Set-Cookie values."""

    status: int
    headers: dict[str, str]
    body: bytes
    cookies: list[str]


class Invocation(msgspec.Struct, frozen=True, tag=True):
    """Run ``function`` with ``value`` as its trigger ``parameter``."""

    id: str
    function: str
    parameter: str
    value: Value | HttpRequest
    metadata: dict[str, Value] = {}
    retry_count: int = 0
    max_retries: int = 0


class Result(msgspec.Struct, frozen=True, tag=True):
    """How an invocation ended; ``error`` is for people and empty where it went well."""

    id: str
    ok: bool
    returned: Value | HttpResponse | None = None
    outputs: list[tuple[str, Value]] = []
    error: str = ""


class Retry(msgspec.Struct, frozen=True):
    """A function's retry policy, times in seconds; a count of -1 is without end."""

    count: int
    delay: float | None = None
    least: float = 0.0
    most: float = 0.0


class Indexed(msgspec.Struct, frozen=True):
    """A function as the worker library indexed it; each binding is a JSON text."""

    name: str
    bindings: list[str]
    retry: Retry | None = None


class Ready(msgspec.Struct, frozen=True, tag=True):
    """The worker's first word: the app is indexed."""

    functions: list[Indexed]


class Failed(msgspec.Struct, frozen=True, tag=True):
    """The worker's first and last word: the app could not be indexed."""

    message: str


type Message = Invocation | Result | Ready | Failed

_encoder = msgspec.msgpack.Encoder()
_decoder: msgspec.msgpack.Decoder[Message] = msgspec.msgpack.Decoder(
    Invocation | Result | Ready | Failed
)


async def read(reader: asyncio.StreamReader) -> Message:
    """The next message; asyncio.IncompleteReadError when the other side is gone."""
    (length,) = _LENGTH.unpack(await reader.readexactly(_LENGTH.size))
    return _decoder.decode(await reader.readexactly(length))


def write(writer: asyncio.StreamWriter, message: Message) -> None:
    """Queue one whole message; the caller drains where it may wait."""
    body = _encoder.encode(message)
    writer.write(_LENGTH.pack(len(body)) + body)
