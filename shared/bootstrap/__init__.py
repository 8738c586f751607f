"""The composition root: the only place where the core and the shell are put together.

One ``Runtime`` a process. Everything is made at its first use, so that an app of one role never
connects to, or imports, what only another role needs (the webhook imports no Graph SDK). The parts
are in the files of this package by duty; here is one line a function, for ``functions/``.
"""

from __future__ import annotations

import asyncio
from contextlib import suppress
from dataclasses import replace
from datetime import timedelta
from functools import cache
from typing import TYPE_CHECKING

from shared import __version__
from shared.bootstrap.core import needed
from shared.bootstrap.runtime import Runtime, new_trace, runtime
from shared.duties import (
    Arrivals,
    Gate,
    Intake,
    Reader,
    Scanner,
    Stranded,
    Timers,
    Undertaker,
    Work,
    arrive,
    settle_all,
)
from shared.errors import BusyError, SekishoError, StorageConflictError
from shared.settings import Key
from shared.storage import landed
from shared.storage.ledger import PARTITIONS
from shared.telemetry import oldest

if TYPE_CHECKING:
    from shared.console.app import Console
    from shared.console.originals import OriginalPages
    from shared.console.passwords import PasswordPages

__all__ = [
    "Runtime",
    "arrivals",
    "console",
    "export_record",
    "forget",
    "gate",
    "health",
    "intake",
    "judge_anew",
    "look",
    "new_trace",
    "original_pages",
    "password_pages",
    "publish_head",
    "reader",
    "send_notices",
    "settle_poison",
    "stranded",
    "tidy",
    "timers",
    "undertaker",
    "verify_chain",
]

SWEEP_SPREAD = 600.0  # seconds over which a sweep's jobs are spread in a large tenant
SMALL = 400  # jobs of a sweep that start at once: some 100 accounts
QUEUES = (
    "graph-hints",
    "graph-jobs",
    landed.QUEUE,
    "scan-items",
    "scan-bulk",
    "scan-results",
    "relay-results",
    "relay-deliver",
)
"""Those that functions read, and whose poison is settled."""
BULK = 2  # items of the baseline in hand at once, so that fresh ones find the worker free


@cache
def intake() -> Intake:
    """For ``functions/notifications``."""
    run = runtime()
    key: Key = needed(run.settings.client_state_key, "SEKISHO_CLIENT_STATE_KEY")
    hints, jobs = run.work.queue("graph-hints"), run.work.queue("graph-jobs")
    return Intake(hints, jobs, run.alerts, run.clock, (key.value,), new_trace, run.checks)


@cache
def timers() -> Timers:
    """For ``functions/subscriptions``."""
    run = runtime()
    jobs = run.work.queue("graph-jobs")
    return Timers(jobs, run.due, run.accounts, run.clock, SWEEP_SPREAD, SMALL)


@cache
def reader(name: str) -> Reader:
    """For the functions that read a queue: ``name`` is the queue's."""
    run = runtime()
    places = asyncio.Semaphore(BULK) if name == "scan-bulk" else None
    work = _work(run, name)
    return Reader(name, run.work.queue(name), run.dead, run.clock, work, new_trace, places)


def _work(run: Runtime, name: str) -> Work:
    match name:
        case landed.QUEUE:
            return lambda envelope: arrive(envelope, gate())
        case "graph-hints":
            return run.resolver.hint
        case "graph-jobs":
            return run.resolver.job
        case "scan-results":
            return run.recorder.record
        case "relay-results":
            return run.relay_delivery.settle
        case _:
            return Scanner(run.app, {"look": run.locks.look}).scan


@cache
def gate() -> Gate:
    """For ``functions/blobs``."""
    run = runtime()
    return Gate(run.gate_arrivals.items_for, run.work.queue("scan-items"), run.clock, new_trace)


@cache
def stranded() -> Stranded:
    """For ``functions/blobs``: what the platform's blob trigger gave up on."""
    run = runtime()
    return Stranded(gate(), run.work.queue(landed.STRANDED), run.dead)


