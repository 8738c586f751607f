"""Stopping an event: evidence first, then a notice instead of its text, then its attachments.

An event is everybody's whom the organiser invited: only the organiser's own change reaches them,
so only where this calendar is the organiser's can an event be stopped. The organiser is told by the
notice. A notice that we wrote is known again by an HMAC over its text (whose spaces and tags do not
count: Exchange writes bodies anew).
"""

from __future__ import annotations

import hashlib
import re

from shared.errors import StorageConflictError, UnavailableError
from shared.graph.answers import Json
from shared.model import Claim, Item, Outcome, OutcomeState, Step
from shared.services.common import ATTEMPTS, decision_of, keep
from shared.services.eventbox import EventBox, locations, notice_of, original
from shared.services.held import describe
from shared.services.marker import NOTICE_PROPERTY, PROPERTY, Markers, Verdict, release_of
from shared.services.words import EVENT_SUBJECT, explanation, reference
from shared.storage.evidence import Evidence

RELEASE = "notice"
_TAGS = re.compile(r"<[^<>]*>|&[a-zA-Z0-9#]{1,10};|\s+")


class EventBlocking:
    """Each step looks first whether it is done already."""

    def __init__(self, box: EventBox, evidence: Evidence, markers: Markers) -> None:
        self._box = box
        self._evidence = evidence
        self._markers = markers

    async def block(self, claim: Claim) -> Outcome:
        """Evidence, notice, attachments; NOT_ENFORCEABLE in an attendee's calendar."""
        name = f"{claim.key}.eml"
        copied = Step("evidence", "present")
        versions: tuple[str, ...] = ()
        for _ in range(ATTEMPTS):
            event = await self._box.read(claim.item)
            if self._is_notice(claim, event):
                return await self._empty(claim, copied, versions)
            if not event.get("isOrganizer"):
                steps = (Step("organiser", "not_this_mailbox"),)
                return Outcome("block", OutcomeState.NOT_ENFORCEABLE, steps)
            mime = await self._box.mime(claim.item)
            if not await self._box.same_content(claim, event, mime):
                await self._box.follow(claim.item, str(event.get("changeKey", "")))
                return Outcome("block", OutcomeState.SUPERSEDED, versions=versions)
            kept = original(event, await self._box.attachments(claim.item))
            await describe(self._evidence, claim, kept)
            copied = await keep(self._evidence, name, mime)
            try:
                answer = await self._box.update(
                    claim.item, self._notice(claim), str(event.get("@odata.etag", ""))
                )
            except StorageConflictError:
                continue  # someone wrote in between: look again
            versions = (*versions, str(answer.json().get("changeKey", "")))
        text = "the event changes faster than it can be stopped"
        raise UnavailableError(text)

    async def _empty(self, claim: Claim, copied: Step, versions: tuple[str, ...]) -> Outcome:
        attached = await self._box.attachments(claim.item)
        for each in attached:
            await self._box.detach(claim.item, str(each.get("id", "")))
        event = await self._box.read(claim.item)
        left = await self._box.attachments(claim.item)
        if left or not self._is_notice(claim, event):
            text = "the event is not what its notice should have left"
            raise UnavailableError(text)
        steps = (
            copied,
            Step("notice", "read_back"),
            Step("attachments", "read_back_gone" if attached else "none"),
            Step("organiser", "told_by_the_notice"),
        )
        versions = (*versions, str(event.get("changeKey", "")))
        ref = f"{self._evidence.container}/{claim.key}.eml"
        return Outcome("block", OutcomeState.APPLIED, steps, versions, evidence_ref=ref)

    def _is_notice(self, claim: Claim, event: Json) -> bool:
        return notice_of(event) == claim.key and genuine(event, claim.item, self._markers)

    def _notice(self, claim: Claim) -> Json:
        text = explanation(
            decision_of(claim),
            "ここにあった予定の内容を関所（情報保護の仕組み）が停止し、隔離しました。",
            "The content of this event has been stopped and moved to quarantine by Sekisho.",
            reference(claim.key),
        )
        verdict = self._markers.verdict(
            claim.item.place_key(),
            _digest(EVENT_SUBJECT, "", text),
            decision_of(claim).policy_version,
            "BLOCK",
            RELEASE,
        )
        return {
            "subject": EVENT_SUBJECT,
            "body": {"contentType": "text", "content": text},
            "location": {"displayName": ""},
            "singleValueExtendedProperties": [
                {"id": NOTICE_PROPERTY, "value": claim.key},
                {"id": PROPERTY, "value": verdict.text()},
            ],
        }


def genuine(event: Json, item: Item, markers: Markers) -> bool:
    """Whether this event's texts are a notice that we wrote for this very item, unchanged."""
    verdict = Verdict.read(EventBox.property(event))
    if verdict is None or release_of(verdict) != RELEASE:
        return False
    body = event.get("body")
    content = str(body.get("content") or "") if isinstance(body, dict) else ""
    digest = _digest(str(event.get("subject") or ""), "\n".join(locations(event)), content)
    return markers.genuine(verdict, item.place_key(), digest)


def _digest(subject: str, location: str, body: str) -> str:
    said = "\0".join(_TAGS.sub("", each) for each in (subject, location, body))
    return hashlib.sha256(said.encode(errors="surrogatepass")).hexdigest()
