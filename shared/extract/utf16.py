"""UTF-16 without a byte order mark: which order makes Japanese of the bytes."""

from __future__ import annotations

import re

LOOK = 4096  # bytes looked at
DOUBTFUL = 0.6  # share of plausible characters under which another encoding is tried
LIKELY = 0.9  # share of plausible characters in the right order (the wrong one has about a third)

# What Japanese office text is made of: ASCII and line ends, punctuation, kana, kanji, full width.
_PLAUSIBLE = re.compile("[\t\r\n -~\u3000-\u30ff\u4e00-\u9fff\uff01-\uff9f\uffe0-\uffe6]+")


_BROKEN = re.compile("[\0-\x08\x0b\x0c\x0e-\x1a\x1c-\x1f\x7f-\x9f\ufffd]")


def broken(text: str) -> bool:
    """Whether a reading has characters that no Japanese text has: another may be right."""
    return _BROKEN.search(text, 0, LOOK) is not None or plausible(text[:LOOK]) < DOUBTFUL


def plausible(text: str) -> float:
    """The share of characters that such text is made of, 0 to 1; 0 for none."""
    return 1 - len(_PLAUSIBLE.sub("", text)) / len(text) if text else 0.0


def narrowed(data: bytes) -> bytes:
    """A text that begins with ASCII in UTF-16 as UTF-8; other bytes as they are; no mark on either.

    Zeros beside the first letters tell the order: guessing would make Japanese of ASCII.
    """
    for mark, codec, zeros in (
        (b"\xff\xfe", "utf-16-le", data[1:8:2]),
        (b"\xfe\xff", "utf-16-be", data[0:8:2]),
    ):
        if data.startswith(mark) or zeros == b"\0" * 4:
            return data.decode(codec, "replace").removeprefix("\ufeff").encode("utf-8", "replace")
    return data.removeprefix(b"\xef\xbb\xbf")


def order(data: bytes) -> str:
    """``utf-16-le`` or ``utf-16-be`` if the bytes read like text in it, else empty."""
    if len(data) < 4 or len(data) % 2:  # noqa: PLR2004 - two characters
        return ""
    head = data[:LOOK]
    found = {
        codec: plausible(head.decode(codec, "replace")) for codec in ("utf-16-le", "utf-16-be")
    }
    best = max(found, key=lambda codec: found[codec])
    return best if found[best] >= LIKELY else ""
