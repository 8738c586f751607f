"""Passwords and names as the bytes that Japanese tools make of them, and back."""

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


def decoded(raw: bytes) -> str:
    """Bytes as Japanese tools write names and comments: UTF-8, CP932 or EUC."""
    for encoding in ("utf-8", "cp932", "euc_jp"):
        try:
            return raw.decode(encoding)
        except UnicodeDecodeError:
            continue
    return raw.decode("cp932", "replace")
