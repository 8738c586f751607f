"""The stand-in as a process, for tests, the demo and `make dev`."""

from __future__ import annotations

import json
import subprocess
import sys
import threading
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Self

START_SECONDS = 30.0
URL_CHARACTERS = "/?&=%:@!$'()*,;+~"


class AdminError(RuntimeError):
    """The admin side answered other than 2xx; ``status`` says what."""

    def __init__(self, status: int, body: str) -> None:
        super().__init__(f"the stand-in answered {status}: {body[:500]}")
        self.status = status


class GraphProcess:
    """A context manager. The same ``port`` again makes an empty tenant (state is in memory).

    Shapes: ``base_url`` is ``http://127.0.0.1:PORT/v1.0``; ``admin`` speaks to ``/_admin``.
    """

    def __init__(
        self,
        port: int | None = None,
        *,
        log_path: Path,
        record: Path | None = None,
        contract: Path | None = None,
        permissions: Sequence[str] | None = None,
        throttle: bool = False,
    ) -> None:
        self.port = port or 0
        self._log_path, self._record = log_path, record
        self._contract, self._permissions = contract, permissions
        self._throttle = throttle
        self._process: subprocess.Popen[str] | None = None

    @property
    def base_url(self) -> str:
        """For the SDK; known once started."""
        return f"http://127.0.0.1:{self.port}/v1.0"

    def start(self) -> None:
        """Start and wait for READY (half a second); RuntimeError with the log's tail otherwise."""
        command = [sys.executable, "-m", "local.graph", "--port", str(self.port)]
        if self._record is not None:
            command += ["--record", str(self._record)]
        if self._contract is not None:
            command += ["--contract", str(self._contract)]
        if self._permissions is not None:
            command += ["--permissions", ",".join(self._permissions)]
        if self._throttle:
            command.append("--throttle")
        root = Path(__file__).resolve().parent.parent.parent
        self._log_path.parent.mkdir(parents=True, exist_ok=True)
        with self._log_path.open("ab") as log:
            self._process = subprocess.Popen(
                command, stdout=subprocess.PIPE, stderr=log, text=True, cwd=root
            )
        watchdog = threading.Timer(START_SECONDS, self._process.kill)
        watchdog.start()
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        watchdog.cancel()
        if not line.startswith("READY "):
            self.kill()
            tail = self._log_path.read_text(errors="replace")[-2000:]
            message = f"the Graph stand-in did not start on port {self.port}: {tail}"
            raise RuntimeError(message)
        self.port = int(line.strip().removesuffix("/v1.0").rpartition(":")[2])

    def stop(self) -> None:
        """Terminate, and kill after five seconds."""
        if self._process is None:
            return
        self._process.terminate()
        try:
            self._process.wait(5)
        except subprocess.TimeoutExpired:
            self._process.kill()
        self._close()

    def kill(self) -> None:
        """SIGKILL."""
        if self._process is not None:
            self._process.kill()
            self._close()

    def _close(self) -> None:
        assert self._process is not None
        self._process.wait()
        if self._process.stdout is not None:
            self._process.stdout.close()
        self._process = None

    def admin(
        self, method: str, path: str, *, data: bytes | None = None, json_body: Any = None
    ) -> Any:
        """Call ``/_admin/{path}``; the JSON that came back, or the bytes of a ``raw`` one.

        Raises AdminError for a status other than 2xx.
        """
        body = json.dumps(json_body).encode() if json_body is not None else data
        escaped = urllib.parse.quote(path.lstrip("/"), safe=URL_CHARACTERS)
        url = f"http://127.0.0.1:{self.port}/_admin/{escaped}"
        request = urllib.request.Request(url, data=body, method=method)
        request.add_header("Content-Type", "application/octet-stream")
        try:
            with urllib.request.urlopen(request, timeout=30) as answer:  # noqa: S310 - loopback only
                content = answer.read()
                kind = answer.headers.get_content_type()
        except urllib.error.HTTPError as error:
            with error:
                raise AdminError(error.code, error.read().decode(errors="replace")) from error
        return json.loads(content) if kind == "application/json" else content

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stop()
