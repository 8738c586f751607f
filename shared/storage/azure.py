"""What Azure Storage says, in our words: one translation of errors, and making what is missing.

The SDK's messages hold addresses and keys of rows, so none of them is kept: an error names the
operation, the status and the service's error code.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterator, Mapping
from contextlib import contextmanager

from azure.core.exceptions import (
    AzureError,
    ClientAuthenticationError,
    HttpResponseError,
    ResourceExistsError,
)

from shared.errors import (
    GoneError,
    PermanentError,
    SekishoError,
    StorageConflictError,
    ThrottledError,
    UnavailableError,
)

# learn.microsoft.com/rest/api/storageservices/common-rest-api-error-codes and its three siblings
MISSING = frozenset({"ContainerNotFound", "QueueNotFound", "TableNotFound"})
CLOSING = frozenset({"ContainerBeingDeleted", "QueueBeingDeleted", "TableBeingDeleted"})

CONFLICT = frozenset({409, 412})
NOT_FOUND = 404
THROTTLED = frozenset({429, 503})
# Our identity may be refused while a role spreads (minutes) or after a mistake: that must not
# bury every message in flight, so it is tried again until the message is too old.
REFUSED = frozenset({401, 403})
TIMED_OUT = 408
SERVER = 500


def code_of(error: HttpResponseError) -> str:
    """The service's error code; the header where the body has none (HEAD), empty if unknown."""
    code = getattr(error, "error_code", None) or _header(error, "x-ms-error-code")
    return str(getattr(code, "value", code))


def translate(error: AzureError, operation: str) -> SekishoError:
    """The error of shared.errors for one of the SDK."""
    if not isinstance(error, HttpResponseError) or error.status_code is None:
        kind = "identity" if isinstance(error, ClientAuthenticationError) else "connection"
        return UnavailableError(f"storage: {operation}: no answer ({kind})")
    status, code = error.status_code, code_of(error)
    words = f"storage: {operation}: {status} {code}".rstrip()
    if status in THROTTLED:
        return ThrottledError(words, retry_after=_retry_after(error))
    if status >= SERVER or status == TIMED_OUT or status in REFUSED or code in CLOSING:
        return UnavailableError(words, retry_after=_retry_after(error))
    if status in CONFLICT:
        return StorageConflictError(words)
    if status == NOT_FOUND:
        return GoneError(words)
    return PermanentError(words)


def _retry_after(error: HttpResponseError) -> float | None:
    value = _header(error, "Retry-After")
    return float(value) if value.isdigit() else None


def _header(error: HttpResponseError, name: str) -> str:
    headers: Mapping[str, str] = getattr(error.response, "headers", {})
    return headers.get(name) or ""


@contextmanager
def translated(operation: str) -> Iterator[None]:
    """Turn the SDK's errors into ours (without their text, which may name an item)."""
    try:
        yield
    except AzureError as error:
        raise translate(error, operation) from None


class Place:
    """A table, queue or container that is made at the first need.

    An operation is simply tried; only if the place is missing is it made and the operation tried
    once more. So it costs nothing where the deployment made it.
    """

    def __init__(self, create: Callable[[], Awaitable[object]]) -> None:
        self._create = create

    async def run[T](self, operation: str, call: Callable[[], Awaitable[T]]) -> T:
        """Call; errors of shared.errors."""
        with translated(operation):
            try:
                return await call()
            except HttpResponseError as error:
                if code_of(error) not in MISSING:
                    raise
            await self.make()
            return await call()

    async def make(self) -> None:
        """Create the place; that somebody else was first is fine."""
        try:
            await self._create()
        except ResourceExistsError as error:
            if code_of(error) in CLOSING:
                raise
