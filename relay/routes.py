"""Where mail goes from here, by the recipient's domain."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import urlsplit

SCHEMES = ("starttls", "smtp", "plain")
DEFAULT_PORT = 25
ANY = "*"


@dataclass(frozen=True, slots=True)
class Route:
    """The next hop. ``scheme``: ``starttls`` (must, certificate checked), ``smtp``, ``plain``."""

    scheme: str
    host: str
    port: int


def route(text: str) -> Route:
    """Read ``scheme://host:port``; ValueError says how it is written."""
    parts = urlsplit(text)
    try:
        port = parts.port or DEFAULT_PORT
    except ValueError:
        port = 0
    if parts.scheme not in SCHEMES or not parts.hostname or not port or parts.path or parts.query:
        message = "starttls://host:25, smtp://host:25 or plain://host:25"
        raise ValueError(message)
    return Route(parts.scheme, parts.hostname, port)


def find(routes: Mapping[str, Route], address: str) -> Route | None:
    """The route of an address: its domain's, a parent domain's, ``*``'s, or none."""
    domain = address.rpartition("@")[2].casefold()
    while domain:
        if domain in routes:
            return routes[domain]
        domain = domain.partition(".")[2]
    return routes.get(ANY)
