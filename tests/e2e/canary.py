"""Looks for planted numbers in bytes: as they are, decoded, decompressed, in any width."""

from __future__ import annotations

import base64
import binascii
import re
import unicodedata
import zlib
from collections.abc import Iterator

_BASE64 = re.compile(rb"[A-Za-z0-9+/_-]{16,}={0,2}")
_STREAM = re.compile(rb"\x1f\x8b\x08|\x78[\x01\x5e\x9c\xda]")
# What people and machines put between digits: spaces, dashes of every kind, cells, quotes.
_BETWEEN = re.compile(r"(?<=\d)[\s\-‐‑‒–—―−ー.,|\"'\\tn]{1,4}(?=\d)")
_RUN = re.compile(r"[0-9]{10,}")
_DEPTH = 3


def readings(data: bytes, depth: int = 0) -> Iterator[str]:
    """Every text that ``data`` may be read as, digits in ASCII and joined."""
    for encoding, start in (("utf-8", 0), ("cp932", 0), ("utf-16-le", 0), ("utf-16-le", 1)):
        text = unicodedata.normalize("NFKC", data[start:].decode(encoding, "ignore"))
        yield text
        yield _BETWEEN.sub("", text)
    if depth >= _DEPTH:
        return
    for found in _BASE64.finditer(data):
        raw = found.group().translate(bytes.maketrans(b"-_", b"+/")).rstrip(b"=")
        try:
            decoded = base64.b64decode(raw + b"=" * (-len(raw) % 4))
        except binascii.Error:
            continue
        yield from readings(decoded, depth + 1)
    for found in _STREAM.finditer(data):
        try:
            inflated = zlib.decompressobj(47).decompress(data[found.start() :], 10_000_000)
        except zlib.error:
            continue
        yield from readings(inflated, depth + 1)


def planted(data: bytes, numbers: tuple[str, ...]) -> set[str]:
    """Which of the numbers occur in ``data``, in any reading."""
    wanted, lengths = set(numbers), {len(each) for each in numbers}
    shortest = min(lengths)
    found = set()
    for text in readings(data):
        for run in _RUN.findall(text):
            if len(run) >= shortest:
                windows = ((at, size) for size in lengths for at in range(len(run) - size + 1))
                found |= {run[at : at + size] for at, size in windows} & wanted
    return found
