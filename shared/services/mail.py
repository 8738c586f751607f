"""Mail in Exchange Online mailboxes: fetch by MIME, tag by category and property, stop by removal.

``Item.id`` is the immutable message id, ``recipient`` the mailbox, ``content_version`` the
changeKey.
"""

from __future__ import annotations

from dataclasses import replace

from shared.errors import SupersededError
from shared.graph import calls
from shared.graph.answers import Json
from shared.graph.client import Graph
from shared.model import Claim, Content, Context, Disposition, Fetched, Item, Outcome
from shared.services.common import Onward, Redigest, acted, bounded, decision_of
from shared.services.held import key_of
from shared.services.mail_block import Blocking
from shared.services.mail_release import Releasing, origin
from shared.services.mail_tag import Tagging
from shared.services.mailbox import Mailbox
from shared.services.marker import Markers, Verdict, release_of
from shared.services.outlook_context import outlook_context
from shared.services.own_notice import LABEL, is_notice
from shared.services.release_header import ReleaseHeader, message_id
from shared.storage.evidence import Evidence


class MailService:
    """ports.Service for source ``mail``.

    ``redigest`` lets an action go on after the changeKey moved without the content (someone read
    the message); without it such a message is scanned again first. A message of more than ``limit``
    bytes is the gap ``too_large``. ``passed`` knows what was released before it came here (at the
    gate, at the relay).
    """

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
        passed: ReleaseHeader | None = None,
    ) -> None:
        self._passed = passed
        self._limit = limit
        self._box = Mailbox(graph, onward, redigest)
        self._graph = graph
        self._onward = onward
        self._markers = markers
        self._policy_version = policy_version
        self._tagging = Tagging(self._box, markers)
        self._blocking = Blocking(self._box, evidence)
        self._releasing = Releasing(self._box, evidence, markers)

    async def fetch(self, item: Item) -> Fetched:
        """MIME and context; before a SupersededError the newer version is put on the queue."""
        if key_of(item):
            return await self._releasing.fetch(item)
        message = await self._box.read(item)
        version = str(message.get("changeKey", ""))
        if version != item.content_version:
            await self._box.follow(item, version)
            text = "the message has a newer version"
            raise SupersededError(text)
        answer = await self._graph.send(
            calls.MESSAGE_MIME, {"user": item.recipient, "message": item.id}
        )
        data, gaps = bounded(answer.data, self._limit)
        return Fetched(
            Content(data, media_type="message/rfc822"),
            self._context(item, message, answer.data),
            version,
            marker=Mailbox.property(message),
            gaps=gaps,
            origin=self._origin(item, answer.data),
        )

    def _origin(self, item: Item, data: bytes) -> str:
        """Of what it is a released copy: put back into this mailbox, or let go before it came."""
        back = origin(data, self._markers, item.recipient)
        if back or self._passed is None:
            return back
        return self._passed.origin(data, message_id(data, ""))

    def _context(self, item: Item, message: Json, data: bytes) -> Context:
        seen = context(item, message)
        if is_notice(data, self._markers):
            return replace(seen, labels=(*seen.labels, LABEL))
        return seen

    async def apply(self, claim: Claim) -> Outcome:
        """Tag, mark for review, or keep evidence and remove; read back. See Service.apply."""
        if key_of(claim.item):
            return await self._releasing.apply(claim)
        said = decision_of(claim).disposition
        stop = said is Disposition.BLOCK
        action = self._blocking.block(claim) if stop else self._tagging.label(claim, said)
        return await acted(claim, action, self._box.exists)

    def recognises(self, claim: Claim, fetched: Fetched, content_digest: str) -> bool:
        """Whether it carries our marker for this content under this policy.

        What is judged anew on purpose is never recognised: the marker tells of the decision before.
        """
        verdict = Verdict.read(fetched.marker)
        if verdict is None or claim.item.generation or release_of(verdict):
            return False
        known = self._markers.genuine(verdict, claim.item.place_key(), content_digest)
        return known and verdict.policy == self._policy_version


def context(item: Item, message: Json) -> Context:
    """What policy sees of a message."""
    kinds = ("toRecipients", "ccRecipients", "bccRecipients")
    people = [each for kind in kinds for each in message.get(kind) or []]
    return outlook_context(item, message.get("from"), people, message.get("receivedDateTime"))