@cache
def arrivals() -> Arrivals:
    """For ``functions/blobs`` where Event Grid's events come by queue."""
    return Arrivals(reader(landed.QUEUE))


async def settle_poison() -> None:
    """For the timer of ``functions/dead_letters``: what waits on every poison queue."""
    await settle_all(undertaker(name) for name in QUEUES)


@cache
def undertaker(name: str) -> Undertaker:
    """``name`` is the queue whose poison queue is settled."""
    run = runtime()
    made = Undertaker(name, run.work.queue(name), run.work.queue(f"{name}-poison"), run.dead)
    if name == landed.QUEUE:  # what Event Grid wrote is no envelope yet
        return replace(
            made,
            read=lambda raw: landed.envelope_of(raw, run.clock()),
            parts=lambda raw: (raw,),
        )
    return made


def console() -> Console:
    """For ``functions/console``; SettingsError where no sign-in is set up."""
    return runtime().console


def password_pages() -> PasswordPages:
    """For ``functions/passwords``."""
    from shared.console.passwords import PasswordPages  # noqa: PLC0415 - the scan's role alone

    run = runtime()
    return PasswordPages(run.locks, run.settings.password_login)


def original_pages() -> OriginalPages:
    """For ``functions/passwords``."""
    from shared.console.originals import OriginalPages  # noqa: PLC0415 - the scan's role alone

    run = runtime()
    return OriginalPages(run.originals, run.settings.password_login)


async def publish_head() -> None:
    """For the timer of ``functions/audit``: the chain's end is signed though nothing comes."""
    with suppress(BusyError):  # whoever holds the sequencer signs it
        await runtime().recorder.log.publish_head()


async def judge_anew() -> None:
    """For the timer of ``functions/exceptions``: what began or ended, and copies that shall end."""
    await runtime().anew.run()
    if runtime().settings.gate_delivery == "relay":
        await runtime().relay_granted.publish()
    if runtime().settings.legal_hold == "off":
        await runtime().disposer.run()
    await runtime().expiring.run()
    await forget()
    await tell_oldest()


async def forget() -> None:
    """What the ledger has held for long; another of its partitions each minute."""
    run = runtime()
    now, days = run.clock(), run.settings.retain_ledger_days
    if days:
        partition = int(now.timestamp() // 60) % PARTITIONS
        await run.ledger.purge(now - timedelta(days=days), partition)


async def tell_oldest() -> None:
    """How long the oldest item at the gate has waited, for telemetry."""
    from shared.services.gate.waiting import PERSON, SCAN  # noqa: PLC0415 - the scan's role alone

    waiting = runtime().waiting
    for each in (SCAN, PERSON):
        oldest(each, await waiting.oldest(each))


async def send_notices() -> None:
    """For the timer of ``functions/notices``: alerts and the digest go the same way as the rest."""
    run = runtime()
    await run.telling.alerts(run.alerts)
    await run.telling.digest()
    await run.sender.run()


async def export_record() -> None:
    """For the timer of ``functions/audit``: what is new, in each format that the settings name."""
    failed = []
    for each in runtime().exports:
        try:
            await each.run()
        except StorageConflictError:  # another worker is at it
            continue
        except SekishoError as error:  # the other exports need not wait for this one
            failed.append(error)
    if failed:
        raise failed[0]


async def look() -> None:
    """For the timer of ``functions/audit``: alerts of what stands still, lapses or is lost."""
    await runtime().watchdog.look()


async def tidy() -> None:
    """For the timer of ``functions/audit``: retention, counters against incidents, old seals."""
    run = runtime()
    await run.retention.run()
    await run.recount.run(fix=True)
    await run.seals.forget()  # last: it may be long, and nothing is lost if it is cut off


async def verify_chain() -> None:
    """For the timer of ``functions/audit``; what it found is a row, a break is an alert too."""
    await runtime().chain_watch.run()


async def health() -> dict[str, str]:
    """Role and version; raises what is wrong: SettingsError, TransientError."""
    run = runtime()
    await run.work.blobs("work").properties("health")
    return {"status": "healthy", "role": run.settings.role, "version": __version__}
