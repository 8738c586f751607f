"""The worker process: ``python -m local.host.worker_main SOCKET APPDIR HOST_PID``.

Started by ``worker_channel`` in the app's folder, as the platform does. It ends with its host,
whatever ends the host: the kernel's death signal where there is one, else the socket's end.
"""

from __future__ import annotations

import asyncio
import ctypes
import logging
import os
import signal
import sys
from pathlib import Path
from typing import NoReturn

from azure_functions_runtime import invocation_id_cv

from local.host import wire
from local.host.engine import Engine
from local.host.errors import HostRefusedError

_PR_SET_PDEATHSIG = 1  # linux/prctl.h


def _die_with(host: int) -> None:
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != host:
        _leave(1)  # it died before the signal was asked for


def _leave(code: int) -> NoReturn:
    """Leave at once: a function that hangs in a thread must not hold the process."""
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)


def _log_to_stderr(engine: Engine) -> None:
    """App loggers at INFO; the SDKs' and the library's own chatter from WARNING."""

    def name_function(record: logging.LogRecord) -> bool:
        invocation = invocation_id_cv.get()
        record.function = engine.running.get(invocation or "", "-")
        return True

    handler = logging.StreamHandler()
    handler.addFilter(name_function)
    logging.basicConfig(
        level=logging.INFO,
        format="%(asctime)s %(levelname)s %(function)s %(name)s: %(message)s",
        handlers=[handler],
    )
    for noisy in ("azure", "azure.functions", "httpx", "httpcore", "asyncio"):
        logging.getLogger(noisy).setLevel(logging.WARNING)


async def _serve(socket: str, appdir: Path) -> NoReturn:
    reader, writer = await asyncio.open_unix_connection(socket)
    engine = Engine()
    _log_to_stderr(engine)
    try:
        wire.write(writer, wire.Ready(await engine.start(appdir)))
    except HostRefusedError as error:
        wire.write(writer, wire.Failed(str(error)))
        await writer.drain()
        _leave(2)

    async def run(invocation: wire.Invocation) -> None:
        wire.write(writer, await engine.invoke(invocation))
        await writer.drain()

    tasks: set[asyncio.Task[None]] = set()
    try:
        while True:
            message = await wire.read(reader)
            assert isinstance(message, wire.Invocation)
            task = asyncio.create_task(run(message))
            tasks.add(task)
            task.add_done_callback(tasks.discard)
    except (asyncio.IncompleteReadError, ConnectionError):
        _leave(0)


if __name__ == "__main__":
    _die_with(int(sys.argv[3]))
    # Ctrl-C reaches the whole group, but it is the host that drains. A handler, not SIG_IGN, which
    # the app's own child processes would inherit.
    signal.signal(signal.SIGINT, lambda _number, _frame: None)
    asyncio.run(_serve(sys.argv[1], Path(sys.argv[2])))
