"""Drives Microsoft's worker library: the code that runs functions in the cloud, without gRPC.

Indexing takes the same path as Microsoft's own worker (init, then metadata); an invocation goes by
``native_invocation``, the library's protobuf-free entry. That entry is not advertised, so the
library is pinned and a test holds the contract.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import azure_functions_runtime as runtime
from azure_functions_runtime.bindings.datumdef import Datum
from azure_functions_runtime.native_invocation import invocation_request_native
from azure_functions_runtime.utils.constants import HTTP_URI

from local.host import protos
from local.host.errors import HostRefusedError
from local.host.wire import (
    HttpRequest,
    HttpResponse,
    Indexed,
    Invocation,
    Result,
    Retry,
    Value,
)


class Engine:
    """One app, indexed in this process; ``sys.path`` and the environment are the caller's.

    ``running`` tells which function an invocation id belongs to (for log lines).
    """

    def __init__(self) -> None:
        self.running: dict[str, str] = {}
        self._ids: dict[str, str] = {}

    async def start(self, appdir: Path) -> list[Indexed]:
        """Import and index the app.

        Raises:
            HostRefusedError: the app does not import, has no functions or asks for streaming HTTP.
        """
        runtime.start_threadpool_executor()
        properties = {"host": "127.0.0.1", "protos": protos}
        request = SimpleNamespace(capabilities={}, function_app_directory=str(appdir))
        answer = await runtime.worker_init_request(
            SimpleNamespace(
                request=SimpleNamespace(worker_init_request=request), properties=properties
            )
        )
        if answer.result.status != protos.StatusResult.Success:
            error = answer.result.exception
            message = f"the app does not index: {error.message}\n{error.stack_trace or ''}"
            raise HostRefusedError(message)
        if HTTP_URI in answer.capabilities:
            message = "streaming HTTP (azurefunctions-extensions-http-fastapi) is not done here"
            raise HostRefusedError(message)
        listed = await runtime.functions_metadata_request(
            SimpleNamespace(request=SimpleNamespace(), properties=properties)
        )
        functions = listed.function_metadata_results or []
        if not functions:
            message = f"{appdir}/function_app.py defines no functions"
            raise HostRefusedError(message)
        self._ids = {each.name: each.function_id for each in functions}
        return [
            Indexed(each.name, list(each.raw_bindings), _retry(each.retry_options))
            for each in functions
        ]

    async def invoke(self, invocation: Invocation) -> Result:
        """Run one function; its exceptions end in the result (and, by the library, in the log)."""
        self.running[invocation.id] = invocation.function
        try:
            ok, returned, outputs, error, _trace = await invocation_request_native(
                invocation.id,
                self._ids[invocation.function],
                [(invocation.parameter, _datum(invocation.value))],
                {name: _datum(value) for name, value in invocation.metadata.items()},
                retry_count=invocation.retry_count,
                max_retry_count=invocation.max_retries,
            )
            return Result(
                id=invocation.id,
                ok=ok,
                returned=None if returned is None or returned.type is None else _value(returned),
                outputs=[(name, _plain(datum)) for name, datum in outputs],
                error=error or "",
            )
        except Exception as fault:  # noqa: BLE001 - one invocation's fault is that one's result
            return Result(id=invocation.id, ok=False, error=repr(fault))
        finally:
            self.running.pop(invocation.id, None)

    @staticmethod
    def stop() -> None:
        """End the thread pool once its functions have returned."""
        runtime.stop_threadpool_executor()


def _retry(options: Any) -> Retry | None:
    if options is None:
        return None
    delay = options.delay_interval
    return Retry(
        count=options.max_retry_count,
        delay=None if delay is None else delay.total_seconds(),
        least=options.minimum_interval.total_seconds() if options.minimum_interval else 0.0,
        most=options.maximum_interval.total_seconds() if options.maximum_interval else 0.0,
    )


def _datum(value: Value | HttpRequest) -> Any:
    if isinstance(value, Value):
        return Datum(value.data, value.kind)
    parts = {
        "method": Datum(value.method, "string"),
        "url": Datum(value.url, "string"),
        "headers": _strings(value.headers),
        "params": _strings(value.params),
        "query": _strings(value.query),
        "body": Datum(value.body, "bytes"),
    }
    return Datum(parts, "http")


def _strings(values: Mapping[str, str]) -> dict[str, Any]:
    return {name: Datum(text, "string") for name, text in values.items()}


def _value(datum: Any) -> Value | HttpResponse:
    if datum.type != "http":
        return _plain(datum)
    parts = datum.value
    return HttpResponse(
        status=int(parts["status_code"].value),
        headers={name: each.value for name, each in parts["headers"].items()},
        body=parts["body"].value,
        cookies=[
            morsel.OutputString()
            for cookie in parts.get("cookies") or []
            for morsel in cookie.values()
        ],
    )


_KINDS: Mapping[str, Callable[[Any], str | bytes]] = {"string": str, "json": str, "bytes": bytes}


def _plain(datum: Any) -> Value:
    if datum.type not in _KINDS:
        message = f"an output of the kind {datum.type} is not done here"
        raise NotImplementedError(message)
    return Value.of(datum.type, _KINDS[datum.type](datum.value))
