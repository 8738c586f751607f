"""Event Grid's word that a blob has landed, from a storage queue, as our envelope.

Push delivery cannot reach a private network, so Event Grid puts its event on the queue
``landing-events``: one event a message, in its own schema or as a CloudEvent
(learn.microsoft.com/azure/event-grid/event-schema-blob-storage). Whoever could write to that queue
could name blobs, nothing more: what a blob holds is read from our own landing container.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import Any
from urllib.parse import unquote

import msgspec

from shared.codec import decode
from shared.errors import MalformedError
from shared.model import Envelope

QUEUE = "landing-events"
STRANDED = "webjobs-blobtrigger-poison"
"""The platform's queue of blobs whose function died five times (host.json, poisonBlobThreshold)."""
KIND = "landed"
CREATED = "Microsoft.Storage.BlobCreated"
LONGEST = 1024  # characters of a blob's name
_SUBJECT = re.compile(r"/blobServices/default/containers/landing/blobs/(.+)", re.DOTALL)


def envelope_of(raw: bytes, now: datetime) -> Envelope:
    """The envelope of a message of ``landing-events``: our own, or made from Event Grid's event.

    ``body["name"]`` is the blob's name in the landing container. MalformedError for anything that
    does not say that a blob of that container was created.
    """
    try:
        return _ours(decode(raw, Envelope))
    except MalformedError:
        event = _event(raw)
    cloud = event.get("specversion") == "1.0"
    kind = event.get("type" if cloud else "eventType")
    subject = _SUBJECT.fullmatch(str(event.get("subject", "")))
    if kind != CREATED or subject is None or len(subject[1]) > LONGEST:
        message = "not the event of a blob that was created in the landing container"
        raise MalformedError(message)
    seen = _time(event.get("time" if cloud else "eventTime"), now)
    return Envelope(KIND, first_seen=seen, body={"name": subject[1]})


def stranded_name(raw: bytes) -> str:
    """The landing container's blob that a message of ``STRANDED`` names; MalformedError."""
    told = _event(raw)
    name = told.get("BlobName")
    if told.get("ContainerName") != "landing" or not isinstance(name, str) or not name:
        message = f"a message on {STRANDED} that names no blob of the landing container"
        raise MalformedError(message)
    return name


def names_of(envelope: Envelope) -> tuple[str, ...]:
    """The names that the blob may have: as told and, where it differs, percent-decoded.

    The event's schema does not say whether a subject is encoded; a name that is no blob's makes
    no item, and one that is both a blob's makes the items of both, which the ledger knows.
    """
    told = envelope.body.get("name", "")
    return tuple(dict.fromkeys(name for name in (told, unquote(told)) if name))


def _ours(envelope: Envelope) -> Envelope:
    if envelope.kind != KIND:
        message = f"an envelope of kind {envelope.kind!r} on {QUEUE}"
        raise MalformedError(message)
    return envelope


def _event(raw: bytes) -> dict[str, Any]:
    """The one event of a message; Event Grid may wrap it in a list."""
    try:
        value = msgspec.json.decode(raw)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        value = None
    if isinstance(value, list) and len(value) == 1:
        value = value[0]
    if not isinstance(value, dict):
        message = "a message that is no event"
        raise MalformedError(message)
    return value


def _time(text: object, now: datetime) -> datetime:
    """When it happened, never later than now: an item's age counts from here."""
    try:
        told = datetime.fromisoformat(text) if isinstance(text, str) else now
    except ValueError:
        return now
    aware = told if told.tzinfo else told.replace(tzinfo=UTC)
    return min(aware.astimezone(UTC), now)
