"""Mail header values to text: RFC 2047 words and RFC 2231 parameters, as broken as they come.

Everything works on the raw bytes of the header. Where programs show different things (a word cut
inside a character is joined by some and not by others), every reading is given.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from shared.extract import transfer
from shared.extract.charset import readings

READINGS = 4  # of one value at most

_WORD = re.compile(rb"=\?([^?\s]{1,60})\?([bBqQ])\?([^?]*)(?:\?=|$)")
_COMMENT = re.compile(rb"\([^()]*+\)|\s+")
_FOLD = re.compile(rb"\r?\n(?=[ \t])")
# The second byte of a Shift_JIS character may be a backslash; it escapes nothing.
_SJIS_PAIR = rb"[\x81-\x9f\xe0-\xfc][\x40-\x7e\x80-\xfc]"
_PARAMETER = (
    rb"(?<![;\s])[;\s]++([^\s=;*\"]{1,64})(\*[0-9]{0,4}\*?)?\s*+=\s*+"
    rb'(?:"((?:%s\\.|[^"\\])*+)"?|([^;]*+))'
)
_PLAIN_PARAMETER = re.compile(_PARAMETER % b"", re.DOTALL)
_SJIS_PARAMETER = re.compile(_PARAMETER % (_SJIS_PAIR + b"|"), re.DOTALL)
_ESCAPE = re.compile(rb"\\(.)", re.DOTALL)
_SJIS_ESCAPE = re.compile(rb"(" + _SJIS_PAIR + rb")|\\(.)", re.DOTALL)
_PERCENT = re.compile(rb"%([0-9A-Fa-f]{2})")


def unfold(value: bytes) -> bytes:
    """A header value on one line."""
    if b"\n" in value:
        value = _FOLD.sub(b"", value)
    return value.strip()


def text(value: bytes, charset: str = "") -> str:
    """The likeliest reading of a header value."""
    return texts(value, charset)[0]


def texts(value: bytes, charset: str = "") -> tuple[str, ...]:
    """Every reading of a header value, the likeliest first; at least one."""
    value = unfold(value)
    if b"=?" not in value:
        return readings(value, charset)[:READINGS]
    joined: list[tuple[str, ...]] = []
    apart: list[tuple[str, ...]] = []
    for label, pieces in _runs(value):
        both = label or charset
        joined.append(readings(b"".join(pieces), both))
        single = [readings(piece, both)[0] for piece in pieces]
        apart.append(("".join(single),))
    found = dict.fromkeys(
        "".join(options[min(choice, len(options) - 1)] for options in joined)
        for choice in range(READINGS)
    )
    separate = "".join(options[0] for options in apart)
    if "\ufffd" not in separate:
        found.setdefault(separate)
    return tuple(found)[:READINGS]


def _runs(value: bytes) -> list[tuple[str, list[bytes]]]:
    """Neighbouring words of one charset together (label, decoded pieces); plain text has none."""
    runs: list[tuple[str, list[bytes]]] = []
    end = 0
    for match in _WORD.finditer(value):
        between = value[end : match.start()]
        label = match[1].partition(b"*")[0].decode("ascii", "replace").lower()
        piece = _word(match[2], match[3])
        if between.strip() or not end:
            if between:
                runs.append(("", [between]))
            runs.append((label, [piece]))
        elif runs[-1][0] == label:
            runs[-1][1].append(piece)
        else:
            runs.append((label, [piece]))
        end = match.end()
    if end < len(value):
        runs.append(("", [value[end:]]))
    return runs


def _word(encoding: bytes, payload: bytes) -> bytes:
    """The bytes of one encoded word."""
    if encoding in b"bB":
        return transfer.base64(payload)
    return transfer.quoted_printable(payload, header=True)


@dataclass(frozen=True, slots=True)
class Field:
    """A header value with parameters: ``text/plain; charset=x`` and the like."""

    value: str
    parameters: dict[str, tuple[bytes, ...]] = field(repr=False)
    charsets: dict[str, str] = field(default_factory=dict, repr=False)

    def first(self, name: str) -> str:
        """A parameter that is a token (charset, boundary), or empty."""
        values = self.parameters.get(name)
        return values[0].decode("latin-1").strip(" \t\r\n\"'") if values else ""

    def names(self, name: str) -> tuple[str, ...]:
        """Every reading of a parameter that is a text (a file name), the likeliest first."""
        found: dict[str, None] = {}
        for value in self.parameters.get(name, ()):
            for reading in texts(value, self.charsets.get(name, "")):
                found.setdefault(reading.strip())
            if b"%" in value:
                found.setdefault(readings(_percent(value))[0].strip())
        return tuple(reading for reading in found if reading)[:READINGS]


def token(value: bytes) -> str:
    """A structured value without comments, spaces and quotes, in lower case."""
    return _COMMENT.sub(b"", value).strip(b"\"'").decode("latin-1").lower()


def parse(value: bytes) -> Field:
    """A header value and its parameters, RFC 2231 continuations put together."""
    value = unfold(value)
    main = token(value.partition(b";")[0])
    if b"=" not in value:
        return Field(main, {})
    pattern, sjis = _PLAIN_PARAMETER, False
    if not value.isascii() and not _is_utf8(value):
        pattern, sjis = _SJIS_PARAMETER, True
    plain: dict[str, list[bytes]] = {}
    parts: dict[str, list[tuple[int, bool, bytes]]] = {}
    for match in pattern.finditer(
        b";" + value.partition(b";")[2] if b";" in value else b";" + value
    ):
        name = match[1].decode("latin-1").lower()
        quoted = match[3] is not None
        raw = _unescape(match[3], sjis=sjis) if quoted else match[4].strip()
        if match[2]:
            digits = match[2].strip(b"*")
            parts.setdefault(name, []).append((int(digits or 0), match[2].endswith(b"*"), raw))
        else:
            plain.setdefault(name, []).append(raw)
    charsets = {}
    for name, pieces in parts.items():
        charset, joined = _join(sorted(pieces, key=lambda piece: piece[0]))
        charsets[name] = charset
        plain.setdefault(name, []).insert(0, joined)
    return Field(main, {name: tuple(values) for name, values in plain.items()}, charsets)


def _join(pieces: list[tuple[int, bool, bytes]]) -> tuple[str, bytes]:
    """Charset and bytes of the continuations of one parameter."""
    charset = b""
    out = []
    for place, (_, extended, piece) in enumerate(pieces):
        if place == 0 and piece.count(b"'") > 1 and (extended or b"%" in piece):
            charset, _, value = piece.split(b"'", 2)
            out.append(_percent(value))
        else:
            out.append(_percent(piece) if extended else piece)
    return charset.decode("latin-1").lower(), b"".join(out)


def _percent(value: bytes) -> bytes:
    return _PERCENT.sub(lambda match: bytes((int(match[1], 16),)), value)


def _unescape(value: bytes, *, sjis: bool) -> bytes:
    """A quoted string's content."""
    if b"\\" not in value:
        return value
    if sjis:
        return _SJIS_ESCAPE.sub(lambda match: match[1] or match[2], value)
    return _ESCAPE.sub(rb"\1", value)


def _is_utf8(value: bytes) -> bool:
    try:
        value.decode("utf-8")
    except UnicodeDecodeError:
        return False
    return True
