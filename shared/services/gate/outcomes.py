"""What became of each recipient's copy, beside the envelope, before the landing blob may go."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass, replace

from shared.codec import decode, encode
from shared.errors import GoneError, StorageConflictError
from shared.model import Item, Outcome, Step
from shared.services.gate.landed import Landed, Shelf
from shared.services.gate.waiting import Waiting

HOLD = "hold"


@dataclass(frozen=True, slots=True)
class Outcomes:
    """A hold is not final: what is judged anew is acted on anew."""

    shelf: Shelf
    waiting: Waiting | None = None

    async def read(self, item: Item) -> Outcome | None:
        """The outcome of an item as it was written, or None."""
        try:
            found = await self.shelf.envelopes.get(_name(item))
        except GoneError:
            return None
        return decode(found.data, Outcome)

    async def write(self, item: Item, outcome: Outcome) -> None:
        """Durable when it returns."""
        await self.shelf.envelopes.put(_name(item), encode(outcome))

    async def clear(self, landed: Landed, done: Outcome) -> Outcome:
        """Remove the landing blob once no recipient's copy needs it."""
        base, landing = landed.base, self.shelf.landing
        if await landing.properties(base.id) is None:
            await self._gone(landed)
            return _with(done, Step("landing", "read_back_gone"))
        count = len(landed.sidecar.recipients)
        others = [
            await self.read(replace(base, recipient=str(n), generation=0)) for n in range(count)
        ]
        if any(each is None or each.action == HOLD for each in others):
            if done.action != HOLD:
                await self._tag_unless_held(base)
            elif self.waiting is not None:
                await self.waiting.held(base.id, landed.sidecar.received_at)
            return _with(done, Step("landing", "kept"))
        with suppress(StorageConflictError):  # written again: that is another item
            await landing.delete(base.id, etag=base.content_version)
        gone = await landing.properties(base.id) is None
        if gone:
            await self._gone(landed)
        return _with(done, Step("landing", "read_back_gone" if gone else "kept"))

    async def tag(self, item: Item, state: str) -> None:
        """Say in the blob's index tags where it stands; its ETag stays."""
        await self.shelf.landing.set_tags(item.id, {"state": state})

    async def _gone(self, landed: Landed) -> None:
        """The clean copy goes with the original that it was made of."""
        for name in clean_names(landed):
            await self.shelf.envelopes.delete(name)
        if self.waiting is not None:
            await self.waiting.gone(landed.base.id, landed.sidecar.received_at)

    async def _tag_unless_held(self, item: Item) -> None:
        if (await self.shelf.landing.get_tags(item.id)).get("state") != "held":
            await self.tag(item, "in_part")


def clean_names(landed: Landed) -> tuple[str, str]:
    """Where the clean copy is until it is delivered: its bytes, and its record."""
    return f"clean/{landed.key}.bin", f"clean/{landed.key}.json"


def _name(item: Item) -> str:
    version = item.content_version.strip('"').replace("/", "_").replace(":", "_")
    return f"{item.id}.{item.recipient}.{version}.outcome"


def _with(outcome: Outcome, step: Step) -> Outcome:
    return replace(outcome, steps=(*outcome.steps, step))
