"""The worker's end of one sandbox process: start, ask, time out, kill, start again. Blocking."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
import time

import msgspec

from shared.model import GapCode
from shared.sandbox.confine import Confinement
from shared.sandbox.wire import (
    ANSWER,
    FAILED,
    Answer,
    BrokenWireError,
    Request,
    WireTimeoutError,
    pack,
    pack_failure,
    read_frame,
    unpack_answer,
    write_frame,
)

GRACE = 5.0  # seconds over the wall clock after which the server itself is taken to hang
START = 30.0  # seconds a server may take to start on a busy machine
# The path is handed over as the worker has it: the platform may have set it by means that a
# process in isolated mode does not see.
CODE = (
    "import sys, json; sys.path[:0] = json.loads(sys.argv.pop());"
    " from shared.sandbox.zygote import main; main()"
)
ENVIRONMENT = {"LANG": "C.UTF-8", "MALLOC_ARENA_MAX": "2", "PYTHONDONTWRITEBYTECODE": "1"}


class Runner:
    """One server process, started at its first document. Not for two threads at once.

    ``recycle`` replaces the process after so many documents (pool: what leaks is then gone);
    ``modules`` are imported when it starts.
    """

    def __init__(
        self, mode: str, confinement: Confinement, recycle: int, modules: tuple[str, ...] = ()
    ) -> None:
        self._modules = modules
        self._mode = mode
        self._confinement = confinement
        self._recycle = recycle
        self._process: subprocess.Popen[bytes] | None = None
        self._served = 0

    def run(self, request: Request) -> Answer:
        """What the document holds; any end of the process is a gap by name."""
        status, body = self.exchange(ANSWER, pack(request))
        return unpack_answer(status, body, request.document.location)

    def exchange(self, kind: int, body: bytes) -> tuple[int, bytes]:
        """The answer's frame to a request's; FAILED with a reason where the process ends."""
        for _ in range(2):  # a server that died while idle is no fault of this document
            try:
                process = self._started()
                write_frame(_fd(process.stdin), kind, body)
            except (BrokenWireError, OSError):
                self.close()
                continue
            return self._receive(process)
        return FAILED, pack_failure(GapCode.CRASHED, b"")

    def _receive(self, process: subprocess.Popen[bytes]) -> tuple[int, bytes]:
        patience = (
            self._confinement.wall + GRACE if self._mode == "fork" else self._confinement.wall
        )
        patience += START if self._served == 0 else 0
        try:
            frame = read_frame(_fd(process.stdout), deadline=time.monotonic() + patience)
        except WireTimeoutError:
            self.close()
            return FAILED, pack_failure(GapCode.TIMED_OUT, b"")
        except BrokenWireError:
            code = self.close()
            timed_out = code in (-signal.SIGXCPU, -signal.SIGKILL)
            return FAILED, pack_failure(GapCode.TIMED_OUT if timed_out else GapCode.CRASHED, b"")
        self._served += 1
        if self._recycle and self._served >= self._recycle:
            self.close()
        return frame

    def _started(self) -> subprocess.Popen[bytes]:
        if self._process is None or self._process.poll() is not None:
            self.close()
            confinement = msgspec.json.encode(self._confinement).decode()
            self._process = subprocess.Popen(  # noqa: S603 - our own interpreter and code
                [
                    sys.executable,
                    "-I",
                    "-c",
                    CODE,
                    self._mode,
                    confinement,
                    *self._modules,
                    json.dumps(sys.path),
                ],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,  # a library's words may quote the content
                env=ENVIRONMENT,
                bufsize=0,
                start_new_session=True,
            )
        return self._process

    @property
    def pid(self) -> int | None:
        """The server's process id while it runs."""
        return None if self._process is None else self._process.pid

    def close(self) -> int | None:
        """End the server and its child; the exit code if there was one to end. Idempotent."""
        process, self._process, self._served = self._process, None, 0
        if process is None:
            return None
        for stream in (process.stdin, process.stdout):
            if stream is not None:
                stream.close()
        with contextlib.suppress(subprocess.TimeoutExpired):
            return process.wait(timeout=0.2)
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(process.pid, signal.SIGKILL)
        return process.wait()


def _fd(stream: object) -> int:
    assert hasattr(stream, "fileno")  # both streams are pipes
    return int(stream.fileno())
