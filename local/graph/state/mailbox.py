"""A mailbox: folders, messages with versions, what was deleted, and what changed since when."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from local.graph.state import ids

type Json = dict[str, Any]
WELL_KNOWN = {
    "inbox": "受信トレイ",
    "drafts": "下書き",
    "sentitems": "送信済みアイテム",
    "deleteditems": "削除済みアイテム",
    "junkemail": "迷惑メール",
    "archive": "アーカイブ",
    "outbox": "送信トレイ",
    "recoverableitemsdeletions": "Deletions",
    "recoverableitemspurges": "Purges",
}
HIDDEN = {"recoverableitemsdeletions", "recoverableitemspurges"}


@dataclass(slots=True)
class Folder:
    """A mail folder; ``well_known`` is the name by which any client reaches it."""

    id: str
    name: str
    parent: str
    hidden: bool = False
    well_known: str = ""


@dataclass(slots=True)
class Message:
    """A message: ``raw`` as received; ``values`` as Graph shows it; ``seq`` of its last change."""

    folder: str
    raw: bytes = field(repr=False)
    values: Json = field(repr=False)
    attachments: list[Json] = field(repr=False)
    immutable_id: str = field(default_factory=ids.immutable_message_id)
    mutable_id: str = field(default_factory=ids.mutable_message_id)
    change_key: str = field(default_factory=ids.change_key)
    extended: dict[str, str] = field(default_factory=dict)
    seq: int = 0
    created_seq: int = 0

    @property
    def etag(self) -> str:
        """Outlook's ETag is the change key."""
        return f'W/"{self.change_key}"'

    def id(self, *, immutable: bool) -> str:
        """The id in the form that the client asked for."""
        return self.immutable_id if immutable else self.mutable_id


@dataclass(frozen=True, slots=True)
class Removal:
    """A message left a folder (deleted or moved) at ``seq``."""

    seq: int
    folder: str
    immutable_id: str
    mutable_id: str


type OnChange = Callable[[str, Message, str], None]
"""Called with created, updated or deleted; the message; and its id in mutable form at that time."""


class Mailbox:
    """One user's mail. Every change takes a sequence number, which delta tokens carry."""

    def __init__(self, on_change: OnChange) -> None:
        self.root = ids.folder_id()
        self.folders: dict[str, Folder] = {}
        self.messages: dict[str, Message] = {}
        self.retained: list[Message] = []
        self.removals: list[Removal] = []
        self.categories: list[Json] = []
        self.seq = 0
        self._by_mutable: dict[str, str] = {}
        self._on_change = on_change
        for key, name in WELL_KNOWN.items():
            made = Folder(ids.folder_id(), name, self.root, key in HIDDEN, key)
            self.folders[made.id] = made

    def folder(self, key: str) -> Folder | None:
        """By id, or by well-known name (in any case)."""
        if key in self.folders:
            return self.folders[key]
        matches = (each for each in self.folders.values() if each.well_known == key.lower())
        return next(matches, None) if key else None

    def add_folder(self, name: str, parent: str, *, hidden: bool) -> Folder:
        """A new folder; the caller checks the name."""
        made = Folder(ids.folder_id(), name, parent, hidden)
        self.folders[made.id] = made
        return made

    def find(self, key: str) -> Message | None:
        """By immutable id, or by the mutable id of the folder it is in now. Case-sensitive."""
        return self.messages.get(key) or self.messages.get(self._by_mutable.get(key, ""))

    def listed(self, folder: str | None = None) -> list[Message]:
        """Newest first; a mailbox-wide list leaves the recoverable items out, as Graph does."""
        hidden = {each.id for each in self.folders.values() if each.well_known in HIDDEN}
        chosen = [
            each
            for each in self.messages.values()
            if (each.folder == folder if folder else each.folder not in hidden)
        ]
        return sorted(chosen, key=lambda each: each.created_seq, reverse=True)

    def add(self, message: Message) -> Message:
        """Store a new message; notifies ``created``."""
        self.messages[message.immutable_id] = message
        self._by_mutable[message.mutable_id] = message.immutable_id
        self._touch(message)
        message.created_seq = message.seq
        self._on_change("created", message, message.mutable_id)
        return message

    def touch(self, message: Message) -> None:
        """A property changed: new change key; notifies ``updated``."""
        self._touch(message)
        self._on_change("updated", message, message.mutable_id)

    def move(self, message: Message, folder: str) -> Message:
        """To another folder: a new mutable id, the same immutable one. Notifies ``moved``."""
        old = message.mutable_id
        self._leave(message)
        message.folder, message.mutable_id = folder, ids.mutable_message_id()
        self._by_mutable[message.mutable_id] = message.immutable_id
        self._touch(message)
        self._on_change("moved", message, old)
        return message

    def delete(self, message: Message, *, permanently: bool) -> None:
        """DELETE moves to Deleted Items, then to recoverable Deletions; ``permanently`` purges.

        A purged message is gone for every client, and kept in ``retained`` as a litigation hold
        would: the demo and the tests ask for it.
        """
        current = self.folders[message.folder].well_known
        if not permanently and current not in HIDDEN:
            target = "recoverableitemsdeletions" if current == "deleteditems" else "deleteditems"
            found = self.folder(target)
            assert found is not None
            self.move(message, found.id)
            return
        self._leave(message)
        del self.messages[message.immutable_id]
        self.retained.append(message)
        self._on_change("deleted", message, message.mutable_id)

    def changes(self, folder: str, since: int) -> tuple[list[Message], list[Removal]]:
        """What is in the folder and changed after ``since``, and what left it after ``since``."""
        here = [m for m in self.messages.values() if m.folder == folder and m.seq > since]
        present = {m.immutable_id for m in self.messages.values() if m.folder == folder}
        gone = {
            each.immutable_id: each
            for each in self.removals
            if each.folder == folder and each.seq > since and each.immutable_id not in present
        }
        return sorted(here, key=lambda m: m.seq), list(gone.values())

    def _touch(self, message: Message) -> None:
        self.seq += 1
        message.seq = self.seq
        message.change_key = ids.change_key()
        message.values["lastModifiedDateTime"] = ids.timestamp(ids.now())

    def _leave(self, message: Message) -> None:
        self.seq += 1
        self._by_mutable.pop(message.mutable_id, None)
        self.removals.append(
            Removal(self.seq, message.folder, message.immutable_id, message.mutable_id)
        )
