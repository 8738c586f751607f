"""Bytes to and from the addresses that Graph hands out: no token there, and only to known hosts.

Such an address is already authorised (learn.microsoft.com/graph/api/driveitem-get-content), so our
token must not go with it; and since it comes from outside, it is checked before it is followed.
"""

from __future__ import annotations

from typing import Any
from urllib.parse import urljoin, urlsplit

import msgspec

from shared.errors import GoneError, MalformedError, RefusedError, UnavailableError
from shared.graph.answers import Answer, Json, OversizeError, error_for
from shared.graph.calls import Call

# Chunks must be multiples of 320 KiB, under 60 MiB (driveitem-createuploadsession).
CHUNK = 16 * 320 * 1024
_HOPS = 3
_OK = 200
_CREATED = 201
_ACCEPTED = 202
_REDIRECTS = frozenset({301, 302, 303, 307, 308})
_DOWNLOAD = Call("GET", "(a download address)", "none", sdk=False)
_UPLOAD = Call("PUT", "(an upload address)", "none", sdk=False)


class Transfer:
    """Downloads and chunked uploads; ``hosts`` are names, or suffixes that start with a dot."""

    def __init__(self, *, hosts: tuple[str, ...], local: bool, timeout: float) -> None:
        self._hosts = tuple(host.lower() for host in hosts)
        self._local = local
        self._timeout = timeout
        self._http: Any = None

    async def download(self, url: str, limit: int) -> bytes:
        """The bytes at ``url``; OversizeError over ``limit``, RefusedError for a strange host."""
        for _ in range(_HOPS):
            self._check(url)
            following = await self._get(url, limit)
            if isinstance(following, bytes):
                return following
            url = urljoin(url, following)
        message = "a download is redirected too often"
        raise MalformedError(message)

    async def upload(self, url: str, data: bytes) -> Json:
        """Send everything in chunks; the finished item. UnavailableError if the session is lost."""
        self._check(url)
        start, total = 0, len(data)
        while True:
            end = min(start + CHUNK, total)
            headers = {"Content-Range": f"bytes {start}-{end - 1}/{total}"}
            answer = await self._put(url, data[start:end], headers)
            if answer.status in {_OK, _CREATED}:
                return answer.json()
            following = _next_start(answer) if answer.status == _ACCEPTED else None
            if following is None or not start < following < total:
                message = f"{_UPLOAD}: the session did not go on"
                raise UnavailableError(message)
            start = following

    async def close(self) -> None:
        """Close the connections."""
        if self._http is not None:
            await self._http.aclose()
            self._http = None

    def _check(self, url: str) -> None:
        try:
            parts = urlsplit(url)
            where = parts.netloc.lower() if self._local else (parts.hostname or "").lower()
        except ValueError:
            where = ""
        known = any(where == h or (h.startswith(".") and where.endswith(h)) for h in self._hosts)
        scheme_ok = bool(where) and (parts.scheme == "https" or self._local)
        if not (known and scheme_ok) or "@" in parts.netloc:
            message = "an address in Graph's answer is on no allowed host"
            raise RefusedError(message)

    def _client(self) -> Any:
        import httpx  # noqa: PLC0415 - whoever transfers nothing loads nothing

        if self._http is None:
            self._http = httpx.AsyncClient(
                timeout=self._timeout, follow_redirects=False, trust_env=False
            )
        return self._http

    async def _get(self, url: str, limit: int) -> bytes | str:
        import httpx  # noqa: PLC0415 - as above

        try:
            async with self._client().stream("GET", url) as response:
                if response.status_code in _REDIRECTS:
                    return str(response.headers.get("location", ""))
                failure = error_for(
                    _DOWNLOAD, Answer(response.status_code, dict(response.headers), b"")
                )
                if isinstance(failure, GoneError):  # the address expired, the file did not
                    raise UnavailableError(str(failure))
                if failure is not None:
                    raise failure
                return await _collect(response, limit)
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            message = f"{_DOWNLOAD}: {type(error).__name__}"
            raise UnavailableError(message) from None

    async def _put(self, url: str, chunk: bytes, headers: dict[str, str]) -> Answer:
        import httpx  # noqa: PLC0415 - as above

        try:
            response = await self._client().put(url, content=chunk, headers=headers)
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            message = f"{_UPLOAD}: {type(error).__name__}"
            raise UnavailableError(message) from None
        answer = Answer(response.status_code, dict(response.headers), response.content)
        failure = error_for(_UPLOAD, answer)
        if isinstance(failure, GoneError):
            raise UnavailableError(str(failure))  # a lost session: the next attempt makes a new one
        if failure is not None:
            raise failure
        return answer


async def _collect(response: Any, limit: int) -> bytes:
    parts: list[bytes] = []
    size = 0
    async for part in response.aiter_bytes():
        size += len(part)
        if size > limit:
            message = f"{_DOWNLOAD}: over {limit} bytes"
            raise OversizeError(message)
        parts.append(part)
    return b"".join(parts)


def _next_start(answer: Answer) -> int | None:
    """The first byte Graph still wants, from ``nextExpectedRanges`` (an end may be missing)."""
    try:
        return int(msgspec.json.decode(answer.data)["nextExpectedRanges"][0].split("-")[0])
    except (msgspec.DecodeError, KeyError, IndexError, TypeError, ValueError, AttributeError):
        return None
