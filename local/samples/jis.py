"""ISO-2022-JP as Outlook and old mailers really write it: NEC row 13 and half-width kana included.

Python's codec refuses both (they are not in the standard), so the bytes are made here: cp932 pairs
moved to JIS rows (JIS X 0208 ↔ Shift_JIS arithmetic), half-width kana after ``ESC ( I``.
"""

from __future__ import annotations

ASCII = b"\x1b(B"
KANJI = b"\x1b$B"
KANA = b"\x1b(I"


def encode(text: str) -> bytes:
    """Text to the bytes of ``iso-2022-jp`` with vendor characters; ASCII at each line's end."""
    out = bytearray()
    mode = ASCII
    for char in text:
        raw = char.encode("cp932")
        wanted = KANJI if len(raw) > 1 else KANA if raw[0] >= 0xA1 else ASCII  # noqa: PLR2004
        if wanted != mode:
            out += wanted
            mode = wanted
        if mode == KANJI:
            out += _row(raw)
        elif mode == KANA:
            out.append(raw[0] & 0x7F)
        else:
            out += raw
    return bytes(out + (ASCII if mode != ASCII else b""))


def _row(pair: bytes) -> bytes:
    """A Shift_JIS pair as a JIS pair."""
    high, low = pair
    high = (high - (0x71 if high < 0xA0 else 0xB1)) * 2 + 1  # noqa: PLR2004
    if low > 0x7F:  # noqa: PLR2004 - the gap at 0x7F
        low -= 1
    if low >= 0x9E:  # noqa: PLR2004 - the second half of the pair of rows
        return bytes((high + 1, low - 0x7D))
    return bytes((high, low - 0x1F))
