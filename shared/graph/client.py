"""One Graph client a worker, over msgraph-sdk: its request builders and adapter, raw JSON.

The SDK's models are not used (parsing the first one imports some 1,200 classes), nor its retries:
a 429 or 503 becomes an error with ``retry_after`` and the queue message waits, not the function.
Ids are immutable ones on every call. The token goes to the base URL's host alone.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Collection, Mapping, Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import msgspec

from shared.errors import MalformedError, SekishoError, SettingsError, UnavailableError
from shared.graph import batch, sdk
from shared.graph.answers import Answer, Json, OversizeError, error_for, retry_after
from shared.graph.batch import Ask
from shared.graph.calls import BATCH, LINK, Call
from shared.graph.credential import is_loopback
from shared.graph.pace import Pace
from shared.graph.transfer import Transfer

if TYPE_CHECKING:
    from azure.core.credentials_async import AsyncTokenCredential

IMMUTABLE = 'IdType="ImmutableId"'
DOWNLOAD_HOSTS = (".sharepoint.com", ".svc.ms")
_REDIRECT = 302
_PLAIN = frozenset({"startDateTime", "endDateTime"})  # parameters that are no OData options


class Graph:
    """Sends the calls of ``shared.graph.calls``; raises only Sekisho's errors.

    ThrottledError and UnavailableError (with ``retry_after`` where known), GoneError (404, 410),
    StorageConflictError (409, 412), PermanentError (a 403 names the missing permission).
    ``pace`` holds the calls to what Graph bears; while a time to wait is not over, Graph is not
    asked and the call is a ThrottledError.
    """

    def __init__(
        self,
        credential: AsyncTokenCredential | Any,
        *,
        base_url: str = "https://graph.microsoft.com/v1.0",
        download_hosts: Collection[str] = DOWNLOAD_HOSTS,
        timeout: float = 60.0,
        pace: Pace | None = None,
    ) -> None:
        local = is_loopback(base_url)
        if urlsplit(base_url).scheme != "https" and not local:
            message = "the Graph base URL must be https, or http to this machine"
            raise SettingsError(message)
        self._credential = credential
        self._base = base_url.rstrip("/")
        self._timeout = timeout
        self._sdk: Any = None
        self.pace = pace or Pace()
        self.transfer = Transfer(
            hosts=(urlsplit(base_url).netloc,) if local else tuple(download_hosts),
            local=local,
            timeout=timeout,
        )

    async def send(
        self,
        call: Call,
        params: Mapping[str, str] | None = None,
        *,
        query: Mapping[str, str] | None = None,
        headers: Mapping[str, str] | None = None,
        body: Json | None = None,
        data: bytes | None = None,
        accept: Collection[int] = (),
    ) -> Answer:
        """One call, once. Statuses in ``accept`` are answers, not errors.

        ``body`` is sent as JSON, ``data`` as it is (give its Content-Type in ``headers``); query
        names have no ``$`` (``@microsoft.graph…`` is written as it is, where the SDK has no path).
        """
        request = self._request(call, params or {}, query or {})
        for name, value in (headers or {}).items():
            request.headers.add(name, value)
        if body is not None:
            request.set_stream_content(msgspec.json.encode(body), "application/json")
        elif data is not None:
            request.set_stream_content(data, "application/octet-stream")
        return await self._run(call, request, accept, (params or {}).get("user", ""))

    async def link(
        self,
        url: str,
        *,
        prefer: str = "",
        accept: Collection[int] = (),
        call: Call = LINK,
        params: Mapping[str, str] | None = None,
    ) -> Answer:
        """Follow a next or delta link of ``call``; MalformedError if it leaves the base URL."""
        if not url.startswith(self._base + "/"):
            message = "a link in Graph's answer leaves Graph"
            raise MalformedError(message)
        from kiota_abstractions.method import Method  # noqa: PLC0415 - see the module's promise
        from kiota_abstractions.request_information import RequestInformation  # noqa: PLC0415

        self._client()
        request = RequestInformation(Method.GET)
        request.url = url
        if prefer:
            request.headers.add("Prefer", prefer)
        return await self._run(call, request, accept, (params or {}).get("user", ""))

    async def batch(self, asks: Sequence[Ask]) -> list[Answer | SekishoError]:
        """Up to twenty GETs in one request; each one's answer or error, in order."""
        sent = await self.send(BATCH, body=batch.body(asks, IMMUTABLE))
        found = batch.answers(asks, sent.json())
        for ask, answer in zip(asks, found, strict=True):
            self._heard(ask.call, ask.params.get("user", ""), answer)
        return [error_for(ask.call, each) or each for ask, each in zip(asks, found, strict=True)]

    async def pages(
        self,
        call: Call,
        params: Mapping[str, str],
        *,
        query: Mapping[str, str] | None = None,
        prefer: str = "",
    ) -> AsyncIterator[Json]:
        """Each page of a collection, following next links."""
        headers = {"Prefer": prefer} if prefer else {}
        page = (await self.send(call, params, query=query, headers=headers)).json()
        seen: set[str] = set()
        while True:
            yield page
            following = page.get("@odata.nextLink")
            if not isinstance(following, str) or not following:
                return
            if following in seen:
                message = f"{call}: the next links go in a circle"
                raise MalformedError(message)
            seen.add(following)
            page = (await self.link(following, prefer=prefer, call=call, params=params)).json()

    async def download(self, call: Call, params: Mapping[str, str], *, limit: int) -> bytes:
        """A file's bytes, by Graph's redirect and without the token; OversizeError over limit."""
        answer = await self.send(call, params, accept={_REDIRECT})
        if answer.status != _REDIRECT:
            if len(answer.data) > limit:
                message = f"{call}: over {limit} bytes"
                raise OversizeError(message)
            return answer.data
        return await self.transfer.download(answer.headers.get("location", ""), limit)

    async def close(self) -> None:
        """Close the connections; the credential is its owner's."""
        await self.transfer.close()
        if self._sdk is not None:
            await self._sdk.request_adapter._http_client.aclose()  # noqa: SLF001 - the adapter has no close
            self._sdk = None

    def _client(self) -> Any:
        if self._sdk is None:
            self._sdk = sdk.client(self._credential, self._base, self._timeout)
        return self._sdk

    def _request(self, call: Call, params: Mapping[str, str], query: Mapping[str, str]) -> Any:
        from kiota_abstractions.method import Method  # noqa: PLC0415 - see the module's promise
        from kiota_abstractions.request_information import RequestInformation  # noqa: PLC0415

        method = Method[call.method]
        asked = {_option(name): value for name, value in query.items()}
        if call.sdk:
            builder = sdk.builder(self._client(), call, params)
            request = RequestInformation(
                method, builder.url_template, dict(builder.path_parameters)
            )
        else:
            self._client()
            names = ",".join(asked)
            path, filled = sdk.spread(call.path, params)
            template = "{+baseurl}" + path + (f"{{?{names}}}" if names else "")
            request = RequestInformation(method, template, filled)
        request.query_parameters.update(asked)
        return request

    async def _run(self, call: Call, request: Any, accept: Collection[int], user: str) -> Answer:
        import httpx  # noqa: PLC0415 - see the module's promise
        from azure.core.exceptions import AzureError  # noqa: PLC0415
        from kiota_abstractions.native_response_handler import NativeResponseHandler  # noqa: PLC0415
        from kiota_http.middleware.options import ResponseHandlerOption  # noqa: PLC0415

        request.headers.add("Prefer", IMMUTABLE)
        request.add_request_options([ResponseHandlerOption(NativeResponseHandler())])
        try:
            async with self.pace.place(call, user):
                response = await self._client().request_adapter.send_primitive_async(
                    request, "bytes", {}
                )
        except httpx.HTTPError as error:
            message = f"{call}: {type(error).__name__}"
            raise UnavailableError(message) from None
        except AzureError as error:
            message = f"no token for Graph: {type(error).__name__}"
            raise UnavailableError(message) from None
        answer = Answer(response.status_code, dict(response.headers), response.content)
        self._heard(call, user, answer)
        failure = None if answer.status in accept else error_for(call, answer)
        if failure is not None:
            raise failure
        return answer

    def _heard(self, call: Call, user: str, answer: Answer) -> None:
        wait = retry_after(answer.headers, datetime.now(UTC))
        self.pace.heard(call, user, answer.status, wait)


def _option(name: str) -> str:
    """A query parameter's name in a URL template."""
    if name in _PLAIN:
        return name
    return f"%40{name[1:]}" if name[0] == "@" else f"%24{name}"
