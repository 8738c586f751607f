"""Putting a stopped event's texts and attachments back where its notice stands; read back."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from shared.errors import GoneError, StorageConflictError, SupersededError, UnavailableError
from shared.graph import calls
from shared.graph.answers import Json
from shared.model import Claim, Content, Fetched, Item, Outcome, OutcomeState, Step
from shared.services.common import ATTEMPTS
from shared.services.event_block import genuine
from shared.services.eventbox import TEXTS, EventBox, place
from shared.services.held import described, goes_back, key_of, stays
from shared.services.marker import NOTICE_PROPERTY, PROPERTY, Markers
from shared.storage.evidence import Evidence

_FILE = "#microsoft.graph.fileAttachment"
# Graph takes an attachment below 3 MB in one call
# (learn.microsoft.com/graph/outlook-large-attachments); in base64.
_LARGEST = 3_000_000 * 4 // 3


class Releasing:
    """What is held of a calendar's events."""

    def __init__(self, box: EventBox, evidence: Evidence, markers: Markers) -> None:
        self._box = box
        self._evidence = evidence
        self._markers = markers

    async def fetch(self, item: Item) -> Fetched:
        """The kept copy and the context of then; SupersededError if the notice is not there."""
        event = await self._box.read(item)
        if not genuine(event, item, self._markers):
            await self._box.follow(item, str(event.get("changeKey", "")))
            text = "the event is no notice of ours any more"
            raise SupersededError(text)
        key = key_of(item)
        told = await described(self._evidence, key)
        data = await self._evidence.read(self._ref(key))
        content = Content(data, media_type="message/rfc822")
        return Fetched(content, told.context, item.content_version)

    async def apply(self, claim: Claim) -> Outcome:
        """Put it back, once; or leave it held. The notice goes last: it says that we are at it."""
        item, key = claim.item, key_of(claim.item)
        if not goes_back(claim):
            return stays(claim, self._ref(key))
        more = (await described(self._evidence, key)).more
        try:
            return await self._put_back(item, key, more)
        except GoneError:
            return Outcome("release", OutcomeState.GONE, evidence_ref=self._ref(key))

    async def _put_back(self, item: Item, key: str, more: Mapping[str, object]) -> Outcome:
        texts = {name: more[name] for name in TEXTS if name in more}
        marks = [{"id": each, "value": None} for each in (NOTICE_PROPERTY, PROPERTY)]
        for _ in range(ATTEMPTS):
            event = await self._box.read(item)
            if not genuine(event, item, self._markers):
                return await self._done(item, key, event, more)
            attached = await self._attach(item, more)
            event = await self._box.read(item) if attached else event
            changes = {**texts, "singleValueExtendedProperties": marks}
            try:
                await self._box.update(item, changes, str(event.get("@odata.etag", "")))
            except StorageConflictError:
                continue  # someone wrote in between: look again
        text = "the event changes faster than it can be put back"
        raise UnavailableError(text)

    async def _attach(self, item: Item, more: Mapping[str, object]) -> int:
        """Those that are not there yet; how many were added."""
        there = {str(each.get("name")) for each in await self._box.attachments(item)}
        count = 0
        for each in _files(more):
            if each["name"] in there or len(str(each["contentBytes"])) > _LARGEST:
                continue
            await self._box.graph.send(calls.EVENT_ATTACH, place(item), body=each)
            count += 1
        return count

    async def _done(self, item: Item, key: str, event: Json, more: Mapping[str, object]) -> Outcome:
        """What is there now is scanned anew, and what could not be put back is named."""
        await self._box.follow(item, str(event.get("changeKey", "")))
        back = event.get("subject") == more.get("subject")
        there = {str(each.get("name")) for each in await self._box.attachments(item)}
        wanted = more.get("attachments")
        named = [str(each.get("name")) for each in wanted] if isinstance(wanted, list) else []
        missing = sum(each not in there for each in named)
        steps = (
            Step("text", "read_back" if back else "somebody_wrote_another"),
            Step("attachments", f"not_put_back:{missing}" if missing else "read_back"),
        )
        state = OutcomeState.PARTIAL if missing or not back else OutcomeState.APPLIED
        return Outcome("release", state, steps, evidence_ref=self._ref(key))

    def _ref(self, key: str) -> str:
        return f"{self._evidence.container}/{key}.eml"


def _files(more: Mapping[str, object]) -> list[dict[str, Any]]:
    """The attachments that have bytes; an item inside or a link cannot be put back so."""
    wanted = more.get("attachments")
    return [
        {**each, "@odata.type": _FILE}
        for each in (wanted if isinstance(wanted, list) else [])
        if isinstance(each.get("contentBytes"), str)
    ]
