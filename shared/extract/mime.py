"""The structure of a mail: header blocks and parts, on raw bytes.

The standard library's parser recurses with the nesting and looks at each line once a level; here
each level is one search for its delimiter, the depth and the number of parts are capped, and what
stands between the parts is kept, because a person may read it.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from shared.extract import headers
from shared.extract.headers import Field

HEADER_BYTES = 1 << 20
HEADER_COUNT = 10_000

_BLANK = re.compile(rb"\r?\n\r?\n|\A\r?\n")
_LINE = re.compile(rb"([!-9;-~]{1,200})[ \t]*:((?:[^\n]|\n[ \t])*+)\n?|([^\n]*)\n?")
_GUESSED = re.compile(rb"^--([^\r\n]{1,200}?)[ \t]*\r?\nContent-", re.MULTILINE | re.IGNORECASE)
_STRUCTURE = re.compile(
    rb"^(?:content-type|content-transfer-encoding|mime-version)[ \t]*:",
    re.IGNORECASE | re.MULTILINE,
)


@dataclass(frozen=True, slots=True)
class Entity:
    """A header block and the body under it. Header names are lower case, values raw and folded."""

    headers: tuple[tuple[str, bytes], ...] = field(repr=False)
    body: bytes = field(repr=False)
    junk: bytes = field(default=b"", repr=False)  # lines among the headers that are none
    cut: bool = False  # the header block was longer than HEADER_BYTES or HEADER_COUNT

    def all(self, name: str) -> list[bytes]:
        """The values of a header, in order."""
        return [value for key, value in self.headers if key == name]

    def field(self, name: str) -> Field:
        """The first such header with its parameters; empty if there is none."""
        for key, value in self.headers:
            if key == name:
                return headers.parse(value)
        return Field("", {})


def parse(data: bytes) -> Entity:
    """Cut a header block off; a line that is no header begins the body unless headers follow it."""
    if b"\n" not in data[:HEADER_BYTES]:
        data = data.replace(b"\r", b"\n")
    blank = _BLANK.search(data, 0, HEADER_BYTES)
    if blank:
        block, body = data[: blank.start()], data[blank.end() :]
    else:
        block, body = data[:HEADER_BYTES], data[HEADER_BYTES:]
    cut = not blank and len(data) > HEADER_BYTES
    found: list[tuple[str, bytes]] = []
    junk: list[bytes] = []
    last = -1  # where the last structural header begins; looked for at the first junk line
    for match in _LINE.finditer(block):
        if match[1]:
            found.append((match[1].decode("ascii").lower(), match[2]))
            if len(found) > HEADER_COUNT:
                return Entity(tuple(found), block[match.end() :] + body, b"\n".join(junk), cut=True)
        elif match[3].strip():
            if last < 0:
                last = max((each.start() for each in _STRUCTURE.finditer(block)), default=0)
            if not _is_separator(match[3]) and last <= match.start():
                return Entity(tuple(found), data[match.start() :], b"\n".join(junk), cut)
            junk.append(match[3])
    return Entity(tuple(found), body, b"\n".join(junk), cut)


def _is_separator(line: bytes) -> bool:
    """Mailbox separators: ``From `` and ``>From ``."""
    return line.startswith((b"From ", b">From "))


@dataclass(frozen=True, slots=True)
class Pieces:
    """What a multipart body holds: its parts, and the text before, between and after them."""

    parts: tuple[bytes, ...] = field(repr=False)
    rest: tuple[bytes, ...] = field(repr=False)
    closed: bool = True


def split(body: bytes, boundary: bytes, limit: int) -> Pieces:
    """Cut a multipart body; parts behind a premature end are parts too. At most ``limit`` parts."""
    parts: list[bytes] = []
    rest: list[bytes] = []
    start, inside, closed = 0, False, False
    for at, after, closing in _delimiters(body, boundary):
        (parts if inside else rest).append(_trimmed(body, start, at))
        start, inside, closed = after, not closing, closing
        if len(parts) >= limit:
            break
    (parts if inside else rest).append(body[start:])
    return Pieces(tuple(parts), tuple(piece for piece in rest if piece.strip()), closed)


def _trimmed(body: bytes, start: int, end: int) -> bytes:
    """Without the line end that belongs to the delimiter."""
    piece = body[start:end]
    if piece.endswith(b"\r\n"):
        return piece[:-2]
    return piece[:-1] if piece.endswith((b"\n", b"\r")) else piece


def _delimiters(body: bytes, boundary: bytes) -> list[tuple[int, int, bool]]:
    """Where delimiter lines begin, where the next line begins, and whether they close."""
    mark = b"--" + boundary
    found = []
    at = body.find(mark)
    while at >= 0:
        after = at + len(mark)
        closing = body.startswith(b"--", after)
        after += 2 * closing
        line_end = body.find(b"\n", after, after + 200)
        end = line_end if line_end >= 0 else min(len(body), after + 200)
        if (at == 0 or body[at - 1] in b"\r\n") and not body[after:end].strip():
            found.append((at, min(end + 1, len(body)), closing))
        at = body.find(mark, after)
    return found


def boundaries(entity: Entity, kind: Field) -> tuple[bytes, ...]:
    """The declared boundaries that the body has, else the one that the body shows; may be none."""
    declared = dict.fromkeys(value.strip() for value in kind.parameters.get("boundary", ()))
    present = tuple(each for each in declared if each and b"--" + each in entity.body)
    guessed = None if present else _GUESSED.search(entity.body)
    return (guessed[1],) if guessed else present[:2]
