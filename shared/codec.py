"""Values to bytes and back: JSON by msgspec, strict on reading.

The wire is the dataclasses' own field names; enumerations by value. A message that does not have
its promised shape raises MalformedError without quoting it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import msgspec

from shared.errors import MalformedError

_ENCODER = msgspec.json.Encoder(order="deterministic")


def encode(value: object) -> bytes:
    """Deterministic JSON of a model value."""
    return _ENCODER.encode(value)


def decode[T](data: bytes | str, kind: type[T]) -> T:
    """Read a ``kind`` from JSON; MalformedError (which never quotes the data) if it is not one."""
    try:
        return msgspec.json.decode(data, type=kind)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        message = f"not a {kind.__name__}: {type(error).__name__}"
        raise MalformedError(message) from None


def joined(messages: Iterable[bytes], limit: int) -> Iterator[bytes]:
    """As few messages as will do: what fits into ``limit`` bytes together is a JSON array."""
    batch: list[bytes] = []
    size = 1
    for each in messages:
        if batch and size + len(each) + 1 > limit:
            yield _array(batch)
            batch, size = [], 1
        batch.append(each)
        size += len(each) + 1
    if batch:
        yield _array(batch)


def _array(messages: list[bytes]) -> bytes:
    return messages[0] if len(messages) == 1 else b"[" + b",".join(messages) + b"]"


def parted(message: bytes) -> tuple[bytes, ...]:
    """What ``joined`` put together; a message that is no array is alone."""
    try:
        parts = msgspec.json.decode(message, type=list[msgspec.Raw])
    except (msgspec.DecodeError, UnicodeDecodeError):
        return (message,)
    return tuple(bytes(each) for each in parts)
