"""HTML and XML to text in one pass over the characters, linear whatever the input.

Every parser that was measured has a quadratic case (80,000 attributes, comments that never end,
nesting); lxml drops text below a depth of about 300. This scanner builds no tree: it looks at each
character a bounded number of times, remembers that a terminator is missing, and drops nothing:
what is not shown (comments, attribute values, scripts, hidden elements) is given apart.
"""

from __future__ import annotations

import html
import re
from collections.abc import Callable
from dataclasses import dataclass, field

from shared.extract.layout import Piece, Table, tidy

EVERY = 2_000  # tags between two looks at the clock

_TAG = re.compile(r"<(/?)([A-Za-z][^\s/>\"'=]{0,60})")
_INNER_TAG = re.compile(r"<[^<>]*+>")
_TELLING = re.compile(r"[@\d]")
_LOOSE = re.compile(r"<(?:<(?![A-Za-z/!?]))*+")
_ATTRIBUTE = re.compile(r"[\s/]*+([^\s/>=]{0,200}+)(?:\s*+=\s*+)?")
_BARE = re.compile(r"[^\s>\"']++")
_SPACE = re.compile(r"[ \t\r\n\f]+")
_HIDDEN = re.compile(
    r"display\s*:\s*none|visibility\s*:\s*hidden|font-size\s*:\s*0(?![.\d]*[1-9])", re.IGNORECASE
)

