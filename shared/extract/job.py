"""One item's extraction: what was found so far, and one budget for all of it.

A *reader* (one format a file) is ``read(document, job) -> None``: it gives text with ``job.text``,
names what it cannot read with ``job.gap``, and hands what it contains to ``job.child``. It may
raise LimitError (from the job) or anything else: the item gets a gap, never an exception.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from shared.model import Extraction, Gap, GapCode, Mark, Segment

SEPARATOR = " › "


class LimitError(Exception):
    """A limit of the budget was reached; ``code`` is the gap's."""

    def __init__(self, code: GapCode) -> None:
        super().__init__(code.value)
        self.code = code


@dataclass(frozen=True, slots=True)
class Limits:
    """The budget of one item, shared by everything nested in it. Bytes, characters, seconds."""

    depth: int = 8
    members: int = 5_000
    expanded: int = 200_000_000
    ratio: int = 1_000
    text: int = 50_000_000
    seconds: float = 60.0


@dataclass(frozen=True, slots=True)
class Document:
    """Bytes with a name and a place inside the item; ``location`` is empty for the item itself."""

    data: bytes = field(repr=False)
    name: str = field(default="", repr=False)
    media_type: str = field(default="", repr=False)
    location: str = field(default="", repr=False)
    depth: int = 0

    def inside(self, name: str) -> str:
        """The location of a part of this document."""
        return f"{self.location}{SEPARATOR}{name}" if self.location else name


class Job:
    """Collects segments, gaps and the documents that must be read in a limited child process.

    ``clock`` gives seconds (monotonic). With ``isolate`` the risky formats are not read here but
    put into ``deferred``, for the sandbox to run.
    """

    def __init__(
        self,
        *,
        clock: Callable[[], float],
        limits: Limits | None = None,
        passwords: tuple[str, ...] = (),
        isolate: bool = False,
    ) -> None:
        self.limits = limits or Limits()
        self.passwords = passwords
        self.isolate = isolate
        self.segments: list[Segment] = []
        self.gaps: list[Gap] = []
        self.deferred: list[Document] = []
        self._clock = clock
        self._end = clock() + self.limits.seconds
        self._members = 0
        self._expanded = 0
        self._text = 0

    def text(
        self, location: str, text: str, *, table: bool = False, marks: tuple[Mark, ...] = ()
    ) -> None:
        """Add text (nothing if it is blank); LimitError over the text or time budget."""
        if not text or text.isspace():
            return
        self._text += len(text)
        if self._text > self.limits.text:
            raise LimitError(GapCode.TOO_LARGE)
        self.tick()
        self.segments.append(Segment(location, text, table=table, marks=marks))

    def gap(self, code: GapCode, location: str) -> None:
        """Name what could not be read (once a place)."""
        gap = Gap(code, location)
        if gap not in self.gaps:
            self.gaps.append(gap)

    def tick(self) -> None:
        """Call inside long loops; LimitError when the time is used up."""
        if self._clock() > self._end:
            raise LimitError(GapCode.TIMED_OUT)

    def spend(self, expanded: int, packed: int = 0) -> None:
        """Account for unpacked bytes (and their packed size, for the ratio); LimitError over it."""
        self._expanded += expanded
        if self._expanded > self.limits.expanded:
            raise LimitError(GapCode.TOO_LARGE)
        if packed and expanded > 1_000_000 and expanded > packed * self.limits.ratio:
            raise LimitError(GapCode.BOMB)
        self.tick()

    def member(self) -> None:
        """Account for one more part, archive member or page; LimitError over the count."""
        self._members += 1
        if self._members > self.limits.members:
            raise LimitError(GapCode.TOO_MANY)
        self.tick()

    def child(
        self, parent: Document, data: bytes, name: str, *, media_type: str = "", label: str = ""
    ) -> None:
        """Read something contained in ``parent``; ``label`` is shown where there is no name."""
        from shared.extract.dispatch import read  # noqa: PLC0415 - readers and dispatch recurse

        self.member()
        location = parent.inside(name or label)
        if parent.depth + 1 > self.limits.depth:
            self.gap(GapCode.TOO_DEEP, location)
            return
        if name:
            self.text(parent.inside("名前"), name)
        read(Document(data, name, media_type, location, parent.depth + 1), self)

    def result(self) -> Extraction:
        """What was read and what was not."""
        return Extraction(tuple(self.segments), tuple(self.gaps))
