"""Graph's change and lifecycle notifications: checked, and turned into hints and jobs.

Imports no Graph SDK and nothing of Azure: Graph waits ten seconds for the handshake, cold start
included. No state is read either: the subscription's clientState carries its own proof.

``clientState`` is ``source.account.nonce.mac``, at most 128 characters: the source's name, a digest
of the account, a nonce, and an HMAC-SHA-256 over the three. A notification whose clientState does
not verify is a security event; the answer to it is the same as to a genuine one. What a hint is
about comes from the verified clientState, never from the notification's ``resource`` path.
(learn.microsoft.com/graph/change-notifications-delivery-webhooks)
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import msgspec

from shared.errors import MalformedError, RefusedError
from shared.model import Envelope

SOURCES = frozenset({"mail", "drive", "library", "calendar", "teams"})
_PURPOSE = b"sekisho clientState v1\0"
_MAX_TOKEN = 2048
_MAX_BODY = 4 * 1024 * 1024
_MAX_TOKENS = 10
_ID = re.compile(r"[A-Za-z0-9_\-=+!.%,]{1,512}")
_ETAG = re.compile(r"[\x21\x23-\x7e]{1,256}")
_RESOURCE = re.compile(r"[!-~]{1,800}")
_REACHED = "Validation: Testing client application reachability"
_CHANGES = frozenset({"created", "updated"})
_LIFECYCLE = {
    "reauthorizationRequired": ("renew",),
    "subscriptionRemoved": ("renew", "sweep"),  # the renewal finds it gone and makes another
    "missed": ("sweep",),
}


@dataclass(frozen=True, slots=True)
class Intake:
    """What a notification held: ``hints`` and ``jobs`` to enqueue before answering 202.

    ``refused`` is one security event for each forged part; ``ignored`` counts parts that ask
    for nothing (deletions, Graph's trial of an event hub).
    """

    hints: tuple[Envelope, ...] = ()
    jobs: tuple[Envelope, ...] = ()
    refused: tuple[RefusedError, ...] = ()
    ignored: int = 0


def handshake(query: Mapping[str, str]) -> str | None:
    """The text to answer a validation with (status 200, text/plain), or None if it is not one.

    ``query`` is already URL-decoded, as azure.functions gives it. MalformedError for a token that
    is empty, over 2048 characters, or not printable (it would be echoed into a page).
    """
    token = query.get("validationToken")
    if token is None:
        return None
    if not token or len(token) > _MAX_TOKEN or not token.isprintable():
        message = "validationToken is empty, too long or not printable"
        raise MalformedError(message)
    return token


def account_ref(source: str, account: str) -> str:
    """An account's name in clientState, hints and tables: 32 hex digits, whatever its case."""
    joined = f"{source}:{account.casefold()}"
    return hashlib.sha256(joined.encode()).hexdigest()[:32]


def client_state(key: bytes, source: str, ref: str, nonce: str) -> str:
    """The clientState of a subscription; ``nonce`` is up to 32 characters without a dot."""
    said = f"{source}.{ref}.{nonce}"
    mac = hmac.digest(key, _PURPOSE + said.encode(), "sha256")
    return f"{said}.{base64.urlsafe_b64encode(mac).decode().rstrip('=')}"


def verify_client_state(keys: Sequence[bytes], text: object) -> tuple[str, str] | None:
    """The source and the account's reference if one of ``keys`` made it, else None.

    Compared in constant time; give the new and the old key while they rotate.
    """
    parts = text.split(".") if isinstance(text, str) and len(text) <= 128 else []  # noqa: PLR2004 - Graph's limit
    source, ref, nonce = parts[:3] if len(parts) == 4 else ("mail", "", "")  # noqa: PLR2004 - see the format
    given = str(text).encode(errors="replace")
    genuine = False
    for key in keys:
        genuine |= hmac.compare_digest(client_state(key, source, ref, nonce).encode(), given)
    return (source, ref) if genuine and source in SOURCES else None


def parse(body: bytes, keys: Sequence[bytes], now: datetime) -> Intake:
    """A change or lifecycle notification collection; MalformedError, and nothing else, is raised.

    Both kinds are read wherever they arrive, since Graph sends both to one address if told so.
    """
    hints: list[Envelope] = []
    jobs: list[Envelope] = []
    refused: list[RefusedError] = []
    ignored = 0
    parts, tokens = _parts(body)
    for part in parts:
        known = verify_client_state(keys, part.get("clientState"))
        if known is None and _reachability(part):
            ignored += 1
            continue
        if known is None:
            refused.append(RefusedError("a notification with a clientState that is not ours"))
            continue
        made = _lifecycle(part, known, now) if "lifecycleEvent" in part else None
        if made is not None:
            jobs.extend(made)
            continue
        hint = _change(part, known, now, tokens)
        if hint is None:
            ignored += 1
        elif hint.kind == "hint":
            hints.append(hint)
        else:
            jobs.append(hint)
    return Intake(tuple(hints), tuple(jobs), tuple(refused), ignored)


def _reachability(part: dict[str, Any]) -> bool:
    """Graph's trial of an event hub, once a subscription: it names nothing and proves nothing."""
    change = part.get("changeType")
    return part.get("clientState") == "NA" and str(change).startswith(_REACHED)


def job(name: str, source: str, ref: str, now: datetime) -> Envelope:
    """A job (``enrol``, ``renew``, ``sweep``) for one account of one source."""
    body = {"job": name, "source": source, "account": ref}
    return Envelope(kind="job", first_seen=now, body=body)


def _parts(body: bytes) -> tuple[list[dict[str, Any]], list[str]]:
    """The parts, and the tokens that say who sent the sealed ones among them."""
    if len(body) > _MAX_BODY:
        message = "a notification over 4 MiB"
        raise MalformedError(message)
    try:
        value = msgspec.json.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        value = None
    parts = value.get("value") if isinstance(value, dict) else None
    if not isinstance(parts, list) or not all(isinstance(part, dict) for part in parts):
        message = "not a notification collection"
        raise MalformedError(message)
    tokens = value.get("validationTokens") if isinstance(value, dict) else None
    texts = [each for each in tokens if isinstance(each, str)] if isinstance(tokens, list) else []
    return parts, texts[:_MAX_TOKENS]


def _lifecycle(part: dict[str, Any], known: tuple[str, str], now: datetime) -> list[Envelope]:
    event = part.get("lifecycleEvent")
    # An event that is not known yet is met with both: be subscribed, and look.
    names = _LIFECYCLE.get(event if isinstance(event, str) else "", ("renew", "sweep"))
    return [job(name, *known, now) for name in names]


def _change(
    part: dict[str, Any], known: tuple[str, str], now: datetime, tokens: list[str]
) -> Envelope | None:
    """A hint; a sweep where a genuine notification's id is not readable; None for a deletion.

    What is sealed goes on as it came, with the tokens: it is opened where Graph is called, and
    nothing of it is believed before.
    """
    source, ref = known
    change = part.get("changeType")
    if change == "deleted":
        return None
    data = part.get("resourceData")
    data = data if isinstance(data, dict) else {}
    hint = {
        "source": source,
        "account": ref,
        "change": change if isinstance(change, str) and change in _CHANGES else "updated",
        "subscription": _text(part.get("subscriptionId"), _ID),
    }
    if source in {"mail", "calendar"}:
        hint["id"] = _text(data.get("id"), _ID)
        hint["version"] = version_of(_text(data.get("@odata.etag"), _ETAG, quoted=True))
        if not hint["id"]:
            return job("sweep", source, ref, now)
        if hint["version"]:
            hint["told"] = _told(source, ref, hint["change"], hint["id"], hint["version"])
    if source == "teams":
        sealed = part.get("encryptedContent")
        hint["resource"] = _text(part.get("resource"), _RESOURCE)
        if isinstance(sealed, dict):
            hint["sealed"] = msgspec.json.encode({"content": sealed, "tokens": tokens}).decode()
        elif not hint["resource"]:
            return job("sweep", source, ref, now)
    return Envelope(kind="hint", first_seen=now, body=hint)


def _told(*parts: str) -> str:
    """What makes an open notification the same as another; a seal's is known when it is opened."""
    return hashlib.sha256("\0".join(parts).encode(errors="replace")).hexdigest()[:32]


def _text(value: object, shape: re.Pattern[str], *, quoted: bool = False) -> str:
    if not isinstance(value, str):
        return ""
    checked = value.replace('"', "") if quoted else value
    return value if shape.fullmatch(checked) else ""


def version_of(etag: str) -> str:
    """The changeKey or version inside an ETag: ``W/"abc"`` is ``abc``."""
    return etag.removeprefix("W/").strip('"')
