"""A font in place of the machine's, for documents that do not hold their own.

PDFium asks the system for a font that looks alike. Where there is none (a server has no Japanese
fonts) letters get no extent, and PDFium drops what has none: a number of one digit a box, or turned
on its side, is then missing from the text without a word. Where there is one, a file of 20 MB is
loaded for each document anew. So Japanese, Chinese and Korean fonts are mapped to one made here:
every character has the same square, with an extent and without ink. The text is then the same on
every machine; what is *drawn* for OCR lacks letters that are known from the text already.

A process that draws for people's eyes (masked copies) keeps the machine's fonts.
"""

from __future__ import annotations

import ctypes
import struct
from typing import Any

from pypdfium2 import raw

ANSI, SYMBOL = 0, 2  # Windows charsets for which PDFium has fonts of its own
SHIFT_JIS = 128
EM, ASCENT, DESCENT = 1000, 880, -120  # units, as Japanese fonts have them
HANDLE = 1
_state: list[Any] = []  # PDFium keeps pointers to these until the process ends


def keep_machine_fonts() -> None:
    """This process draws for people: ``use_stand_in`` will do nothing."""
    _state.append("kept")


def use_stand_in() -> None:
    """From now on this process maps no Asian font to one of the machine's; once is enough."""
    if _state:
        return
    font = stand_in()

    def data(_info: Any, _handle: Any, table: int, buffer: Any, size: int) -> int:
        if table:  # one of its tables: PDFium asks for a collection's, and this is none
            return 0
        if buffer and size >= len(font):
            ctypes.memmove(buffer, font, len(font))
        return len(font)

    answers = {
        "MapFont": lambda _i, _w, _s, charset, *_: None if charset in (ANSI, SYMBOL) else HANDLE,
        "GetFontData": data,
        "GetFontCharset": lambda *_: SHIFT_JIS,
        "GetFaceName": lambda *_: 0,
    }
    info = raw.FPDF_SYSFONTINFO()
    info.version = 1
    for name, kind in raw.FPDF_SYSFONTINFO._fields_[1:]:
        answer = kind(answers.get(name, lambda *_: None))
        setattr(info, name, answer)
        _state.append(answer)
    _state.append(info)
    raw.FPDF_SetSystemFontInfo(ctypes.byref(info))


def stand_in() -> bytes:
    """A TrueType font of some 500 bytes (OpenType 1.9): one glyph for every character.

    Its outline goes to the far corner and back: it has an extent, and encloses nothing.
    """
    glyph = struct.pack(">5hHH3B6hx", 1, 0, DESCENT, EM, ASCENT, 2, 0, 1, 1, 1, 0, EM, -EM, *_UP)
    tables = {
        b"OS/2": struct.pack(">HhHHH68x", 1, EM, 400, 5, 0),
        b"cmap": struct.pack(">4HI", 0, 1, 3, 10, 12)
        + struct.pack(">HHIII", 13, 0, 28, 0, 1)  # format 13: many characters, one glyph
        + struct.pack(">III", 0x20, 0xFFFD, 1),
        b"glyf": glyph * 2,
        b"head": struct.pack(">4I2HQQ4hHHhhh", 1 << 16, 1 << 16, 0, 0x5F0F3CF5, 0, EM, 0, 0, 0,
                             DESCENT, EM, ASCENT, 0, 8, 2, 1, 0),
        b"hhea": struct.pack(">I3hH11hH", 1 << 16, ASCENT, DESCENT, 0, EM, 0, 0, EM, 1,
                             *[0] * 7, 2),
        b"hmtx": struct.pack(">HhHh", EM, 0, EM, 0),
        b"loca": struct.pack(">3I", 0, len(glyph), 2 * len(glyph)),
        b"maxp": struct.pack(">I14H", 1 << 16, 2, 3, 1, 0, 0, 1, *[0] * 8),
        b"name": struct.pack(">3H", 0, 0, 6),
        b"post": struct.pack(">I28x", 3 << 16),
    }  # fmt: skip
    count = len(tables)
    head = struct.pack(">I4H", 1 << 16, count, 128, 3, 16 * count - 128)
    body = b""
    for name, table in tables.items():
        at = 12 + 16 * count + len(body)
        head += name + struct.pack(">III", 0, at, len(table))
        body += table + b"\0" * (-len(table) % 4)
    return head + body


_UP = (DESCENT, ASCENT - DESCENT, DESCENT - ASCENT)
