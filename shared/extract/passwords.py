"""Passwords as the bytes that tools make of them."""

from __future__ import annotations

from collections.abc import Iterable


def encodings(passwords: Iterable[str]) -> list[bytes]:
    """Each password in UTF-8 and, where it differs, CP932 (Japanese Windows), without doubles."""
    found: dict[bytes, None] = {}
    for password in passwords:
        for encoding in ("utf-8", "cp932"):
            try:
                found[password.encode(encoding)] = None
            except UnicodeEncodeError:
                continue
    return list(found)
