"""The claim check: what outgrows a table row or a queue message goes by blob reference.

Names are made of the content's own digest, so writing twice is harmless and a reference cannot come
to mean something else. The blobs live in the container ``work``; its lifecycle rule removes them.
"""

from __future__ import annotations

import hashlib
from dataclasses import replace

from shared.codec import decode, encode
from shared.errors import GoneError, MalformedError, StorageConflictError
from shared.model import AuditEvent, Envelope
from shared.ports import Blobs

# A binary table property holds 64 KiB and a queue message 48 KiB of ours; both stay below.
LIMIT = 47 * 1024


class ClaimCheck:
    """Puts bytes aside and brings them back."""

    def __init__(self, blobs: Blobs) -> None:
        self._blobs = blobs

    async def put(self, kind: str, data: bytes) -> str:
        """The reference ``{kind}/{sha256}`` of ``data``; idempotent."""
        ref = reference(kind, data)
        try:
            await self._blobs.put(ref, data, only_new=True)
        except StorageConflictError:
            return ref  # there already, and by its name the same
        return ref

    async def get(self, ref: str) -> bytes:
        """The bytes; MalformedError where they are gone or are not what the name says."""
        try:
            data = (await self._blobs.get(ref)).data
        except GoneError:
            message = f"claim check {ref} is gone"
            raise MalformedError(message) from None
        if reference(ref.rpartition("/")[0], data) != ref:
            message = f"claim check {ref} does not hold what its name says"
            raise MalformedError(message)
        return data

    async def pack(self, envelope: Envelope) -> bytes:
        """The message for a result; its event goes aside if the message would be too large."""
        raw = encode(envelope)
        if len(raw) <= LIMIT or envelope.event is None:
            return raw
        ref = await self.put("results", encode(envelope.event))
        return encode(replace(envelope, event=None, ref=ref))

    async def event(self, envelope: Envelope) -> AuditEvent:
        """The event of a result, inline or brought back; MalformedError if there is none."""
        if envelope.event is not None:
            return envelope.event
        if not envelope.ref:
            message = f"envelope of kind {envelope.kind!r} holds no event"
            raise MalformedError(message)
        return decode(await self.get(envelope.ref), AuditEvent)


def reference(kind: str, data: bytes) -> str:
    """Where ``data`` is put aside."""
    return f"{kind}/{hashlib.sha256(data).hexdigest()}"
