"""What every format tells of an event, taken out once."""

from __future__ import annotations

import unicodedata
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass

from shared.audit.event import UNJUDGED
from shared.model import AuditEvent, Level

PERSON = frozenset({"my_number"})  # one value is one person
ITEMS = frozenset({"mail", "drive", "teams", "calendar", "gate"})  # other sources are deeds


@dataclass(frozen=True, slots=True)
class Entry:
    """An event with its place in the chain."""

    seq: int
    hash: str
    event: AuditEvent

    @property
    def judged(self) -> bool:
        """Whether anybody decided on an item (people's deeds and vanished items are not judged)."""
        return self.event.disposition != UNJUDGED

    @property
    def deed(self) -> bool:
        """Whether somebody did something (in the console, to a copy), and nothing was passing."""
        return self.event.item.source not in ITEMS

    def entities(self) -> Mapping[str, int]:
        """How many findings of each entity, by name."""
        return dict(sorted(Counter(each.entity for each in self.event.findings).items()))

    def gaps(self) -> Mapping[str, int]:
        """How many parts could not be read, by the gap's code."""
        return dict(sorted(Counter(each.code.value for each in self.event.gaps).items()))

    def persons(self) -> int:
        """How many different people, by their numbers."""
        return len({each.fingerprint for each in self.event.findings if each.entity in PERSON})

    def level(self) -> Level | None:
        """The surest finding's level."""
        return max((each.level for each in self.event.findings), default=None)

    def cohort(self) -> str:
        """Whose roll-out the item belongs to; empty where nobody judged it."""
        return self.event.context.cohort if self.event.context else ""


def plain(text: str) -> str:
    """One line without control, format, surrogate or line-separating characters.

    Line ends and tabs become a space, the others U+FFFD: text that an exported field may hold, and
    that reorders or breaks nothing in whatever shows it.
    """
    if text.isprintable():  # nothing of all that is in it
        return text
    return "".join(_plain(char) for char in text)


def _plain(char: str) -> str:
    if char in "\n\r\t\v\f\x1c\x1d\x1e\x1f\x85":
        return " "
    kind = unicodedata.category(char)
    if kind in {"Zl", "Zp"}:
        return " "
    return "\ufffd" if kind in {"Cc", "Cf", "Cs", "Co", "Cn"} else char