# Elements that begin a new line, by HTML's own style sheet (HTML Living Standard 15.3).
_BLOCKS = (
    "address article aside blockquote body caption center dd details dialog dir div dl dt fieldset"
    " figcaption figure footer form frameset h1 h2 h3 h4 h5 h6 head header hgroup hr html legend li"
    " main menu nav ol optgroup option p pre search section summary title ul tbody thead tfoot"
)
BLOCKS = frozenset(_BLOCKS.split())
CELLS = frozenset({"td", "th"})
NUMBERED = frozenset({"h1", "h2", "h3", "h4", "h5", "h6"})
RAW = frozenset({"script", "style"})
VOID = frozenset(
    {"area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "source", "wbr"}
)
# Attribute values that are no text and no address: they are left out.
_DULL = (
    "class style width height border cellpadding cellspacing align valign bgcolor color face size"
    " lang dir type rel target colspan rowspan charset http-equiv xmlns id for method"
)
DULL = frozenset(_DULL.split())
_SWITCHES = (
    " checked selected disabled nowrap hidden noshade async defer readonly multiple required"
    " controls autoplay autofocus compact ismap loop muted novalidate open reversed"
)
SWITCHES = frozenset({"", *_SWITCHES.split()})


@dataclass(slots=True)
class Markup:
    """What a document shows, and what it holds besides."""

    text: str = field(default="", repr=False)
    table: bool = False
    comments: str = field(default="", repr=False)
    attributes: str = field(default="", repr=False)
    scripts: str = field(default="", repr=False)
    hidden: str = field(default="", repr=False)


class Scanner:
    """Reads one document; ``tick`` is called now and then and may raise."""

    def __init__(self, source: str, tick: Callable[[], None], *, xml: bool = False) -> None:
        self.source = source
        self.tick = tick
        self.xml = xml
        self.pieces: list[Piece] = []
        self.comments: list[str] = []
        self.attributes: list[str] = []
        self.scripts: list[str] = []
        self.hidden: list[str] = []
        self.tables: list[Table] = []
        self.seen_tables: list[Table] = []
        self.pre = 0
        self.conceal = ""  # the name of the hidden element we are in
        self.conceal_depth = 0
        self._missing: dict[str, int] = {}

    def find(self, what: str, start: int) -> int:
        """Where ``what`` is next, or -1; a miss is remembered, so that none is looked for twice."""
        if what in self._missing:
            return -1
        at = self.source.find(what, start)
        if at < 0:
            self._missing[what] = start
        return at

    def scan(self) -> Markup:
        """Everything the document holds."""
        source = self.source
        at = 0
        tags = 0
        while True:
            start = source.find("<", at)
            if start < 0:
                self.data(source[at:])
                return self.result()
            if start > at:
                self.data(source[at:start])
            at = self.markup(start)
            tags += 1
            if tags % EVERY == 0:
                self.tick()

    def markup(self, start: int) -> int:
        """Read what begins with ``<`` at ``start``; where to go on."""
        tag = _TAG.match(self.source, start)
        if tag:
            return self.tag(tag[2].lower(), closing=bool(tag[1]), at=tag.end())
        for opening, closing in (("<!--", "-->"), ("<![CDATA[", "]]>"), ("<!", ">"), ("<?", ">")):
            if self.source.startswith(opening, start):
                return self.declaration(start + len(opening), opening, closing)
        loose = _LOOSE.match(self.source, start)
        assert loose is not None  # at least the one that stands there
        self.data(loose[0])
        return loose.end()

    def declaration(self, start: int, opening: str, closing: str) -> int:
        """A comment, CDATA section, declaration or instruction."""
        if opening == "<!--" and self.source.startswith((">", "->"), start):
            return self.source.find(">", start) + 1
        end = self.find(closing, start)
        stop = len(self.source) if end < 0 else end
        content = self.source[start:stop]
        if opening == "<![CDATA[" and self.xml:
            self.plain(content)
        elif opening == "<!--" and "<" in content:  # conditional comments hold markup
            self.comments.append(_INNER_TAG.sub(" ", content))
        else:
            self.comments.append(content)
        return len(self.source) if end < 0 else end + len(closing)

    def tag(self, name: str, *, closing: bool, at: int) -> int:
        """A start or end tag whose name ends at ``at``."""
        source = self.source
        concealed = False
        if _TELLING.search(name) and name not in NUMBERED:  # an address in angle brackets, perhaps
            self.attributes.append(name)
        if source.startswith(">", at):
            at += 1
        else:
            at, concealed = self.read_attributes(at)
        if self.conceal:
            self.track(name, closing=closing)
        elif concealed and not closing and name not in VOID:
            self.conceal, self.conceal_depth = name, 1
        if self.xml:
            self.pieces.append(("break", None))
        elif name in RAW and not closing:
            return self.raw(name, at)
        else:
            self.structure(name, closing=closing)
        return at

    def track(self, name: str, *, closing: bool) -> None:
        """Count the nesting of the hidden element that we are in."""
        if name == self.conceal:
            self.conceal_depth += -1 if closing else 1
            if not self.conceal_depth:
                self.conceal = ""

    def raw(self, name: str, start: int) -> int:
        """A script's or style sheet's content, up to its end tag."""
        end = re.compile(f"</{name}", re.IGNORECASE).search(self.source, start)
        stop = end.start() if end else len(self.source)
        self.scripts.append(self.source[start:stop])
        return stop

    def read_attributes(self, at: int) -> tuple[int, bool]:
        """Attributes up to the tag's end: where it is, and whether they hide the element."""
        source, size = self.source, len(self.source)
        concealed = False
        while at < size:
            match = _ATTRIBUTE.match(source, at)
            assert match is not None  # it may be empty
            name, at = match[1].lower(), match.end()
            value, at = self.attribute_value(at)
            concealed = (
                concealed or name == "hidden" or (name == "style" and bool(_HIDDEN.search(value)))
            )
            if value and name not in DULL:
                self.attributes.append(html.unescape(value))
            elif not value and name not in SWITCHES:  # text that lost its quotes
                self.attributes.append(name)
            if source.startswith(">", at):
                return at + 1, concealed
        return size, concealed

    def attribute_value(self, at: int) -> tuple[str, int]:
        """The value that begins at ``at`` (it may be none) and where it ends."""
        source = self.source
        quote = source[at : at + 1]
        if quote in {'"', "'"}:
            end = self.find(quote, at + 1)
            if end >= 0:
                return source[at + 1 : end], end + 1
            at += 1
        bare = _BARE.match(source, at)
        return (bare[0], bare.end()) if bare else ("", at)

    def structure(self, name: str, *, closing: bool) -> None:
        """What a tag means for lines and cells."""
        table = self.tables[-1] if self.tables else None
        if name == "br":
            self.pieces.append(("break", table))
        elif name == "table":
            self.table(closing=closing)
        elif table and name in CELLS:
            table.open_cell = not closing
            if not closing:
                table.cells += 1
                self.pieces.append(("cell", table))
        elif table and name == "tr":
            table.open_cell = False
            if not closing:
                table.rows += 1
                self.pieces.append(("row", table))
        elif name in BLOCKS:
            self.pre = max(0, self.pre + (-1 if closing else 1)) if name == "pre" else self.pre
            self.pieces.append(("break", table if table and table.open_cell else None))

    def table(self, *, closing: bool) -> None:
        """A table begins or ends."""
        if closing:
            if self.tables:
                self.tables.pop()
        else:
            for outer in self.tables[-1:]:
                outer.nested = True
            self.tables.append(Table())
            self.seen_tables.append(self.tables[-1])
        self.pieces.append(("edge", None))

    def data(self, text: str) -> None:
        """Character data with its references resolved."""
        if "&" in text:
            text = html.unescape(text)
        self.plain(text)

    def plain(self, text: str) -> None:
        """Character data; white space means nothing outside ``pre``."""
        if not text:
            return
        if self.conceal:
            self.hidden.append(text)
        elif self.pre or self.xml:
            self.pieces.append(text)
        else:
            self.pieces.append(_SPACE.sub(" ", text))

    def result(self) -> Markup:
        """Put the pieces together."""
        return Markup(
            text=tidy(self.pieces),
            table=any(t.rows > 1 and t.cells > t.rows and not t.nested for t in self.seen_tables),
            comments="\n".join(self.comments),
            attributes="\n".join(self.attributes),
            scripts="\n".join(self.scripts),
            hidden="".join(self.hidden),
        )


def scan(source: str, tick: Callable[[], None], *, xml: bool = False) -> Markup:
    """Read a document; linear in its length, never raises but for what ``tick`` raises."""
    return Scanner(source, tick, xml=xml).scan()
