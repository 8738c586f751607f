"""What is to be sent: the mail in the spool and its key in the journal, each key once."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from datetime import datetime

from relay.journal import DELIVERED, FAILED, NOTICE, REPORT, Entry, Journal
from relay.spool import DEAD, OUTGOING, Spool
from shared.errors import MalformedError
from shared.ports import Clock
from shared.services.relay_delivery import Order


@dataclass(frozen=True, slots=True)
class Outgoing:
    """A mail on its way out; ``kind`` is the journal's (an order of the cloud, a notice …)."""

    kind: str
    order: Order


class Outbox:
    """``more`` is set when there is something to send."""

    def __init__(self, spool: Spool, journal: Journal, clock: Clock) -> None:
        self.spool = spool
        self.journal = journal
        self._clock = clock
        self.more = asyncio.Event()

    async def put(self, kind: str, order: Order, data: bytes) -> bool:
        """Durable when it returns; False if this key was ever taken in before."""
        taken = await asyncio.to_thread(self._put, kind, order, data)
        self.more.set()
        return taken

    def _put(self, kind: str, order: Order, data: bytes) -> bool:
        if self.journal.get(order.key) is not None:
            return False
        self.spool.put(OUTGOING, order.key, Outgoing(kind, order), data)
        return self.journal.add(order.key, kind, first(order), self._clock().timestamp())

    async def retry(self, key: str) -> bool:
        """Send again what lies with the dead; False where it does not."""
        found = await asyncio.to_thread(self._retry, key)
        self.more.set()
        return found

    def _retry(self, key: str) -> bool:
        entry = self.journal.get(key)
        if entry is None or entry.state != FAILED or not self.spool.has(DEAD, key):
            return False
        self.spool.move(key, DEAD, OUTGOING)
        self.journal.again(key, self._clock().timestamp())
        return True

    async def again(self, order: Order, data: bytes) -> None:
        """A person put a failed order back."""
        await asyncio.to_thread(self._again, order, data)
        self.more.set()

    def _again(self, order: Order, data: bytes) -> None:
        entry = self.journal.get(order.key)
        if entry is None or entry.state != FAILED:
            return
        self.spool.put(OUTGOING, order.key, Outgoing(entry.kind, order), data)
        self.journal.again(order.key, self._clock().timestamp())
        self.spool.remove(DEAD, order.key)

    def recover(self) -> int:
        """Spool and journal agree again after a start; how many mails a crash left unanswered.

        What lies in the spool without a row gets one, what is settled leaves, and what was being
        sent may be sent again. Blocking.
        """
        for name in self.spool.names(OUTGOING):
            entry = self.journal.get(name)
            if entry is None:
                self._found(name)
            elif entry.told:
                self.leave(entry)
        return self.journal.recover()

    def leave(self, entry: Entry) -> None:
        """A mail that is settled, and that the cloud knows of, is gone or lies with the dead."""
        ours = entry.kind in {NOTICE, REPORT}  # nobody waits for what a machine wrote
        if entry.state == DELIVERED or (entry.state == FAILED and ours):
            self.spool.remove(OUTGOING, entry.key)
        elif entry.state == FAILED and self.spool.has(OUTGOING, entry.key):
            self.spool.move(entry.key, OUTGOING, DEAD)

    def _found(self, name: str) -> None:
        try:
            found = self.spool.meta(OUTGOING, name, Outgoing)
        except MalformedError:
            return  # ``sekisho-relay status`` counts it; the log named it
        self.journal.add(name, found.kind, first(found.order), self._clock().timestamp())


def first(order: Order) -> float:
    """When the mail came, in Unix seconds: the order in which mails leave."""
    since: datetime = order.received_at or order.first_seen
    return since.timestamp()
