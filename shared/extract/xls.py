"""Excel 97-2003 (.xls) by xlrd: sheets as tables; notes, text boxes, headers from the raw records.

xlrd reads the cells and formats; what it leaves out is taken from the BIFF stream ([MS-XLS] 2.4).
"""

from __future__ import annotations

import io
import struct
from collections.abc import Iterator
from typing import Any

import xlrd

from shared.extract.blips import bitmap_file, read_pictures
from shared.extract.cells import Grid, date_text, formatted, plain_number
from shared.extract.job import Document, Job
from shared.extract.oleparts import Storage
from shared.extract.ooxml import printable
from shared.model import GapCode

TXO, CONTINUE, HEADER, FOOTER, HLINK, FILEPASS, EXTERNSHEET_BOOK = (
    0x1B6,
    0x3C,
    0x14,
    0x15,
    0x1B8,
    0x2F,
    0x1AE,
)
DRAWING_GROUP, OLD_PICTURE = 0xEB, 0x7F  # MsoDrawingGroup, ImData
LABELS = {TXO: "テキストボックス", HEADER: "ヘッダー", FOOTER: "フッター", HLINK: "リンク先"}


def read_storage(storage: Storage, name: str) -> None:
    """Read the storage whose ``Workbook`` (or ``Book``) stream is ``name``."""
    data = storage.data(name)
    job, document = storage.job, storage.document
    if any(kind == FILEPASS for kind, _ in _records(data)):
        job.gap(GapCode.ENCRYPTED, document.location)
        return
    try:
        book = xlrd.open_workbook(
            file_contents=data, logfile=io.StringIO(), formatting_info=True, encoding_override=None
        )
    except xlrd.XLRDError:
        job.gap(GapCode.PARTIAL, document.location)
        job.text(document.inside("残り"), printable(data))
        return
    job.text(document.inside("シート名"), "\n".join(book.sheet_names()))
    names = "\n".join(f"{one.name} {one.formula_text}" for one in book.name_obj_list)
    job.text(document.inside("名前の定義"), names)
    for number, sheet in enumerate(book.sheets(), start=1):
        _sheet(storage, book, sheet, f"シート{number}")
    for kind, label in LABELS.items():
        job.text(document.inside(label), "\n".join(_texts(data, kind)))
    _pictures(data, document, job)


def _pictures(data: bytes, document: Document, job: Job) -> None:
    """The pictures of the drawing group, which goes on in further records, and of old sheets."""
    drawing: list[bytes] = []
    old: list[list[bytes]] = []
    into: list[bytes] | None = None
    for kind, body in _records(data):
        if kind == DRAWING_GROUP:
            into = drawing
        elif kind == OLD_PICTURE:
            into = []
            old.append(into)
        elif kind != CONTINUE:
            into = None
        if into is not None:
            into.append(body)
    count = read_pictures(b"".join(drawing), document, job)
    for number, pieces in enumerate(old, start=count + 1):
        job.child(document, bitmap_file(b"".join(pieces)[8:]), "", label=f"画像{number}")


def _sheet(storage: Storage, book: Any, sheet: Any, label: str) -> None:
    grid = Grid()
    for row in range(sheet.nrows):
        storage.job.tick()
        for column in range(sheet.row_len(row)):
            grid.put(row, column, _shown(book, sheet.cell(row, column)))
    location = storage.document.inside(label)
    text, marks = grid.render()
    storage.job.text(location, text, table=True, marks=marks)
    notes = (f"{note.author}\n{note.text}" for note in sheet.cell_note_map.values())
    storage.job.text(f"{location}(コメント)", "\n".join(notes))
    links = (f"{link.url_or_path}\n{link.desc}" for link in sheet.hyperlink_list)
    storage.job.text(f"{location}(リンク先)", "\n".join(links))


def _shown(book: Any, cell: Any) -> str:
    """A cell as its format shows it."""
    if cell.ctype == xlrd.XL_CELL_TEXT:
        return str(cell.value)
    if cell.ctype == xlrd.XL_CELL_DATE:
        return date_text(repr(cell.value), from_1904=book.datemode == 1)
    if cell.ctype != xlrd.XL_CELL_NUMBER:
        return ""
    raw = repr(cell.value)
    try:
        code = book.format_map[book.xf_list[cell.xf_index].format_key].format_str
    except (KeyError, IndexError, TypeError):
        return plain_number(raw)
    return formatted(raw, code)


def _records(data: bytes) -> Iterator[tuple[int, bytes]]:
    """Kind and body of every record of the stream."""
    at = 0
    while at + 4 <= len(data):
        kind, size = struct.unpack_from("<HH", data, at)
        yield kind, data[at + 4 : at + 4 + size]
        at += 4 + size


def _texts(data: bytes, wanted: int) -> Iterator[str]:
    """Texts of one kind of record; a text box's follows it in a CONTINUE record."""
    waiting = False
    for kind, body in _records(data):
        if waiting and kind == CONTINUE and body:
            yield body[1:].decode("utf-16-le" if body[0] & 1 else "latin-1", "replace")
        waiting = kind == wanted == TXO and len(body) > 11 and body[10:12] != b"\0\0"  # noqa: PLR2004 - cchText
        if kind == wanted and kind in {HEADER, FOOTER} and len(body) > 3:  # noqa: PLR2004 - length and flags
            yield body[3:].decode("utf-16-le" if body[2] & 1 else "latin-1", "replace")
        if kind == wanted == HLINK:
            yield _wide_runs(body)


def _wide_runs(body: bytes) -> str:
    return printable(body)
