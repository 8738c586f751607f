"""Hints about Teams messages become items: sealed ones are opened, others are looked up.

What a sealed notification says of a message (its ids, when it was edited) is all that goes on; its
text is read again from Graph by the scan, so nothing in clear text is ever on a queue.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from shared.errors import GoneError, RefusedError
from shared.graph.client import Graph
from shared.graph.rich import Rich, seal_of
from shared.model import Envelope
from shared.services.common import Onward
from shared.services.seals import Seals
from shared.services.teams_sweep import TeamsSweep
from shared.services.threads import address, is_said, item_at, item_of, version
from shared.storage.claimcheck import ClaimCheck


@dataclass(frozen=True, slots=True)
class TeamsHints:
    """``rich`` is None where the deployment has no certificate: then nothing sealed is believed."""

    graph: Graph
    sweep: TeamsSweep
    onward: Onward
    aside: ClaimCheck
    rich: Rich | None = None
    seals: Seals | None = None

    async def hint(self, envelope: Envelope) -> int:
        """One message, by what the hint holds; RefusedError where that is forged.

        A seal that was told before asks for nothing (see ``Seals``).
        """
        body = envelope.body
        sealed = body.get("sealed", "").encode()
        if envelope.ref:
            sealed = await self.aside.get(envelope.ref)
        if not sealed:
            return await self._by_name(body.get("resource", ""), envelope.trace)
        if self.rich is None:
            message = "a sealed notification where none was asked for"
            raise RefusedError(message)
        opened = await self.rich.open(sealed)
        if self.seals is not None and await self.seals.again(seal_of(sealed), envelope.trace):
            return 0
        if not is_said(opened):
            return 0
        await self.onward.put(item_of(opened), trace=envelope.trace)
        return 1

    async def swept(self, source: str, user: str) -> int:
        """All teams' channels, or one user's chats; the chats of all have no sweep of their own."""
        if source == "chats":
            return await self.sweep.chats(user)
        return await self.sweep.channels() if user == "teams" else 0

    async def _by_name(self, resource: str, trace: str) -> int:
        item = item_at(resource)
        if item is None:
            return 0
        if self.rich is not None:
            message = "an open notification where sealed ones were asked for"
            raise RefusedError(message)
        which, params = address(item)
        try:
            answer = await self.graph.send(which.get, params)
        except GoneError:
            return 0
        found = answer.json()
        if not is_said(found):
            return 0
        await self.onward.put(replace(item, content_version=version(found)), trace=trace)
        return 1
