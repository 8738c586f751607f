"""What people granted in the cloud, as the relay may know it: fetched by the relay, never sent.

One blob, made anew with every look at the exceptions: the values that count as none (fingerprints,
never the values) and until when. It carries an HMAC and an end of its own: what is late, damaged or
another's work is as if nothing were granted, so that the stricter decision stands. What was granted
for one item is not in it: the relay is asked to let that item go (``RelayDelivery.ask``).
"""

from __future__ import annotations

import hmac
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from shared.codec import decode, encode
from shared.errors import MalformedError
from shared.policy.exemption import Exemption, Kind
from shared.ports import Blobs, Clock
from shared.storage.exceptions import Exceptions

CONTAINER, NAME = "work", "relay/exceptions.json"
VALID = timedelta(minutes=15)
"""How long the relay goes by a list: some rounds of the timer that makes it."""


@dataclass(frozen=True, slots=True)
class Value:
    """One value that counts as none: its fingerprint, under which exception, from when to when."""

    exception: str
    fingerprint: str
    granted_at: datetime
    expires_at: datetime


@dataclass(frozen=True, slots=True)
class Granted:
    """The list. It says nothing any more from ``until`` on."""

    made_at: datetime
    until: datetime
    values: tuple[Value, ...] = ()
    v: int = 1

    def exemptions(self, now: datetime) -> tuple[Exemption, ...]:
        """What ``decide`` is given at this moment."""
        if not self.made_at - VALID <= now < self.until:
            return ()
        made = (_exemption(each) for each in self.values)
        return tuple(each for each in made if each.active(now))


@dataclass(frozen=True, slots=True)
class _Sealed:
    mac: str
    granted: str


@dataclass(frozen=True, slots=True)
class Publishing:
    """The cloud's end: ``blobs`` is the container ``work``."""

    exceptions: Exceptions
    blobs: Blobs
    key: bytes = field(repr=False)
    clock: Clock

    async def publish(self) -> Granted:
        """Write the list anew; what was written."""
        now = self.clock()
        found = await self.exceptions.applying()
        values = tuple(
            Value(each.id, each.scope, each.granted_at, each.expires_at)
            for each in found
            if each.kind is Kind.SUPPRESSION
        )
        granted = Granted(now, now + VALID, values)
        await self.blobs.put(NAME, seal(granted, self.key))
        return granted


def list_key(fingerprint_key: bytes) -> bytes:
    """The HMAC's key: relay and cloud have the key of the fingerprints in common, and no other."""
    return hmac.digest(fingerprint_key, b"sekisho relay exceptions", "sha256")


def seal(granted: Granted, key: bytes) -> bytes:
    """The blob's bytes."""
    text = encode(granted).decode()
    return encode(_Sealed(_mac(text, key), text))


def unseal(raw: bytes, keys: tuple[bytes, ...]) -> Granted:
    """The list in a blob; MalformedError where it was not made with one of these keys."""
    sealed = decode(raw, _Sealed)
    given = sealed.mac.encode(errors="replace")
    if not any(hmac.compare_digest(_mac(sealed.granted, key).encode(), given) for key in keys):
        message = "the list of exceptions was not made by the cloud"
        raise MalformedError(message)
    return decode(sealed.granted, Granted)


def _mac(text: str, key: bytes) -> str:
    return hmac.digest(key, text.encode(), "sha256").hex()


def _exemption(value: Value) -> Exemption:
    return Exemption(
        value.exception, Kind.SUPPRESSION, value.fingerprint, (), (), (), "", (),
        value.granted_at, value.expires_at,
    )  # fmt: skip
