"""From a trigger's value to a finished function: worker, outputs, counts."""

from __future__ import annotations

import itertools
import logging
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum, auto
from typing import Any

from azure.core.exceptions import AzureError

from local.host.errors import BindingError
from local.host.functions import Function
from local.host.outputs import Outputs
from local.host.wire import HttpRequest, HttpResponse, Invocation, Result, Value
from local.host.worker_channel import STOPPING, Worker

log = logging.getLogger("local.host")


class Outcome(Enum):
    """How an invocation ended: ABORTED is the host's doing, not the function's."""

    DONE = auto()
    FAILED = auto()
    ABORTED = auto()


@dataclass(slots=True)
class Count:
    """A function's runs since the host started."""

    success: int = 0
    failure: int = 0
    in_flight: int = 0


@dataclass(frozen=True, slots=True)
class Call:
    """What a trigger hands over; ``data`` is what binding expressions are filled from."""

    value: Value | HttpRequest
    metadata: Mapping[str, Value] = field(default_factory=dict)
    data: Mapping[str, Any] = field(default_factory=dict, repr=False)
    retry_count: int = 0
    max_retries: int = 0


class Invoker:
    """Hands calls to the workers in turn. ``timeout`` is functionTimeout in seconds."""

    def __init__(self, workers: Sequence[Worker], outputs: Outputs, timeout: float | None) -> None:
        self.counts: dict[str, Count] = {}
        self._turn = itertools.cycle(workers)
        self._outputs = outputs
        self._timeout = timeout

    async def call(
        self, function: Function, call: Call
    ) -> tuple[Outcome, Value | HttpResponse | None]:
        """Run the function and write its outputs; a failed output is a failed invocation."""
        count = self.counts.setdefault(function.name, Count())
        count.in_flight += 1
        try:
            result = await self._run(function, call)
        finally:
            count.in_flight -= 1
        if result.ok:
            count.success += 1
            return Outcome.DONE, result.returned
        count.failure += 1
        log.warning("%s failed: %s", function.name, result.error)
        return (Outcome.ABORTED if result.error == STOPPING else Outcome.FAILED), None

    async def _run(self, function: Function, call: Call) -> Result:
        invocation = Invocation(
            id=str(uuid.uuid4()),
            function=function.name,
            parameter=function.trigger.name,
            value=call.value,
            metadata=dict(call.metadata),
            retry_count=call.retry_count,
            max_retries=call.max_retries,
        )
        result = await next(self._turn).invoke(invocation, self._timeout)
        if not result.ok:
            return result
        try:
            for name, value in result.outputs:
                await self._outputs.write(function.outputs[name], value, call.data)
            if function.result is not None and isinstance(result.returned, Value):
                await self._outputs.write(function.result, result.returned, call.data)
        except (BindingError, AzureError) as error:
            return Result(result.id, ok=False, error=f"{type(error).__name__}: {error}")
        return result
