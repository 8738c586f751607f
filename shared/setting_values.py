"""How a setting's text is read: each parser raises ValueError with the words for "must be …"."""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from shared.model import Disposition

_GUID = re.compile(r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")
_SITE = re.compile(rf"[a-z0-9.-]+,{_GUID.pattern},{_GUID.pattern}", re.IGNORECASE)
LOOPBACK = ("127.0.0.1", "localhost", "::1")


@dataclass(frozen=True, slots=True)
class Key:
    """A secret key, with the id that names it in fingerprints and markers, so it can rotate."""

    id: str
    value: bytes = field(repr=False)


def choice(*allowed: str) -> Callable[[str], str]:
    """One of these words."""

    def parse(value: str) -> str:
        if value not in allowed:
            message = f"one of {', '.join(allowed)}"
            raise ValueError(message)
        return value

    return parse


def key(value: str) -> Key:
    """``<id>:<base64>`` of at least 32 bytes."""
    key_id, _, encoded = value.partition(":")
    try:
        secret = base64.b64decode(encoded, validate=True)
    except binascii.Error:
        secret = b""
    if not key_id or len(secret) < 32:  # noqa: PLR2004 - HMAC-SHA-256 wants a key of its own size
        message = "<id>:<base64 of at least 32 random bytes>"
        raise ValueError(message)
    return Key(key_id, secret)


def pem(value: str) -> bytes:
    """Base64 of a PEM file with a private key."""
    try:
        pem = base64.b64decode(value, validate=True)
    except binascii.Error:
        pem = b""
    if b"PRIVATE KEY" not in pem:
        message = "base64 of a PEM file that holds a P-256 private key"
        raise ValueError(message)
    return pem


def public_keys(value: str) -> tuple[bytes, ...]:
    """Base64 of PEM files with public keys, with commas."""
    try:
        found = tuple(base64.b64decode(each, validate=True) for each in names(value))
    except binascii.Error:
        found = (b"",)
    if not all(b"PUBLIC KEY" in each for each in found):
        message = "base64 of PEM files that hold P-256 public keys"
        raise ValueError(message)
    return found


def url(value: str) -> str:
    """An https address (http on this machine alone), without a slash at its end."""
    parts = urlsplit(value)
    secure = parts.scheme == "https" or (parts.scheme == "http" and parts.hostname in LOOPBACK)
    if not secure or not parts.hostname:
        message = "an https:// URL (http:// only on this machine)"
        raise ValueError(message)
    return value.rstrip("/")


def optional_url(value: str) -> str:
    """An address, or empty."""
    return url(value) if value else ""


def whole(low: int, high: int) -> Callable[[str], int]:
    """A whole number between two, both included."""

    def parse(value: str) -> int:
        if not value.isdigit() or not low <= int(value) <= high:
            message = f"a whole number, {low} to {high}"
            raise ValueError(message)
        return int(value)

    return parse


def names(value: str) -> tuple[str, ...]:
    """Words with commas between."""
    return tuple(part.strip() for part in value.split(",") if part.strip())


def sites(value: str) -> tuple[str, ...]:
    """``all``, or ids of sites with spaces between (an id has commas)."""
    found = tuple(value.split())
    if found != ("all",) and not all(_SITE.fullmatch(each) for each in found):
        message = "`all`, or ids of sites (<host>,<guid>,<guid>) with spaces between"
        raise ValueError(message)
    return found


def domains(value: str) -> tuple[str, ...]:
    """A value of a setting."""
    found = tuple(each.casefold().lstrip("@.") for each in names(value))
    if not all("." in each and "@" not in each for each in found):
        message = "domains such as pref.example.lg.jp, with commas"
        raise ValueError(message)
    return found


def some(*allowed: str) -> Callable[[str], tuple[str, ...]]:
    """Some of these words, with commas between."""

    def parse(value: str) -> tuple[str, ...]:
        found = names(value)
        if not set(found) <= set(allowed):
            message = f"some of {', '.join(allowed)}, with commas"
            raise ValueError(message)
        return found

    return parse


def certificates(value: str) -> tuple[Key, ...]:
    """``<id>:<base64>`` of PEM files with a certificate and its key, the newest first."""
    found = []
    for each in names(value):
        name, _, encoded = each.partition(":")
        try:
            pem = base64.b64decode(encoded, validate=True)
        except binascii.Error:
            pem = b""
        if not name or b"PRIVATE KEY" not in pem or b"BEGIN CERTIFICATE" not in pem:
            message = (
                "<id>:<base64 of a PEM file with a certificate and its RSA key>, the newest first"
            )
            raise ValueError(message)
        found.append(Key(name, pem))
    return tuple(found)


def labels(value: str) -> dict[Disposition, str]:
    """``tag=<label id>,review=<label id>``: the sensitivity label for a disposition."""
    found: dict[Disposition, str] = {}
    for each in names(value):
        name, _, label = each.partition("=")
        if name not in {"tag", "review"} or not _GUID.fullmatch(label):
            message = "tag=<label id>,review=<label id>, each id a GUID"
            raise ValueError(message)
        found[Disposition[name.upper()]] = label.lower()
    return found


def cohorts(value: str) -> dict[str, str]:
    """``pilot=<group id>,wave=<group id>``: the first group that an account is in counts."""
    found: dict[str, str] = {}
    for each in names(value):
        name, _, group = each.partition("=")
        if not name.isidentifier() or not _GUID.fullmatch(group) or name in found:
            message = "<cohort>=<group id>, with commas; a cohort is one word, an id a GUID"
            raise ValueError(message)
        found[name] = group.lower()
    return found
