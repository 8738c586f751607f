"""The whole system on one machine, on free ports: Azurite, the Graph stand-in, the local host."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from types import TracebackType
from typing import Self

from local.azurite import Azurite, free_ports
from local.environment import APPLICATION, TENANT, app_settings
from local.graph.process import GraphProcess
from local.host.process import HostProcess

ROOT = Path(__file__).resolve().parent.parent


@contextmanager
def _uninterrupted() -> Iterator[None]:
    if threading.current_thread() is not threading.main_thread():
        yield  # signals are the main thread's
        return
    before = {each: signal.signal(each, signal.SIG_IGN) for each in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        for each, handler in before.items():
            signal.signal(each, handler)


class Stack:
    """A context manager; everything it started is stopped at the end, whatever happened.

    ``users`` (display name → sign-in name) are made in the stand-in before the host starts, and
    watched. ``overrides`` change single app settings. With ``contract`` and ``permissions`` the
    stand-in answers 403 to a call that none of the permissions allows. The host is ``host``
    (SIGKILL it, start it again: Azurite and the stand-in keep the state).
    """

    def __init__(
        self,
        folder: Path,
        *,
        users: dict[str, str] | None = None,
        overrides: dict[str, str] | None = None,
        receive_visibility: int = 600,
        record: Path | None = None,
        contract: Path | None = None,
        permissions: Sequence[str] | None = None,
    ) -> None:
        self.folder = folder
        self.users = users or {}
        self.user_ids: dict[str, str] = {}
        self._overrides = overrides or {}
        self._stack = ExitStack()
        self.azurite = Azurite(folder / "azurite")
        self.graph = GraphProcess(
            record=record,
            log_path=folder / "graph.log",
            contract=contract,
            permissions=permissions,
        )
        self._port = free_ports(1)[0]
        self._receive_visibility = receive_visibility
        self.host: HostProcess
        self.settings: dict[str, str] = {}  # the app's, once it runs

    @property
    def storage(self) -> str:
        """The emulator's connection string."""
        return self.azurite.connection_string

    def __enter__(self) -> Self:
        self.folder.mkdir(parents=True, exist_ok=True)
        try:
            self._start(self.azurite)
            self._start(self.graph)
            named = {"tenant_id": TENANT, "application_id": APPLICATION}
            self.graph.admin("POST", "/tenant", json_body=named)
            for name, upn in self.users.items():
                body = {"name": name, "upn": upn}
                self.user_ids[upn] = self.graph.admin("POST", "/users", json_body=body)["id"]
            self.host = self._make_host()
            self._start(self.host)
        except BaseException:
            self._stop()
            raise
        return self

    def _start(self, part: Azurite | GraphProcess | HostProcess) -> None:
        """Start a part; it is stopped in the end even if it is interrupted while it starts."""
        self._stack.push(part)
        part.start()

    def _stop(self) -> None:
        """Stop every part; a second Ctrl-C would leave processes behind, so it has to wait."""
        with _uninterrupted():
            self._stack.close()

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._stop()

    def _make_host(self) -> HostProcess:
        settings = app_settings(
            storage=self.storage,
            graph_base_url=self.graph.base_url,
            host_url=f"http://127.0.0.1:{self._port}",
            watch=list(self.user_ids.values()),
        )
        self.settings = settings | self._overrides
        return HostProcess(
            ROOT,
            env={**os.environ, **self.settings},
            port=self._port,
            receive_visibility=self._receive_visibility,
            log_path=self.folder / "host.log",
        )
