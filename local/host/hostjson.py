"""host.json: what is honoured, what is ignored with a note; all else is refused by name.

A key that is silently without effect would let a local run promise what the cloud does not do.
The keys' meaning and defaults: learn.microsoft.com/azure/azure-functions/functions-host-json and
``QueuesOptions``/``BlobsOptions`` of azure-sdk-for-net.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from local.host.errors import HostRefusedError
from local.host.timespan import parse_timespan

OVERRIDE = "azurefunctionsjobhost__"
IGNORED = ("version", "logging", "telemetrymode", "extensionbundle")
HINTS = {
    "retry": "the platform dropped it; put @app.retry on timer functions",
    "concurrency": "dynamic concurrency is not imitated; batchSize and newBatchThreshold are",
    "functions": "set AzureWebJobs.NAME.Disabled for the functions that should not run",
}


@dataclass(frozen=True, slots=True)
class QueueOptions:
    """``extensions.queues``; times in seconds. A threshold of None is half the batch a core."""

    batch_size: int = 16
    new_batch_threshold: int | None = None
    max_dequeue_count: int = 5
    visibility_timeout: float = 0.0
    max_polling_interval: float = 60.0
    base64: bool = True

    @property
    def threshold(self) -> int:
        """The number of messages in hand at or under which the next batch is fetched."""
        if self.new_batch_threshold is not None:
            return self.new_batch_threshold
        return self.batch_size // 2 * (os.cpu_count() or 1)


@dataclass(frozen=True, slots=True)
class HostJson:
    """What the host honours. ``function_timeout`` is in seconds, None for unbounded."""

    route_prefix: str = "api"
    function_timeout: float | None = 1800.0
    queues: QueueOptions = field(default_factory=QueueOptions)
    blob_parallelism: int = 8
    poison_blob_threshold: int = 5
    notes: tuple[str, ...] = ()


def load_hostjson(appdir: Path, settings: Mapping[str, str]) -> HostJson:
    """Read APPDIR/host.json, then the settings ``AzureFunctionsJobHost__a__b`` over it.

    Raises:
        HostRefusedError: the file is missing or malformed, a key is not honoured, or a value is
            out of range; the message names the key and what to do.
    """
    path = appdir / "host.json"
    try:
        content: Any = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        message = f"{appdir} has no host.json: it is not a Functions app"
        raise HostRefusedError(message) from error
    except ValueError as error:
        message = f"host.json is not JSON: {error}"
        raise HostRefusedError(message) from error
    if str(content.get("version")) != "2.0":
        message = 'host.json: "version" must be "2.0"'
        raise HostRefusedError(message)
    values = {key.lower(): (key, value) for key, value in _leaves(content, "")}
    for name, text in settings.items():
        if name.lower().startswith(OVERRIDE):
            key = name[len(OVERRIDE) :].replace("__", ".")
            values[key.lower()] = (key, _typed(text))
    return _built(values)


def _leaves(content: Mapping[str, Any], prefix: str) -> Iterator[tuple[str, Any]]:
    for key, value in content.items():
        path = f"{prefix}{key}"
        if isinstance(value, dict) and path.lower() not in IGNORED:
            yield from _leaves(value, f"{path}.")
        else:
            yield path, value


def _typed(text: str) -> Any:
    try:
        return json.loads(text)
    except ValueError:
        return text


def _built(values: Mapping[str, tuple[str, Any]]) -> HostJson:
    result, notes = HostJson(), []
    for key, (shown, value) in sorted(values.items()):
        top = key.split(".", maxsplit=1)[0]
        if top in IGNORED:
            if key != "version":
                notes.append(f"host.json: {shown} is accepted and ignored here")
            continue
        apply = HONOURED.get(key)
        if apply is None:
            hint = HINTS.get(top, f"remove it, or set it in the cloud alone: {_as_setting(shown)}")
            message = f"host.json: {shown} is not honoured by the local host: {hint}"
            raise HostRefusedError(message)
        try:
            result = apply(result, value)
        except (TypeError, ValueError) as error:
            message = f"host.json: {shown}: {error}"
            raise HostRefusedError(message) from error
    return replace(result, notes=tuple(notes))


def _as_setting(key: str) -> str:
    return "AzureFunctionsJobHost__" + key.replace(".", "__")


def _whole(value: Any, low: int, high: int | None = None) -> int:
    if isinstance(value, bool) or not isinstance(value, int):
        message = f"{value!r} is not a whole number"
        raise TypeError(message)
    if value < low or (high is not None and value > high):
        message = f"{value} is out of range: {low} to {'any' if high is None else high}"
        raise ValueError(message)
    return value


def _seconds(value: Any, low: float) -> float:
    seconds = parse_timespan(str(value))
    if seconds < low:
        message = f"{value} is shorter than {low} seconds"
        raise ValueError(message)
    return seconds


def _encoding(value: Any) -> bool:
    if str(value).lower() not in {"base64", "none"}:
        message = f"{value!r} is neither base64 nor none"
        raise ValueError(message)
    return str(value).lower() == "base64"


def _queue(name: str, parse: Callable[[Any], Any]) -> Callable[[HostJson, Any], HostJson]:
    def apply(host: HostJson, value: Any) -> HostJson:
        return replace(host, queues=replace(host.queues, **{name: parse(value)}))

    return apply


def _timeout(value: Any) -> float | None:
    return None if str(value) == "-1" else _seconds(value, 1)


# The least polling interval is the platform's (QueuesOptions.MaxPollingInterval: 100 ms).
HONOURED: Mapping[str, Callable[[HostJson, Any], HostJson]] = {
    "functiontimeout": lambda host, value: replace(host, function_timeout=_timeout(value)),
    "extensions.http.routeprefix": lambda host, value: replace(
        host, route_prefix=str(value).strip("/")
    ),
    "extensions.queues.batchsize": _queue("batch_size", lambda v: _whole(v, 1, 32)),
    "extensions.queues.newbatchthreshold": _queue("new_batch_threshold", lambda v: _whole(v, 0)),
    "extensions.queues.maxdequeuecount": _queue("max_dequeue_count", lambda v: _whole(v, 1)),
    "extensions.queues.visibilitytimeout": _queue("visibility_timeout", lambda v: _seconds(v, 0)),
    "extensions.queues.maxpollinginterval": _queue(
        "max_polling_interval", lambda v: _seconds(v, 0.1)
    ),
    "extensions.queues.messageencoding": _queue("base64", _encoding),
    "extensions.blobs.maxdegreeofparallelism": lambda host, value: replace(
        host, blob_parallelism=_whole(value, 1)
    ),
    "extensions.blobs.poisonblobthreshold": lambda host, value: replace(
        host, poison_blob_threshold=_whole(value, 1)
    ),
}
