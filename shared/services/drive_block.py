"""Stopping a file: close it, copy it, replace it, purge its history; each step read back.

The order: direct grants go first (the quickest way to end an exposure), then the copy is kept and
read back, and only then the content is replaced (If-Match) and older versions, which still hold the
data, are deleted. The item stays the same, so that links and people find the explanation.
"""

from __future__ import annotations

from shared.errors import StorageConflictError, UnavailableError
from shared.graph.answers import Json, OversizeError
from shared.model import Claim, Outcome, OutcomeState, Step
from shared.services import tombstone
from shared.services.common import ATTEMPTS, keep, kept
from shared.services.files import Files
from shared.services.held import describe
from shared.services.marker import Markers
from shared.services.sharing import Sharing
from shared.storage.evidence import Evidence
from shared.storage.ledger import own_version


class Blocking:
    """Each step looks first whether it is done already."""

    def __init__(self, files: Files, quarantine: Evidence, markers: Markers) -> None:
        self._files = files
        self._quarantine = quarantine
        self._markers = markers

    async def block(self, claim: Claim) -> Outcome:
        """All steps; PARTIAL names what did not take. A newer content is SUPERSEDED."""
        for _ in range(ATTEMPTS):
            entity = await self._files.read(claim.item)
            if await self._is_tombstone(claim, entity):
                return await self._finish(claim)
            if not await self._files.same_content(claim, entity):
                await self._files.follow(claim.item, entity)
                return Outcome("block", OutcomeState.SUPERSEDED)
            try:
                await self._replace(claim, entity)
            except StorageConflictError:
                continue  # someone wrote in between: is it still the same content?
            except OversizeError:
                return await self._closed(claim)
        text = "the file changes faster than it can be stopped"
        raise UnavailableError(text)

    async def _closed(self, claim: Claim) -> Outcome:
        """A file too large to be copied is closed and stays: without a copy nothing is replaced."""
        sharing = await self._revoke(claim)
        steps = (Step("content", "larger_than_the_limit"), *_sharing_steps(sharing))
        cut = str((await self._files.read(claim.item))["cTag"])
        return Outcome("block", OutcomeState.PARTIAL, steps, (own_version(cut, sharing.digest),))

    async def revoke_again(self, claim: Claim) -> Outcome:
        """A tombstone was shared again: take the new grants away.

        Only a version whose content was seen to be our tombstone is noted as our own: somebody may
        have put a file in its place meanwhile, which must be scanned.
        """
        sharing = await self._revoke(claim)
        state = OutcomeState.PARTIAL if sharing.direct else OutcomeState.APPLIED
        entity = await self._files.read(claim.item)
        ours = await self._is_tombstone(claim, entity)
        after = await self._files.read(claim.item)
        if not ours or after.get("cTag") != entity.get("cTag"):
            await self._files.follow(claim.item, after)
            return Outcome("revoke", state, _sharing_steps(sharing))
        versions = (own_version(str(entity["cTag"]), sharing.digest),)
        return Outcome("revoke", state, _sharing_steps(sharing), versions)

    async def _is_tombstone(self, claim: Claim, entity: Json) -> bool:
        size = int(entity.get("size") or 0)
        if not size or size > tombstone.LARGEST:
            return False
        data = await self._files.data(claim.item, entity)
        return tombstone.genuine(data, claim.item.place_key(), self._markers)

    async def _replace(self, claim: Claim, entity: Json) -> None:
        await self._revoke(claim)
        if not await kept(self._quarantine, f"{claim.key}.bin"):
            data = await self._files.data(claim.item, entity)
            if not await self._files.same_content(claim, await self._files.read(claim.item)):
                text = "the content changed while it was copied"
                raise StorageConflictError(text)
            await describe(self._quarantine, claim, _named(entity))
            await keep(self._quarantine, f"{claim.key}.bin", data)
        now = await self._files.read(claim.item)  # taking grants away moved the eTag on
        if now.get("cTag") != entity.get("cTag"):
            text = "the content changed while it was copied"
            raise StorageConflictError(text)
        await self._files.replace(
            claim.item, tombstone.write(claim, self._markers), str(now["eTag"])
        )

    async def _revoke(self, claim: Claim) -> Sharing:
        """Take direct grants away; the sharing that is read back."""
        sharing = await self._files.sharing(claim.item)
        for permission in sharing.direct:
            await self._files.revoke(claim.item, permission)
        return await self._files.sharing(claim.item) if sharing.direct else sharing

    async def _finish(self, claim: Claim) -> Outcome:
        """After the content is a tombstone: its name, the grants, the history; then read it all."""
        if not tombstone.is_name(str((await self._files.read(claim.item)).get("name"))):
            await self._files.rename(claim.item, tombstone.name(claim))
        sharing = await self._revoke(claim)
        for version in (await self._files.versions(claim.item))[1:]:
            await self._files.delete_version(claim.item, version)
        older = len(await self._files.versions(claim.item)) - 1
        entity = await self._files.read(claim.item)
        if not await self._is_tombstone(claim, entity):
            await self._files.follow(claim.item, entity)
            return Outcome("block", OutcomeState.SUPERSEDED)
        ours = await kept(self._quarantine, f"{claim.key}.bin")
        renamed = tombstone.is_name(str(entity.get("name")))
        steps = (
            Step("evidence", "read_back" if ours else "kept_by_an_earlier_action"),
            Step("tombstone", "read_back"),
            Step("renamed", "read_back" if renamed else "no"),
            *_sharing_steps(sharing),
            Step("older_versions", f"not_removable:{older}" if older > 0 else "read_back_gone"),
        )
        left = sharing.direct or older > 0
        state = OutcomeState.PARTIAL if left else OutcomeState.APPLIED
        versions = (own_version(str(entity["cTag"]), sharing.digest),)
        ref = f"{self._quarantine.container}/{claim.key}.bin" if ours else ""
        return Outcome("block", state, steps, versions, ref)


def _sharing_steps(sharing: Sharing) -> tuple[Step, ...]:
    direct = f"not_removable:{len(sharing.direct)}" if sharing.direct else "read_back_gone"
    inherited = f"not_removable:{sharing.inherited}" if sharing.inherited else "none"
    return (Step("direct_grants", direct), Step("inherited_grants", inherited))


def _named(entity: Json) -> Json:
    """What a release needs to put the file back as it was; kept beside the copy, nowhere else."""
    return {
        "name": entity.get("name"),
        "parent": (entity.get("parentReference") or {}).get("id"),
        "mediaType": (entity.get("file") or {}).get("mimeType"),
    }
