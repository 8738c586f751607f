"""Reading hostile XML: a stream of events, strict first, recovered second, no entity resolved.

libxml2's ``recover`` silently returns an empty or cut-off document for entity bombs and for depth
over 256, so it is only ever the second reading, and then the part is flagged ``partial``.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import Protocol

from lxml import etree

from shared.extract.job import Job
from shared.model import GapCode

CHUNK = 65_536  # bytes fed between two looks at the clock


class Sink(Protocol):
    """Receives a part's events in order. Names have no namespace, attributes keep theirs."""

    def start(self, name: str, attributes: Mapping[str, str]) -> None:
        """An element begins."""

    def data(self, text: str) -> None:
        """Character data (may come in pieces; comments and instructions do not cut it)."""

    def end(self, name: str) -> None:
        """An element ends."""


@lru_cache(maxsize=4096)
def local(tag: str) -> str:
    """The name of a tag or attribute without its namespace."""
    return tag.rsplit("}", 1)[-1]


def attribute(attributes: Mapping[str, str], name: str) -> str:
    """An attribute by its local name, whatever its namespace; empty if it is missing."""
    found = attributes.get(name)
    if found is not None:
        return found
    return next((value for key, value in attributes.items() if local(key) == name), "")


class _Target:
    """lxml's parser target: passes events on and notices a document type."""

    def __init__(self, sink: Sink) -> None:
        self._sink = sink
        self.data = sink.data
        self.has_doctype = False

    def start(self, tag: str, attributes: Mapping[str, str]) -> None:
        self._sink.start(local(tag), attributes)

    def end(self, tag: str) -> None:
        self._sink.end(local(tag))

    def doctype(self, *_: str | None) -> None:
        self.has_doctype = True

    def close(self) -> bool:
        return self.has_doctype


def _feed(data: bytes, job: Job, sink: Sink, *, recover: bool) -> bool:
    parser = etree.XMLParser(
        target=_Target(sink),
        resolve_entities=False,
        no_network=True,
        load_dtd=False,
        huge_tree=False,
        recover=recover,
    )
    for start in range(0, len(data), CHUNK):
        parser.feed(data[start : start + CHUNK])
        job.tick()
    return bool(parser.close())


def _without_doctype(data: bytes) -> bytes:
    """The bytes without a document type: what it declares never reaches the parser."""
    start = data.find(b"<!DOCTYPE")
    if start < 0:
        return data
    inside, end = data.find(b"[", start), data.find(b">", start)
    if 0 <= inside < end:
        close = data.find(b"]", inside)
        while close >= 0 and not data[close + 1 : close + 64].lstrip().startswith(b">"):
            close = data.find(b"]", close + 1)
        end = data.find(b">", close) if close >= 0 else -1
    return data[:start] + data[end + 1 :] if end >= 0 else data


def parse[S: Sink](data: bytes, job: Job, location: str, make: Callable[[], S]) -> S:
    """A sink made by ``make`` that has received the part's events.

    A part with a document type (Office writes none, so it is there to attack a parser) is flagged
    ``malformed`` and read without it; one that only a lenient parser reads ``partial``.
    LimitError over the time.
    """
    plain = _without_doctype(data)
    if len(plain) < len(data):
        job.gap(GapCode.MALFORMED, location)
        data = plain
    sink = make()
    try:
        has_doctype = _feed(data, job, sink, recover=False)
    except etree.XMLSyntaxError:
        job.gap(GapCode.PARTIAL, location)
        sink = make()
        try:
            has_doctype = _feed(data, job, sink, recover=True)
        except etree.XMLSyntaxError:
            has_doctype = False
    if has_doctype:
        job.gap(GapCode.MALFORMED, location)
    return sink


# Attributes that hold words a person wrote (alternative text, prompts, pivot cache values).
SPOKEN = frozenset(
    [
        "alt",
        "author",
        "caption",
        "command",  # of a connection: SQL, which may ask for one person
        "connection",
        "descr",
        "description",
        "displayName",
        "displayText",
        "error",
        "errorTitle",
        "initials",
        "instr",
        "prompt",
        "promptTitle",
        "sourceFile",
        "string",
        "text",
        "title",
        "tooltip",
        "userName",
        "v",
    ]
)
# On these elements ``val`` and ``value`` are words too; on most others they are settings.
SPEAKERS = frozenset(
    {"docVar", "alias", "tag", "default", "helpText", "statusText", "listItem", "category"}
)
# Ends of elements that do not end a line: runs, and the marks inside one.
INLINE = frozenset(
    {"t", "r", "span", "a", "s", "rPr", "b", "i", "u", "sz", "rFont", "color", "family", "charset"}
)


class PlainText:
    """All text and spoken attributes of a part, a line an element: for parts without a reader."""

    def __init__(self, *, every_attribute: bool = False) -> None:
        self._every = every_attribute
        self._pieces: list[str] = []

    def start(self, name: str, attributes: Mapping[str, str]) -> None:
        """Keep the attributes that speak."""
        for key, value in attributes.items():
            key = local(key)  # noqa: PLW2901 - the namespace is of no use here
            speaks = key in SPOKEN or (name in SPEAKERS and key in {"val", "value"})
            if speaks or self._every:
                self._pieces.append(f"\n{value}\n")

    def data(self, text: str) -> None:
        """Keep the text."""
        self._pieces.append(text)

    def end(self, name: str) -> None:
        """End the line, unless the element is a run of one."""
        if name == "tab":
            self._pieces.append("\t")
        elif name not in INLINE:
            self._pieces.append("\n")

    def result(self) -> str:
        """The lines that are not blank."""
        return squeeze("".join(self._pieces))


def squeeze(text: str) -> str:
    """The lines that are not blank, in order."""
    return "\n".join(line.rstrip() for line in text.splitlines() if line.strip())
