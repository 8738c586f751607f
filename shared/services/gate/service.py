"""The pipeline's service for source ``gate``.

``Item.id`` is the blob's name (``mail/{id}.eml``, ``files/{id}``), ``recipient`` the index in its
envelope, ``content_version`` the blob's ETag. What became of one recipient's copy is written beside
the envelope before the landing blob may go, and the blob goes only when every copy has an outcome
and none is held.
"""

from __future__ import annotations

from collections.abc import Awaitable
from dataclasses import replace

from shared.errors import GoneError, PermanentError, StorageConflictError, UnavailableError
from shared.graph.client import Graph
from shared.model import (
    Claim,
    Content,
    Disposition,
    Fetched,
    Gap,
    GapCode,
    Item,
    Outcome,
    OutcomeState,
    Step,
)
from shared.policy.exemption import PREFIX, used
from shared.ports import Blobs
from shared.services.common import decision_of, kept
from shared.services.gate.arrivals import Arrivals
from shared.services.gate.clean import WHERE, Cleaning, Prepared
from shared.services.gate.landed import ORIGINAL, Landed, Shelf
from shared.services.gate.locked import Locks
from shared.services.gate.masked import OBLIGATION, Masking
from shared.services.gate.outcomes import HOLD, Outcomes
from shared.services.gate.sending import Sending
from shared.services.gate.telling import GateNotices
from shared.services.gate.waiting import Waiting
from shared.services.held import describe, key_of, stays
from shared.services.relay_delivery import RelayDelivery
from shared.services.release_header import ReleaseHeader
from shared.storage.evidence import Evidence


