"""Out of the gate: the mail to the relay or into the mailbox, the file into OneDrive."""

from __future__ import annotations

import base64
import hashlib
import re
from dataclasses import dataclass, field, replace
from datetime import datetime

from shared.graph.client import Graph
from shared.model import Claim, Content, Disposition, Item, Outcome
from shared.policy.exemption import used
from shared.services import sidecar as envelopes_of
from shared.services.common import decision_of, intent_of
from shared.services.deliver_file import FileDelivery
from shared.services.deliver_mail import MailDelivery
from shared.services.gate.landed import Landed
from shared.services.gate.letters import original_letter, password_letter
from shared.services.gate.locked import VALID
from shared.services.relay_delivery import RelayDelivery
from shared.services.release_header import ReleaseHeader, message_id
from shared.services.sidecar import Sidecar

_SUBJECT = re.compile(rb"^Subject:[ \t]*", re.IGNORECASE | re.MULTILINE)
_END = re.compile(rb"\r?\n\r?\n")


@dataclass
class Sending:
    """Exactly once a key: the key is the upload's and the recipient's, whatever generation."""

    graph: Graph
    relay: RelayDelivery | None = None
    subject_tag: str = ""
    passed: ReleaseHeader | None = None
    _mail: MailDelivery = field(init=False)
    _files: FileDelivery = field(init=False)

    def __post_init__(self) -> None:
        """The two ways by Graph."""
        self._mail, self._files = MailDelivery(self.graph), FileDelivery(self.graph)

    async def deliver(
        self, claim: Claim, landed: Landed, content: Content, *, changed: bool
    ) -> Outcome:
        """The item itself, tagged as the decision says."""
        if not landed.is_mail:
            return await self._file(landed, content)
        data = content.data
        if self.subject_tag and decision_of(claim).disposition is Disposition.TAG:
            data, changed = tagged(data, self.subject_tag), True
        if self.relay is not None and self.passed is not None and used(_rules(claim)):
            data = self._known_again(claim, landed, data)
        return await self._send(claim, landed, data, changed=changed)

    def _known_again(self, claim: Claim, landed: Landed, data: bytes) -> bytes:
        """What people released says so in a header: the watch meets it as a new message."""
        assert self.passed is not None
        bound = message_id(data, claim.key)
        return self.passed.stamp(data, landed.item.place_key(), claim.key, bound)

    async def original(self, claim: Claim, landed: Landed) -> Outcome:
        """The original of what was delivered sanitised, inside a mail of its own."""
        at = landed.sidecar.received_at or claim.first_seen
        data = original_letter(landed.user, landed.data, at=at, key=claim.key)
        if self.relay is not None and self.passed is not None:
            data = self._known_again(claim, landed, data)
        ours = replace(landed, sidecar=_from_nobody(landed))
        return await self._send(claim, ours, data, changed=True)

    async def masked(self, claim: Claim, landed: Landed, content: Content) -> Outcome:
        """The masked copy: a delivery of its own."""
        if not landed.is_mail:
            return await self._file(landed, content)
        apart = _apart(claim, _derived("masked", claim.key), Disposition.TAG)
        return await self._send(apart, landed, content.data, changed=True)

    async def letter(self, claim: Claim, landed: Landed, link: str, until: datetime) -> str:
        """The letter with the link to the password's page; what became of it, in a word."""
        key = _derived("letter", f"{landed.key}:{landed.base.recipient}")
        sender = (landed.senders or ("",))[-1]
        data = password_letter(landed.user, sender, link, at=until - VALID, until=until, key=key)
        apart = _apart(claim, key, Disposition.ALLOW)
        ours = replace(landed, sidecar=_from_nobody(landed))
        outcome = await self._send(apart, ours, data, changed=True)
        return outcome.state.value

    async def _send(self, claim: Claim, landed: Landed, data: bytes, *, changed: bool) -> Outcome:
        if self.relay is not None:
            return await self.relay.hand_over(
                _at_base(claim, landed), landed.sidecar, data, changed=changed
            )
        disposition = decision_of(claim).disposition
        return await self._mail.deliver(landed.user, data, claim.key, disposition)

    async def _file(self, landed: Landed, content: Content) -> Outcome:
        """The file under its own name, or under the one that fits what was made of it."""
        sidecar = landed.sidecar
        if content.name and content.name != sidecar.name:
            folder = f"{sidecar.folder}/" if sidecar.folder else ""
            sidecar = replace(sidecar, path=envelopes_of.clean_path(folder + content.name))
        return await self._files.deliver(landed.user, sidecar, content.data)


def tagged(data: bytes, tag: str) -> bytes:
    """The mail with a word before its subject; once, however often it passes."""
    end = _END.search(data)
    head, rest = (data[: end.start()], data[end.start() :]) if end else (data, b"")
    word = b"=?utf-8?B?" + base64.b64encode(f"{tag} ".encode()) + b"?= "
    if word in head:
        return data
    if not _SUBJECT.search(head):
        return b"Subject: " + word.strip() + (b"\r\n" if b"\r\n" in data else b"\n") + data
    return _SUBJECT.sub(lambda match: match[0] + word, head, count=1) + rest


def _rules(claim: Claim) -> tuple[str, ...]:
    return decision_of(claim).rule_ids


def _apart(claim: Claim, key: str, disposition: Disposition) -> Claim:
    """A delivery beside the item's own, with a key and a tag of its own; nothing is in it."""
    intent = intent_of(claim)
    decision = replace(intent.decision, disposition=disposition, findings=(), gaps=())
    return replace(claim, key=key, intent=replace(intent, decision=decision))


def _at_base(claim: Claim, landed: Landed) -> Claim:
    """The recipient's index is that of the upload, also where a held copy is delivered."""
    item: Item = replace(claim.item, recipient=landed.base.recipient)
    return replace(claim, item=item)


def _from_nobody(landed: Landed) -> Sidecar:
    """A letter of ours answers to nobody: the null sender (RFC 3834, 3.3)."""
    return replace(landed.sidecar, sender="", mail_options=(), recipient_options=())


def _derived(what: str, key: str) -> str:
    return hashlib.sha256(f"{what}\0{key}".encode()).hexdigest()
