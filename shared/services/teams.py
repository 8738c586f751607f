"""Teams messages (channels, replies, chats): read, stopped by a verdict that Teams shows.

Teams has no place on a message for a tag: a tag and a review are recorded, and the record says so.
A message of an external sender takes no verdict of ours (403): ``not_enforceable``.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from shared.errors import GoneError, PermanentError, SupersededError, UnavailableError
from shared.graph.answers import Json
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
from shared.services.common import Onward, bounded, decision_of, intent_of, keep
from shared.services.compose import Part, Text, compose
from shared.services.outlook_context import moment
from shared.services.reach import Reach
from shared.services.threads import address, version
from shared.services.words import TIP_START, kinds, policy_tip, reference
from shared.storage.evidence import Evidence

_FORBIDDEN = 403
_INTERNAL = frozenset({"", "aadUser", "onPremiseAadUser"})
# Both flags as one text: the SDK's models drop a list of them silently.
BLOCKED = "notifySender, blockAccess"
_LIFTED = {"policyViolation": {"dlpAction": "none", "verdictDetails": "none"}}


class TeamsService:
    """ports.Service for source ``teams``; ``tenant`` is ours (empty: no sender's is compared).

    ``reach`` says whether outsiders are in a chat or a channel (None: nobody asks).
    """

    def __init__(
        self,
        graph: Graph,
        *,
        evidence: Evidence,
        onward: Onward,
        tenant: str = "",
        reach: Reach | None = None,
        limit: int = 150_000_000,
    ) -> None:
        self._limit = limit
        self._graph = graph
        self._evidence = evidence
        self._onward = onward
        self._tenant = tenant
        self._reach = reach

    async def fetch(self, item: Item) -> Fetched:
        """The message as MIME with its pictures; before a SupersededError the newer is enqueued."""
        message = await self._read(item)
        if version(message) != item.content_version:
            await self._follow(item, message)
            text = "the message has been edited"
            raise SupersededError(text)
        written, unread = await self._written(item, message)
        data, gaps = bounded(written, self._limit)
        content = Content(data, media_type="message/rfc822")
        seen = await self._context(item, message)
        return Fetched(content, seen, version(message), gaps=(*unread, *gaps))

    async def apply(self, claim: Claim) -> Outcome:
        """Stop, or lift what an earlier text got; read back. See Service.apply."""
        action = decision_of(claim).disposition.name.lower()
        try:
            message = await self._read(claim.item)
        except GoneError:
            return Outcome(action, OutcomeState.GONE)
        if version(message) != intent_of(claim).etag:
            await self._follow(claim.item, message)
            return Outcome(action, OutcomeState.SUPERSEDED)
        if decision_of(claim).disposition is Disposition.BLOCK:
            return await self._block(claim, message)
        return await self._lift(claim, message, action)

    def recognises(self, claim: Claim, fetched: Fetched, content_digest: str) -> bool:
        """Never: a message carries no marker, and its version does not move by what we write."""
        del claim, fetched, content_digest
        return False

    async def _block(self, claim: Claim, message: Json) -> Outcome:
        data, _ = await self._written(claim.item, message)
        copied = await keep(self._evidence, f"{claim.key}.eml", data)
        ref = f"{self._evidence.container}/{claim.key}.eml"
        told = reference(claim.key)
        if _is_ours(message) and _violation(message).get("userAction") == "override":
            left = (copied, Step("policy_violation", "overridden_by_the_sender"))
            return Outcome("block", OutcomeState.NOT_ENFORCEABLE, left, evidence_ref=ref)
        if not _is_blocked(message, told):
            tip = {
                "generalText": policy_tip(told),
                "matchedConditionDescriptions": list(kinds(decision_of(claim))),
            }
            body = {"dlpAction": BLOCKED, "verdictDetails": "none", "policyTip": tip}
            if not await self._judge(claim.item, message, {"policyViolation": body}):
                steps = (copied, Step("sender", "external"), Step("policy_violation", "refused"))
                return Outcome("block", OutcomeState.NOT_ENFORCEABLE, steps, evidence_ref=ref)
            if not _is_blocked(await self._read(claim.item), told):
                text = "the message is not blocked after its verdict"
                raise UnavailableError(text)
        steps = (copied, Step("policy_violation", "read_back"), Step("sender", "notified"))
        return Outcome("block", OutcomeState.APPLIED, steps, evidence_ref=ref)

    async def _lift(self, claim: Claim, message: Json, action: str) -> Outcome:
        """Our verdict on an earlier text goes; anybody else's stays."""
        unmarked = Step("message", "recorded_only") if action != "allow" else None
        steps = (unmarked,) if unmarked else ()
        if not _is_ours(message):
            return Outcome(action, OutcomeState.RECORDED, steps)
        await self._judge(claim.item, message, _LIFTED)
        if _flags(await self._read(claim.item)):
            text = "the message is still blocked after its verdict was lifted"
            raise UnavailableError(text)
        return Outcome(action, OutcomeState.APPLIED, (*steps, Step("policy_violation", "lifted")))

    async def _judge(self, item: Item, message: Json, body: Json) -> bool:
        """Set a verdict; False where the sender is not of this tenant and Teams refuses."""
        which, params = address(item)
        answer = await self._graph.send(which.judge, params, body=body, accept={_FORBIDDEN})
        if answer.status != _FORBIDDEN:
            return True
        if self._external(message):
            return False
        text = f"{which.judge} → 403: this call needs the permission {which.judge.permission}"
        raise PermanentError(text)

    async def _read(self, item: Item) -> Json:
        """The message; GoneError also where its sender took it back."""
        which, params = address(item)
        message = (await self._graph.send(which.get, params)).json()
        if message.get("deletedDateTime"):
            text = "the message was taken back"
            raise GoneError(text)
        return message

    async def _follow(self, item: Item, message: Json) -> None:
        await self._onward.put(replace(item, content_version=version(message)))

    async def _written(self, item: Item, message: Json) -> tuple[bytes, tuple[Gap, ...]]:
        body = message.get("body") or {}
        text = Text(str(body.get("content") or ""), str(body.get("contentType") or "text"))
        parts: list[Part] = []
        gaps: list[Gap] = []
        for each in message.get("attachments") or []:
            parts.append(_attachment(each))
            if each.get("contentType") == "reference":  # a file: in a drive, read there
                gaps.append(Gap(GapCode.EXTERNAL, f"添付{len(parts)}"))
        if "<img" in text.content or "hostedContents" in text.content:
            parts += await self._hosted(item)
        return compose(str(message.get("subject") or ""), [text], parts), tuple(gaps)

    async def _hosted(self, item: Item) -> list[Part]:
        which, params = address(item)
        found: list[Part] = []
        async for page in self._graph.pages(which.hosted, params):
            for each in page.get("value", []):
                one = {**params, "hosted": str(each["id"])}
                answer = await self._graph.send(which.value, one)
                kind = answer.headers.get("content-type", "").partition(";")[0]
                found.append(Part(answer.data, media_type=kind))
        return found

    async def _context(self, item: Item, message: Json) -> Context:
        """External where an outsider wrote it or reads it; an outsider is no owner: no account."""
        external = self._external(message)
        kind = await self._reach.thread(address(item)[1]) if self._reach else ""
        return Context(
            item.source,
            "teams_external" if external or kind else "teams_internal",
            owner="" if external else str(_user(message).get("id") or ""),
            sharing=(kind,) if kind else (),
            received_at=moment(message.get("createdDateTime")),
        )

    def _external(self, message: Json) -> bool:
        """Whether the sender is no account of this tenant (an application's is none either)."""
        user = _user(message)
        home = str(user.get("tenantId") or "")
        stranger = bool(self._tenant and home and home != self._tenant)
        return not user or stranger or str(user.get("userIdentityType") or "") not in _INTERNAL


def _user(message: Json) -> dict[str, Any]:
    sender = message.get("from")
    user = sender.get("user") if isinstance(sender, dict) else None
    return user if isinstance(user, dict) else {}


def _attachment(given: Json) -> Part:
    """A card or a quoted message by its text, a file by its name alone."""
    text = given.get("content")
    name = str(given.get("name") or "")
    if isinstance(text, str) and text:
        return Part(text.encode(errors="replace"), name, "text/plain")
    return Part(name.encode(errors="replace"), name, "text/plain")


def _violation(message: Json) -> dict[str, Any]:
    found = message.get("policyViolation")
    return found if isinstance(found, dict) else {}


def _flags(message: Json) -> set[str]:
    text = str(_violation(message).get("dlpAction") or "none")
    return {each.strip().casefold() for each in text.split(",")} - {"none", ""}


def _tip(message: Json) -> str:
    tip = _violation(message).get("policyTip")
    return str(tip.get("generalText") or "") if isinstance(tip, dict) else ""


def _is_ours(message: Json) -> bool:
    return bool(_flags(message)) and _tip(message).startswith(TIP_START)


def _is_blocked(message: Json, told: str) -> bool:
    return "blockaccess" in _flags(message) and told in _tip(message)
