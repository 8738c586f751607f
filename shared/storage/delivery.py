"""What a queue message's end is: done, again later, or a dead letter.

The platform counts dequeues and gives a message five; a five-minute outage would burn them all. So
what may get better is put back as a new message with a delay, and the function returns success.
Raising is left for what nobody foresaw: then the dequeue count and the poison queue are the net.
"""

from __future__ import annotations

import random
from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import timedelta

from shared.codec import decode, encode
from shared.errors import (
    BusyError,
    LeaseLostError,
    MalformedError,
    PermanentError,
    RefusedError,
    TransientError,
)
from shared.model import Envelope
from shared.ports import Clock, Queue
from shared.storage.dead_letters import DeadLetters

MAX_AGE = timedelta(hours=24)
BUSY = (2.0, 10.0)  # seconds: somebody else is at it and will be done soon
FIRST, LONGEST = 5.0, 600.0  # seconds: exponential with full jitter, at most ten minutes

type Work = Callable[[Envelope], Awaitable[None]]


async def deliver(
    raw: bytes,
    work: Work,
    *,
    name: str,
    queue: Queue,
    dead: DeadLetters,
    clock: Clock,
    max_age: timedelta = MAX_AGE,
    rng: Callable[[], float] = random.random,
) -> None:
    """Carry one message of the queue ``name`` to its end; returning means it may be deleted.

    A message is tried at least once however old it is (a long backlog is no failure); its age
    counts when it fails. Raises only what is neither transient nor permanent nor refused, and
    what keeps a message from being put back or kept.
    """
    try:
        envelope = decode(raw, Envelope)
    except MalformedError:
        await dead.bury(name, raw, "MalformedError")
        return
    now = clock()
    if envelope.not_before is not None and envelope.not_before > now:
        # Woken early: a delay is at most seven days, and an emulator may forget it.
        await queue.put(raw, delay=(envelope.not_before - now).total_seconds())
        return
    try:
        await work(envelope)
    except TransientError as error:
        if clock() - (envelope.replayed or envelope.first_seen) > max_age:
            await dead.bury(name, raw, f"too old: {type(error).__name__}")
            return
        delay = wait(error, envelope.attempt, rng)
        later = replace(
            envelope,
            attempt=envelope.attempt + 1,
            not_before=clock() + timedelta(seconds=delay),
        )
        await queue.put(encode(later), delay=delay)
    except PermanentError as error:
        await dead.bury(name, raw, type(error).__name__)
    except RefusedError as error:
        await dead.bury(name, raw, type(error).__name__, alert="refused")


def wait(error: TransientError, attempt: int, rng: Callable[[], float]) -> float:
    """Seconds until the next attempt; ``rng`` gives 0…1.

    Full jitter spreads what failed together (aws.amazon.com/blogs/architecture/
    exponential-backoff-and-jitter); what the service asked for is never undercut.
    """
    if isinstance(error, (BusyError, LeaseLostError)):
        low, high = BUSY
        spread = low + (high - low) * rng()
    else:
        spread = min(FIRST * 2 ** min(attempt, 16), LONGEST) * rng()
    return max(spread, error.retry_after or 0.0, 1.0)
