"""The gate: what landed is scanned, then delivered, held or quarantined; one item a recipient.

``Item.id`` is the blob's name (``mail/{id}.eml``, ``files/{id}``), ``recipient`` the index in its
envelope, ``content_version`` the blob's ETag. What became of one recipient's copy is written beside
the envelope before the landing blob may go, and the blob goes only when every copy has an outcome
and none is held.
"""

from __future__ import annotations

from contextlib import suppress
from dataclasses import replace

from shared.codec import decode, encode
from shared.errors import (
    GoneError,
    MalformedError,
    PermanentError,
    StorageConflictError,
    SupersededError,
    UnavailableError,
)
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
from shared.ports import Blobs
from shared.services import sidecar as envelopes_of
from shared.services.common import decision_of, keep
from shared.services.deliver_file import FileDelivery
from shared.services.deliver_mail import MailDelivery
from shared.services.relay_delivery import RelayDelivery
from shared.services.sidecar import Sidecar
from shared.storage.evidence import Evidence

MAIL, FILES, DROP = "mail/", "files/", "drop/"


class GateService:
    """ports.Service for source ``gate``, and the two ways in: ``items_for`` and ``adopt_drop``."""

    def __init__(
        self,
        graph: Graph,
        *,
        landing: Blobs,
        envelopes: Blobs,
        quarantine: Evidence,
        limit: int = 150_000_000,
        relay: RelayDelivery | None = None,
    ) -> None:
        self._landing = landing
        self._envelopes = envelopes
        self._quarantine = quarantine
        self._limit = limit
        self._relay = relay
        self._files = FileDelivery(graph)
        self._mail = MailDelivery(graph)

    async def items_for(self, name: str) -> tuple[Item, ...]:
        """One item a recipient; none if the blob is gone. A dropped blob is adopted first."""
        if name.startswith(DROP):
            name = await self.adopt_drop(name)
        if not name.startswith((MAIL, FILES)):
            return ()
        found = await self._landing.properties(name)
        if found is None:
            return ()
        sidecar = await envelopes_of.read(self._envelopes, name)
        return tuple(
            Item("gate", name, str(index), found.etag) for index in range(len(sidecar.recipients))
        )

    async def adopt_drop(self, name: str) -> str:
        """``drop/{sign-in name}/{path}`` → ``files/{id}`` with an envelope; the new name, or empty.

        May run twice: the id is the same for the same upload, and the drop goes last.
        """
        try:
            blob = await self._landing.get(name)
        except GoneError:
            return ""
        owner, _, path = name.removeprefix(DROP).partition("/")
        target = FILES + envelopes_of.drop_id(name, blob.etag)
        made = Sidecar((owner,), envelopes_of.clean_path(path), via="drop")
        if not made.path:
            message = "a drop without a file name"
            raise MalformedError(message)
        await envelopes_of.write(self._envelopes, target, made)
        if await self._landing.properties(target) is None:
            await self._landing.put(target, blob.data)
        if (await self._landing.get(target)).data != blob.data:
            message = "the adopted blob read back is not what was dropped"
            raise UnavailableError(message)
        await self._landing.delete(name)
        return target

    async def fetch(self, item: Item) -> Fetched:
        """The blob with its envelope's names; over the limit it is a gap with no data."""
        found = await self._landing.properties(item.id)
        if found is None:
            message = "the landing blob is gone"
            raise GoneError(message)
        if found.etag != item.content_version:
            message = "the landing blob was written again: its own item follows"
            raise SupersededError(message)
        sidecar = await envelopes_of.read(self._envelopes, item.id)
        data = (await self._landing.get(item.id)).data
        gaps = (Gap(GapCode.TOO_LARGE, ""),) if len(data) > self._limit else ()
        content = Content(b"" if gaps else data, sidecar.name, _media_type(item, sidecar))
        return Fetched(content, _context(item, sidecar), found.etag, gaps=gaps)

    async def apply(self, claim: Claim) -> Outcome:
        """Deliver, hold or quarantine; what is done already is only read. See Service.apply."""
        done = await self._outcome(claim.item)
        if done is None:
            sidecar = await envelopes_of.read(self._envelopes, claim.item.id)
            try:
                blob = await self._landing.get(claim.item.id)
            except GoneError:
                return Outcome(_action(claim), OutcomeState.GONE)
            if blob.etag != claim.item.content_version:
                return Outcome(_action(claim), OutcomeState.SUPERSEDED)
            done = await self._act(claim, sidecar, blob.data)
            await self._envelopes.put(_outcome_name(claim.item), encode(done))
        return await self._clear(claim, done)

    def recognises(self, claim: Claim, fetched: Fetched, content_digest: str) -> bool:
        """Nothing in the landing container is our own work."""
        del claim, fetched, content_digest
        return False

    async def _act(self, claim: Claim, sidecar: Sidecar, data: bytes) -> Outcome:
        decision = decision_of(claim)
        if decision.disposition is Disposition.BLOCK:
            step = await keep(self._quarantine, f"{claim.key}.bin", data)
            ref = f"{self._quarantine.container}/{claim.key}.bin"
            return Outcome("quarantine", OutcomeState.APPLIED, (step,), evidence_ref=ref)
        if decision.disposition is Disposition.REVIEW:
            return Outcome("hold", OutcomeState.APPLIED, (await self._hold(claim.item),))
        try:
            return await self._deliver(claim, sidecar, data)
        except GoneError:  # never "gone": the upload is here, its recipient is not
            text = "the recipient has no mailbox or no drive: nothing was delivered"
            raise PermanentError(text) from None
        except StorageConflictError as error:
            raise UnavailableError(str(error)) from None

    async def _deliver(self, claim: Claim, sidecar: Sidecar, data: bytes) -> Outcome:
        user = sidecar.recipients[int(claim.item.recipient)]
        if claim.item.id.startswith(MAIL):
            if self._relay is not None:
                return await self._relay.hand_over(claim, sidecar, data)
            disposition = decision_of(claim).disposition
            return await self._mail.deliver(user, data, claim.key, disposition)
        return await self._files.deliver(user, sidecar, data)

    async def _hold(self, item: Item) -> Step:
        await self._tag(item, "held")
        tags = await self._landing.get_tags(item.id)
        return Step("held", "read_back" if tags.get("state") == "held" else "absent")

    async def _tag(self, item: Item, state: str) -> None:
        await self._landing.set_tags(item.id, {"state": state})

    async def _outcome(self, item: Item) -> Outcome | None:
        try:
            found = await self._envelopes.get(_outcome_name(item))
        except GoneError:
            return None
        return decode(found.data, Outcome)

    async def _clear(self, claim: Claim, done: Outcome) -> Outcome:
        """Remove the landing blob once no recipient's copy needs it."""
        item = claim.item
        if await self._landing.properties(item.id) is None:
            return _with(done, Step("landing", "read_back_gone"))
        sidecar = await envelopes_of.read(self._envelopes, item.id)
        others = [
            await self._outcome(replace(item, recipient=str(index)))
            for index in range(len(sidecar.recipients))
        ]
        if any(each is None or each.action == "hold" for each in others):
            if done.action != "hold":
                await self._tag_unless_held(item)
            return _with(done, Step("landing", "kept"))
        with suppress(StorageConflictError):  # written again: that is another item
            await self._landing.delete(item.id, etag=item.content_version)
        gone = await self._landing.properties(item.id) is None
        return _with(done, Step("landing", "read_back_gone" if gone else "kept"))

    async def _tag_unless_held(self, item: Item) -> None:
        if (await self._landing.get_tags(item.id)).get("state") != "held":
            await self._tag(item, "in_part")


def _media_type(item: Item, sidecar: Sidecar) -> str:
    return "message/rfc822" if item.id.startswith(MAIL) else sidecar.media_type


def _outcome_name(item: Item) -> str:
    version = item.content_version.strip('"').replace("/", "_")
    return f"{item.id}.{item.recipient}.{version}.outcome"


def _action(claim: Claim) -> str:
    return decision_of(claim).disposition.name.lower()


def _with(outcome: Outcome, step: Step) -> Outcome:
    return replace(outcome, steps=(*outcome.steps, step))


def _context(item: Item, sidecar: Sidecar) -> Context:
    user = sidecar.recipients[int(item.recipient)]
    domains = dict.fromkeys(each.rpartition("@")[2].casefold() for each in sidecar.recipients)
    return Context(
        source=item.source,
        place="landing",
        owner=user,
        sender_domain=sidecar.sender.rpartition("@")[2].casefold() if "@" in sidecar.sender else "",
        recipient_domains=tuple(domains),
        received_at=sidecar.received_at,
    )
