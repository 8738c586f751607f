"""The host as a child process, for the demo and the tests."""

from __future__ import annotations

import contextlib
import logging
import os
import re
import secrets
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Self

from local.azurite import free_ports
from local.host.keys import HOST_KEY, MASTER_KEY

log = logging.getLogger(__name__)

_ROOT = Path(__file__).resolve().parents[2]
_READY = re.compile(r"^READY (http://127\.0\.0\.1:(\d+)) .*$", re.MULTILINE)
_START_SECONDS = 60.0
_STOP_SECONDS = 15.0


class HostProcess:
    """A context manager: the app runs inside the block, keys checked.

    ``env`` is laid over this process's environment. A free port is taken where none is given, and
    every start of the same object has it, so that addresses given out stay good.
    ``blob_poll`` and ``receive_visibility`` in seconds. ``log_path`` is appended to; ``options``
    are further ones of the command.
    """

    def __init__(
        self,
        appdir: Path,
        *,
        env: Mapping[str, str],
        port: int | None = None,
        blob_poll: float = 0.3,
        receive_visibility: int = 600,
        log_path: Path | None = None,
        enable_auth: bool = True,
        options: Sequence[str] = (),
    ) -> None:
        self.appdir = Path(appdir)
        self.port = port or free_ports(1)[0]
        self.log_path = log_path or Path(tempfile.mkdtemp(prefix="local-host-")) / "host.log"
        self.ready_line = ""
        self._env = {
            **os.environ,
            HOST_KEY: secrets.token_urlsafe(16),
            MASTER_KEY: secrets.token_urlsafe(16),
            **env,
        }
        self._options = [
            *("--blob-poll", str(blob_poll), "--receive-visibility", str(receive_visibility)),
            *(["--enable-auth"] if enable_auth else []),
            *options,
        ]
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        """``http://127.0.0.1:PORT``."""
        return f"http://127.0.0.1:{self.port}"

    @property
    def host_key(self) -> str:
        """Opens functions of level function."""
        return self._env[HOST_KEY]

    @property
    def master_key(self) -> str:
        """Opens everything, /admin too."""
        return self._env[MASTER_KEY]

    @property
    def pid(self) -> int | None:
        """The host's process (its workers are in the same group)."""
        return None if self._process is None else self._process.pid

    def start(self) -> None:
        """Start and wait until everything listens.

        Raises:
            RuntimeError: it ended or was not ready in a minute; the message has the log's tail.
        """
        if self._process is not None:
            message = "the host runs already"
            raise RuntimeError(message)
        self.log_path.parent.mkdir(parents=True, exist_ok=True)
        with self.log_path.open("ab") as log:
            start = log.tell()
            self._process = subprocess.Popen(
                [
                    *(sys.executable, "-m", "local.host", str(self.appdir)),
                    *("--port", str(self.port), *self._options),
                ],
                cwd=_ROOT,
                env=self._env,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,  # a group of its own, for kill()
            )
        deadline = time.monotonic() + _START_SECONDS
        while True:
            written = self._written(start)
            found = _READY.search(written)
            if found:
                self.ready_line, self.port = found[0], int(found[2])
                return
            if self._process.poll() is not None or time.monotonic() > deadline:
                self.kill()
                message = f"the local host did not start:\n{written[-4000:]}"
                raise RuntimeError(message)
            time.sleep(0.02)

    def stop(self) -> None:
        """Ask it to drain and end (SIGTERM); kill it after fifteen seconds."""
        if self._process is None:
            return
        self._process.send_signal(signal.SIGTERM)
        try:
            self._process.wait(_STOP_SECONDS)
        except subprocess.TimeoutExpired:
            log.warning("the local host did not stop in %s seconds: killed", _STOP_SECONDS)
        self.kill()  # what the app itself started may be left in the group

    def kill(self) -> None:
        """SIGKILL the whole group at once: the host and its workers, whatever they do."""
        if self._process is None:
            return
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait()
        self._process = None

    def _written(self, start: int) -> str:
        with self.log_path.open("rb") as log:
            log.seek(start)
            return log.read().decode(errors="replace")

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
