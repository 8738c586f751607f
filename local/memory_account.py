"""What the stores in memory hold, and the hook around each operation on them."""

from __future__ import annotations

import itertools
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import datetime

from shared.ports import Clock, Row

type Hook = Callable[[str, str], Awaitable[None]]


class Crash(BaseException):
    """The process died here."""


async def nothing(operation: str, moment: str) -> None:
    """The hook that does nothing."""
    del operation, moment


@dataclass(slots=True)
class Message:
    """One message of a queue: ``visible`` from when on it may be received."""

    id: int
    body: bytes = field(repr=False)
    visible: datetime
    inserted: datetime
    dequeued: int = 0
    receipt: int = 0


@dataclass(slots=True)
class HeldBlob:
    """One blob."""

    data: bytearray
    etag: str
    append: bool = False
    metadata: dict[str, str] = field(default_factory=dict)
    tags: dict[str, str] = field(default_factory=dict)


@dataclass(slots=True)
class HeldLease:
    """One lease, and until when it holds."""

    token: str
    until: datetime
    seconds: int


class Account:
    """What one storage account holds. Places need not be made first."""

    def __init__(self, clock: Clock) -> None:
        self.clock = clock
        self.tables: dict[str, dict[tuple[str, str], Row]] = {}
        self.queues: dict[str, list[Message]] = {}
        self.containers: dict[str, dict[str, HeldBlob]] = {}
        self.leases: dict[tuple[str, str], HeldLease] = {}
        self.operations: dict[str, int] = {}
        self._numbers = itertools.count(1)

    def number(self) -> int:
        """A number that was not used before."""
        return next(self._numbers)


class Port:
    """One operation: the hook, the work, the hook."""

    def __init__(self, account: Account, hook: Hook) -> None:
        self._account = account
        self._hook = hook

    async def _do[T](self, operation: str, work: Callable[[], T]) -> T:
        await self._hook(operation, "before")
        counts = self._account.operations
        counts[operation] = counts.get(operation, 0) + 1
        done = work()
        await self._hook(operation, "after")
        return done
