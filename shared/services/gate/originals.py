"""The original of a mail that was sanitised: asked for by its recipient, then released.

The note in the mail has a link, the same for all its recipients, signed for this one upload. Asking
delivers nothing: the original becomes an item of its own (``original/{blob}``) whose gap
``unsanitised`` holds it, so that it is an incident as any other, and is released as any other: by
as many people as policy asks for, on the record, to that recipient alone.
"""

from __future__ import annotations

import hmac
import re
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field, replace
from enum import StrEnum

from shared.codec import decode, encode
from shared.errors import GoneError
from shared.model import Envelope, Item, Outcome, OutcomeState, Step
from shared.ports import Clock, Queue
from shared.services import sidecar as envelopes_of
from shared.services.gate.clean import Record
from shared.services.gate.landed import ORIGINAL, Landed, Shelf
from shared.services.sidecar import Sidecar

# Letters alone: a run of twelve digits in the mail's note would be looked at as a number.
_LETTERS = str.maketrans("0123456789abcdef", "ghijklmnopqrstuv")
_DIGITS = str.maketrans("ghijklmnopqrstuv", "0123456789abcdef")
_TOKEN = re.compile(r"([g-v]{64})\.([g-v]{64})")


class Asked(StrEnum):
    """What became of a wish."""

    TAKEN = "taken"
    UNKNOWN = "unknown"  # the link is not one of ours, or the original is not kept any more


@dataclass(frozen=True, slots=True)
class Originals:
    """``key`` signs links; ``url`` is where the page is (empty: there is none).

    ``items`` is the queue of the scan, ``record`` puts what was asked on the record.
    """

    shelf: Shelf
    items: Queue
    clock: Clock
    key: bytes = field(repr=False)
    record: Callable[[Item, Outcome], Awaitable[None]]
    url: str = ""

    def link(self, landed: Landed) -> str:
        """The page's address for this upload; empty where there is none, and for files."""
        if not self.url or not landed.is_mail:
            return ""
        return f"{self.url}/api/originals/{self.token(landed.key)}"

    def token(self, upload: str) -> str:
        """Unguessable, for one upload; ``upload`` is ``Landed.key``."""
        return f"{upload.translate(_LETTERS)}.{self._signature(upload)}"

    async def find(self, token: str) -> tuple[Item, Sidecar] | None:
        """The upload and its envelope; None where the link is not ours, or nothing is kept."""
        match = _TOKEN.fullmatch(token)
        if match is None:
            return None
        upload = match[1].translate(_DIGITS)
        if not hmac.compare_digest(match[2], self._signature(upload)):
            return None
        try:
            told = await self.shelf.quarantine.blobs.get(f"{upload}.lineage.json")
            base = decode(told.data, Record).item
            kept = await self.shelf.quarantine.blobs.properties(f"{upload}.original.bin")
            if base is None or kept is None:
                return None
            return base, await envelopes_of.read(self.shelf.envelopes, base.id)
        except GoneError:
            return None

    async def ask(self, token: str, address: str) -> Asked:
        """The wish of whoever receives mail at ``address``; durable when it returns.

        An address that is none of the mail's is taken as well, and nothing follows from it: the
        page must not tell who else had the mail. The same wish again changes nothing.
        """
        found = await self.find(token)
        if found is None:
            return Asked.UNKNOWN
        base, sidecar = found
        known = [each.casefold() for each in sidecar.recipients]
        wanted = address.strip().casefold()
        if wanted not in known:
            return Asked.TAKEN
        item = replace(
            base, id=f"{ORIGINAL}{base.id}", recipient=str(known.index(wanted)), generation=0
        )
        steps = (Step("original", "asked_for"),)
        await self.record(item, Outcome("ask_original", OutcomeState.RECORDED, steps))
        await self.items.put(encode(Envelope("item", first_seen=self.clock(), item=item)))
        return Asked.TAKEN

    def _signature(self, upload: str) -> str:
        raw = hmac.digest(self.key, f"original\0{upload}".encode(), "sha256")
        return raw.hex().translate(_LETTERS)
