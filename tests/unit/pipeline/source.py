"""A source of items as Graph's are, and a policy of four words."""

from __future__ import annotations

from dataclasses import dataclass, field

from shared.errors import SupersededError
from shared.model import (
    Claim,
    Content,
    Context,
    Decision,
    Disposition,
    Extraction,
    Fetched,
    Finding,
    Item,
    Level,
    Mode,
    Outcome,
    OutcomeState,
    Segment,
)

POLICY = "p1"
WORDS = {
    "secret": Disposition.BLOCK,
    "notable": Disposition.TAG,
    "doubtful": Disposition.REVIEW,
    "plain": Disposition.ALLOW,
}


@dataclass
class Thing:
    """An item at its source; ``log`` is the source's own record of what was done to it, by key.

    ``written`` holds the versions that people wrote, with their text.
    """

    id: str
    text: str
    version: int = 1
    marker: str = ""
    log: list[tuple[str, str]] = field(default_factory=list)
    written: dict[int, str] = field(default_factory=dict)

    def __post_init__(self):
        self.written[self.version] = self.text

    def item(self, version=None) -> Item:
        return Item("source", self.id, "box", str(version or self.version))

    def edit(self, text):
        self.version += 1
        self.text = text
        self.written[self.version] = text


class Source:
    """A source as Graph's are: reads give the state of now, writes are conditional (If-Match).

    Each write makes a new version and wakes us with a notification, as a real one does. A version
    that a person replaced is superseded; our own tombstone is readable, and reads as clean.
    """

    def __init__(self, world, process):
        self._world = world
        self._process = process

    async def fetch(self, item):
        await self._process.hook("source.fetch", "before")
        thing = self._world.things[item.id]
        content, context = Content(thing.text.encode()), Context("source", "own_mailbox")
        fetched = Fetched(content, context, str(thing.version), thing.marker)
        replaced = max(thing.written) > int(item.content_version)
        await self._process.hook("source.fetch", "after")
        if replaced:
            raise SupersededError(item.id)
        return fetched

    def recognises(self, claim, fetched, digest):
        del claim
        return bool(fetched.marker) and fetched.marker.endswith(f"|{digest}")

    async def apply(self, claim: Claim) -> Outcome:
        disposition = claim.intent.decision.disposition
        if disposition is Disposition.ALLOW:
            return Outcome("none", OutcomeState.RECORDED)
        action = disposition.name.lower()
        thing = self._world.things[claim.item.id]
        while True:
            await self._process.hook("source.read", "before")
            version, marker, text = thing.version, thing.marker, thing.text
            await self._process.hook("source.read", "after")
            if marker.startswith(claim.key):
                # Ours only if nobody wrote since: or a person's version would never be scanned.
                ours = (str(version),) if marker == f"{claim.key}|{text}" else ()
                return Outcome(action, OutcomeState.APPLIED, versions=ours)
            if str(version) != claim.intent.etag:
                return Outcome(action, OutcomeState.SUPERSEDED)
            await self._process.hook("source.write", "before")
            if thing.version != version:  # If-Match: somebody wrote in between, look again
                continue
            thing.version += 1
            thing.log.append((claim.key, action))
            if disposition is Disposition.BLOCK:
                thing.text = "removed"
            thing.marker = f"{claim.key}|{thing.text}"
            self._world.notify(thing)
            written = str(thing.version)  # from the write's own answer, not from a later read
            await self._process.hook("source.write", "after")
            return Outcome(action, OutcomeState.APPLIED, versions=(written,))


def verdict(text):
    """What policy says of a text; our tombstone reads as clean."""
    return WORDS.get(text.partition("#")[0], Disposition.ALLOW)


def detect(segments):
    return tuple(
        Finding(segment.text, segment.location, 0, 1, 1.0, Level.HIGH, "*", "k:0")
        for segment in segments
        if verdict(segment.text)
    )


def decide(context, findings, gaps, exceptions):
    del context, exceptions
    disposition = max((verdict(f.entity) for f in findings), default=Disposition.ALLOW)
    return Decision(
        disposition, disposition, Mode.ENFORCE, POLICY, findings=tuple(findings), gaps=gaps
    )


async def extract(content):
    return Extraction((Segment("", content.data.decode()),))
