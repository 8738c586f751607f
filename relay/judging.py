"""The judgement on the spot, in processes of its own: extract → detect → decide, as in the cloud.

What the landing container may not hold must not get there, so a mail is judged for both places
where it could be: the spool, and the container. The stricter answer counts, and the record names
the place that gave it.
"""

from __future__ import annotations

import asyncio
import hmac
import multiprocessing
import os
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass, field
from multiprocessing.connection import wait
from pathlib import Path

from relay.cleaning import CRASHED, Cleaned, Cleaner
from relay.sealed import Sealer, read_keys
from relay.settings import Settings
from relay.spool import Letter, Spool
from shared.codec import encode
from shared.detect import Engine, FingerprintKey
from shared.extract import Limits
from shared.model import Content, Context, Finding, Gap, GapCode, Intent
from shared.policy import Policy, default_text
from shared.policy.exemption import Exemption
from shared.sandbox import Sandbox
from shared.settings import Key

SPOOL, LANDING = "relay_spool", "landing"
PATIENCE = 180.0  # seconds; an item's own budget is 60, the rest is waiting for a turn


@dataclass(frozen=True, slots=True)
class Judge:
    """Everything that a judgement needs, in one process."""

    spool: Spool
    sandbox: Sandbox
    engine: Engine
    policy: Policy
    key: Key = field(repr=False)
    cleaner: Cleaner

    async def clean(self, state: str, name: str) -> Cleaned:
        """The mail as it may be opened. Reads it from the disk itself."""
        letter, data = await asyncio.to_thread(self.spool.read, state, name, Letter)
        return await self.cleaner.clean(letter, data)

    async def judge(self, state: str, name: str, granted: Sequence[Exemption] = ()) -> Intent:
        """What policy says of a spooled mail. Reads it from the disk itself."""
        letter, data = await asyncio.to_thread(self.spool.read, state, name, Letter)
        extraction = await self.sandbox.extract(Content(data, "", "message/rfc822"))
        findings = self.engine.scan(extraction.segments)
        digest = hmac.digest(self.key.value, b"content\0" + encode(extraction), "sha256").hex()
        return decided(self.policy, letter, findings, extraction.gaps, digest, granted)


def decided(
    policy: Policy,
    letter: Letter,
    findings: Sequence[Finding],
    gaps: Sequence[Gap],
    digest: str = "",
    granted: Sequence[Exemption] = (),
) -> Intent:
    """The stricter of the two decisions; the spool's where they are alike."""
    spool, landing = (
        Intent(policy.decide(context, findings, gaps, granted), context, digest, "")
        for context in (_context(letter, SPOOL), _context(letter, LANDING))
    )
    return max(spool, landing, key=lambda each: each.decision.disposition)


def _context(letter: Letter, place: str) -> Context:
    domains = dict.fromkeys(_domain(each) for each in letter.recipients)
    return Context(
        source="gate",
        place=place,
        owner=letter.recipients[0],
        sender_domain=_domain(letter.sender),
        recipient_domains=tuple(domains),
        received_at=letter.received_at,
    )


def _domain(address: str) -> str:
    return address.rpartition("@")[2].casefold() if "@" in address else ""


def load_policy(file: Path | None) -> Policy:
    """The defaults, and the site's file over them; PolicyError says what is wrong in it."""
    texts, names = [default_text()], ["default.yaml"]
    if file is not None:
        texts.append(file.read_text(encoding="utf-8"))
        names.append(file.name)
    return Policy.load(texts, names)


def make_judge(settings: Settings) -> Judge:
    """A judge of this process; SettingsError, PolicyError."""
    key = read_keys(settings.fingerprint_key)[0]
    sandbox = Sandbox(
        mode=settings.isolation,  # type: ignore[arg-type] # checked by settings
        processes=1,
        limits=Limits(ocr=settings.ocr == "on"),
    )
    engine = Engine(FingerprintKey(key.id, key.value), names=settings.names == "on")
    spool = Spool(settings.spool, Sealer(read_keys(settings.spool_keys)))
    policy = load_policy(settings.policy)
    return Judge(spool, sandbox, engine, policy, key, Cleaner.of(settings))


class Bench:
    """Judges side by side in processes; one that dies is replaced, and its mail said to be unread.

    Not for two event loops.
    """

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self.policy = load_policy(settings.policy)
        self._spool = Spool(settings.spool, Sealer(read_keys(settings.spool_keys)))
        read_keys(settings.fingerprint_key)  # a wrong file is said here, not in a worker
        self._pool = self._fresh()

    async def judge(
        self, state: str, name: str, granted: Sequence[Exemption] = ()
    ) -> tuple[Intent, bool]:
        """The judgement, and whether the mail could be judged at all.

        A mail during which a process dies is tried again in a fresh one, alone with its neighbours
        of that moment; the second time it is unread. GoneError, MalformedError as the spool.
        """
        intent = await self._run(_judge, state, name, tuple(granted))
        if intent is not None:
            return intent, True
        letter = await asyncio.to_thread(self._spool.meta, state, name, Letter)
        return decided(self.policy, letter, (), (Gap(GapCode.CRASHED, ""),)), False

    async def clean(self, state: str, name: str) -> Cleaned:
        """The mail as it may be opened; ``held`` where no process made it. Raises as ``judge``."""
        return await self._run(_clean, state, name) or CRASHED

    async def _run[*A, T](self, work: Callable[[*A], T], *args: *A) -> T | None:
        loop = asyncio.get_running_loop()
        for _ in range(2):
            pool = self._pool
            try:
                return await asyncio.wait_for(loop.run_in_executor(pool, work, *args), PATIENCE)
            except (BrokenProcessPool, TimeoutError):
                if pool is self._pool:
                    self._pool = self._fresh()
                    _end(pool)
        return None

    def _fresh(self) -> ProcessPoolExecutor:
        return ProcessPoolExecutor(
            self._settings.workers,
            mp_context=multiprocessing.get_context("spawn"),
            initializer=_begin,
            initargs=(self._settings,),
        )

    def close(self) -> None:
        """End the processes; what they have in hand is not waited for (the spool has it)."""
        _end(self._pool)


def _end(pool: ProcessPoolExecutor) -> None:
    processes = list((pool._processes or {}).values())  # noqa: SLF001 - a pool cannot be killed otherwise before 3.14
    pool.shutdown(wait=False, cancel_futures=True)
    for each in processes:
        each.terminate()


class _Here:
    """This worker process's judge and loop."""

    judge: Judge
    loop: asyncio.AbstractEventLoop


def _begin(settings: Settings) -> None:
    threading.Thread(target=_end_with_parent, daemon=True).start()
    _Here.judge = make_judge(settings)
    _Here.loop = asyncio.new_event_loop()


def _end_with_parent() -> None:
    """A relay that was killed must not leave judges behind."""
    parent = multiprocessing.parent_process()
    if parent is not None:
        wait([parent.sentinel])
        os._exit(1)


def _judge(state: str, name: str, granted: Sequence[Exemption]) -> Intent:
    return _Here.loop.run_until_complete(_Here.judge.judge(state, name, granted))


def _clean(state: str, name: str) -> Cleaned:
    return _Here.loop.run_until_complete(_Here.judge.clean(state, name))
