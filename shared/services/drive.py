"""Files in OneDrive and SharePoint: fetch with their sharing, tag by column, stop by tombstone.

``Item.id`` is the driveItem, ``recipient`` its drive, ``content_version`` the cTag,
``context_hash`` the digest of its sharing.
"""

from __future__ import annotations

from collections.abc import Collection

from shared.errors import GoneError, StorageConflictError, SupersededError, UnavailableError
from shared.graph.answers import Json, OversizeError
from shared.graph.client import Graph
from shared.model import (
    Claim,
    Content,
    Context,
    Disposition,
    Fetched,
    Gap,
    GapCode,
    Item,
    Outcome,
    OutcomeState,
    Step,
)
from shared.services import tombstone
from shared.services.common import ATTEMPTS, Onward, Redigest, decision_of, intent_of
from shared.services.drive_block import Blocking
from shared.services.drive_release import Releasing
from shared.services.files import Files, media_type
from shared.services.held import key_of
from shared.services.marker import Markers
from shared.services.sharing import Sharing
from shared.services.words import CATEGORIES
from shared.storage.evidence import Evidence


class DriveService:
    """ports.Service for source ``drive``.

    ``inside`` are the organisation's mail domains, ``limit`` the largest file that is read (bytes).
    """

    def __init__(
        self,
        graph: Graph,
        *,
        quarantine: Evidence,
        onward: Onward,
        markers: Markers,
        inside: Collection[str] = (),
        limit: int = 150_000_000,
        redigest: Redigest | None = None,
    ) -> None:
        self._files = Files(graph, onward, inside=inside, limit=limit, redigest=redigest)
        self._markers = markers
        self._blocking = Blocking(self._files, quarantine, markers)
        self._releasing = Releasing(self._files, quarantine, markers)

    async def fetch(self, item: Item) -> Fetched:
        """Content and context; a file over the limit is a gap by name, with no data."""
        if key_of(item):
            return await self._releasing.fetch(item)
        entity = await self._files.read(item)
        if "file" not in entity:
            text = "it is a folder now"
            raise GoneError(text)
        sharing = await self._files.sharing(item)
        version = str(entity.get("cTag", ""))
        if version != item.content_version or sharing.digest != item.context_hash:
            await self._files.follow(item, entity)
            text = "the file has a newer version or other sharing"
            raise SupersededError(text)
        data, gaps = await self._data(item, entity)
        content = Content(data, str(entity.get("name", "")), media_type(entity))
        return Fetched(
            content, context(item, entity, sharing), version, tombstone.marker(data), gaps
        )

    async def apply(self, claim: Claim) -> Outcome:
        """Tag, mark for review, or keep evidence and replace; read back. See Service.apply."""
        disposition = decision_of(claim).disposition
        if key_of(claim.item):
            return await self._releasing.apply(claim)
        try:
            if disposition is Disposition.BLOCK:
                return await self._blocking.block(claim)
            if disposition is Disposition.ALLOW:
                return await self._allow(claim)
            return await self._label(claim, disposition)
        except GoneError:
            if await self._files.exists(claim.item):
                text = "something that the action needs is gone, the file is not"
                raise UnavailableError(text) from None
            return Outcome(disposition.name.lower(), OutcomeState.GONE)
        except StorageConflictError as error:
            raise UnavailableError(str(error)) from None

    def recognises(self, claim: Claim, fetched: Fetched, content_digest: str) -> bool:
        """Whether it is our tombstone, shared with nobody anew (a new share is to be revoked)."""
        del content_digest  # a tombstone carries the digest of its own text
        if not fetched.marker or fetched.context.sharing:
            return False
        return tombstone.genuine(fetched.content.data, claim.item.place_key(), self._markers)

    async def _data(self, item: Item, entity: Json) -> tuple[bytes, tuple[Gap, ...]]:
        too_large = (Gap(GapCode.TOO_LARGE, ""),)
        if int(entity.get("size") or 0) > self._files.limit:
            return b"", too_large
        try:
            return await self._files.data(item, entity), ()
        except OversizeError:
            return b"", too_large

    async def _allow(self, claim: Claim) -> Outcome:
        """Nothing to do; only a tombstone that was shared again loses its new grants."""
        recorded = Outcome("allow", OutcomeState.RECORDED)
        if not intent_of(claim).context.sharing:
            return recorded
        entity = await self._files.read(claim.item)
        if int(entity.get("size") or 0) > tombstone.LARGEST:
            return recorded
        data = await self._files.data(claim.item, entity)
        if not tombstone.genuine(data, claim.item.place_key(), self._markers):
            return recorded
        return await self._blocking.revoke_again(claim)

    async def _label(self, claim: Claim, disposition: Disposition) -> Outcome:
        """Our column where the library has one; said by name where it has not."""
        action, wanted = disposition.name.lower(), CATEGORIES[disposition]
        for _ in range(ATTEMPTS):
            entity = await self._files.read(claim.item)
            if not await self._files.same_content(claim, entity):
                await self._files.follow(claim.item, entity)
                return Outcome(action, OutcomeState.SUPERSEDED)
            try:
                if await self._files.column(claim.item) == wanted:
                    return Outcome(action, OutcomeState.APPLIED, (Step("column", "read_back"),))
                written = await self._files.set_column(claim.item, wanted, str(entity["eTag"]))
            except StorageConflictError:
                continue
            if not written:
                steps = (Step("column", "the library has no column SekishoVerdict"),)
                return Outcome(action, OutcomeState.NOT_ENFORCEABLE, steps)
        text = "the file changes faster than it can be tagged"
        raise UnavailableError(text)


def context(item: Item, entity: Json, sharing: Sharing) -> Context:
    """What policy sees of a file."""
    owner = ((entity.get("createdBy") or {}).get("user") or {}).get("id", "")
    return Context(
        source=item.source,
        place=sharing.place,
        owner=str(owner) or item.recipient,
        sharing=sharing.kinds,
    )
