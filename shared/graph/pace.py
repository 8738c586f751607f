"""How fast Graph is asked: four calls a mailbox, and as many a service as it bears.

One of these a process, shared by everything that it runs. Graph's limits are a service's
(learn.microsoft.com/graph/throttling-limits), so each has its own adaptive one: it grows by one
call for each round of successes and is halved where Graph says 429, or 503 with a time to wait
(additive increase, multiplicative decrease; as TCP does, RFC 5681). Until a time that Graph named
is over it is not asked again, since asking prolongs the throttling: the caller gets a
``ThrottledError`` and its message waits on the queue. A mailbox that was throttled is shut alone;
of the other services all of it is.
"""

from __future__ import annotations

import asyncio
import time
from collections import deque
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from http import HTTPStatus
from weakref import WeakValueDictionary

from shared.errors import ThrottledError
from shared.graph.calls import Call

PER_MAILBOX = 4  # MailboxConcurrency
FIRST, MOST = 16.0, 64.0  # calls at once to one service: at the start, and at most
SETTLE = 1.0  # seconds in which further refusals are of the same burst
OUTLOOK, FILES, TEAMS, OTHER = "outlook", "files", "teams", "other"


def service_of(call: Call) -> str:
    """Whose limits a call counts against."""
    path = call.path
    if path.startswith(("/drives/", "/sites")) or path.endswith("/drive"):
        return FILES
    if path.startswith(("/teams", "/chats")) or "/chats/" in path:
        return TEAMS
    return OUTLOOK if path.startswith("/users/{user}/") else OTHER


@dataclass(slots=True)
class Limit:
    """Calls to one service that may be under way together; those beyond it wait in order."""

    size: float = FIRST
    busy: int = 0
    waiting: deque[asyncio.Future[None]] = field(default_factory=deque)
    shrunk: float = float("-inf")

    async def enter(self) -> None:
        """Wait for a place."""
        if self.busy < int(self.size) and not self.waiting:
            self.busy += 1
            return
        place = asyncio.get_running_loop().create_future()
        self.waiting.append(place)
        try:
            await place
        except asyncio.CancelledError:
            if place.done() and not place.cancelled():
                self.leave()  # it was given to us, and we are gone
            raise

    def leave(self) -> None:
        """Give the place to who waits longest, if there is still one for it."""
        self.busy -= 1
        while self.waiting and self.busy < int(self.size):
            place = self.waiting.popleft()
            if not place.done():
                place.set_result(None)
                self.busy += 1

    def grow(self) -> None:
        """A call went well."""
        self.size = min(self.size + 1 / self.size, MOST)

    def shrink(self, now: float) -> None:
        """Graph refused; a burst of refusals counts once."""
        if now - self.shrunk >= SETTLE:
            self.size, self.shrunk = max(self.size / 2, 1.0), now


class Pace:
    """``place`` is held around a call, ``heard`` is told its answer. ``now`` in seconds."""

    def __init__(self, now: Callable[[], float] = time.monotonic) -> None:
        self._now = now
        self.limits: dict[str, Limit] = {}
        self._seats: WeakValueDictionary[str, asyncio.Semaphore] = WeakValueDictionary()
        self._shut: dict[tuple[str, str], float] = {}

    @asynccontextmanager
    async def place(self, call: Call, user: str) -> AsyncIterator[None]:
        """A place for one call; ThrottledError while Graph's time to wait is not over."""
        service = service_of(call)
        self._check(call, service, user)
        limit = self.limits.setdefault(service, Limit())
        async with self._seat(service, user):
            await limit.enter()
            try:
                self._check(call, service, user)  # it may have been shut while we waited
                yield
            finally:
                limit.leave()

    def heard(self, call: Call, user: str, status: int, wait: float | None) -> None:
        """What Graph answered, and how long it asked us to wait (seconds)."""
        service, now = service_of(call), self._now()
        limit = self.limits.setdefault(service, Limit())
        refused = status == HTTPStatus.TOO_MANY_REQUESTS or (
            status == HTTPStatus.SERVICE_UNAVAILABLE and wait is not None
        )
        if refused:
            limit.shrink(now)
            if wait is not None:
                self._shut[_door(service, user)] = now + wait
        elif status < HTTPStatus.BAD_REQUEST:
            limit.grow()

    def _check(self, call: Call, service: str, user: str) -> None:
        door = _door(service, user)
        until = self._shut.get(door)
        if until is None:
            return
        left = until - self._now()
        if left > 0:
            message = f"{call}: Graph asked to wait"
            raise ThrottledError(message, retry_after=left)
        del self._shut[door]

    def _seat(self, service: str, user: str) -> asyncio.Semaphore:
        if service != OUTLOOK or not user:
            return asyncio.Semaphore(1)  # nobody else's
        seat = self._seats.get(user.casefold())
        if seat is None:
            seat = self._seats[user.casefold()] = asyncio.Semaphore(PER_MAILBOX)
        return seat


def _door(service: str, user: str) -> tuple[str, str]:
    return (service, user.casefold() if service == OUTLOOK else "")
