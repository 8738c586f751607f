"""Teams messages as Graph's JSON, and the verdicts that a client sends."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from local.graph.state.teams import ChatMessage, Thread
from local.graph.wire.errors import fail

type Json = dict[str, Any]
FLAGS = {
    "dlpAction": ("none", "notifySender", "blockAccess", "blockAccessExternal"),
    "verdictDetails": (
        "none",
        "allowFalsePositiveOverride",
        "allowOverrideWithoutJustification",
        "allowOverrideWithJustification",
    ),
    "userAction": ("none", "override", "reportFalsePositive"),
}
TEXTS = {"generalText", "complianceUrl"}
CONDITIONS = "matchedConditionDescriptions"


def when(moment: datetime | None) -> str | None:
    """With milliseconds, as Teams writes them."""
    if moment is None:
        return None
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def resource(thread: Thread, one: ChatMessage) -> str:
    """The name under which a notification speaks of a message."""
    if thread.team:
        root = f"teams('{thread.team}')/channels('{thread.id}')/messages"
        return (
            f"{root}('{one.reply_to}')/replies('{one.id}')"
            if one.reply_to
            else (f"{root}('{one.id}')")
        )
    return f"chats('{thread.id}')/messages('{one.id}')"


def path(thread: Thread, one: ChatMessage) -> str:
    """Where a client finds the message, below the version."""
    if thread.team:
        root = f"/teams/{thread.team}/channels/{thread.id}/messages"
        return f"{root}/{one.reply_to}/replies/{one.id}" if one.reply_to else f"{root}/{one.id}"
    return f"/chats/{thread.id}/messages/{one.id}"


def message(thread: Thread, one: ChatMessage) -> Json:
    """A message with every property that it has."""
    channel = {"teamId": thread.team, "channelId": thread.id} if thread.team else None
    return {
        "id": one.id,
        "replyToId": one.reply_to or None,
        "etag": one.etag,
        "messageType": "message",
        "createdDateTime": when(one.created),
        "lastModifiedDateTime": when(one.modified),
        "lastEditedDateTime": when(one.edited),
        "deletedDateTime": when(one.deleted),
        "subject": one.subject,
        "summary": None,
        "chatId": None if thread.team else thread.id,
        "importance": "normal",
        "locale": "ja-jp",
        "webUrl": f"https://teams.microsoft.com/l/message/{thread.id}/{one.id}",
        "policyViolation": one.violation,
        "from": one.sender,
        "body": one.body,
        "channelIdentity": channel,
        "attachments": one.attachments,
        "mentions": [],
        "reactions": [],
    }


def violation(body: Json) -> Json:
    """What may be sent to a message without a user: a policyViolation, and nothing else.

    Raises 400 for another property, an unknown flag, flags that are no string, a wrong policy tip.
    """
    given = {key: value for key, value in body.items() if not key.startswith("@")}
    if set(given) != {"policyViolation"} or not isinstance(given["policyViolation"], dict):
        fail(400, "BadRequest", "Only the policyViolation can be updated in this context.")
    result: Json = {"dlpAction": "none", "verdictDetails": "none", "userAction": "none"}
    result |= {"policyTip": None, "justificationText": None}
    for key, value in given["policyViolation"].items():
        if key in FLAGS:
            result[key] = _flags(key, value)
        elif key == "policyTip":
            result[key] = _tip(value)
        elif key == "justificationText" and isinstance(value, str | None):
            result[key] = value
        elif not key.startswith("@"):
            fail(400, "BadRequest", f"Invalid property '{key}' of policyViolation.")
    return result


def _flags(name: str, value: object) -> str:
    known = {each.lower(): each for each in FLAGS[name]}
    if value is None:
        return "none"
    words = [each.strip().lower() for each in value.split(",")] if isinstance(value, str) else [""]
    if not set(words) <= set(known):
        fail(400, "BadRequest", f"Invalid value specified for property '{name}'.")
    order = [each for each in FLAGS[name] if each.lower() in words]
    return ", ".join(each for each in order if each != "none") or "none"


def _tip(value: object) -> Json | None:
    if value is None:
        return None
    if not isinstance(value, dict):
        fail(400, "BadRequest", "Invalid value specified for property 'policyTip'.")
    for key, each in value.items():
        texts = each if key == CONDITIONS and isinstance(each, list) else [each]
        known = key in TEXTS or (key == CONDITIONS and isinstance(each, list | None))
        if not known or not all(isinstance(text, str | None) for text in texts):
            fail(400, "BadRequest", f"Invalid property '{key}' of policyTip.")
    return value
