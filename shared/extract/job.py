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


# What a location may show of a name: the extension, if it is one of these.
_EXTENSIONS = (
    "7z bmp bz2 csv doc docm docx eml emf exe gif gz heic htm html ics jpeg jpg jtd jtdc js json"
    " jtt lnk lzh md msg odg odp ods odt p7m p7s pdf png pps ppsx ppt pptm pptx ps1 rar rtf svg tar"
    " tgz tif tiff tsv txt vbs vcf webp wmf xbd xdw xls xlsb xlsm xlsx xlt xml xz zip zst"
)
KNOWN_EXTENSIONS = frozenset(_EXTENSIONS.split())
SMALL = 1_000_000  # bytes: what no ratio makes a bomb


def with_extension(label: str, name: str) -> str:
    """``label`` with the extension of ``name``, if that is a known one and not there already."""
    extension = name.rpartition(".")[2].lower()
    if extension not in KNOWN_EXTENSIONS or label.endswith(f".{extension}"):
        return label
    return f"{label}.{extension}"


class LimitError(Exception):
    """A limit of the budget was reached; ``code`` is the gap's."""

    def __init__(self, code: GapCode) -> None:
        super().__init__(code.value)
        self.code = code


@dataclass(frozen=True, slots=True)
class Limits:
    """The budget of one item, shared by everything nested in it. Bytes, characters, seconds.

    ``pictures`` are looked at in one document; later ones stay gaps. With ``ocr`` their words are
    recognised, where the extra is installed.
    """

    depth: int = 8
    members: int = 5_000
    expanded: int = 200_000_000
    ratio: int = 1_000
    text: int = 50_000_000
    seconds: float = 60.0
    pictures: int = 40
    ocr: bool = False


@dataclass(frozen=True, slots=True)
class Used:
    """What of an item's budget is used: parts, unpacked bytes, characters."""

    members: int = 0
    expanded: int = 0
    text: int = 0


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
    put into ``deferred``, for the sandbox to run. ``used`` is what other jobs of the same item have
    used of the budget before.
    """

    def __init__(
        self,
        *,
        clock: Callable[[], float],
        limits: Limits | None = None,
        passwords: tuple[str, ...] = (),
        isolate: bool = False,
        used: Used | None = None,
    ) -> None:
        before = used or Used()
        self.limits = limits or Limits()
        self.passwords = passwords
        self.isolate = isolate
        self.segments: list[Segment] = []
        self.gaps: list[Gap] = []
        self._named: set[Gap] = set()
        self.deferred: list[Document] = []
        self._pictures = 0
        self._clock = clock
        self._end = clock() + self.limits.seconds
        self._members = before.members
        self._expanded = before.expanded
        self._text = before.text

    @property
    def used(self) -> Used:
        """What of the budget is used so far, by this job and those before it."""
        return Used(self._members, self._expanded, self._text)

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
        if gap not in self._named:
            self._named.add(gap)
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
        if packed and expanded > SMALL and expanded > packed * self.limits.ratio:
            raise LimitError(GapCode.BOMB)
        self.tick()

    def member(self) -> None:
        """Account for one more part, archive member or page; LimitError over the count."""
        self._members += 1
        if self._members > self.limits.members:
            raise LimitError(GapCode.TOO_MANY)
        self.tick()

    @property
    def pictures_left(self) -> bool:
        """Whether one more picture may be looked at."""
        return self._pictures < self.limits.pictures

    def picture(self) -> bool:
        """Account for one more picture or rendered page; False where it must stay unseen."""
        self._pictures += 1
        self.tick()
        return self._pictures <= self.limits.pictures

    def child(
        self, parent: Document, data: bytes, name: str, *, label: str, media_type: str = ""
    ) -> None:
        """Read something contained in ``parent``.

        A location is shown and stored, so it never holds content: ``label`` is an ordinal that a
        person can find (``添付2``); the extension of ``name`` is added to it if it is a known one
        (``添付2.xlsx``). The name itself is content, and is scanned as a segment of its own at
        ``添付2.xlsx › 名前``.
        """
        from shared.extract.dispatch import read  # noqa: PLC0415 - readers and dispatch recurse

        self.member()
        location = parent.inside(with_extension(label, name))
        document = Document(data, name, media_type, location, parent.depth + 1)
        self.text(document.inside("名前"), name)
        if document.depth > self.limits.depth:
            self.gap(GapCode.TOO_DEEP, location)
            return
        read(document, self)

    def result(self) -> Extraction:
        """What was read and what was not."""
        return Extraction(tuple(self.segments), tuple(self.gaps))
