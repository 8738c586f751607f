"""Calendar events: read as a mail is, tagged by category and property, stopped by a notice.

``Item.id`` is the immutable event id, ``recipient`` the mailbox, ``content_version`` the changeKey.
Attendees are context for policy, not content.
"""

from __future__ import annotations

from dataclasses import replace

from shared.errors import GoneError, SupersededError
from shared.graph.answers import Json
from shared.graph.client import Graph
from shared.model import (
    Claim,
    Content,
    Context,
    Disposition,
    Fetched,
    Item,
    Outcome,
)
from shared.services.common import Onward, Redigest, acted, bounded, decision_of
from shared.services.event_block import EventBlocking, genuine
from shared.services.event_release import Releasing
from shared.services.eventbox import EventBox
from shared.services.held import key_of
from shared.services.mail_tag import Tagging
from shared.services.marker import Markers, Verdict, release_of
from shared.services.outlook_context import outlook_context
from shared.storage.evidence import Evidence

_NOTICE = "a notice of ours"


class CalendarService:
    """ports.Service for source ``calendar``; the arguments are those of ``MailService``."""

    def __init__(
        self,
        graph: Graph,
        *,
        evidence: Evidence,
        onward: Onward,
        markers: Markers,
        policy_version: str,
        limit: int = 150_000_000,
        redigest: Redigest | None = None,
    ) -> None:
        self._limit = limit
        self._box = EventBox(graph, onward, redigest)
        self._markers = markers
        self._policy_version = policy_version
        self._tagging = Tagging(self._box, markers)
        self._blocking = EventBlocking(self._box, evidence, markers)
        self._releasing = Releasing(self._box, evidence, markers)

    async def fetch(self, item: Item) -> Fetched:
        """The event as MIME; before a SupersededError the newer version is put on the queue."""
        if key_of(item):
            return await self._releasing.fetch(item)
        event = await self._box.read(item)
        version = str(event.get("changeKey", ""))
        if version != item.content_version:
            await self._box.follow(item, version)
            text = "the event has a newer version"
            raise SupersededError(text)
        if event.get("type") == "occurrence" and await self._read_as_series(item, event):
            text = "an occurrence is read as its series"
            raise SupersededError(text)
        written = await self._box.written(item, event)
        marker = EventBox.property(event)
        if not written.parts and genuine(event, item, self._markers):
            marker = _NOTICE
        elif marker == _NOTICE:
            marker = ""  # somebody wrote our word for it there
        data, gaps = bounded(written.data, self._limit)
        content = Content(data, media_type="message/rfc822")
        return Fetched(content, context(item, event), version, marker, (*written.gaps, *gaps))

    async def _read_as_series(self, item: Item, event: Json) -> bool:
        """An occurrence has its series' texts: the series goes on. An exception has its own."""
        series = replace(item, id=str(event.get("seriesMasterId") or ""))
        if not series.id:
            return False
        try:
            master = await self._box.read(series)
        except GoneError:
            return False
        await self._box.follow(series, str(master.get("changeKey", "")))
        return True

    async def apply(self, claim: Claim) -> Outcome:
        """Tag, mark for review, or leave a notice; read back. See Service.apply."""
        if key_of(claim.item):
            return await self._releasing.apply(claim)
        said = decision_of(claim).disposition
        stop = said is Disposition.BLOCK
        action = self._blocking.block(claim) if stop else self._tagging.label(claim, said)
        return await acted(claim, action, self._box.exists)

    def recognises(self, claim: Claim, fetched: Fetched, content_digest: str) -> bool:
        """Whether it is our notice, or carries our marker for this content under this policy."""
        if fetched.marker == _NOTICE:
            return True
        verdict = Verdict.read(fetched.marker)
        if verdict is None or release_of(verdict) or claim.item.generation:
            return False
        known = self._markers.genuine(verdict, claim.item.place_key(), content_digest)
        return known and verdict.policy == self._policy_version


def context(item: Item, event: Json) -> Context:
    """What policy sees of an event."""
    people = event.get("attendees")
    invited = people if isinstance(people, list) else []
    return outlook_context(item, event.get("organizer"), invited, event.get("createdDateTime"))
