"""Addresses, and the form in which they can be read but not clicked."""

from __future__ import annotations

import re

PLAIN = ("http://", "https://", "mailto:")
_CONTROL = re.compile(r"[\x00-\x20\x7f\u200e\u200f\u202a-\u202e\u2066-\u2069]")


def is_plain(target: str) -> bool:
    """Whether an address is a plain hyperlink, which policy may keep."""
    return target.strip().lower().startswith(PLAIN)


def defanged(target: str) -> str:
    """``https://a.example/x`` as ``hxxps://a[.]example/x``: the usual form in incident reports."""
    plain = _CONTROL.sub("", target)
    scheme, mark, rest = plain.partition(":")
    if not mark:
        return plain.replace(".", "[.]")
    host, slash, path = rest.removeprefix("//").partition("/")
    slashes = "//" if rest.startswith("//") else ""
    name = scheme.lower().replace("http", "hxxp")
    return f"{name}:{slashes}{host.replace('.', '[.]')}{slash}{path}"
