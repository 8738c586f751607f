"""PowerPoint 97-2003 (.ppt): all text atoms, and the objects embedded in the stream.

Format: [MS-PPT] 2.9 (text), 2.10.34 (ExOleObjStg). Text of masters is read too.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterator

from shared.extract.blips import read_pictures
from shared.extract.oleparts import Storage
from shared.model import GapCode

CONTAINER = 0x0F
WIDE_TEXT = frozenset({0x0FA0, 0x0FBA})  # TextCharsAtom, CString
BYTE_TEXT = 0x0FA8  # TextBytesAtom: the low bytes of UTF-16
OBJECT = 0x1011  # ExOleObjStg


def read_storage(storage: Storage, name: str) -> None:
    """Read the storage whose ``PowerPoint Document`` stream is ``name``."""
    data = storage.data(name)
    lines: list[str] = []
    objects = 0
    for kind, instance, start, end in _records(storage, data):
        body = data[start:end]
        if kind in WIDE_TEXT:
            lines.append(body.decode("utf-16-le", "replace"))
        elif kind == BYTE_TEXT:
            lines.append(body.decode("latin-1"))
        elif kind == OBJECT:
            objects += 1
            _object(storage, body, objects, compressed=instance == 1)
    text = "\n".join(lines).replace("\r", "\n").replace("\x0b", "\n")
    storage.job.text(storage.document.inside("スライド"), text)
    if storage.has("Pictures"):
        _pictures(storage)


def _pictures(storage: Storage) -> None:
    """The pictures; what is none stays a gap (those of an encrypted file are not decrypted)."""
    data = storage.data("Pictures")
    if data.strip(b"\0") and not read_pictures(data, storage.document, storage.job):
        storage.job.gap(GapCode.IMAGE_ONLY, storage.document.inside("画像"))


def _records(storage: Storage, data: bytes) -> Iterator[tuple[int, int, int, int]]:
    """Kind, instance, start and end of every atom, containers entered, in order."""
    ends = [(0, len(data))]
    count = 0
    while ends:
        at, end = ends.pop()
        while at + 8 <= end:
            count += 1
            if count % 4096 == 0:
                storage.job.tick()
            version, kind, length = struct.unpack_from("<HHI", data, at)
            start = at + 8
            stop = min(start + length, end)
            at = stop
            if version & CONTAINER == CONTAINER:
                ends.append((at, end))
                at, end = start, stop
                continue
            yield kind, version >> 4, start, stop


def _object(storage: Storage, body: bytes, number: int, *, compressed: bool) -> None:
    label = f"オブジェクト{number}"
    if compressed:
        unpacker = zlib.decompressobj()
        limit = min(storage.job.limits.expanded, len(body) * storage.job.limits.ratio)
        try:
            body_out = unpacker.decompress(body[4:], limit)
        except zlib.error:
            storage.job.gap(GapCode.MALFORMED, storage.document.inside(label))
            return
        if unpacker.unconsumed_tail:
            storage.job.gap(GapCode.BOMB, storage.document.inside(label))
            return
        storage.job.spend(len(body_out), len(body))
        body = body_out
    storage.job.child(storage.document, body, "", label=label)
