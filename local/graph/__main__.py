"""``python -m local.graph --port N``: prints READY and the base address, serves until stopped."""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import signal
from pathlib import Path

from aiohttp import web

from local.graph.server import create_app


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m local.graph", description=__doc__)
    parser.add_argument("--port", type=int, default=0, help="0 takes a free one")
    parser.add_argument("--record", type=Path, help="write each request and answer as a JSON line")
    parser.add_argument("--contract", type=Path, help="an OpenAPI description of Graph")
    parser.add_argument("--permissions", help="granted application permissions, comma-separated")
    parser.add_argument("--throttle", action="store_true", help="429 over 4 requests a mailbox")
    return parser.parse_args()


async def _serve(arguments: argparse.Namespace) -> None:
    granted = arguments.permissions
    app = create_app(
        record=arguments.record,
        contract=arguments.contract,
        throttle=arguments.throttle,
        granted=frozenset(granted.split(",")) if granted is not None else None,
    )
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=2.0)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", arguments.port)
    await site.start()
    print(f"READY http://127.0.0.1:{runner.addresses[0][1]}/v1.0", flush=True)
    stop = asyncio.Event()
    for each in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(each, stop.set)
    await stop.wait()
    await runner.cleanup()


if __name__ == "__main__":
    with contextlib.suppress(KeyboardInterrupt):
        asyncio.run(_serve(_arguments()))
