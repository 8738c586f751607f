"""Tagging a message: a category for people, a property with the marker for machines."""

from __future__ import annotations

from shared.errors import PermanentError, StorageConflictError, UnavailableError
from shared.graph import calls
from shared.graph.answers import Json
from shared.graph.client import Graph
from shared.model import Claim, Disposition, Outcome, OutcomeState, Step
from shared.services.common import ATTEMPTS, decision_of, intent_of
from shared.services.mailbox import Mailbox
from shared.services.marker import PROPERTY, Markers, Verdict
from shared.services.words import CATEGORIES, COLOURS

_CONFLICT = 409
_OURS = frozenset(CATEGORIES.values())


class Tagging:
    """Read, write if the version is the scanned one, read back; until what is read is as wanted."""

    def __init__(self, box: Mailbox, markers: Markers) -> None:
        self._box = box
        self._markers = markers
        self._mailboxes_with: set[tuple[str, str]] = set()

    async def label(self, claim: Claim, disposition: Disposition) -> Outcome:
        """Tag, mark for review, or (allow) lift what an earlier version got and no more."""
        action = disposition.name.lower()
        category = CATEGORIES.get(disposition, "")
        verdict = self._verdict(claim) if category else None
        steps: tuple[Step, ...] = ()
        versions: tuple[str, ...] = ()
        for _ in range(ATTEMPTS):
            message = await self._box.read(claim.item)
            if _as_wanted(message, category, verdict):
                return _done(action, category, steps, versions)
            if not await self._box.same_content(claim, message):
                await self._box.follow(claim.item, str(message.get("changeKey", "")))
                return Outcome(action, OutcomeState.SUPERSEDED, steps, versions)
            if category and not steps:
                steps = (await self._master_category(claim.item.recipient, category),)
            changes = _changes(message, category, verdict)
            etag = str(message.get("@odata.etag", ""))
            try:
                answer = await self._box.update(claim.item, changes, etag)
            except StorageConflictError:
                continue  # someone wrote in between (or 412 came by itself): read and merge again
            versions = (*versions, str(answer.json().get("changeKey", "")))
        text = "the message changes faster than it can be tagged"
        raise UnavailableError(text)

    def _verdict(self, claim: Claim) -> Verdict:
        decision = decision_of(claim)
        return self._markers.verdict(
            claim.item.place_key(),
            intent_of(claim).content_digest,
            decision.policy_version,
            decision.disposition.name,
        )

    async def _master_category(self, user: str, category: str) -> Step:
        """Give the category its colour, once a mailbox. The tag itself does not depend on it."""
        if (user, category) in self._mailboxes_with:
            return Step("master_category", "present")
        body = {"displayName": category, "color": COLOURS[category]}
        try:
            answer = await self._box.graph.send(
                calls.CATEGORY_CREATE, {"user": user}, body=body, accept={_CONFLICT}
            )
        except PermanentError:
            return Step("master_category", "refused")
        self._mailboxes_with.add((user, category))
        return Step("master_category", "present" if answer.status == _CONFLICT else "created")


def _others(message: Json) -> list[str]:
    """The categories that are not ours, as they stand."""
    found = message.get("categories")
    return [each for each in found if each not in _OURS] if isinstance(found, list) else []


def _as_wanted(message: Json, category: str, verdict: Verdict | None) -> bool:
    ours = [each for each in message.get("categories") or [] if each in _OURS]
    wanted = verdict.text() if verdict else ""
    return ours == ([category] if category else []) and Mailbox.property(message) == wanted


def _changes(message: Json, category: str, verdict: Verdict | None) -> Json:
    categories = [*_others(message), *([category] if category else [])]
    value = verdict.text() if verdict else None
    return {
        "categories": categories,
        "singleValueExtendedProperties": [{"id": PROPERTY, "value": value}],
    }


def _done(
    action: str, category: str, steps: tuple[Step, ...], versions: tuple[str, ...]
) -> Outcome:
    if not category:
        lifted = (Step("category", "lifted"), Step("property", "lifted")) if versions else ()
        state = OutcomeState.APPLIED if versions else OutcomeState.RECORDED
        return Outcome(action, state, lifted, versions)
    read_back = (Step("category", "read_back"), Step("property", "read_back"))
    return Outcome(action, OutcomeState.APPLIED, (*steps, *read_back), versions)


async def tag_plain(graph: Graph, user: str, message: str, category: str) -> Step:
    """Add a category to a message that has just been delivered, without a marker; read back."""
    params = {"user": user, "message": message}
    for _ in range(2):
        entity = (
            await graph.send(calls.MESSAGE_GET, params, query={"select": "id,categories,changeKey"})
        ).json()
        categories = list(entity.get("categories") or [])
        if category in categories:
            return Step("category", "read_back")
        await graph.send(
            calls.MESSAGE_UPDATE,
            params,
            headers={"If-Match": str(entity.get("@odata.etag", "*"))},
            body={"categories": [*categories, category]},
        )
    entity = (await graph.send(calls.MESSAGE_GET, params, query={"select": "categories"})).json()
    return Step("category", "read_back" if category in entity.get("categories", []) else "absent")
