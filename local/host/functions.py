"""The indexed functions as the host sees them; what it cannot run is refused here, by name."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from local.host.errors import HostRefusedError
from local.host.settings import resolve_settings
from local.host.wire import Indexed, Retry

TRIGGERS = frozenset({"httptrigger", "queuetrigger", "blobtrigger", "timertrigger"})
OUTPUTS = frozenset({"http", "queue", "blob"})
# A connection is the name of a setting, and a name is a Python parameter: neither is an expression.
_VERBATIM = frozenset({"connection", "name"})


@dataclass(frozen=True, slots=True)
class Binding:
    """One binding with its settings resolved; ``kind`` is the type in lower case."""

    kind: str
    name: str
    properties: Mapping[str, Any] = field(default_factory=dict)

    def text(self, name: str, default: str = "") -> str:
        """A property as text."""
        value = self.properties.get(name)
        return default if value is None else str(value)

    @property
    def connection(self) -> str:
        """The setting that holds the connection string."""
        return self.text("connection") or "AzureWebJobsStorage"


@dataclass(frozen=True, slots=True)
class Function:
    """A function with one trigger; ``result`` is its $return binding, if that is not HTTP's."""

    name: str
    trigger: Binding
    outputs: Mapping[str, Binding]
    retry: Retry | None = None
    disabled: bool = False

    @property
    def id(self) -> str:
        """Its name in receipts, timer states and internal messages."""
        return f"Host.Functions.{self.name}"

    @property
    def result(self) -> Binding | None:
        """Where a returned value goes, other than into the HTTP response."""
        binding = self.outputs.get("$return")
        return None if binding is None or binding.kind == "http" else binding


def load_functions(indexed: Iterable[Indexed], settings: Mapping[str, str]) -> list[Function]:
    """The functions in index order.

    Raises:
        HostRefusedError: a binding, a retry policy or a setting that cannot be honoured.
    """
    return [_function(each, settings) for each in indexed]


def _function(indexed: Indexed, settings: Mapping[str, str]) -> Function:
    name = indexed.name
    triggers, outputs = [], {}
    for raw in indexed.bindings:
        properties = json.loads(raw)
        binding = _binding(name, properties, settings)
        if str(properties.get("direction", "")).upper() == "OUT":
            _check(name, binding, OUTPUTS, "output")
            _check_expressions(name, binding)
            outputs[binding.name] = binding
        else:
            _check(name, binding, TRIGGERS, "trigger or input")
            triggers.append(binding)
    if len(triggers) != 1:
        message = f"{name} has {len(triggers)} triggers; one is needed"
        raise HostRefusedError(message)
    if indexed.retry is not None and triggers[0].kind != "timertrigger":
        message = (
            f"{name}: a retry policy has no effect on a {triggers[0].kind} in the cloud "
            "(queues and blobs follow host.json): remove @app.retry"
        )
        raise HostRefusedError(message)
    return Function(name, triggers[0], outputs, indexed.retry, _disabled(name, settings))


def _binding(function: str, raw: Mapping[str, Any], settings: Mapping[str, str]) -> Binding:
    if raw.get("properties", {}).get("supportsDeferredBinding"):
        message = f"{function}: SDK-type (deferred) bindings are not done here: bind InputStream"
        raise HostRefusedError(message)
    resolved = {
        key: resolve_settings(value, settings, where=f"{function}.{key}")
        if isinstance(value, str) and key not in _VERBATIM
        else value
        for key, value in raw.items()
    }
    return Binding(str(raw["type"]).lower(), str(raw["name"]), resolved)


def _check(function: str, binding: Binding, known: frozenset[str], what: str) -> None:
    if binding.kind not in known:
        message = (
            f"{function}: the {what} binding {binding.text('type')} is not done by the local host "
            f"(done: {', '.join(sorted(known))}); disable the function or run it under func"
        )
        raise HostRefusedError(message)


def _check_expressions(function: str, binding: Binding) -> None:
    for key in ("path", "queueName"):
        found = re.search(r"\{[^{}]*:[^{}]*\}", binding.text(key))
        if found:
            message = f"{function}.{key}: the format in {found[0]} is not done by the local host"
            raise HostRefusedError(message)


def _disabled(name: str, settings: Mapping[str, str]) -> bool:
    value = settings.get(f"AzureWebJobs.{name}.Disabled") or settings.get(
        f"AzureWebJobs_{name}_Disabled", ""
    )
    return value.lower() in {"1", "true"}
