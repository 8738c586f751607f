"""Identifiers that look like Graph's: opaque, long, case-sensitive, in need of quoting."""

from __future__ import annotations

import base64
import secrets
import uuid
from datetime import UTC, datetime


def _base64url(count: int) -> str:
    return base64.urlsafe_b64encode(secrets.token_bytes(count)).decode().rstrip("=")


def mutable_message_id() -> str:
    """152 characters; names a message in its folder, so a move changes it."""
    return f"AAMkAGI{_base64url(108)}="


def immutable_message_id() -> str:
    """Stays with the message through moves (``Prefer: IdType="ImmutableId"``)."""
    return f"AAkALgAAAAAAHYQDEapmEc2byACqAC-EWg0A{_base64url(30)}AAA="


def folder_id() -> str:
    """A mail folder's id."""
    return f"AAMkAGI{_base64url(81)}AAA="


def attachment_id() -> str:
    """An attachment's id."""
    return f"AAMkAGI{_base64url(126)}BEgAQA{_base64url(12)}="


def change_key() -> str:
    """A version of a mail item, base64 with ``+`` and ``/``."""
    return f"CQAAABYAAA{base64.b64encode(secrets.token_bytes(21)).decode()}"


def drive_id() -> str:
    """A OneDrive for Business drive: ``b!`` and 64 characters."""
    return f"b!{_base64url(48)}"


def item_id() -> str:
    """A driveItem: ``01`` and 32 of base32."""
    return f"01{base64.b32encode(secrets.token_bytes(20)).decode()}"


def site_id() -> str:
    """A site: the host, the site collection and the web, with commas."""
    return f"contoso.sharepoint.com,{guid()},{guid()}"


def share_token() -> str:
    """The tail of a sharing link's address."""
    return f"E{_base64url(33)}"


def guid() -> str:
    """A lower-case GUID."""
    return str(uuid.uuid4())


def timestamp(when: datetime) -> str:
    """ISO 8601 in UTC, whole seconds, as Graph writes it."""
    return when.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def now() -> datetime:
    """The stand-in's clock."""
    return datetime.now(UTC)