class GateService:
    """ports.Service for source ``gate``, and the way in: ``items_for``.

    Args:
        graph: For delivery.
        landing: The landing container.
        envelopes: The container beside it.
        quarantine: Where blocked items, and originals of sanitised ones, are kept.
        limit: Bytes above which an item is not read.
        relay: Delivers mail by SMTP; None: Graph imports it.
        cleaning: Sanitises; None: nothing is sanitised.
        masking: Makes masked copies; None: none are made.
        locks: What waits for a password; None: it waits for an official.
        notices: Who is told of what was stopped; None: nobody.
        waiting: The rows of what waits.
        subject_tag: What a tagged mail's subject begins with; empty: nothing.
        passed: The header by which the watch knows what was released here.
    """

    def __init__(
        self,
        graph: Graph,
        *,
        landing: Blobs,
        envelopes: Blobs,
        quarantine: Evidence,
        limit: int = 150_000_000,
        relay: RelayDelivery | None = None,
        cleaning: Cleaning | None = None,
        masking: Masking | None = None,
        locks: Locks | None = None,
        notices: GateNotices | None = None,
        waiting: Waiting | None = None,
        subject_tag: str = "",
        passed: ReleaseHeader | None = None,
    ) -> None:
        self._shelf = Shelf(landing, envelopes, quarantine)
        self._outcomes = Outcomes(self._shelf, waiting)
        self._limit = limit
        self._cleaning = cleaning
        self._masking = masking
        self._locks = locks
        self._notices = notices
        clock = waiting.clock if waiting else None
        self._arrivals = Arrivals(landing, envelopes, clock, waiting)
        self._sending = Sending(graph, relay, subject_tag, passed)

    async def items_for(self, name: str) -> tuple[Item, ...]:
        """One item a recipient; none if the blob is gone. A dropped blob is adopted first."""
        return await self._arrivals.items_for(name)

    async def fetch(self, item: Item) -> Fetched:
        """What would be delivered: the clean copy where policy asks for one.

        What cannot be sanitised is judged as it came, and says why as a gap. Over the limit there
        is a gap and no data.
        """
        landed = await self._shelf.load(item)
        context = landed.context()
        if item.id.startswith(ORIGINAL):  # people alone let it go, whatever is in it
            content = Content(landed.data, landed.sidecar.name, landed.media_type)
            gap = Gap(GapCode.UNSANITISED, WHERE)
            return Fetched(content, context, item.content_version, gaps=(gap,))
        if len(landed.data) > self._limit:
            gap = Gap(GapCode.TOO_LARGE, "")
            empty = Content(b"", landed.sidecar.name, landed.media_type)
            return Fetched(empty, context, item.content_version, gaps=(gap,))
        prepared = await self._prepared(landed)
        return Fetched(prepared.content, context, item.content_version, gaps=prepared.gaps)

    async def apply(self, claim: Claim) -> Outcome:
        """Deliver, hold or quarantine; what is done already is only read. See Service.apply.

        What is held is judged anew when an exception begins or ends, and acted on anew.
        """
        done = await self._outcomes.read(claim.item)
        if claim.item.id.startswith(ORIGINAL):
            return await self._original(claim, done)
        if done is not None and done.action != HOLD:
            return await self._outcomes.clear(await self._shelf.named(claim.item), done)
        try:
            landed = await self._shelf.load(claim.item)
        except GoneError:
            return Outcome(_action(claim), OutcomeState.GONE)
        done = await self._act(claim, landed)
        if done.state is OutcomeState.UNCHANGED:  # what is in quarantine stays there for now
            return await self._outcomes.clear(landed, done)
        await self._outcomes.write(claim.item, done)
        if self._notices is not None:
            await self._notices.told(claim, done, landed)
        return await self._outcomes.clear(landed, done)

    async def _original(self, claim: Claim, done: Outcome | None) -> Outcome:
        """The original of what was delivered: to its recipient, once, as people granted it."""
        if done is not None and done.action != HOLD:
            return done
        decision = decision_of(claim)
        try:
            landed = await self._shelf.load(claim.item)
        except GoneError:
            return Outcome(_action(claim), OutcomeState.GONE)
        if decision.disposition >= Disposition.REVIEW or not used(decision.rule_ids):
            outcome = Outcome(HOLD, OutcomeState.APPLIED, (Step("original", "kept"),))
        else:
            outcome = await self._sent(self._sending.original(claim, landed))
        await self._outcomes.write(claim.item, outcome)
        return outcome

    def recognises(self, claim: Claim, fetched: Fetched, content_digest: str) -> bool:
        """Nothing in the landing container is our own work."""
        del claim, fetched, content_digest
        return False

    async def _prepared(self, landed: Landed) -> Prepared:
        if self._cleaning is None or len(landed.data) > self._limit:
            return Prepared(Content(landed.data, landed.sidecar.name, landed.media_type))
        return await self._cleaning.prepare(landed)

    async def _act(self, claim: Claim, landed: Landed) -> Outcome:
        decision = decision_of(claim)
        prepared = await self._prepared(landed)
        if self._locks is not None and landed.is_mail:
            await self._locks.follow(landed, prepared.content)
        if decision.disposition >= Disposition.REVIEW:
            key = key_of(claim.item)
            if key:
                return stays(claim, self._shelf.ref(key))
            stopped = (
                await self._quarantine(claim, landed)
                if decision.disposition is Disposition.BLOCK
                else await self._hold(claim, landed)
            )
            return await self._with_masked(claim, landed, prepared, stopped)
        if prepared.gaps and not any(each.startswith(PREFIX) for each in decision.rule_ids):
            # A policy that lets gaps pass does not let through what cannot be sanitised.
            why = tuple(Step("sanitise", gap.code.value) for gap in prepared.gaps)
            held = await self._hold(claim, landed)
            return replace(held, steps=(*held.steps, *why))
        if OBLIGATION in decision.obligations:
            return await self._masked_alone(claim, landed, prepared)
        return await self._deliver(claim, landed, prepared)

    async def _deliver(self, claim: Claim, landed: Landed, prepared: Prepared) -> Outcome:
        steps: tuple[Step, ...] = ()
        if prepared.changed and self._cleaning is not None and prepared.record is not None:
            ref = await self._cleaning.keep_original(landed, prepared.record)
            steps = (Step("sanitised", "read_back"), Step("original", ref))
        if self._locks is not None:
            await self._locks.forget(landed)
        done = await self._sent(
            self._sending.deliver(claim, landed, prepared.content, changed=prepared.changed)
        )
        return replace(done, steps=(*steps, *done.steps))

    async def _sent(self, sending: Awaitable[Outcome]) -> Outcome:
        try:
            return await sending
        except GoneError:  # never "gone": the upload is here, its recipient is not
            text = "the recipient has no mailbox or no drive: nothing was delivered"
            raise PermanentError(text) from None
        except StorageConflictError as error:
            raise UnavailableError(str(error)) from None

    async def _quarantine(self, claim: Claim, landed: Landed) -> Outcome:
        quarantine = self._shelf.quarantine
        await describe(quarantine, claim, {})
        name = f"{claim.key}.bin"
        step = Step("evidence", "present")
        if not await kept(quarantine, name):
            await quarantine.keep(name, landed.data, {"state": "blocked"})
            step = Step("evidence", "read_back")
        await self._outcomes.tag(landed.base, "blocked")
        return Outcome(
            "quarantine", OutcomeState.APPLIED, (step,), evidence_ref=self._shelf.ref(claim.key)
        )

    async def _hold(self, claim: Claim, landed: Landed) -> Outcome:
        await self._outcomes.tag(landed.base, "held")
        tags = await self._shelf.landing.get_tags(landed.base.id)
        steps: tuple[Step, ...] = (
            Step("held", "read_back" if tags.get("state") == "held" else "absent"),
        )
        gaps = {gap.code for gap in decision_of(claim).gaps}
        if self._locks is not None and GapCode.ENCRYPTED in gaps:
            lock = await self._locks.wait(landed)
            link = self._locks.link(lock)
            if link:
                sent = await self._sending.letter(claim, landed, link, lock.until)
                steps = (*steps, Step("password_link", sent))
        return Outcome(HOLD, OutcomeState.APPLIED, steps)

    async def _with_masked(
        self, claim: Claim, landed: Landed, prepared: Prepared, stopped: Outcome
    ) -> Outcome:
        """What was stopped, and the masked copy beside it where a rule asks for one."""
        if OBLIGATION not in decision_of(claim).obligations:
            return stopped
        step = await self._masked(claim, landed, prepared)
        return replace(stopped, steps=(*stopped.steps, step))

    async def _masked_alone(self, claim: Claim, landed: Landed, prepared: Prepared) -> Outcome:
        """The masked copy goes, the original waits in quarantine; held where there is no copy."""
        step = await self._masked(claim, landed, prepared)
        if step.result != "delivered":
            held = await self._hold(claim, landed)
            return replace(held, steps=(*held.steps, step))
        quarantined = await self._quarantine(claim, landed)
        return replace(quarantined, action="mask", steps=(*quarantined.steps, step))

    async def _masked(self, claim: Claim, landed: Landed, prepared: Prepared) -> Step:
        if self._masking is None or prepared.gaps:
            return Step("masked_copy", "not_made")
        copy = await self._masking.copy(prepared.content, decision_of(claim), mail=landed.is_mail)
        if copy is None:
            return Step("masked_copy", "not_made")
        await self._sending.masked(claim, landed, copy)
        return Step("masked_copy", "delivered")


def _action(claim: Claim) -> str:
    return decision_of(claim).disposition.name.lower()
