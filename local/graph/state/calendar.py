"""A calendar: events with versions, what was deleted, and what changed since when."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from local.graph.state import ids

type Json = dict[str, Any]


@dataclass(slots=True)
class Event:
    """An event; ``start`` and ``end`` are in UTC, ``values`` the rest as Graph shows it."""

    start: datetime
    end: datetime
    values: Json = field(repr=False)
    attachments: list[Json] = field(default_factory=list, repr=False)
    id: str = field(default_factory=ids.immutable_message_id)
    change_key: str = field(default_factory=ids.change_key)
    extended: dict[str, str] = field(default_factory=dict)
    seq: int = 0

    @property
    def etag(self) -> str:
        """Outlook's ETag is the change key."""
        return f'W/"{self.change_key}"'

    def within(self, start: datetime, end: datetime) -> bool:
        """Whether it overlaps the range; one without length counts where it begins."""
        return self.start < end and (self.end > start or self.start >= start)


@dataclass(frozen=True, slots=True)
class Gone:
    """An event left the calendar at ``seq``."""

    seq: int
    event: Event


type OnChange = Callable[[str, Event], None]
"""Called with created, updated or deleted, and the event."""


class Calendar:
    """One user's calendar. Every change takes a sequence number, which delta tokens carry."""

    def __init__(self, on_change: OnChange) -> None:
        self.events: dict[str, Event] = {}
        self.gone: list[Gone] = []
        self.deleted: list[Event] = []
        self.retained: list[Event] = []
        self.seq = 0
        self._on_change = on_change

    def add(self, event: Event) -> Event:
        """Store a new event; notifies ``created``."""
        self.events[event.id] = event
        self._touch(event)
        self._on_change("created", event)
        return event

    def touch(self, event: Event) -> None:
        """Something changed: new change key; notifies ``updated``."""
        self._touch(event)
        self._on_change("updated", event)

    def remove(self, event: Event, *, permanently: bool) -> None:
        """To Deleted Items, which the stand-in's calendar does not show; or to the purges."""
        self.seq += 1
        del self.events[event.id]
        self.gone.append(Gone(self.seq, event))
        (self.retained if permanently else self.deleted).append(event)
        self._on_change("deleted", event)

    def same(self, uid: str) -> Event | None:
        """The copy of a meeting: the event with that iCalUId."""
        return next((e for e in self.events.values() if e.values["iCalUId"] == uid), None)

    def changes(self, since: int) -> tuple[list[Event], list[Gone]]:
        """What changed, and what left, after ``since``."""
        here = [each for each in self.events.values() if each.seq > since]
        return here, [each for each in self.gone if each.seq > since]

    def _touch(self, event: Event) -> None:
        self.seq += 1
        event.seq = self.seq
        event.change_key = ids.change_key()
        event.values["lastModifiedDateTime"] = ids.timestamp(ids.now())
        event.values["hasAttachments"] = bool(event.attachments)
