"""A tenant: users with their mailbox and drive, subscriptions, and what happened."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from local.graph.rich import Recipient
from local.graph.state import ids
from local.graph.state.calendar import Calendar, Event
from local.graph.state.directory import Group
from local.graph.state.drive import Drive, Site
from local.graph.state.mailbox import Mailbox, Message
from local.graph.state.teams import ChatMessage, Teams, Thread

type Json = dict[str, Any]


@dataclass(slots=True)
class Change:
    """What a subscription may want to hear of."""

    kind: str  # message | event | drive | chat | channel
    owner: str  # a user's id, a drive's, a thread's
    change: str  # created | updated | deleted | moved
    sharing: bool = False
    message: Message | None = None
    event: Event | None = None
    chat: tuple[Thread, ChatMessage] | None = None
    also: tuple[str, ...] = ()  # further owners whose subscriptions hear of it
    old_id: str = ""
    folder: str = ""
    source: str = ""  # the folder that a moved message left


@dataclass(slots=True)
class Subscription:
    """A subscription; ``resource`` as the client wrote it, the rest as read from it."""

    id: str
    resource: str
    kind: str
    owner: str
    folder: str
    change_types: frozenset[str]
    notification_url: str
    lifecycle_url: str
    client_state: str
    expires: datetime
    immutable: bool
    security: bool
    recipient: Recipient | None = None  # of rich notifications
    application: str = ""


@dataclass(slots=True)
class Upload:
    """An upload session: where it goes and what has come."""

    id: str
    drive: Drive
    parent: str
    name: str
    item: str
    expires: datetime
    received: bytearray = field(default_factory=bytearray, repr=False)
    times: dict[str, str] = field(default_factory=dict)


class User:
    """A person with a mailbox, a calendar and a drive."""

    def __init__(self, world: World, upn: str, name: str, user_id: str = "") -> None:
        self.id = user_id or ids.guid()
        self.upn = upn
        self.name = name
        self.manager = ""
        self.mailbox = Mailbox(self._mail_changed)
        self.calendar = Calendar(self._event_changed)
        self.drive = Drive(self.id, world.drive_changed)
        self._world = world

    def _event_changed(self, change: str, event: Event) -> None:
        self._world.publish(Change("event", self.id, change, event=event))

    def _mail_changed(self, change: str, message: Message, old: str) -> None:
        left = self.mailbox.removals[-1].folder if change == "moved" else ""
        self._world.publish(
            Change(
                "message",
                self.id,
                change,
                message=message,
                old_id=old,
                folder=message.folder,
                source=left,
            )
        )


class World:
    """Everything; ``reset`` empties it. ``listener`` hears of each change."""

    def __init__(self) -> None:
        self.listener: Callable[[Change], None] = lambda _change: None
        self.reset()

    def reset(self) -> None:
        """An empty tenant."""
        self.tenant_id = ids.guid()
        self.application_id = ids.guid()
        self.users: dict[str, User] = {}
        self._names: dict[str, User] = {}
        self.groups: dict[str, Group] = {}
        self.drives: dict[str, Drive] = {}
        self.sites: dict[str, Site] = {}
        self.teams = Teams(self.thread_changed)
        self.subscriptions: dict[str, Subscription] = {}
        self._watching: dict[tuple[str, str], dict[str, Subscription]] = {}
        self.uploads: dict[str, Upload] = {}
        self.downloads: dict[str, tuple[Drive, str, str]] = {}
        self.sent: list[Json] = []
        self.deliveries: list[Json] = []
        self.log: list[Json] = []

    def add_user(self, upn: str, name: str, user_id: str = "") -> User:
        """A new user; the same UPN again gives the one that is there."""
        found = self.user(upn)
        if found is not None:
            return found
        user = User(self, upn, name, user_id)
        self.users[user.id] = user
        self._names[upn.lower()] = user
        self.drives[user.drive.id] = user.drive
        return user

    def add_site(self, name: str, libraries: list[str], *, group: str = "") -> Site:
        """A new site with these libraries."""
        site = Site(name, group=group)
        self.sites[site.id] = site
        for each in libraries:
            self.add_library(site, each)
        return site

    def add_library(self, site: Site, name: str) -> Drive:
        """A new library of the site."""
        made = Drive("", self.drive_changed, site=site, name=name)
        site.drives.append(made)
        self.drives[made.id] = made
        return made

    def user(self, key: str) -> User | None:
        """By id, or by UPN without regard to case."""
        return self.users.get(key) or self._names.get(key.lower())

    def subscribe(self, one: Subscription) -> None:
        """A new subscription."""
        self.subscriptions[one.id] = one
        self._watching.setdefault((one.kind, one.owner), {})[one.id] = one

    def unsubscribe(self, one: Subscription) -> None:
        """It ended."""
        self.subscriptions.pop(one.id, None)
        self._watching.get((one.kind, one.owner), {}).pop(one.id, None)

    def watching(self, kind: str, owner: str) -> list[Subscription]:
        """Who watches this mailbox or drive; those that expired end here."""
        found = list(self._watching.get((kind, owner), {}).values())
        for each in found:
            if each.expires <= ids.now():
                self.unsubscribe(each)
        return [each for each in found if each.id in self.subscriptions]

    def publish(self, change: Change) -> None:
        """Tell the listener."""
        self.listener(change)

    def drive_changed(self, drive: Drive, sharing: bool) -> None:  # noqa: FBT001 - the callback's shape
        """A drive's callback."""
        self.publish(Change("drive", drive.id, "updated", sharing))

    def thread_changed(self, thread: Thread, message: ChatMessage, change: str) -> None:
        """A chat's or channel's callback; "" is the owner of those who watch all of them."""
        kind = "channel" if thread.team else "chat"
        also = ("", *thread.members)
        self.publish(Change(kind, thread.id, change, chat=(thread, message), also=also))
