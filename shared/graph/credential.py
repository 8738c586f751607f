"""The credential of the local stand-in. In the cloud azure-identity's is used instead."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any, Self
from urllib.parse import urlsplit

from shared.errors import SettingsError

if TYPE_CHECKING:
    from azure.core.credentials import AccessToken

LOOPBACK = frozenset({"127.0.0.1", "localhost", "::1"})
_HOUR = 3600


def is_loopback(url: str) -> bool:
    """Whether the URL's host is this very machine."""
    return urlsplit(url).hostname in LOOPBACK


class StaticTokenCredential:
    """An AsyncTokenCredential with a fixed token, for a Graph stand-in on this machine alone.

    Raises SettingsError for any base URL that leaves the machine: a fixed token in the cloud would
    be a secret in a setting.
    """

    def __init__(self, base_url: str, token: str = "local") -> None:  # noqa: S107 - no secret: the stand-in accepts any
        if not is_loopback(base_url):
            message = "a static token is for a stand-in on 127.0.0.1; use a managed identity"
            raise SettingsError(message)
        self._token = token

    async def get_token(self, *_scopes: str, **_options: Any) -> AccessToken:
        """The token, valid for another hour."""
        from azure.core.credentials import AccessToken  # noqa: PLC0415 - the webhook needs no azure

        return AccessToken(self._token, int(time.time()) + _HOUR)

    async def close(self) -> None:
        """Nothing to close."""

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_error: object) -> None:
        """Nothing to close."""
