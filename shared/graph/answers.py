"""What Graph answered, and which of our errors an answer is.

Status codes: learn.microsoft.com/graph/errors. Nothing that Graph says is quoted except its error
code, and that only where it looks like one.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from http import HTTPStatus
from typing import Any, cast

import msgspec

from shared.errors import (
    GoneError,
    PermanentError,
    SekishoError,
    StorageConflictError,
    ThrottledError,
    UnavailableError,
)
from shared.graph.calls import Call

type Json = dict[str, Any]

_CODE = re.compile(r"[A-Za-z][A-Za-z0-9_.]{0,63}")
_LONGEST_WAIT = 3600.0
_LOCKED_WAIT = 60.0


class OversizeError(PermanentError):
    """A download is larger than the caller's limit."""


@dataclass(frozen=True, slots=True)
class Answer:
    """A status, headers (lower-case names) and a body."""

    status: int
    headers: Mapping[str, str] = field(repr=False)
    data: bytes = field(repr=False)

    def json(self) -> Json:
        """The body as a JSON object; UnavailableError where it is cut short or something else."""
        try:
            value = msgspec.json.decode(self.data)
        except msgspec.DecodeError:
            value = None
        if not isinstance(value, dict):
            message = "Graph's answer is not a JSON object (cut short?)"
            raise UnavailableError(message)
        return cast("Json", value)

    @property
    def etag(self) -> str:
        """The ETag header, or empty."""
        return self.headers.get("etag", "")


def retry_after(headers: Mapping[str, str], now: datetime) -> float | None:
    """Seconds to wait (1 to 3600), from a number of seconds or an HTTP date; None if not said."""
    text = headers.get("retry-after", "").strip()
    if not text:
        return None
    try:
        seconds = float(text)
    except ValueError:
        try:
            seconds = (parsedate_to_datetime(text) - now).total_seconds()
        except (ValueError, TypeError):
            return None
    return min(max(seconds, 1.0), _LONGEST_WAIT)


def error_code(data: bytes) -> str:
    """Graph's own error code if it has the shape of one, else empty. Never free text."""
    try:
        code = msgspec.json.decode(data)["error"]["code"]
    except (msgspec.DecodeError, KeyError, TypeError):
        return ""
    return code if isinstance(code, str) and _CODE.fullmatch(code) else ""


def error_for(call: Call, answer: Answer) -> SekishoError | None:
    """Our error for an answer that was not expected, or None if it is a success."""
    status = answer.status
    if status < HTTPStatus.MULTIPLE_CHOICES:
        return None
    wait = retry_after(answer.headers, datetime.now(UTC))
    said = f"{call} → {status} {error_code(answer.data)}".rstrip()
    if status == HTTPStatus.TOO_MANY_REQUESTS or (
        status == HTTPStatus.SERVICE_UNAVAILABLE and wait is not None
    ):
        return ThrottledError(said, retry_after=wait)
    if status in {HTTPStatus.REQUEST_TIMEOUT, HTTPStatus.TOO_EARLY, HTTPStatus.LOCKED}:
        return UnavailableError(said, retry_after=wait or _LOCKED_WAIT)
    if status == HTTPStatus.INSUFFICIENT_STORAGE:
        return PermanentError(said)
    if status >= HTTPStatus.INTERNAL_SERVER_ERROR:
        return UnavailableError(said, retry_after=wait)
    return _client_error(call, status, said)


def _client_error(call: Call, status: int, said: str) -> SekishoError:
    if status in {HTTPStatus.NOT_FOUND, HTTPStatus.GONE}:
        return GoneError(said)
    if status in {HTTPStatus.CONFLICT, HTTPStatus.PRECONDITION_FAILED}:
        return StorageConflictError(said)
    if status in {HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN}:
        return PermanentError(f"{said}: this call needs the permission {call.permission}")
    return PermanentError(said)
