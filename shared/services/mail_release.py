"""Putting a stopped message back: imported from its evidence, its notice taken away; read back.

Graph's MIME import makes drafts, so the steps say ``imported_as_draft``. The copy carries a header
that names the item that was released, with an HMAC: the watch meets the copy as a new message, and
what was granted for the original holds for it (``Fetched.origin``) as long as the exception does.
Whoever copies the header onto another mail gains nothing but that: an exception covers the values
that were found then, in this mailbox.
"""

from __future__ import annotations

from shared.errors import GoneError, SupersededError
from shared.model import Claim, Content, Disposition, Fetched, Item, Outcome, OutcomeState, Step
from shared.services.common import decision_of
from shared.services.deliver_mail import MailDelivery
from shared.services.held import described, goes_back, key_of, stays, text_of
from shared.services.mailbox import Mailbox
from shared.services.marker import Markers
from shared.services.release_header import RELEASED, ReleaseHeader
from shared.storage.evidence import Evidence


class Releasing:
    """What is held of a mailbox's messages."""

    def __init__(self, box: Mailbox, evidence: Evidence, markers: Markers) -> None:
        self._box = box
        self._evidence = evidence
        self._markers = markers
        self._delivery = MailDelivery(box.graph)

    async def fetch(self, item: Item) -> Fetched:
        """The kept copy and the context of then; SupersededError if the message is back."""
        try:
            message = await self._box.read(item)
        except GoneError:
            key = key_of(item)
            told = await described(self._evidence, key)
            data = await self._evidence.read(self._ref(key))
            content = Content(data, media_type="message/rfc822")
            return Fetched(content, told.context, item.content_version)
        await self._box.follow(item, str(message.get("changeKey", "")))
        text = "the message is in its mailbox again"
        raise SupersededError(text)

    async def apply(self, claim: Claim) -> Outcome:
        """Put it back where it was, once; or leave it held."""
        item, key = claim.item, key_of(claim.item)
        if not goes_back(claim):
            return stays(claim, self._ref(key))
        told = await described(self._evidence, key)
        data = await self._evidence.read(self._ref(key))
        delivered = await self._deliver(claim, data, text_of(told.more, "folder"))
        notices = await self._box.notices(item.recipient, key)
        for each in notices:
            notice = Item(item.source, str(each.get("id", "")), item.recipient, "")
            await self._box.purge(notice)
        left = await self._box.notices(item.recipient, key)
        taken = (
            "read_back_gone" if notices and not left else "none" if not notices else "still_there"
        )
        state = OutcomeState.PARTIAL if left else OutcomeState.APPLIED
        steps = (*delivered.steps, Step("notice", taken))
        return Outcome(
            "release", state, steps, evidence_ref=self._ref(key), copies=delivered.copies
        )

    async def _deliver(self, claim: Claim, data: bytes, folder: str) -> Outcome:
        user = claim.item.recipient
        stamped = stamp(data, self._markers, claim.item, claim.key)
        disposition: Disposition = decision_of(claim).disposition
        try:
            return await self._delivery.deliver(
                user, stamped, claim.key, disposition, folder=folder or "inbox"
            )
        except GoneError:  # the folder went away meanwhile
            return await self._delivery.deliver(user, stamped, claim.key, disposition)

    def _ref(self, key: str) -> str:
        return f"{self._evidence.container}/{key}.eml"


def stamp(data: bytes, markers: Markers, item: Item, key: str) -> bytes:
    """The mail with a header that says, under an HMAC, of which item it is the released copy."""
    return ReleaseHeader(RELEASED, markers).stamp(data, item.place_key(), key, item.recipient)


def origin(data: bytes, markers: Markers, user: str) -> str:
    """The place key of the item that this is the released copy of; empty if it is none."""
    return ReleaseHeader(RELEASED, markers).origin(data, user)
