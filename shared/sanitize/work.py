"""One item's sanitising: its budget, what was removed so far, and the way to what is inside.

A *cleaner* (one format a file) is ``clean(part, work) -> Part``: it gives the clean part, names
what it took out with ``work.removed``, hands what the part contains to ``work.child``, and raises
HoldError for what it cannot make safe. Anything else that it raises holds the item as malformed.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field, replace

from shared.model import GapCode
from shared.sanitize.values import Budget, Links, Options, PartHash, Parts, Removal, Tools
from shared.sanitize.words import WORDS

SMALL = 1_000_000  # bytes: what no ratio makes a bomb
SEPARATOR = " › "


class HoldError(Exception):
    """This cannot be sanitised; ``code`` is the reason, ``location`` the place."""

    def __init__(self, code: GapCode, location: str = "") -> None:
        super().__init__(code.value)
        self.code = code
        self.location = location


@dataclass(frozen=True, slots=True)
class Part:
    """Bytes with a name and a place in the item; ``removed`` says that it is a note by now."""

    data: bytes = field(repr=False)
    name: str = field(default="", repr=False)
    media_type: str = field(default="", repr=False)
    location: str = ""
    depth: int = 0
    removed: bool = False

    def inside(self, label: str) -> str:
        """The location of something in this part."""
        return f"{self.location}{SEPARATOR}{label}" if self.location else label

    def with_data(self, data: bytes) -> Part:
        """The same part with other bytes."""
        return replace(self, data=data)


Cleaner = Callable[[Part, "Work"], Part]


class Work:
    """The budget and the notes of one item. ``dispatch`` cleans a part of any kind."""

    def __init__(
        self,
        *,
        tools: Tools,
        options: Options,
        limits: Budget,
        clock: Callable[[], float],
        dispatch: Callable[[Part, Work], tuple[str, Part]],
    ) -> None:
        self.tools = tools
        self.options = options
        self.limits = limits
        self.held: list[tuple[GapCode, str]] = []
        self.parts: list[PartHash] = []
        self.unseen: list[str] = []  # text taken out that no reader saw (instructions of fields)
        self._removed: Counter[tuple[str, str]] = Counter()
        self._stated: Counter[tuple[str, str]] = Counter()
        self._dispatch = dispatch
        self._clock = clock
        self._end = clock() + limits.seconds
        self._members = 0
        self._expanded = 0

    @property
    def keeps_links(self) -> bool:
        """Whether plain hyperlinks stay."""
        return self.options.links == Links.KEEP

    def removed(self, code: str, location: str, count: int = 1) -> None:
        """Note that something was taken out (nothing if ``count`` is 0)."""
        if count:
            self._removed[code, location] += count

    def state(self, code: str, location: str) -> None:
        """Note what follows from a change."""
        self._stated[code, location] = 1

    def tick(self) -> None:
        """Call inside long loops; HoldError when the time is used up."""
        if self._clock() > self._end:
            raise HoldError(GapCode.TIMED_OUT)

    def spend(self, expanded: int, packed: int = 0) -> None:
        """Account for unpacked bytes; HoldError over the budget or the ratio."""
        self._expanded += expanded
        if self._expanded > self.limits.expanded:
            raise HoldError(GapCode.TOO_LARGE)
        if packed and expanded > SMALL and expanded > packed * self.limits.ratio:
            raise HoldError(GapCode.BOMB)
        self.tick()

    def member(self) -> None:
        """Account for one more part; HoldError over the count."""
        self._members += 1
        if self._members > self.limits.members:
            raise HoldError(GapCode.TOO_MANY)
        self.tick()

    def child(self, parent: Part, data: bytes, name: str, label: str, media_type: str = "") -> Part:
        """Clean something contained in ``parent``; by option a note where that cannot be done."""
        from shared.sanitize.notes import held_note  # noqa: PLC0415 - notes need Part

        self.member()
        part = Part(data, name, media_type, parent.inside(label), parent.depth + 1)
        try:
            kind, clean = self._nested(part)
        except HoldError as hold:
            where = hold.location or part.location
            if self.options.parts == Parts.HOLD or hold.code is GapCode.TIMED_OUT:
                raise HoldError(hold.code, where) from None
            self.held.append((hold.code, where))
            self.removed("held_part", part.location)
            kind, clean = "", held_note(part, hold.code)
        digest = self.tools.digest
        after = "" if clean.removed else digest(clean.data)
        self.parts.append(PartHash(part.location, kind, digest(data), after))
        return clean

    def _nested(self, part: Part) -> tuple[str, Part]:
        if part.depth > self.limits.depth:
            raise HoldError(GapCode.TOO_DEEP)
        return self._dispatch(part, self)

    def removals(self) -> tuple[Removal, ...]:
        """What was removed, in the order it was found."""
        return _worded(self._removed)

    def statements(self) -> tuple[Removal, ...]:
        """What follows from it."""
        return _worded(self._stated)


def _worded(counted: Counter[tuple[str, str]]) -> tuple[Removal, ...]:
    return tuple(
        Removal(code, location, count, WORDS[code].ja, WORDS[code].en)
        for (code, location), count in counted.items()
    )
