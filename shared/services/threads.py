"""Where a Teams message is: its address, its item, and its version.

``Item.id`` is the message's own id; ``recipient`` the thread that it stands in: ``chats/{id}``,
``teams/{id}/channels/{id}``, and for a reply ``…/messages/{root}`` behind that. ``content_version``
is when its text last changed (``lastEditedDateTime``, else ``createdDateTime``): a reaction or our
own verdict changes a message's etag and not this, so our writes do not wake us.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from shared.errors import MalformedError
from shared.graph import calls
from shared.graph.calls import Call
from shared.model import Item

SOURCE = "teams"
# Whatever Teams may use as an id, but nothing that would be another address.
_ID = r"(?!\.+(?:[/']|$))[^/'\s\x00-\x1f]{1,256}"
_RECIPIENT = re.compile(
    rf"chats/(?P<chat>{_ID})|teams/(?P<team>{_ID})/channels/(?P<channel>{_ID})"
    rf"(?:/messages/(?P<root>{_ID}))?"
)
_MOMENT = re.compile(r"[0-9TZ:.+\-]{10,40}")
_RESOURCE = re.compile(
    rf"/?(?:chats\('(?P<chat>{_ID})'\)|teams\('(?P<team>{_ID})'\)/channels\('(?P<channel>{_ID})'\))"
    rf"/messages\('(?P<message>{_ID})'\)(?:/replies\('(?P<reply>{_ID})'\))?"
)


@dataclass(frozen=True, slots=True)
class Calls:
    """The calls of one kind of thread."""

    get: Call
    judge: Call
    hosted: Call
    value: Call


CHAT = Calls(calls.CHAT_MESSAGE, calls.CHAT_JUDGE, calls.CHAT_HOSTED, calls.CHAT_HOSTED_VALUE)
CHANNEL = Calls(
    calls.CHANNEL_MESSAGE, calls.CHANNEL_JUDGE, calls.CHANNEL_HOSTED, calls.CHANNEL_HOSTED_VALUE
)
REPLY = Calls(calls.REPLY, calls.REPLY_JUDGE, calls.REPLY_HOSTED, calls.REPLY_HOSTED_VALUE)


def address(item: Item) -> tuple[Calls, dict[str, str]]:
    """The calls for an item and their path parameters; MalformedError for no such address."""
    match = _RECIPIENT.fullmatch(item.recipient)
    if match is None:
        message = "an item that is in no thread"
        raise MalformedError(message)
    params = {name: value for name, value in match.groupdict().items() if value}
    which = CHAT if "chat" in params else REPLY if "root" in params else CHANNEL
    return which, {**params, "message": item.id}


def item_of(message: Mapping[str, Any]) -> Item:
    """The item of a message as Graph gives one; MalformedError without its ids."""
    channel, root = message.get("channelIdentity"), message.get("replyToId")
    if isinstance(channel, dict):
        recipient = f"teams/{channel.get('teamId') or ''}/channels/{channel.get('channelId') or ''}"
        if root and root != message.get("id"):
            recipient = f"{recipient}/messages/{root}"
    else:
        recipient = f"chats/{message.get('chatId') or ''}"
    item = Item(SOURCE, str(message.get("id") or ""), recipient, version(message))
    address(item)
    if not re.fullmatch(_ID, item.id) or not _MOMENT.fullmatch(item.content_version):
        text = "a message without an id or a time"
        raise MalformedError(text)
    return item


def item_at(resource: str) -> Item | None:
    """The item that a notification's resource names, its version still to be asked; or None."""
    match = _RESOURCE.fullmatch(resource)
    if match is None:
        return None
    if match["chat"]:
        return Item(SOURCE, match["message"], f"chats/{match['chat']}", "")
    channel = f"teams/{match['team']}/channels/{match['channel']}"
    if match["reply"]:
        return Item(SOURCE, match["reply"], f"{channel}/messages/{match['message']}", "")
    return Item(SOURCE, match["message"], channel, "")


def version(message: Mapping[str, Any]) -> str:
    """When its text last changed, as Graph writes it."""
    return str(message.get("lastEditedDateTime") or message.get("createdDateTime") or "")


def is_said(message: Mapping[str, Any]) -> bool:
    """Whether it was said and stands: no event of the system, not taken back."""
    return not message.get("deletedDateTime") and message.get("messageType") != "systemEventMessage"
