"""Plain stand-ins for ``FunctionRpc_pb2``, which the worker library knows by attribute alone.

Only indexing uses them: invocations go by ``native_invocation``, which knows no protobuf. A test
compares the names with those that the pinned library reads.
"""

from __future__ import annotations

from typing import Any


class _Message:
    """A bag of fields; one that was not set is None, as the library expects of optional fields."""

    def __init__(self, **fields: Any) -> None:
        self.__dict__.update(fields)

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        return None


class StatusResult(_Message):
    """How a request ended (values of FunctionRpc.proto)."""

    Failure, Success, Cancelled = range(3)


class BindingInfo(_Message):
    """A binding; its direction is in, out or inout, its data type may be undefined."""

    undefined, out, inout = 0, 1, 2


class WorkerInitResponse(_Message):
    """Carries the result of indexing."""


class WorkerMetadata(_Message):
    """Names the worker's versions."""


class FunctionMetadataResponse(_Message):
    """Carries the indexed functions."""


class RpcFunctionMetadata(_Message):
    """One indexed function."""


class RpcRetryOptions(_Message):
    """A function's retry policy."""


class RpcException(_Message):
    """An error as text."""
