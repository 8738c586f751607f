"""A header by which the watch knows a released mail again: of which item it is the copy.

It carries an HMAC. What was granted for that item holds for the copy, as long as the exception
does. Whoever copies the header onto another mail gains nothing but that: an exception covers the
values that were found then.
"""

from __future__ import annotations

import hmac
import re
from dataclasses import dataclass

from shared.services.marker import Markers, Verdict

RELEASED, PASSED = "X-Sekisho-Release", "X-Sekisho-Passed"
_HEAD_END = re.compile(rb"\r?\n\r?\n")
_MESSAGE_ID = re.compile(
    rb"^Message-ID:[ \t]*(?:\r?\n[ \t]+)?(<[^<>\s]{1,900}>)", re.IGNORECASE | re.MULTILINE
)
# Letters alone: a run of twelve digits in a header would be looked at as a number.
_LETTERS = str.maketrans("0123456789abcdef", "ghijklmnopqrstuv")
_DIGITS = str.maketrans("ghijklmnopqrstuv", "0123456789abcdef")


@dataclass(frozen=True, slots=True)
class ReleaseHeader:
    """``name`` is the header's; ``markers`` make and know its HMAC.

    ``bound`` is what the copy is tied to: the mailbox that it was put into, or its Message-ID.
    """

    name: str
    markers: Markers

    def stamp(self, data: bytes, place: str, key: str, bound: str) -> bytes:
        """The mail with the header, once; ``place`` and ``key`` are 64 hex digits each."""
        verdict = self.markers.verdict(place, bound, key, "RELEASE", "release")
        parts = (place.translate(_LETTERS), key.translate(_LETTERS), verdict.marker)
        line = f"{self.name}: {' '.join(parts)}\r\n".encode()
        head, rest = _split(data)
        return line + self._line().sub(b"", head) + rest

    def origin(self, data: bytes, bound: str) -> str:
        """The place key of the item that this is the released copy of; empty if it is none."""
        found = self._line().search(_split(data)[0])
        parts = found[1].decode("ascii", errors="replace").split() if found else []
        if len(parts) != len(("place", "key", "marker")):
            return ""
        place, key = parts[0].translate(_DIGITS), parts[1].translate(_DIGITS)
        verdict = Verdict("RELEASE", key, parts[2])
        return place if self.markers.genuine(verdict, place, bound) else ""

    def _line(self) -> re.Pattern[bytes]:
        name = re.escape(self.name).encode()
        pattern = rb"^" + name + rb":[ \t]*([^\r\n]*(?:\r?\n[ \t][^\r\n]*)*)\r?\n"
        return re.compile(pattern, re.IGNORECASE | re.MULTILINE)


def passed(fingerprint_key: bytes) -> ReleaseHeader:
    """The header of what leaves by SMTP: relay and cloud have the key of the fingerprints alone."""
    key = hmac.digest(fingerprint_key, b"sekisho released mail", "sha256")
    return ReleaseHeader(PASSED, Markers((key,)))


def message_id(data: bytes, key: str) -> str:
    """The mail's Message-ID; the one that the relay gives it on its way out, if it has none."""
    found = _MESSAGE_ID.search(_split(data)[0])
    return found[1].decode("ascii", errors="replace") if found else f"<{key}@sekisho.invalid>"


def _split(data: bytes) -> tuple[bytes, bytes]:
    """The head with its last line's end, and the rest."""
    if data[:1] in (b"\r", b"\n"):
        return b"", data
    end = _HEAD_END.search(data)
    cut = (
        end.start() + (2 if data[end.start() : end.start() + 1] == b"\r" else 1)
        if end
        else len(data)
    )
    return data[:cut], data[cut:]
