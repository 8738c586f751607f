"""``python -m local.host APPDIR``: a development host for an Azure Functions app in Python."""

from __future__ import annotations

import time

_STARTED = time.perf_counter()

import argparse  # noqa: E402 - the clock starts before the imports, which are most of the start
import asyncio  # noqa: E402
import logging  # noqa: E402
import os  # noqa: E402
import sys  # noqa: E402
from pathlib import Path  # noqa: E402

from local.host.launch import Options, run  # noqa: E402


def parse(arguments: list[str]) -> Options:
    """The options of a command line; exits 2 with usage where they do not parse."""
    parser = argparse.ArgumentParser(prog="python -m local.host", description=__doc__)
    parser.add_argument("appdir", type=Path, help="the folder of host.json and function_app.py")
    parser.add_argument("--port", type=int, default=7071, help="0 takes a free one")
    parser.add_argument("--enable-auth", action="store_true", help="check function keys")
    parser.add_argument("--blob-poll", type=float, default=1.0, help="seconds between blob scans")
    parser.add_argument(
        "--receive-visibility",
        type=int,
        default=600,
        help="seconds a received message stays hidden if this host is killed",
    )
    parser.add_argument("--worker", choices=["subprocess", "inprocess"], default="subprocess")
    parser.add_argument("--workers", type=int, help="worker processes (default: the setting, or 1)")
    parser.add_argument(
        "--drain", type=float, default=10.0, help="seconds that functions get to finish on SIGTERM"
    )
    given = parser.parse_args(arguments)
    if given.receive_visibility < 1 or given.blob_poll <= 0:
        parser.error("--receive-visibility is 1 second at least, --blob-poll more than 0")
    return Options(
        appdir=given.appdir.resolve(),
        port=given.port,
        enable_auth=given.enable_auth,
        blob_poll=given.blob_poll,
        receive_visibility=given.receive_visibility,
        in_process=given.worker == "inprocess",
        workers=given.workers,
        drain=given.drain,
    )


def _ready(port: int, functions: int) -> None:
    seconds = time.perf_counter() - _STARTED
    print(
        f"READY http://127.0.0.1:{port} functions={functions} seconds={seconds:.2f}",
        flush=True,
    )


def main() -> int:
    """Run the command; its exit code."""
    logging.basicConfig(
        level=logging.INFO, format="%(asctime)s %(levelname)s host %(name)s: %(message)s"
    )
    logging.getLogger("azure").setLevel(logging.WARNING)
    return asyncio.run(run(parse(sys.argv[1:]), os.environ, _ready))


if __name__ == "__main__":
    sys.exit(main())
