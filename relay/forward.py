"""From ``incoming`` on: judged on the spot, then held, or up into the landing container."""

from __future__ import annotations

import asyncio
import logging
import secrets
from collections.abc import Callable, Sequence
from contextlib import suppress

from relay.cloud import Cloud
from relay.held import Keeper
from relay.judging import Bench
from relay.spool import DEAD, INCOMING, Letter, Spool
from shared.errors import GoneError, PermanentError, TransientError
from shared.model import Disposition, Intent
from shared.policy.exemption import Exemption

FIRST, LONGEST = 1.0, 60.0  # seconds between attempts while the cloud is away
log = logging.getLogger("sekisho.relay")


class Forwarder:
    """Takes mails oldest first; ``hold`` is the disposition from which on a mail stays inside.

    ``granted`` is what people granted in the cloud, as far as it is known here now.
    """

    def __init__(
        self,
        *,
        spool: Spool,
        bench: Bench,
        keeper: Keeper,
        cloud: Cloud,
        hold: Disposition,
        granted: Callable[[], Sequence[Exemption]] = tuple,
    ) -> None:
        self._granted = granted
        self._spool = spool
        self._bench = bench
        self._keeper = keeper
        self._cloud = cloud
        self._hold = hold
        self._waiting: asyncio.PriorityQueue[str] = asyncio.PriorityQueue()
        self._passed: dict[str, Intent] = {}
        self._untried: set[str] = set()
        self._pause = 0.0
        self.forwarded = 0

    def arrived(self, name: str) -> None:
        """A mail is on the disk, and nobody tried to send it up yet."""
        self._untried.add(name)
        self._waiting.put_nowait(name)

    def again(self, name: str) -> None:
        """A person sends on what had stopped; it may have been sent up before."""
        self._waiting.put_nowait(name)

    def recover(self) -> int:
        """What an earlier run accepted; how many. Blocking."""
        names = self._spool.names(INCOMING)
        for name in names:
            self._waiting.put_nowait(name)
        return len(names)

    async def work(self) -> None:
        """Until cancelled; run several."""
        while True:
            name = await self._waiting.get()
            try:
                await self.forward(name)
                self._pause = 0.0
            except asyncio.CancelledError:
                raise
            except GoneError:
                continue
            except TransientError as error:
                self._waiting.put_nowait(name)
                self._pause = min(max(self._pause * 2, FIRST), LONGEST)
                log.warning("the cloud is away (%s): mail waits in the spool", error)
                await asyncio.sleep(self._pause)
            except Exception as error:  # noqa: BLE001 - one mail must not stop the others
                await self._aside(name, error)

    async def forward(self, name: str) -> None:
        """One mail; TransientError while the cloud is away."""
        intent = self._passed.get(name)
        if intent is None:
            intent, judged = await self._bench.judge(INCOMING, name, self._granted())
            if not judged or intent.decision.disposition >= self._hold:
                letter = await asyncio.to_thread(self._spool.meta, INCOMING, name, Letter)
                await self._keeper.keep(name, intent, letter.received_at, secrets.token_hex(16))
                self._untried.discard(name)
                log.info("%s: held (%s)", name, intent.decision.disposition.name.lower())
                return
            self._passed[name] = intent
        letter, data = await asyncio.to_thread(self._spool.read, INCOMING, name, Letter)
        first = name in self._untried
        self._untried.discard(name)
        await self._cloud.land(name, letter, data, first=first)
        await asyncio.to_thread(self._spool.remove, INCOMING, name)
        self._passed.pop(name, None)
        self.forwarded += 1

    async def _aside(self, name: str, error: Exception) -> None:
        """What can go no further by itself lies with the dead, by name, until a person looks."""
        log.error("%s can go no further: %s", name, type(error).__name__)
        permanent = isinstance(error, PermanentError)
        if permanent:
            with suppress(GoneError, OSError):
                await asyncio.to_thread(self._spool.move, name, INCOMING, DEAD)
            return
        await asyncio.sleep(LONGEST)
        self._waiting.put_nowait(name)
