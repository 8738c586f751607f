"""Content transfer encodings as mail programs undo them: lenient, linear, never raising."""

from __future__ import annotations

import binascii
import re

_ALPHABET = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
_NOISE = bytes(b for b in range(256) if b not in _ALPHABET)
_UU_BEGIN = re.compile(rb"^begin(?:-base64)? [0-7]{3,4} ([^\r\n]{1,300})\r?\n", re.MULTILINE)
_UU_LINE = 61  # characters of a full line


def base64(data: bytes) -> bytes:
    """Base64 with anything between its characters, padding missing, or several runs joined."""
    body = data.rstrip(b"= \t\r\n-\0")
    if b"=" not in body:
        return _run(body.translate(None, _NOISE))
    runs: list[bytes] = []
    for piece in body.split(b"="):
        clean = piece.translate(None, _NOISE)
        if runs and len(runs[-1]) % 4 == 0:  # a stray sign, no padding: the quartets go on
            runs[-1] += clean
        else:
            runs.append(clean)
    return b"".join(map(_run, runs))


def _run(clean: bytes) -> bytes:
    """One run of alphabet characters; a single odd one at the end says nothing."""
    if len(clean) % 4 == 1:
        clean = clean[:-1]
    return binascii.a2b_base64(clean + b"=" * (-len(clean) % 4))


def unencoded_lines(data: bytes) -> bytes:
    """Lines in a base64 body that are no base64: footers that a list or a scanner added."""
    if not data.translate(None, _ALPHABET + b"=\r\n \t"):
        return b""
    lines = data.splitlines(keepends=True)
    return b"".join(line for line in lines if line.strip().translate(None, _ALPHABET + b"="))


def quoted_printable(data: bytes, *, header: bool = False) -> bytes:
    """Quoted-printable; spaces that a relay left behind a soft line break are dropped."""
    if b"= " in data or b"=\t" in data:
        data = b"\n".join(line.rstrip(b" \t\r") for line in data.split(b"\n"))
    return binascii.a2b_qp(data, header=header)


def uuencoded(data: bytes) -> list[tuple[bytes, bytes]]:
    """Names and contents of the uuencoded (or base64) files in a text."""
    found = []
    end = 0
    for begin in _UU_BEGIN.finditer(data):
        if begin.start() < end:
            continue
        is_base64 = begin[0].startswith(b"begin-base64")
        end = _uu_end(data, begin.end(), b"\n====" if is_base64 else b"\nend")
        body = data[begin.end() : end]
        found.append((begin[1].strip(), base64(body) if is_base64 else _uu_body(body)))
    return found


def _uu_end(data: bytes, start: int, mark: bytes) -> int:
    """Where an encoded body ends: before the line that ``mark`` begins, or with the data."""
    at = data.find(mark, start - 1)
    return at if at >= 0 else len(data)


def _uu_body(body: bytes) -> bytes:
    """The lines of a uuencoded body; a line that is none ends nothing, it is skipped."""
    out = []
    for line in body.splitlines():
        length = (line[0] - 32 & 63) if line else 0
        if length:
            out.append(_uu_data(line[: _UU_LINE + 3], length))
    return b"".join(out)


def _uu_data(line: bytes, length: int) -> bytes:
    """One line; encoders differ in the trailing characters, so only those that count are read."""
    needed = (length + 2) // 3 * 4 + 1
    try:
        return binascii.a2b_uu(line[:needed].ljust(needed))
    except binascii.Error:
        return b""


def decode(data: bytes, encoding: str) -> bytes:
    """Undo ``encoding`` (a Content-Transfer-Encoding, as sloppy as it comes)."""
    name = encoding.strip(" \t\r\n\"';").lower()
    if name.startswith(("base64", "b64")) or name == "b":
        return base64(data)
    if name.startswith(("quoted", "qp")) or name == "q":
        return quoted_printable(data)
    if name in {"x-uuencode", "uuencode", "x-uue", "uue", "x-uu"}:
        files = uuencoded(data)
        return b"".join(content for _, content in files) if files else _uu_body(data)
    return data
