"""The ways in: a landed blob becomes one item a recipient; what was simply dropped is adopted."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from shared.errors import GoneError, MalformedError, UnavailableError
from shared.model import Item
from shared.ports import Blobs, Clock
from shared.services import sidecar as envelopes_of
from shared.services.gate.waiting import Waiting
from shared.services.sidecar import Sidecar

MAIL, FILES, DROP = "mail/", "files/", "drop/"


@dataclass(frozen=True, slots=True)
class Arrivals:
    """The landing container and the envelopes beside it."""

    landing: Blobs
    envelopes: Blobs
    clock: Clock | None = None
    waiting: Waiting | None = None

    async def items_for(self, name: str) -> tuple[Item, ...]:
        """One item a recipient; none if the blob is gone. A dropped blob is adopted first."""
        if name.startswith(DROP):
            name = await self.adopt_drop(name)
        if not name.startswith((MAIL, FILES)):
            return ()
        found = await self.landing.properties(name)
        if found is None:
            return ()
        sidecar = await envelopes_of.read(self.envelopes, name)
        if self.waiting is not None:
            await self.waiting.arrived(name, sidecar.received_at)
        return tuple(
            Item("gate", name, str(index), found.etag) for index in range(len(sidecar.recipients))
        )

    async def adopt_drop(self, name: str) -> str:
        """``drop/{sign-in name}/{path}`` → ``files/{id}`` with an envelope; the new name, or empty.

        May run twice: the id is the same for the same upload, and the drop goes last.
        """
        try:
            blob = await self.landing.get(name)
        except GoneError:
            return ""
        owner, _, path = name.removeprefix(DROP).partition("/")
        target = FILES + envelopes_of.drop_id(name, blob.etag)
        made = Sidecar((owner,), envelopes_of.clean_path(path), via="drop", received_at=self._now())
        if not made.path:
            message = "a drop without a file name"
            raise MalformedError(message)
        if await self.landing.properties(target) is None:
            await envelopes_of.write(self.envelopes, target, made)
            await self.landing.put(target, blob.data)
        if (await self.landing.get(target)).data != blob.data:
            message = "the adopted blob read back is not what was dropped"
            raise UnavailableError(message)
        await self.landing.delete(name)
        return target

    def _now(self) -> datetime | None:
        return self.clock() if self.clock else None
