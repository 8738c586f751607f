"""The host's side of its workers: start, invoke, kill on timeout, start again after a crash."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import shutil
import sys
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Protocol

from local.host import wire
from local.host.errors import HostRefusedError

log = logging.getLogger("local.host.worker")

_ROOT = Path(__file__).resolve().parents[2]
_START_SECONDS = 60.0
_SOUND_SECONDS = 10.0  # a worker that lived this long had no trouble starting
STOPPING = "the host is stopping"


class Worker(Protocol):
    """Runs functions somewhere."""

    restarts: int

    @property
    def pid(self) -> int:
        """The process it runs in."""

    async def start(self) -> list[wire.Indexed]:
        """Index the app; HostRefusedError where that fails."""

    async def invoke(self, invocation: wire.Invocation, limit: float | None) -> wire.Result:
        """Run one function; a crash or an overrun (seconds) is a failed result, never an error."""

    async def stop(self) -> None:
        """End it; what still runs fails."""


class SubprocessWorker:
    """One operating-system process, started again whenever it ends by itself.

    ``env`` is its whole environment. Its output (prints and logs) goes to the host's stderr.
    """

    def __init__(self, appdir: Path, env: Mapping[str, str]) -> None:
        self.restarts = 0
        self._appdir = appdir
        path = os.pathsep.join(filter(None, (str(_ROOT), env.get("PYTHONPATH"))))
        self._env = {**env, "PYTHONPATH": path}
        self._pending: dict[str, asyncio.Future[wire.Result]] = {}
        self._up = asyncio.Event()
        self._stopping = False
        self._process: asyncio.subprocess.Process | None = None
        self._writer: asyncio.StreamWriter | None = None
        self._keeper: asyncio.Task[None] | None = None

    @property
    def pid(self) -> int:
        """The present process; 0 while there is none."""
        return 0 if self._process is None else self._process.pid

    async def start(self) -> list[wire.Indexed]:
        """Start the process and return what it indexed."""
        functions, reader = await self._spawn()
        self._keeper = asyncio.create_task(self._keep(reader))
        return functions

    async def invoke(self, invocation: wire.Invocation, limit: float | None) -> wire.Result:
        """Wait for a worker, run the function, and kill the process when ``limit`` is over."""
        await self._up.wait()
        if self._stopping or self._writer is None:
            return wire.Result(invocation.id, ok=False, error=STOPPING)
        process = self._process
        future: asyncio.Future[wire.Result] = asyncio.get_running_loop().create_future()
        self._pending[invocation.id] = future
        try:
            wire.write(self._writer, invocation)
            return await asyncio.wait_for(future, limit)
        except TimeoutError:
            log.error("%s overran functionTimeout: its worker is killed", invocation.function)  # noqa: TRY400 - no fault of ours to trace
            _kill(process)
            return wire.Result(
                invocation.id, ok=False, error=f"functionTimeout: over {limit} seconds"
            )
        finally:
            self._pending.pop(invocation.id, None)

    async def stop(self) -> None:
        """Close the socket, which ends the process; kill it if it does not go in two seconds."""
        self._stopping = True
        self._up.set()
        if self._writer is not None:
            self._writer.close()
        if self._process is not None:
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._process.wait(), 2)
            _kill(self._process)
        if self._keeper is not None:
            self._keeper.cancel()
            await asyncio.gather(self._keeper, return_exceptions=True)
        self._fail_pending(STOPPING)

    async def _spawn(self) -> tuple[list[wire.Indexed], asyncio.StreamReader]:
        connected: asyncio.Future[tuple[asyncio.StreamReader, asyncio.StreamWriter]]
        connected = asyncio.get_running_loop().create_future()
        folder = tempfile.mkdtemp(prefix="local-host-")  # 0700: no other user may connect
        server = await asyncio.start_unix_server(
            lambda reader, writer: connected.set_result((reader, writer)),
            f"{folder}/worker.sock",
            limit=2**20,
        )
        try:
            self._process = await asyncio.create_subprocess_exec(
                *(sys.executable, "-u", "-m", "local.host.worker_main"),
                *(f"{folder}/worker.sock", str(self._appdir), str(os.getpid())),
                cwd=self._appdir,
                env=self._env,
                stdin=asyncio.subprocess.DEVNULL,
                stdout=sys.stderr,
            )
            await _or_exit(connected, self._process)
            reader, self._writer = connected.result()
            first = await wire.read(reader)
        except (asyncio.IncompleteReadError, TimeoutError) as error:
            _kill(self._process)
            message = "the worker ended, or said nothing, before the app was indexed"
            raise HostRefusedError(message) from error
        finally:
            server.close()
            shutil.rmtree(folder, ignore_errors=True)  # a connected socket outlives its name
        if not isinstance(first, wire.Ready):
            message = first.message if isinstance(first, wire.Failed) else "unexpected first word"
            raise HostRefusedError(message)
        self._up.set()
        return first.functions, reader

    async def _keep(self, reader: asyncio.StreamReader) -> None:
        """Hand out results; when the process ends, fail what it had in hand and start another."""
        pause = 0.1
        while True:
            started = time.monotonic()
            await self._hand_out(reader)
            self._up.clear()
            self._fail_pending(STOPPING if self._stopping else "the worker process ended")
            if self._stopping:
                self._up.set()
                return
            if time.monotonic() - started > _SOUND_SECONDS:
                pause = 0.1
            while True:
                log.warning("the worker process ended; starting another")
                self.restarts += 1
                try:
                    _functions, reader = await self._spawn()
                    break
                except HostRefusedError as error:
                    log.error("the worker did not start: %s", error)  # noqa: TRY400 - the message holds the worker's own trace
                    pause = min(5.0, pause * 2)
                    await asyncio.sleep(pause)

    async def _hand_out(self, reader: asyncio.StreamReader) -> None:
        with contextlib.suppress(asyncio.IncompleteReadError, ConnectionError):
            while True:
                message = await wire.read(reader)
                assert isinstance(message, wire.Result)
                future = self._pending.get(message.id)
                if future is not None and not future.done():
                    future.set_result(message)

    def _fail_pending(self, why: str) -> None:
        for key, future in self._pending.items():
            if not future.done():
                future.set_result(wire.Result(key, ok=False, error=why))


async def _or_exit(awaited: asyncio.Future[Any], process: asyncio.subprocess.Process) -> None:
    """Wait; TimeoutError if the process ends first or the time to start is over."""
    gone = asyncio.create_task(process.wait())
    waiting: set[asyncio.Future[Any]] = {awaited, gone}
    await asyncio.wait(waiting, timeout=_START_SECONDS, return_when=asyncio.FIRST_COMPLETED)
    gone.cancel()
    if not awaited.done():
        raise TimeoutError


def _kill(process: asyncio.subprocess.Process | None) -> None:
    if process is not None and process.returncode is None:
        with contextlib.suppress(ProcessLookupError):
            process.kill()


class InProcessWorker:
    """Functions in the host's own process: quicker to start, easier to debug, nothing to kill."""

    restarts = 0

    def __init__(self, appdir: Path, env: Mapping[str, str]) -> None:
        self._appdir = appdir
        self._env = env

    @property
    def pid(self) -> int:
        """The host's own."""
        return os.getpid()

    async def start(self) -> list[wire.Indexed]:
        """Index the app here: its folder becomes the working directory, its settings ours."""
        from local.host.engine import Engine  # noqa: PLC0415 - the library is for the worker alone

        os.environ.update(self._env)
        os.chdir(self._appdir)
        sys.path.insert(0, str(self._appdir))
        self._engine = Engine()
        return await self._engine.start(self._appdir)

    async def invoke(self, invocation: wire.Invocation, limit: float | None) -> wire.Result:
        """As the subprocess's, but a function that runs out of time is only left behind."""
        try:
            return await asyncio.wait_for(self._engine.invoke(invocation), limit)
        except TimeoutError:
            return wire.Result(
                invocation.id, ok=False, error=f"functionTimeout: over {limit} seconds"
            )

    async def stop(self) -> None:
        """End the thread pool."""
        await asyncio.to_thread(self._engine.stop)
