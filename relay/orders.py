"""The way back: what the cloud lets go is fetched into the spool; what people decided is done."""

from __future__ import annotations

import asyncio
import logging
import re

from relay.cloud import Cloud, Taken
from relay.held import Keeper
from relay.journal import FAILED, ORDER, READY, SENDING
from relay.outbox import Outbox
from relay.reception import Room
from relay.requests import CLOUD, Request, check
from shared.errors import GoneError, PermanentError, TransientError
from shared.model import Envelope
from shared.services.relay_delivery import DELETE, RELEASE

LONGEST = 60.0
ATTEMPTS = 5  # with an error that nobody foresaw; what is away may be away for long
_KEY = re.compile(r"[0-9a-f]{64}")
log = logging.getLogger("sekisho.relay")


class Orders:
    """Reads the queue ``relay-deliver``; never takes more than the spool has room for."""

    def __init__(
        self, *, cloud: Cloud, outbox: Outbox, keeper: Keeper, room: Room, poll: float
    ) -> None:
        self._cloud = cloud
        self._outbox = outbox
        self._keeper = keeper
        self._room = room
        self._poll = poll

    async def work(self) -> None:
        """Until cancelled."""
        pause = 0.0
        while True:
            try:
                found = await self.look()
                pause = 0.0 if found else self._poll
            except TransientError as error:
                pause = min(max(pause * 2, self._poll), LONGEST)
                log.warning("the cloud is away (%s): orders are looked for later", error)
            except Exception as error:  # noqa: BLE001 - the next look may go better
                pause = LONGEST
                log.error("orders could not be read: %s", type(error).__name__)  # noqa: TRY400
            if pause:
                await asyncio.sleep(pause)

    async def look(self) -> int:
        """One batch; how many messages there were."""
        if self._room.refusal(0):
            return 0
        taken = await self._cloud.take()
        await asyncio.gather(*map(self._handle, taken))
        return len(taken)

    async def _handle(self, taken: Taken) -> None:
        try:
            if taken.envelope is None or not await self._carry_out(taken.envelope):
                log.error("an order that is none, or whose mail is gone: a dead letter")
                await self._cloud.bury(taken)
                return
            await self._cloud.done(taken)
        except TransientError:
            return  # it is given again
        except Exception as error:  # noqa: BLE001 - one order must not stop the others
            log.error("an order cannot be carried out: %s", type(error).__name__)  # noqa: TRY400
            if isinstance(error, PermanentError) or taken.times >= ATTEMPTS:
                await self._cloud.bury(taken)

    async def _carry_out(self, envelope: Envelope) -> bool:
        if envelope.kind == "deliver":
            return await self._deliver(envelope)
        if envelope.kind not in {RELEASE, DELETE}:
            return False
        people = tuple(each for each in envelope.body.get("by", "").split("\n") if each)
        request = Request(envelope.body.get("id", ""), envelope.kind, people, CLOUD)
        check(request)
        await self._keeper.decide(request)
        return bool(people)

    async def _deliver(self, envelope: Envelope) -> bool:
        key = envelope.body.get("key", "")
        if not _KEY.fullmatch(key):
            return False
        entry = await asyncio.to_thread(self._outbox.journal.get, key)
        if entry is not None and entry.state in {READY, SENDING}:
            return True
        put_back = entry is not None and entry.state == FAILED and envelope.replayed is not None
        if entry is not None and not put_back:  # settled: perhaps the cloud never heard of it
            await asyncio.to_thread(self._outbox.journal.tell_again, key)
            return True
        try:
            order, data = await self._cloud.order(key)
        except GoneError:
            return False
        if put_back:
            await self._outbox.again(order, data)
        else:
            await self._outbox.put(ORDER, order, data)
        return True
