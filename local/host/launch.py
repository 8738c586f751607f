"""Starting and stopping a host; light to import, so that the worker starts before the SDKs load."""

from __future__ import annotations

import asyncio
import importlib
import logging
import signal
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from local.host.errors import HostRefusedError
from local.host.hostjson import load_hostjson
from local.host.settings import load_settings
from local.host.worker_channel import InProcessWorker, SubprocessWorker, Worker

log = logging.getLogger("local.host")

BROKEN = 1
REFUSED = 2
_MOST_WORKERS = 10  # the platform's limit


@dataclass(frozen=True, slots=True)
class Options:
    """The command's options; ``blob_poll``, ``receive_visibility`` and ``drain`` in seconds."""

    appdir: Path
    port: int = 7071
    enable_auth: bool = False
    blob_poll: float = 1.0
    receive_visibility: int = 600
    in_process: bool = False
    workers: int | None = None
    drain: float = 10.0


async def run(
    options: Options, environ: Mapping[str, str], ready: Callable[[int, int], None]
) -> int:
    """Run until SIGINT or SIGTERM; ``ready(port, functions)`` is called once all listens.

    Returns:
        0 after a stop, 1 after a fault of the host, 2 where the app was refused or the port is
        taken (stderr says why).
    """
    stop = asyncio.Event()
    for each in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(each, stop.set)
    try:
        return await _run(options, environ, ready, stop)
    except (HostRefusedError, OSError) as error:
        log.error("refused: %s", error)  # noqa: TRY400 - a message for people, no trace
        return REFUSED


async def _run(
    options: Options,
    environ: Mapping[str, str],
    ready: Callable[[int, int], None],
    stop: asyncio.Event,
) -> int:
    settings = load_settings(options.appdir, environ)
    config = load_hostjson(options.appdir, settings)
    for note in config.notes:
        log.info(note)
    workers = _workers(options, settings)
    starting = asyncio.gather(*(each.start() for each in workers))
    try:
        # The storage SDK and aiohttp take half the start to import: meanwhile the worker indexes.
        app = await asyncio.to_thread(importlib.import_module, "local.host.app")
        indexed = await starting
    except BaseException:
        starting.cancel()
        await asyncio.gather(*(each.stop() for each in workers), return_exceptions=True)
        raise
    host = app.Host(options, settings, config, workers)
    try:
        ready(*await host.start(indexed[0]))
        waits = [asyncio.create_task(each.wait()) for each in (stop, host.broken)]
        await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
        for each in waits:
            each.cancel()
    finally:
        await host.stop()
    return BROKEN if host.broken.is_set() else 0


def _workers(options: Options, settings: Mapping[str, str]) -> list[Worker]:
    if options.in_process:
        return [InProcessWorker(options.appdir, settings)]
    count = str(options.workers or settings.get("FUNCTIONS_WORKER_PROCESS_COUNT") or 1)
    if not count.isdecimal() or not 1 <= int(count) <= _MOST_WORKERS:
        message = f"{count} workers: FUNCTIONS_WORKER_PROCESS_COUNT is 1 to {_MOST_WORKERS}"
        raise HostRefusedError(message)
    return [SubprocessWorker(options.appdir, settings) for _ in range(int(count))]
