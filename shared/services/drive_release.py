"""Putting a stopped file back: its content and name where the tombstone is; each step read back.

The item stays the same where its tombstone still stands; where somebody deleted that, the file is
uploaded anew into its folder. Direct grants that the stop took away are not given again: whoever
shares the file anew decides that anew.
"""

from __future__ import annotations

from dataclasses import replace

from shared.errors import GoneError, StorageConflictError, SupersededError, UnavailableError
from shared.graph import calls
from shared.graph.answers import Json
from shared.model import Claim, Content, Fetched, Item, Outcome, OutcomeState, Step
from shared.services import tombstone
from shared.services.common import ATTEMPTS
from shared.services.files import NOT_FOUND, Files, same_bytes
from shared.services.held import described, goes_back, key_of, stays, text_of
from shared.services.marker import Markers
from shared.storage.evidence import Evidence

_SMALL = 4_000_000  # bytes that Graph takes in one PUT; more goes by an upload session


class Releasing:
    """What is held of a drive's files."""

    def __init__(self, files: Files, quarantine: Evidence, markers: Markers) -> None:
        self._files = files
        self._quarantine = quarantine
        self._markers = markers

    async def fetch(self, item: Item) -> Fetched:
        """The kept copy and the context of then; SupersededError if a file is there again."""
        entity = await self._entity(item)
        if entity is not None and not await self._is_tombstone(item, entity):
            await self._files.follow(item, entity)
            text = "a file is in the tombstone's place"
            raise SupersededError(text)
        key = key_of(item)
        told = await described(self._quarantine, key)
        data = await self._quarantine.read(self._ref(key))
        content = Content(data, text_of(told.more, "name"), text_of(told.more, "mediaType"))
        return Fetched(content, told.context, item.content_version)

    async def apply(self, claim: Claim) -> Outcome:
        """Put it back, once; or leave it held. The watch then scans it in its sharing of now."""
        item, key = claim.item, key_of(claim.item)
        if not goes_back(claim):
            return stays(claim, self._ref(key))
        told = await described(self._quarantine, key)
        data = await self._quarantine.read(self._ref(key))
        name = text_of(told.more, "name")
        for _ in range(ATTEMPTS):
            entity = await self._entity(item)
            if entity is None:
                return await self._anew(claim, data, name, text_of(told.more, "parent"))
            if same_bytes(entity, data) or (await self._files.data(item, entity)) == data:
                return await self._named(claim, name)
            if not await self._is_tombstone(item, entity):
                await self._files.follow(item, entity)
                return Outcome("release", OutcomeState.SUPERSEDED)
            try:
                await self._put(item, data, entity)
            except StorageConflictError:
                continue  # someone wrote in between: is it still our tombstone?
        text = "the file changes faster than it can be put back"
        raise UnavailableError(text)

    async def _put(self, item: Item, data: bytes, entity: Json) -> None:
        if len(data) <= _SMALL:
            await self._files.replace(item, data, str(entity["eTag"]))
            return
        params = {"drive": item.recipient, "item": item.id}
        headers = {"If-Match": str(entity["eTag"])}
        answer = await self._files.graph.send(
            calls.ITEM_SESSION, params, headers=headers, body={"item": {}}
        )
        await self._files.graph.transfer.upload(str(answer.json()["uploadUrl"]), data)

    async def _named(self, claim: Claim, name: str) -> Outcome:
        """The content is back: its name, then what is there is read and scanned anew."""
        item = claim.item
        entity = await self._files.read(item)
        if tombstone.is_name(str(entity.get("name"))):
            entity = await self._rename(item, name)
        named = "read_back" if entity.get("name") == name else "another_file_has_the_name"
        await self._files.follow(item, entity)
        steps = (
            Step("content", "read_back"),
            Step("name", named),
            Step("direct_grants", "not_given_again"),
        )
        state = OutcomeState.APPLIED if named == "read_back" else OutcomeState.PARTIAL
        return Outcome("release", state, steps, evidence_ref=self._ref(key_of(item)))

    async def _rename(self, item: Item, name: str) -> Json:
        try:
            await self._files.rename(item, name)
        except StorageConflictError:  # 409: the name is taken by now
            return await self._files.read(item)
        return await self._files.read(item)

    async def _anew(self, claim: Claim, data: bytes, name: str, parent: str) -> Outcome:
        """The tombstone is gone: a new item in the folder of then."""
        item, files = claim.item, self._files
        params = {"drive": item.recipient, "item": parent, "path": name}
        wanted = {"@microsoft.graph.conflictBehavior": "rename", "name": name}
        answer = await files.graph.send(
            calls.CHILD_SESSION, params, body={"item": wanted}, accept={NOT_FOUND}
        )
        if answer.status == NOT_FOUND:
            steps = (Step("folder", "gone"), Step("evidence", "kept"))
            return Outcome(
                "release", OutcomeState.GONE, steps, evidence_ref=self._ref(key_of(item))
            )
        sent = await files.graph.transfer.upload(str(answer.json()["uploadUrl"]), data)
        there = replace(item, id=str(sent.get("id", "")))
        entity = await files.read(there)
        if not same_bytes(entity, data) and await files.data(there, entity) != data:
            text = "the released file read back is not what was sent"
            raise UnavailableError(text)
        steps = (Step("content", "read_back"), Step("delivered", f"item:{there.id}"))
        ref = self._ref(key_of(item))
        return Outcome("release", OutcomeState.APPLIED, steps, evidence_ref=ref, copies=(there,))

    async def _entity(self, item: Item) -> Json | None:
        try:
            return await self._files.read(item)
        except GoneError:
            return None

    async def _is_tombstone(self, item: Item, entity: Json) -> bool:
        size = int(entity.get("size") or 0)
        if not size or size > tombstone.LARGEST:
            return False
        data = await self._files.data(item, entity)
        return tombstone.genuine(data, item.place_key(), self._markers)

    def _ref(self, key: str) -> str:
        return f"{self._quarantine.container}/{key}.bin"
