"""Values to bytes and back: JSON by msgspec, strict on reading.

The wire is the dataclasses' own field names; enumerations by value. A message that does not have
its promised shape raises MalformedError without quoting it.
"""

from __future__ import annotations

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
