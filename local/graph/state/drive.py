"""A drive, a user's or a site's: items with versions, tags of change, and delta by sequence."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from local.graph.state import ids

type Json = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Version:
    """One stored content; ids count up from 1.0."""

    id: str
    data: bytes = field(repr=False)
    when: datetime


@dataclass(slots=True)
class Item:
    """A file (has versions, newest last), a folder (has none) or the root (no parent)."""

    name: str
    parent: str
    folder: bool
    id: str = field(default_factory=ids.item_id)
    guid: str = field(default_factory=lambda: ids.guid().upper())
    versions: list[Version] = field(default_factory=list, repr=False)
    next_version: int = 1
    permissions: list[Json] = field(default_factory=list)
    fields: Json = field(default_factory=dict)
    labels: list[Json] = field(default_factory=list)
    created: datetime = field(default_factory=ids.now)
    modified: datetime = field(default_factory=ids.now)
    own_times: dict[str, str] = field(default_factory=dict)  # fileSystemInfo, as a client gave it
    by: Json | None = None  # who made it, where that is not the drive's owner
    changes: int = 0
    content_changes: int = 0
    seq: int = 0
    sharing_seq: int = 0

    @property
    def etag(self) -> str:
        """Moves on with every change."""
        return f'"{{{self.guid}}},{self.changes}"'

    @property
    def ctag(self) -> str:
        """Moves on with the content only."""
        return f'"c:{{{self.guid}}},{self.content_changes}"'

    @property
    def data(self) -> bytes:
        """The current content."""
        return self.versions[-1].data if self.versions else b""


@dataclass(frozen=True, slots=True)
class Tombstone:
    """An item that left the drive at ``seq``."""

    seq: int
    item: Item


type OnChange = Callable[["Drive", bool], None]
"""Called with the drive, and whether it was sharing alone that changed."""


@dataclass(slots=True)
class Site:
    """A SharePoint site with its libraries; ``group`` is the Microsoft 365 group it belongs to."""

    name: str
    id: str = field(default_factory=ids.site_id)
    group: str = ""
    drives: list[Drive] = field(default_factory=list)


class Drive:
    """A user's drive, or a library of a site (then nobody's).

    Names are unique in a folder without regard to case, as in SharePoint.
    """

    def __init__(
        self, owner: str, on_change: OnChange, *, site: Site | None = None, name: str = "OneDrive"
    ) -> None:
        self.id = ids.drive_id()
        self.owner = owner
        self.site = site
        self.name = name
        self.items: dict[str, Item] = {}
        self.tombstones: list[Tombstone] = []
        self.retained: list[Item] = []
        self.columns = {"Title"}
        self.seq = 0
        self._on_change = on_change
        self.root = Item("root", "", folder=True)
        self.items[self.root.id] = self.root

    def find(self, reference: str) -> Item | None:
        """By id, ``root``, ``root:/path:`` or ``{id}:/path:`` (the last colon may be missing)."""
        key, _, path = reference.partition(":")
        item = self.root if key == "root" else self.items.get(key)
        for name in path.strip(":").strip("/").split("/"):
            if item is None or not name:
                continue
            item = self.child(item, name)
        return item

    def children(self, item: Item) -> list[Item]:
        """In name order."""
        found = (each for each in self.items.values() if each.parent == item.id)
        return sorted(found, key=lambda each: each.name)

    def child(self, item: Item, name: str) -> Item | None:
        """By name, without regard to case."""
        same = (each for each in self.children(item) if each.name.lower() == name.lower())
        return next(same, None)

    def ancestors(self, item: Item) -> Iterator[Item]:
        """Parent first, root last."""
        while item.parent:
            item = self.items[item.parent]
            yield item

    def path(self, item: Item) -> str:
        """``/drives/{id}/root:/folder`` of the *parent*, as parentReference gives it."""
        names = [each.name for each in self.ancestors(item) if each.parent]
        tail = "".join(f"/{name}" for name in reversed(names))
        return f"/drives/{self.id}/root:{tail}"

    def add(self, parent: Item, name: str, data: bytes | None) -> Item:
        """A new file, or a folder where ``data`` is None."""
        item = Item(name, parent.id, folder=data is None)
        self.items[item.id] = item
        if data is None:
            self.touch(item)
        else:
            self.write(item, data)
        return item

    def folder(self, path: str) -> Item:
        """The folder at the path, made where it is missing."""
        item = self.root
        for name in filter(None, path.split("/")):
            item = self.child(item, name) or self.add(item, name, None)
        return item

    def write(self, item: Item, data: bytes) -> None:
        """New content is a new version; the older ones stay until someone deletes them."""
        item.versions.append(Version(f"{item.next_version}.0", data, ids.now()))
        item.next_version += 1
        item.content_changes += 1
        self.touch(item)

    def touch(self, item: Item) -> None:
        """Something changed: a new eTag, a place in the delta, a notification."""
        self.seq += 1
        item.seq = self.seq
        item.changes += 1
        item.modified = ids.now()
        self._on_change(self, False)  # noqa: FBT003 - the callback's one flag, named in OnChange

    def share(self, item: Item) -> None:
        """A permission came or went: the delta shows it only to those who asked for sharing."""
        self.seq += 1
        item.sharing_seq = self.seq
        item.changes += 1
        self._on_change(self, True)  # noqa: FBT003 - the callback's one flag, named in OnChange

    def remove(self, item: Item, *, permanently: bool) -> None:
        """With everything below it; ``permanently`` skips the recycle bin and is remembered."""
        for each in self.children(item):
            self.remove(each, permanently=permanently)
        self.seq += 1
        del self.items[item.id]
        self.tombstones.append(Tombstone(self.seq, item))
        if permanently:
            self.retained.append(item)
        self._on_change(self, False)  # noqa: FBT003 - the callback's one flag, named in OnChange

    def since(self, since: int, born: int, *, sharing: bool) -> list[tuple[int, Item]]:
        """(sequence, item) of what changed or left after ``since``, in that order.

        With ``sharing`` also where permissions alone changed. What left up to ``born``, when the
        client began, is no news to it. An item that left is not in ``items`` any more.
        """
        found = []
        for each in self.items.values():
            seq = max(each.seq, each.sharing_seq) if sharing else each.seq
            if seq > since:
                found.append((seq, each))
        found += [(each.seq, each.item) for each in self.tombstones if each.seq > max(since, born)]
        return sorted(found, key=lambda pair: pair[0])
