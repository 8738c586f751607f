"""``make dev``: everything on this machine until Ctrl-C; ``--host func`` uses the Core Tools.

Writes ``local.settings.json`` with fresh keys, so that ``func start`` in another terminal finds the
same settings.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import shutil
import signal
import subprocess
import sys
from pathlib import Path

from local.azurite import Azurite
from local.environment import app_settings
from local.graph.process import GraphProcess
from local.stack import ROOT, Stack

USERS = {"関所 花子": "hanako@city.example", "関所 太郎": "taro@city.example"}


def main() -> int:
    """Run until interrupted; 0, or 69 where the Core Tools are asked for and not installed."""
    parser = argparse.ArgumentParser(prog="make dev", description=__doc__)
    parser.add_argument("--host", choices=["local", "func"], default="local")
    folder = ROOT / ".dev"
    if parser.parse_args().host == "func":
        return _core_tools(folder)
    with Stack(folder, users=USERS) as stack:
        _announce(stack.host.url, stack.graph.base_url, stack.user_ids)
        with contextlib.suppress(KeyboardInterrupt):
            signal.pause()
    return 0


def _announce(host: str, graph: str, users: dict[str, str]) -> None:
    print(f"host      {host}/api/health   (a development host, never for production)")
    print(f"Graph     {graph}   admin: {graph.removesuffix('/v1.0')}/_admin/state")
    for upn, user_id in users.items():
        print(f"account   {upn} = {user_id}")
    print("Ctrl-C で終了します / Ctrl-C stops everything", flush=True)


def _core_tools(folder: Path) -> int:
    func = shutil.which("func")
    if func is None:
        print(
            "Azure Functions Core Tools (func) が見つかりません / not found.\n"
            "Install them (npm install -g azure-functions-core-tools@4) or use: make dev",
            file=sys.stderr,
        )
        return 69
    with (
        Azurite(folder / "azurite") as azurite,
        GraphProcess(record=None, log_path=folder / "graph.log") as graph,
    ):
        users = {
            upn: graph.admin("POST", "/users", json_body={"name": n, "upn": upn})["id"]
            for n, upn in USERS.items()
        }
        values = app_settings(
            storage=azurite.connection_string,
            graph_base_url=graph.base_url,
            host_url="http://127.0.0.1:7071",
            watch=list(users.values()),
        )
        values["SEKISHO_BLOB_SOURCE"] = "LogsAndContainerScan"  # the Core Tools poll; no Event Grid
        settings = {"IsEncrypted": False, "Values": values}
        (ROOT / "local.settings.json").write_text(json.dumps(settings, indent=2), encoding="utf-8")
        _announce("http://127.0.0.1:7071", graph.base_url, users)
        return subprocess.run([func, "start"], cwd=ROOT, check=False).returncode


if __name__ == "__main__":
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # so that everything is stopped
    sys.exit(main())
