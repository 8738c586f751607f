"""Tasks with isolation: what a killed, crashed or silent child was to do is held by name."""

from __future__ import annotations

import asyncio
import os
import queue
import time
from concurrent.futures import ThreadPoolExecutor

from shared.extract import Limits
from shared.model import Content, Gap
from shared.sandbox.confine import Confinement
from shared.sandbox.runner import Runner
from shared.sandbox.tasks import Done, Task, perform, unpack_done
from shared.sandbox.wire import ANSWER, TASK, failure_of, pack
from shared.sanitize import Options

# An item is read, written anew and read again, with everything in it, in one child.
WHOLE_ITEM = Confinement(memory=1_610_612_736, cpu=60, wall=75.0)
TASKS = "shared.sandbox.tasks"
RECYCLE = {"fork": 0, "pool": 20}


class Treatments:
    """Runs tasks, ``processes`` at a time; safe to use from many coroutines.

    The modes are those of ``shared.sandbox.Sandbox``; server processes start with the first task.
    """

    def __init__(
        self,
        *,
        mode: str = "",
        processes: int = 2,
        confinement: Confinement = WHOLE_ITEM,
        limits: Limits | None = None,
    ) -> None:
        self.mode = mode or ("fork" if hasattr(os, "fork") else "pool")
        self._limits = limits or Limits()
        self._executor = ThreadPoolExecutor(max(1, processes), thread_name_prefix="treatment")
        self._idle: queue.LifoQueue[Runner] = queue.LifoQueue()
        self._runners: list[Runner] = []
        if self.mode != "inline":
            self._runners = [
                Runner(self.mode, confinement, RECYCLE[self.mode], (TASKS,))
                for _ in range(max(1, processes))
            ]
        for runner in self._runners:
            self._idle.put(runner)

    async def sanitise(self, content: Content, options: Options) -> Done:
        """The clean item with its lineage; never raises for what the bytes hold."""
        return await self._do(Task("sanitise", content, self._limits, options))

    async def unlock(self, content: Content, passwords: tuple[str, ...]) -> Done:
        """The item with what these passwords open in the place of what was encrypted."""
        return await self._do(Task("unlock", content, self._limits, words=passwords))

    async def mask(self, content: Content, values: tuple[str, ...]) -> Done:
        """The item with these texts covered."""
        return await self._do(Task("mask", content, self._limits, words=values))

    async def _do(self, task: Task) -> Done:
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._executor, self._run, task)

    def _run(self, task: Task) -> Done:
        if self.mode == "inline":
            return perform(task, time.monotonic)
        runner = self._idle.get()
        try:
            status, body = runner.exchange(TASK, pack(task))
        finally:
            self._idle.put(runner)
        if status != ANSWER:
            return Done(None, (Gap(failure_of(body), ""),))
        return unpack_done(body)

    def pids(self) -> tuple[int, ...]:
        """The server processes that run now."""
        return tuple(runner.pid for runner in self._runners if runner.pid is not None)

    def close(self) -> None:
        """End all processes; tasks in them are waited for. Idempotent."""
        self._executor.shutdown(wait=True)
        for runner in self._runners:
            runner.close()
