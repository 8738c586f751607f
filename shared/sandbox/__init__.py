"""Runs extraction so that hostile bytes cannot take the worker along.

Mail and plain text are read in the process itself (the hot path); every document of a risky format
goes to a child process with limits. A child that is killed, crashes or stays silent is a gap by
name, never an exception and never silence.

Modes: ``fork`` (a server forks a child a document; the default where fork exists), ``pool`` (one
persistent child, replaced after some documents), ``inline`` (no isolation: tests and tools only).
"""

from __future__ import annotations

import asyncio
import os
import queue
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from functools import partial
from typing import Literal

from shared.extract import Document, Job, Limits, Used, begin
from shared.extract.dispatch import read
from shared.extract.job import SEPARATOR
from shared.model import Content, Extraction, GapCode, Segment
from shared.sandbox.confine import Confinement
from shared.sandbox.runner import Runner
from shared.sandbox.wire import Answer, Request, failed

type Mode = Literal["fork", "pool", "inline"]

__all__ = ["Confinement", "Mode", "Sandbox", "merge"]

LONG = 500_000  # bytes
RECYCLE = {"fork": 0, "pool": 50}
# A page of 12 million pixels takes a second or two and 485 MB, in 780 MB of address space, for the
# engine reserves more than it uses; the item's own 60 seconds bound all pages.
WITH_OCR = Confinement(memory=896 << 20, cpu=60, wall=75.0)


class Sandbox:
    """Extraction with isolation. Safe to use from many tasks; ``processes`` documents at a time.

    Args:
        mode: See the module; None chooses ``fork`` where the platform has it, else ``pool``.
        processes: Server processes (each starts with its first document).
        confinement: Limits of one child: memory, processor and wall time, files.
        limits: The budget of one item.
        recycle: Documents after which a pool's process is replaced.
    """

    def __init__(
        self,
        *,
        mode: Mode | None = None,
        processes: int = 2,
        confinement: Confinement | None = None,
        limits: Limits | None = None,
        recycle: int | None = None,
    ) -> None:
        self.mode: Mode = mode or ("fork" if hasattr(os, "fork") else "pool")
        self._limits = limits or Limits()
        self._confinement = confinement or (WITH_OCR if self._limits.ocr else Confinement())
        self._executor = ThreadPoolExecutor(max(1, processes), thread_name_prefix="sandbox")
        self._idle: queue.LifoQueue[Runner] = queue.LifoQueue()
        self._runners = []
        if self.mode != "inline":
            every = RECYCLE[self.mode] if recycle is None else recycle
            self._runners = [
                Runner(self.mode, self._confinement, every) for _ in range(max(1, processes))
            ]
        for runner in self._runners:
            self._idle.put(runner)

    async def extract(self, content: Content, passwords: tuple[str, ...] = ()) -> Extraction:
        """Read an item with everything in it; never raises for what the bytes hold."""
        started = time.monotonic()
        first_pass = partial(
            begin,
            content,
            clock=time.monotonic,
            limits=self._limits,
            passwords=passwords,
        )
        # A large mail or text leaves the event loop, so that leases are renewed meanwhile.
        large = len(content.data) > LONG
        job = await asyncio.to_thread(first_pass) if large else first_pass()
        found: list[tuple[Document, Extraction]] = []
        used = job.used
        for document in job.deferred:
            left = self._limits.seconds - (time.monotonic() - started)
            if left <= 0:
                answer = failed(GapCode.TIMED_OUT, document.location)
            else:
                limits = replace(self._limits, seconds=left)
                answer = await self._isolated(Request(document, limits, tuple(passwords), used))
            used = _more(used, answer.used)
            found.append((document, answer.extraction))
        return merge(job.result(), found)

    async def _isolated(self, request: Request) -> Answer:
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._executor, self._run, request)

    def _run(self, request: Request) -> Answer:
        if self.mode == "inline":
            job = Job(
                clock=time.monotonic,
                limits=request.limits,
                passwords=request.passwords,
                used=request.used,
            )
            read(request.document, job)
            return Answer(job.result(), job.used)
        runner = self._idle.get()
        try:
            return runner.run(request)
        finally:
            self._idle.put(runner)

    def pids(self) -> tuple[int, ...]:
        """The server processes that run now."""
        return tuple(runner.pid for runner in self._runners if runner.pid is not None)

    def close(self) -> None:
        """End all processes; documents in them are waited for. Idempotent."""
        self._executor.shutdown(wait=True)
        for runner in self._runners:
            runner.close()


def _more(before: Used, after: Used) -> Used:
    """The larger of each: a child that came to no answer, or lies, gives no budget back."""
    return Used(
        max(before.members, after.members),
        max(before.expanded, after.expanded),
        max(before.text, after.text),
    )


def merge(first: Extraction, found: list[tuple[Document, Extraction]]) -> Extraction:
    """All segments in the document's order: those of a part behind that part's name."""
    anchors: dict[int, list[Segment]] = {}
    gaps = dict.fromkeys(first.gaps)
    for document, result in found:
        anchor = _anchor(first.segments, document.location)
        anchors.setdefault(anchor, []).extend(result.segments)
        gaps.update(dict.fromkeys(result.gaps))
    ordered = list(anchors.pop(-1, ()))
    for index, segment in enumerate(first.segments):
        ordered.append(segment)
        ordered.extend(anchors.get(index, ()))
    return Extraction(tuple(ordered), tuple(gaps))


def _anchor(segments: tuple[Segment, ...], location: str) -> int:
    """The last segment of the part at ``location``, else the last of all."""
    inside = f"{location}{SEPARATOR}"
    for index in range(len(segments) - 1, -1, -1):
        if segments[index].location == location or segments[index].location.startswith(inside):
            return index
    return len(segments) - 1
