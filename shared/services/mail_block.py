"""Stopping a message: evidence first, then a notice in its place, then its removal; each read back.

The order is what makes a crash harmless: the original is removed only when its copy has been read
back and its recipient has been told. ``permanentDelete`` moves a message to the Purges folder,
which people cannot reach but a hold keeps: the outcome says ``retained_in_purges``.
"""

from __future__ import annotations

from shared.errors import GoneError, UnavailableError
from shared.graph import calls
from shared.graph.answers import Json
from shared.model import Claim, Outcome, OutcomeState, Step
from shared.services.common import decision_of, keep, kept
from shared.services.held import describe
from shared.services.mailbox import Mailbox
from shared.services.marker import NOTICE_PROPERTY
from shared.services.words import NOTICE_SUBJECT, explanation, reference
from shared.storage.evidence import Evidence

# PidTagMessageFlags without MSGFLAG_UNSENT: set while creating, it makes a received message of what
# Graph would otherwise show as a draft (MS-OXCMSG 2.2.1.6).
_MESSAGE_FLAGS = {"id": "Integer 0x0E07", "value": "1"}


class Blocking:
    """Each step looks first whether it is done already."""

    def __init__(self, box: Mailbox, evidence: Evidence) -> None:
        self._box = box
        self._evidence = evidence

    async def block(self, claim: Claim) -> Outcome:
        """Evidence, notice, removal. GoneError only where somebody removed it before our copy."""
        name = f"{claim.key}.eml"
        try:
            message = await self._box.read(claim.item)
        except GoneError:
            if not await kept(self._evidence, name):
                raise
            return await self._finish(claim, name, Step("evidence", "present"))
        mime = await self._box.mime(claim.item)
        if not await self._box.same_content(claim, message, mime):
            await self._box.follow(claim.item, str(message.get("changeKey", "")))
            return Outcome("block", OutcomeState.SUPERSEDED)
        await describe(self._evidence, claim, {"folder": str(message.get("parentFolderId") or "")})
        copied = await keep(self._evidence, name, mime)
        await self._notify(claim, message)
        await self._box.purge(claim.item)
        if await self._box.exists(claim.item):
            text = "the message is still there after its removal"
            raise UnavailableError(text)
        return await self._finish(claim, name, copied)

    async def _notify(self, claim: Claim, message: Json) -> None:
        if await self._box.notices(claim.item.recipient, claim.key):
            return
        try:
            await self._leave(claim, str(message.get("parentFolderId") or "inbox"))
        except GoneError:  # the folder went away meanwhile
            await self._leave(claim, "inbox")

    async def _leave(self, claim: Claim, folder: str) -> None:
        text = explanation(
            decision_of(claim),
            "ここにあったメールを関所（情報保護の仕組み）が停止し、隔離しました。",
            "A message that was here has been stopped and moved to quarantine by Sekisho.",
            reference(claim.key),
        )
        await self._box.graph.send(
            calls.FOLDER_MESSAGE_CREATE,
            {"user": claim.item.recipient, "folder": folder},
            body={
                "subject": NOTICE_SUBJECT,
                "importance": "high",
                "body": {"contentType": "text", "content": text},
                "singleValueExtendedProperties": [
                    {"id": NOTICE_PROPERTY, "value": claim.key},
                    _MESSAGE_FLAGS,
                ],
            },
        )

    async def _finish(self, claim: Claim, name: str, copied: Step) -> Outcome:
        notices = await self._box.notices(claim.item.recipient, claim.key)
        steps = (
            copied,
            Step("notice", "read_back" if notices else "absent"),
            Step("removed", "read_back_gone"),
            Step("retained_in_purges", "until the mailbox's retention ends"),
        )
        return Outcome(
            "block", OutcomeState.APPLIED, steps, evidence_ref=f"{self._evidence.container}/{name}"
        )
