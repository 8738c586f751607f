"""Files in OneDrive and SharePoint: fetch with sharing, tag by label or column, stop by tombstone.

``Item.id`` is the driveItem, ``recipient`` its drive, ``content_version`` the cTag,
``context_hash`` the digest of its sharing.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace

from shared.errors import GoneError, SupersededError
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
)
from shared.services import tombstone
from shared.services.common import Onward, Redigest, acted, decision_of, intent_of
from shared.services.drive_block import Blocking
from shared.services.drive_release import Releasing
from shared.services.drive_tag import Tagging, Tags
from shared.services.files import Files, in_library, media_type
from shared.services.held import key_of
from shared.services.marker import Markers
from shared.services.reach import Reach
from shared.services.sharing import Sharing
from shared.storage.evidence import Evidence


class DriveService:
    """ports.Service for source ``drive``.

    ``inside`` are the organisation's mail domains, ``limit`` the largest file that is read (bytes),
    ``tags`` says by what a file is tagged, ``reach`` who is in the group of a library's site (None:
    nobody asks).
    """

    def __init__(
        self,
        graph: Graph,
        *,
        quarantine: Evidence,
        onward: Onward,
        markers: Markers,
        tags: Tags,
        reach: Reach | None = None,
        inside: Collection[str] = (),
        limit: int = 150_000_000,
        redigest: Redigest | None = None,
    ) -> None:
        self._files = Files(graph, onward, inside=inside, limit=limit, redigest=redigest)
        self._markers = markers
        self._reads_labels = tags.read
        self._reach = reach
        self._blocking = Blocking(self._files, quarantine, markers)
        self._tagging = Tagging(self._files, tags)
        self._releasing = Releasing(self._files, quarantine, markers)

    async def fetch(self, item: Item) -> Fetched:
        """Content and context; a file over the limit is a gap by name, with no data."""
        if key_of(item):
            return await self._releasing.fetch(item)
        entity = await self._files.read(item)
        if "file" not in entity:
            text = "it is a folder now"
            raise GoneError(text)
        library = in_library(entity)
        sharing = await self._files.sharing(item, library=library)
        version = str(entity.get("cTag", ""))
        if version != item.content_version or sharing.digest != item.context_hash:
            await self._files.follow(item, entity)
            text = "the file has a newer version or other sharing"
            raise SupersededError(text)
        data, gaps = await self._data(item, entity)
        content = Content(data, str(entity.get("name", "")), media_type(entity))
        if library and self._reach is not None:
            sharing = sharing.reached(await self._reach.library(item.recipient))
        seen = context(item, entity, sharing)
        if self._reads_labels and (label := await self._files.label(item)):
            seen = replace(seen, labels=(label,))
        return Fetched(content, seen, version, tombstone.marker(data), gaps)

    async def apply(self, claim: Claim) -> Outcome:
        """Tag, mark for review, or keep evidence and replace; read back. See Service.apply."""
        if key_of(claim.item):
            return await self._releasing.apply(claim)
        return await acted(claim, self._act(claim), self._files.exists)

    async def _act(self, claim: Claim) -> Outcome:
        disposition = decision_of(claim).disposition
        if disposition is Disposition.BLOCK:
            return await self._blocking.block(claim)
        if disposition is Disposition.ALLOW:
            return await self._allow(claim)
        return await self._tagging.tag(claim, disposition)

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
        """Lift what an earlier version got; a tombstone that was shared again loses its grants."""
        if await self._is_shared_tombstone(claim):
            return await self._blocking.revoke_again(claim)
        lifted = await self._tagging.lift(claim)
        return lifted or Outcome("allow", OutcomeState.RECORDED)

    async def _is_shared_tombstone(self, claim: Claim) -> bool:
        if not intent_of(claim).context.sharing:
            return False
        entity = await self._files.read(claim.item)
        if int(entity.get("size") or 0) > tombstone.LARGEST:
            return False
        data = await self._files.data(claim.item, entity)
        return tombstone.genuine(data, claim.item.place_key(), self._markers)


def context(item: Item, entity: Json, sharing: Sharing) -> Context:
    """What policy sees of a file: a OneDrive's is its holder's, a library's is who made it.

    Nothing in a library is private: whoever is in the site reaches it, whatever Graph shows of the
    grants.
    """
    if in_library(entity):
        place = "onedrive_inside" if sharing.place == "onedrive_private" else sharing.place
        owner = _person(entity, "createdBy") or _person(entity, "lastModifiedBy")
        return Context(item.source, place, owner=owner, sharing=sharing.kinds)
    return Context(
        source=item.source,
        place=sharing.place,
        owner=_person(entity, "createdBy") or item.recipient,
        sharing=sharing.kinds,
    )


def _person(entity: Json, name: str) -> str:
    return str(((entity.get(name) or {}).get("user") or {}).get("id") or "")
