"""The types of nested JSON that clients send: a wrong one is 400, as a typed service answers."""

from __future__ import annotations

from typing import Any

from local.graph.wire.errors import fail

type Json = dict[str, Any]
TEXTS = {
    "address",
    "assignmentMethod",
    "clientState",
    "content",
    "contentBytes",
    "contentType",
    "changeType",
    "dateTime",
    "displayName",
    "email",
    "expirationDateTime",
    "lifecycleNotificationUrl",
    "name",
    "notificationUrl",
    "resource",
    "scope",
    "sensitivityLabelId",
    "subject",
    "timeZone",
    "type",
}
OBJECTS = {"body", "emailAddress", "end", "flag", "from", "location", "sender", "start"}
LISTS_OF_OBJECTS = {
    "attachments",
    "attendees",
    "bccRecipients",
    "ccRecipients",
    "locations",
    "recipients",
    "replyTo",
    "singleValueExtendedProperties",
    "toRecipients",
}
LISTS_OF_TEXTS = {"categories", "roles"}
REQUIRED = {  # what an element of the list cannot be without
    "attendees": "emailAddress",
    "bccRecipients": "emailAddress",
    "ccRecipients": "emailAddress",
    "singleValueExtendedProperties": "id",
    "toRecipients": "emailAddress",
}


FREE = {"fields", "requests"}  # a list's own columns; a batch's steps are checked one by one


def check(body: Any) -> None:
    """400 where a property, however deep, has not the type that its name has in Graph."""
    if isinstance(body, list):
        for each in body:
            check(each)
    if not isinstance(body, dict):
        return
    for key, value in body.items():
        if value is not None and not _fits(key, value):
            fail(400, "RequestBodyRead", f"A value of a wrong type was found for '{key}'.")
        if key not in FREE:
            check(value)


def _fits(key: str, value: Any) -> bool:
    if key in TEXTS:
        return isinstance(value, str)
    if key in OBJECTS:
        return isinstance(value, dict)
    if key in LISTS_OF_TEXTS:
        return isinstance(value, list) and all(isinstance(each, str) for each in value)
    if key in LISTS_OF_OBJECTS:
        return isinstance(value, list) and all(_element(key, each) for each in value)
    return True


def _element(key: str, value: Any) -> bool:
    needed = REQUIRED.get(key)
    if not isinstance(value, dict):
        return False
    if needed is None:
        return True
    inner = value.get(needed)
    if needed == "emailAddress":
        return isinstance(inner, dict) and isinstance(inner.get("address"), str)
    return isinstance(inner, str)
