"""Messages that kill their function are kept beyond the queue's seven days, and come back whole."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta

from local.memory import Account, MemoryStores
from shared.codec import decode, encode
from shared.duties import REVIVE, Undertaker
from shared.model import Envelope, Item
from shared.storage.alerts import Alerts
from shared.storage.dead_letters import DeadLetters
from trust.lines import Line, Told

COUNT = 100
START = datetime(2026, 4, 1, 9, tzinfo=UTC)


class Platform:
    """The clock, the stores, and a queue whose function dies under every message."""

    def __init__(self) -> None:
        self.now = START
        self.account = Account(lambda: self.now)
        self.stores = MemoryStores(self.account)
        alerts = Alerts(self.stores.table("alerts"), lambda: self.now)
        self.letters = DeadLetters(
            self.stores.blobs("deadletters"), alerts, self.stores.queue, lambda: self.now
        )
        self.undertaker = Undertaker(
            "scan-items",
            self.stores.queue("scan-items"),
            self.stores.queue("scan-items-poison"),
            self.letters,
        )

    def take(self, name: str) -> list[bytes]:
        """Everything that is visible, taken from its queue."""
        queue = self.stores.queue(name)
        taken = []
        for message in queue.visible():
            queue.receive(message)
            queue.delete(message, message.receipt)
            taken.append(message.body)
        return taken

    async def die(self) -> None:
        """Five deaths of the function, then what the platform does: the poison queue."""
        for body in self.take("scan-items"):
            await self.stores.queue("scan-items-poison").put(body)
        await self.undertaker.settle()


async def _measure(told: Told) -> tuple[int, int]:
    platform = Platform()
    items = [Item("mail", f"m{n}", "box", "v1") for n in range(COUNT)]
    for item in items:
        await platform.stores.queue("scan-items").put(encode(Envelope("item", START, item)))
    for wait in (0.0, *REVIVE):
        platform.now += timedelta(seconds=wait + 1)
        await platform.die()
    platform.now = START + timedelta(days=8)
    names = [name async for name in platform.letters.names()]
    for done, name in enumerate(names, 1):
        await platform.letters.replay(name)
        told("poison", done, len(names))
    back = {decode(body, Envelope).item for body in platform.take("scan-items")}
    return len(names), len(back & set(items))


def run(size: str, told: Told) -> list[Line]:
    """The same for every size."""
    del size
    kept, back = asyncio.run(_measure(told))
    return [
        Line(
            "毒メッセージ 100 通は 8 日後も残り、再投入すると 100 通に戻る",
            "100 poison messages survive day 8 and replay to 100",
            f"{kept} kept, {back} back",
            kept == back == COUNT,
            {"kept": kept, "back": back},
        )
    ]
