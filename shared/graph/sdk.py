"""What we use of msgraph-sdk: its builders for addresses, its adapter for tokens and sending.

Everything is imported inside functions: the webhook must not wait for 16,741 modules.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

from shared.errors import PermanentError
from shared.graph.calls import Call

# A segment of a path template, as msgraph-sdk names its builder.
_BUILDERS = {
    "$value": "content",
    "delta()": "delta",
    "getAllSites()": "get_all_sites",
    "getAllMessages()": "get_all_messages",
    "graph.user": "graph_user",
}


def builder(client: Any, call: Call, params: Mapping[str, str]) -> Any:
    """Walk msgraph-sdk's request builders along the call's path."""
    found = client
    for segment in call.path.strip("/").split("/"):
        if segment.startswith("{"):
            name = next(each for each in dir(found) if each.startswith("by_"))
            found = getattr(found, name)(params[segment[1:-1]])
        else:
            snake = "".join(f"_{c.lower()}" if c.isupper() else c for c in segment)
            found = getattr(found, _BUILDERS.get(segment, snake), None)
        if found is None:
            message = f"{call} is not in msgraph-sdk"
            raise PermanentError(message)
    return found


def spread(template: str, params: Mapping[str, str]) -> tuple[str, dict[str, str]]:
    """``{+path}`` as one variable a folder, so that the SDK escapes each name once and wholly.

    (A reserved expansion leaves ``?`` and ``#`` as they are, and escapes an escaped name again.)
    """
    filled = dict(params)
    names = filled.pop("path", "").split("/")
    filled |= {f"path{index}": name for index, name in enumerate(names)}
    spread = "/".join(f"{{path{index}}}" for index in range(len(names)))
    return template.replace("{+path}", spread), filled


def client(credential: Any, base_url: str, timeout: float) -> Any:
    """The SDK's client: no retries, no redirects, the token to one host, no URLs in traces."""
    import httpx  # noqa: PLC0415 - see the module's promise
    from kiota_authentication_azure.azure_identity_authentication_provider import (  # noqa: PLC0415
        AzureIdentityAuthenticationProvider,
    )
    from kiota_http.middleware import ParametersNameDecodingHandler  # noqa: PLC0415
    from kiota_http.observability_options import ObservabilityOptions  # noqa: PLC0415
    from msgraph import GraphRequestAdapter, GraphServiceClient  # noqa: PLC0415
    from msgraph_core import GraphClientFactory  # type: ignore[import-untyped]  # noqa: PLC0415

    # httpx logs each URL at INFO, and a path-addressed upload has a file's name in it.
    logging.getLogger("httpx").setLevel(logging.WARNING)
    logging.getLogger("httpcore").setLevel(logging.WARNING)
    parts = urlsplit(base_url)
    provider = AzureIdentityAuthenticationProvider(
        credential,
        scopes=[f"{parts.scheme}://{parts.hostname}/.default"],
        allowed_hosts=[parts.hostname or ""],
    )
    http = GraphClientFactory.create_with_custom_middleware(
        [ParametersNameDecodingHandler()],
        client=httpx.AsyncClient(base_url=base_url, timeout=timeout, trust_env=False),
    )
    adapter = GraphRequestAdapter(provider, client=http)
    adapter.base_url = base_url  # before GraphServiceClient reads it
    adapter.observability_options = ObservabilityOptions(include_euii_attributes=False)
    return GraphServiceClient(request_adapter=adapter)
