"""Teams: threads (a channel or a chat) of messages with their replies, edits and blocks."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from local.graph.state import ids

type Json = dict[str, Any]
INTERNAL = {"aadUser", "onPremiseAadUser"}
MILLISECOND = timedelta(milliseconds=1)


@dataclass(frozen=True, slots=True)
class Hosted:
    """A picture (or another content) that Teams keeps inside a message."""

    id: str
    kind: str
    data: bytes = field(repr=False)


@dataclass(slots=True)
class ChatMessage:
    """A message; ``id`` is when it was sent, in milliseconds; ``reply_to`` its root's id."""

    id: str
    sender: Json
    body: Json = field(repr=False)
    created: datetime
    modified: datetime
    subject: str | None = None
    reply_to: str = ""
    attachments: list[Json] = field(default_factory=list, repr=False)
    hosted: list[Hosted] = field(default_factory=list, repr=False)
    edited: datetime | None = None
    deleted: datetime | None = None
    violation: Json | None = None
    removed_body: Json | None = field(default=None, repr=False)
    seq: int = 0

    @property
    def etag(self) -> str:
        """When it last changed, in milliseconds."""
        return str(_milliseconds(self.modified))


type OnChange = Callable[["Thread", ChatMessage, str], None]
"""Called with the thread, the message, and created, updated or deleted."""


@dataclass(slots=True)
class Thread:
    """A channel (has a team) or a chat (has members: ids of users); ``outside`` are strangers."""

    id: str
    name: str
    team: str = ""
    members: list[str] = field(default_factory=list)
    outside: list[Json] = field(default_factory=list)  # members of other organisations
    messages: dict[str, ChatMessage] = field(default_factory=dict)
    created: datetime = field(default_factory=ids.now)


@dataclass(slots=True)
class Team:
    """A team and its channels by id."""

    id: str
    name: str
    channels: dict[str, Thread] = field(default_factory=dict)


class Teams:
    """All of them. Every change takes a sequence number and a later millisecond than the last."""

    def __init__(self, on_change: OnChange) -> None:
        self.teams: dict[str, Team] = {}
        self.chats: dict[str, Thread] = {}
        self.seq = 0
        self._last = ids.now()
        self._on_change = on_change

    def add_channel(self, team: Team, name: str) -> Thread:
        """A new channel of the team."""
        made = Thread(f"19:{ids.guid().replace('-', '')}@thread.tacv2", name, team=team.id)
        team.channels[made.id] = made
        return made

    def add_chat(self, topic: str, members: list[str], outside: list[Json]) -> Thread:
        """A new chat of these users."""
        key = f"19:{ids.guid().replace('-', '')}@thread.v2"
        made = Thread(key, topic, members=members, outside=outside)
        self.chats[made.id] = made
        return made

    def stamp(self, message: ChatMessage) -> None:
        """It gets its id: the millisecond in which it comes."""
        self._touch(message)
        message.id, message.created = message.etag, message.modified

    def post(self, thread: Thread, message: ChatMessage) -> ChatMessage:
        """Store a message that was stamped; notifies ``created``."""
        thread.messages[message.id] = message
        self._on_change(thread, message, "created")
        return message

    def edit(self, thread: Thread, message: ChatMessage, body: Json) -> None:
        """The sender changed the text; notifies ``updated``."""
        self._touch(message)
        message.body, message.edited = body, message.modified
        self._on_change(thread, message, "updated")

    def violate(self, thread: Thread, message: ChatMessage, violation: Json) -> None:
        """A verdict was set: an update, not an edit."""
        self._touch(message)
        message.violation = violation
        self._on_change(thread, message, "updated")

    def delete(self, thread: Thread, message: ChatMessage) -> None:
        """The sender took it back: it stays, empty, with the time; notifies ``deleted``."""
        self._touch(message)
        message.removed_body, message.deleted = message.body, message.modified
        message.body = {"contentType": "text", "content": ""}
        message.attachments = []
        self._on_change(thread, message, "deleted")

    def _touch(self, message: ChatMessage) -> None:
        now = ids.now()
        now = now.replace(microsecond=now.microsecond // 1000 * 1000)
        self._last = max(now, self._last + MILLISECOND)
        self.seq += 1
        message.seq, message.modified = self.seq, self._last


def external(sender: Json, tenant: str) -> bool:
    """Whether the sender is no account of this tenant: nobody here may set a verdict for it."""
    user = sender.get("user")
    if not isinstance(user, dict):
        return True
    kind = user.get("userIdentityType") or "aadUser"
    return kind not in INTERNAL or user.get("tenantId") not in {None, tenant}


def _milliseconds(when: datetime) -> int:
    return (when - datetime(1970, 1, 1, tzinfo=UTC)) // MILLISECOND
