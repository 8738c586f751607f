"""The text of one OpenDocument part as its events come: running text, tables, sheets, asides."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from shared.extract.cells import Grid, plain_number
from shared.extract.wordtext import Piece
from shared.extract.xmlread import SPOKEN, attribute, local

PARAGRAPHS = frozenset({"p", "h"})
# Elements whose paragraphs do not belong to the line they are in.
APART = {
    "annotation": "コメント",
    "note": "注",
    "deletion": "変更履歴(変更前)",
    "text-box": "テキストボックス",
    "notes": "ノート",
    "ruby-text": "ルビ",
}
MAX_REPEAT_ROWS, MAX_REPEAT = 2, 64  # the same value again says nothing new, but may be boxes
MAX_CELLS = 2_000_000
META = frozenset(
    [
        "title",
        "subject",
        "creator",
        "description",
        "keyword",
        "initial-creator",
        "user-defined",
        "printed-by",
        "generator",
        "language",
        "contributor",
        "publisher",
    ]
)


@dataclass(slots=True)
class _Table:
    name: str
    grid: Grid = field(default_factory=Grid)
    row: int = 0
    column: int = 0
    row_repeat: int = 1
    repeat: int = 1
    value: str = ""
    cell: list[str] = field(default_factory=list)


class OdfText:
    """Sink for content, styles or meta; ``finish`` gives the pieces."""

    def __init__(self) -> None:
        self.is_cut = False
        self._lines: dict[str, list[str]] = {}
        self._paragraphs: list[list[str]] = []
        self._apart: list[str] = []
        self._tables: list[_Table] = []
        self._pieces: list[Piece] = []
        self._is_sheet = False
        self._cells = 0

    def start(self, name: str, attributes: Mapping[str, str]) -> None:
        """An element begins."""
        if name in PARAGRAPHS or name in META or name == "ruby-text":
            self._paragraphs.append([])
        if name in APART:
            self._apart.append(APART[name])
        elif name == "table":
            title = attribute(attributes, "name")
            self._line("シート名・表名", title)
            self._tables.append(_Table(title))
        elif name == "table-row" and self._tables:
            self._tables[-1].row_repeat = _count(attribute(attributes, "number-rows-repeated"))
            self._tables[-1].column = 0
        elif name in {"table-cell", "covered-table-cell"} and self._tables:
            self._begin_cell(attributes)
        elif name == "spreadsheet":
            self._is_sheet = True
        else:
            self._mark(name, attributes)

    def _mark(self, name: str, attributes: Mapping[str, str]) -> None:
        glyph = {"tab": "\t", "line-break": "\n", "s": " "}.get(name)
        if glyph and self._paragraphs:
            self._paragraphs[-1].append(glyph * min(100, _count(attribute(attributes, "c"))))
        for key, value in attributes.items():
            spoken = local(key)
            if spoken in SPOKEN or spoken in {"formula", "string-value", "current-value", "href"}:
                self._line("属性", value)

    def _begin_cell(self, attributes: Mapping[str, str]) -> None:
        table = self._tables[-1]
        table.repeat = _count(attribute(attributes, "number-columns-repeated"))
        table.value = attribute(attributes, "string-value")
        if attribute(attributes, "value-type") == "float":
            table.value = plain_number(attribute(attributes, "value"))
        table.cell = []
        self._line("数式", attribute(attributes, "formula"))

    def data(self, text: str) -> None:
        """Characters of the innermost paragraph."""
        if self._paragraphs:
            self._paragraphs[-1].append(text)

    def end(self, name: str) -> None:
        """An element ends."""
        if (name in PARAGRAPHS or name in META or name == "ruby-text") and self._paragraphs:
            self._end_paragraph("".join(self._paragraphs.pop()))
        if name in APART and self._apart:
            self._apart.pop()
        elif name in {"table-cell", "covered-table-cell"} and self._tables:
            self._end_cell(self._tables[-1])
        elif name == "table-row" and self._tables:
            self._tables[-1].row += self._tables[-1].row_repeat
        elif name == "table" and self._tables:
            self._end_table(self._tables.pop())

    def _end_paragraph(self, text: str) -> None:
        if self._apart:
            self._line(self._apart[-1], text)
        elif self._tables:
            self._tables[-1].cell.append(text)
        else:
            self._line("", text)

    def _end_cell(self, table: _Table) -> None:
        text = " ".join(table.cell)
        # What is shown may be 1.23E+11: the stored number then counts as well.
        digits = "".join(filter(str.isdigit, text))
        if table.value and not digits.endswith("".join(filter(str.isdigit, table.value))):
            text = f"{text} {table.value}"
        if text.strip():
            for row in range(min(table.row_repeat, MAX_REPEAT_ROWS)):
                for column in range(min(table.repeat, MAX_REPEAT)):
                    self._put(table, table.row + row, table.column + column, text)
        table.column += table.repeat

    def _put(self, table: _Table, row: int, column: int, text: str) -> None:
        self._cells += 1
        if self._cells > MAX_CELLS:
            self.is_cut = True
        else:
            table.grid.put(row, column, text)

    def _end_table(self, table: _Table) -> None:
        text, marks = table.grid.render()
        self._pieces.append(Piece("シート" if self._is_sheet else "表", text, marks, table=True))

    def _line(self, kind: str, text: str) -> None:
        if text.strip():
            self._lines.setdefault(kind, []).append(text)

    def finish(self) -> list[Piece]:
        """Running text first, then tables in order, then what stands apart."""
        while self._paragraphs:
            self._end_paragraph("".join(self._paragraphs.pop(0)))
        while self._tables:
            self._end_cell(self._tables[-1])
            self._end_table(self._tables.pop())
        body = Piece("", "\n".join(self._lines.pop("", [])))
        asides = [Piece(kind, "\n".join(lines)) for kind, lines in self._lines.items()]
        return [body, *self._pieces, *asides]


def _count(text: str) -> int:
    return max(1, int(text)) if text.isascii() and text.isdigit() and len(text) < 10 else 1  # noqa: PLR2004 - 32 bits
