"""An item's bytes and names: from landing, or from the quarantine if it was blocked."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field, replace

from shared.errors import GoneError, SupersededError
from shared.model import Context, Item
from shared.ports import Blobs
from shared.services import sidecar as envelopes_of
from shared.services.gate.arrivals import MAIL
from shared.services.held import described, key_of
from shared.services.senders import senders
from shared.services.sidecar import Sidecar
from shared.storage.evidence import Evidence

ORIGINAL = "original/"
"""Before a blob's name: the original of what was sanitised and delivered, from the quarantine."""


@dataclass(frozen=True, slots=True)
class Landed:
    """``base`` is the item as it landed; ``item`` may be its held copy (see services.held)."""

    item: Item
    base: Item
    sidecar: Sidecar = field(repr=False)
    data: bytes = field(repr=False)

    @property
    def is_mail(self) -> bool:
        """A mail, or a file."""
        return self.base.id.startswith(MAIL)

    @property
    def user(self) -> str:
        """The recipient's sign-in name."""
        return self.sidecar.recipients[int(self.base.recipient)]

    @property
    def media_type(self) -> str:
        """As it is read."""
        return "message/rfc822" if self.is_mail else self.sidecar.media_type

    @property
    def key(self) -> str:
        """64 hex digits: this upload, for all its recipients."""
        said = f"{len(self.base.id)}:{self.base.id}{self.base.content_version}"
        return hashlib.sha256(said.encode()).hexdigest()

    @property
    def senders(self) -> tuple[str, ...]:
        """Whoever the envelope and the mail itself say sent it."""
        return senders(self.sidecar.sender, self.data if self.is_mail else b"")

    def context(self) -> Context:
        """What policy sees."""
        sender = self.sidecar.sender
        domains = (each.rpartition("@")[2].casefold() for each in self.sidecar.recipients)
        return Context(
            source=self.item.source,
            place="landing",
            owner=self.user,
            sender_domain=sender.rpartition("@")[2].casefold() if "@" in sender else "",
            recipient_domains=tuple(dict.fromkeys(domains)),
            received_at=self.sidecar.received_at,
        )


@dataclass(frozen=True, slots=True)
class Shelf:
    """Where landed things are."""

    landing: Blobs
    envelopes: Blobs
    quarantine: Evidence

    async def load(self, item: Item) -> Landed:
        """GoneError; SupersededError where the blob was written again; UnavailableError."""
        key = key_of(item)
        if key:
            base = (await described(self.quarantine, key)).item
            data = await self.quarantine.read(self.ref(key))
            return Landed(item, base, await envelopes_of.read(self.envelopes, base.id), data)
        if item.id.startswith(ORIGINAL):
            return await self._original(item)
        found = await self.landing.properties(item.id)
        if found is None:
            message = "the landing blob is gone"
            raise GoneError(message)
        if found.etag != item.content_version:
            message = "the landing blob was written again: its own item follows"
            raise SupersededError(message)
        sidecar = await envelopes_of.read(self.envelopes, item.id)
        blob = await self.landing.get(item.id)
        return Landed(item, item, sidecar, blob.data)

    async def _original(self, item: Item) -> Landed:
        base = replace(item, id=item.id.removeprefix(ORIGINAL), generation=0)
        landed = Landed(item, base, await envelopes_of.read(self.envelopes, base.id), b"")
        name = f"{self.quarantine.container}/{landed.key}.original.bin"
        return replace(landed, data=await self.quarantine.read(name))

    async def named(self, item: Item) -> Landed:
        """The same without the bytes, of an item that may have left."""
        key = key_of(item)
        base = (await described(self.quarantine, key)).item if key else item
        return Landed(item, base, await envelopes_of.read(self.envelopes, base.id), b"")

    def ref(self, key: str) -> str:
        """The reference of a blocked item's copy."""
        return f"{self.quarantine.container}/{key}.bin"
