"""What may leave of a value: a mask, and a keyed fingerprint."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Callable
from dataclasses import dataclass, field

_BLOCK = 64
_INNER = bytes(byte ^ 0x36 for byte in range(256))
_OUTER = bytes(byte ^ 0x5C for byte in range(256))
_VISIBLE = 4
_SHORT = 8


@dataclass(frozen=True, slots=True)
class FingerprintKey:
    """The key of the fingerprints, and its public name (so that a rotation does not break counts).

    Shown by neither ``repr`` nor errors. Raises ValueError for a key under 16 bytes.
    """

    id: str
    key: bytes = field(repr=False)

    def __post_init__(self) -> None:
        if len(self.key) < 16:  # noqa: PLR2004 - 128 bits, the least for HMAC keys (NIST SP 800-107)
            message = "a fingerprint key has at least 16 bytes"
            raise ValueError(message)

    def fingerprint(self, entity: str, value: bytes) -> str:
        """``<key id>:<hex HMAC-SHA-256>`` of the folded value; the entity's name is mixed in."""
        message = entity.encode() + b"\0" + value
        return f"{self.id}:{hmac.digest(self.key, message, 'sha256').hex()}"

    def fingerprinter(self) -> Callable[[str, bytes], str]:
        """``fingerprint`` for many values: the states after the key (RFC 2104) are kept."""
        key = hashlib.sha256(self.key).digest() if len(self.key) > _BLOCK else self.key
        padded = key.ljust(_BLOCK, b"\0")
        inner = hashlib.sha256(padded.translate(_INNER))
        outer = hashlib.sha256(padded.translate(_OUTER))
        prefix = f"{self.id}:"

        def fingerprint(entity: str, value: bytes) -> str:
            first, second = inner.copy(), outer.copy()
            first.update(entity.encode() + b"\0" + value)
            second.update(first.digest())
            return prefix + second.hexdigest()

        return fingerprint


def mask(value: str, show: int = _VISIBLE) -> str:
    """The first characters (4 at most, and never more than a third), then ``*`` for the rest."""
    shown = max(
        0, min(show, _VISIBLE, len(value) // 3 if len(value) > _SHORT else 2, len(value) // 2)
    )
    return value[:shown] + "*" * (len(value) - shown)
