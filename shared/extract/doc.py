"""Word 97-2003 (.doc) by its piece table: main text, notes, headers, comments, text boxes.

Format: [MS-DOC] 2.4.1 (retrieving text), 2.5.2 (the file information block). Word 6 and 95 files
have one run of CP932 text.
"""

from __future__ import annotations

import re
import struct

from shared.extract.blips import read_pictures
from shared.extract.oleparts import Storage
from shared.model import GapCode

ENCRYPTED = 0x100
TABLE_ONE = 0x200
WORD_97 = 0x6A
CLX_INDEX = 33  # of FibRgFcLcb97: fcClx, lcbClx
COMPRESSED = 0x40000000
# The parts of the text in order, and the index of each one's length in FibRgLw97.
PARTS = (
    (3, "本文"),
    (4, "脚注"),
    (5, "ヘッダー・フッター"),
    (6, "マクロ"),
    (7, "コメント"),
    (8, "文末脚注"),
    (9, "テキストボックス"),
    (10, "ヘッダーのテキストボックス"),
)
_FIELD = re.compile("\x13([^\x13\x14\x15]*)\x14?")
_CONTROL = re.compile("[\x00-\x06\x08\x0e-\x12\x14-\x1d\x1f]")


def read_storage(storage: Storage, name: str) -> None:
    """Read the storage whose ``WordDocument`` stream is ``name``."""
    word = storage.data(name)
    version, flags = struct.unpack_from("<H", word, 2)[0], struct.unpack_from("<H", word, 10)[0]
    if flags & ENCRYPTED:
        storage.job.gap(GapCode.ENCRYPTED, storage.document.location)
        return
    table = "1Table" if flags & TABLE_ONE else "0Table"
    if version < WORD_97 or not storage.has(table):
        _old(storage, word)
        return
    lengths, pieces = _pieces(word, storage.data(table))
    text = "".join(pieces)
    at = 0
    for index, label in PARTS:
        length = lengths[index] if index < len(lengths) else 0
        _give(storage, label, text[at : at + length])
        at += length
    _give(storage, "残り", text[at:])
    _pictures(storage, word)


def _pictures(storage: Storage, word: bytes) -> None:
    """Pictures stand in ``Data`` if they are in the line, in the main stream if they float."""
    count = read_pictures(word, storage.document, storage.job)
    if storage.has("Data"):
        read_pictures(storage.data("Data"), storage.document, storage.job, before=count)


def _pieces(word: bytes, table: bytes) -> tuple[tuple[int, ...], list[str]]:
    """Lengths of the parts, and the text of each piece in order."""
    (count,) = struct.unpack_from("<H", word, 32)
    at = 34 + 2 * count
    (count,) = struct.unpack_from("<H", word, at)
    lengths = struct.unpack_from(f"<{count}i", word, at + 2)
    at += 2 + 4 * count + 2
    start, size = struct.unpack_from("<II", word, at + 8 * CLX_INDEX)
    plc = _piece_table(table[start : start + size])
    n = (len(plc) - 4) // 12
    positions = struct.unpack_from(f"<{n + 1}I", plc, 0)
    pieces = []
    for index in range(n):
        (place,) = struct.unpack_from("<I", plc, 4 * (n + 1) + 8 * index + 2)
        length = positions[index + 1] - positions[index]
        if not 0 <= length <= len(word):
            message = "a piece longer than the stream"
            raise ValueError(message)
        if place & COMPRESSED:
            start = (place & ~COMPRESSED) // 2
            pieces.append(word[start : start + length].decode("cp1252", "replace"))
        else:
            pieces.append(word[place : place + 2 * length].decode("utf-16-le", "replace"))
    return lengths, pieces


def _piece_table(clx: bytes) -> bytes:
    at = 0
    while at < len(clx) and clx[at] == 1:
        at += 3 + struct.unpack_from("<H", clx, at + 1)[0]
    if at >= len(clx) or clx[at] != 2:  # noqa: PLR2004 - the mark of a Pcdt
        message = "no piece table"
        raise ValueError(message)
    (size,) = struct.unpack_from("<I", clx, at + 1)
    return clx[at + 5 : at + 5 + size]


def _old(storage: Storage, word: bytes) -> None:
    """Word 6 and 95: bytes in the system's code page, here taken for Japanese."""
    first, last = struct.unpack_from("<II", word, 24)
    raw = word[first:last]
    try:
        text = raw.decode("cp932")
    except UnicodeDecodeError:
        text = raw.decode("cp932", "replace")
        storage.job.gap(GapCode.PARTIAL, storage.document.location)
    _give(storage, "本文", text)


def _give(storage: Storage, label: str, text: str) -> None:
    location = storage.document.inside(label)
    codes = _FIELD.findall(text)
    storage.job.text(f"{location}(フィールド)", "\n".join(codes))
    storage.job.text(location, clean(_FIELD.sub("", text)))


def clean(text: str) -> str:
    """Word's control characters as text: cells are tabs, rows, paragraphs and breaks lines."""
    text = text.replace("\x07\x07", "\n").replace("\x07", "\t")
    text = text.replace("\x1e", "-").replace("\r", "\n").replace("\x0b", "\n").replace("\x0c", "\n")
    return _CONTROL.sub("", text)
