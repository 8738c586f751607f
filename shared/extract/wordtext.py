"""The text of one WordprocessingML story (body, header, footnotes …) as its events come.

Tracked changes are two readings: the text as accepted is the story, the text before the change is
given apart for each paragraph that differs, because a deletion inside a number hides it in both.
Text boxes, fields, furigana are apart too. Tables keep rows, columns and spans.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from shared.extract.xmlread import SPOKEN, attribute, local
from shared.model import Mark

TEXT = frozenset({"t", "delText", "instrText", "delInstrText"})
REMOVED = frozenset({"del", "moveFrom"})
ADDED = frozenset({"ins", "moveTo"})
GLYPHS = {"tab": "\t", "ptab": "\t", "br": "\n", "cr": "\n", "noBreakHyphen": "-"}
MAX_SPAN = 64


def cell_marks(text: str) -> tuple[Mark, ...]:
    """A mark for each filled cell of a table's text: ``2行3列``."""
    marks: list[Mark] = []
    offset = 0
    for row, line in enumerate(text.split("\n"), start=1):
        for column, cell in enumerate(line.split("\t"), start=1):
            if cell:
                marks.append(Mark(offset, f"{row}行{column}列"))
            offset += len(cell) + 1
    return tuple(marks)


@dataclass(slots=True)
class _Flow:
    """Lines with a mark each: the body between two tables, a text box, or a kind of aside."""

    lines: list[str] = field(default_factory=list)
    marks: list[Mark] = field(default_factory=list)
    size: int = 0

    def add(self, line: str, label: str) -> None:
        if line.strip():
            self.marks.append(Mark(self.size, label))
            self.lines.append(line)
            self.size += len(line) + 1

    def text(self) -> str:
        return "\n".join(self.lines)


@dataclass(slots=True)
class _Table:
    rows: list[str] = field(default_factory=list)
    row: list[str] = field(default_factory=list)
    cell: list[str] = field(default_factory=list)
    span: int = 1


@dataclass(slots=True)
class _Paragraph:
    now: list[str] = field(default_factory=list)
    before: list[str] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Piece:
    """A part of the story: its kind (empty for running text), text, marks, and whether a table."""

    kind: str
    text: str = field(repr=False)
    marks: tuple[Mark, ...] = ()
    table: bool = False


class Story:
    """Sink for a story part; ``pieces`` after its end, in the order of the document."""

    def __init__(self) -> None:
        self.pieces: list[Piece] = []
        self._flow = _Flow()
        self._asides = {
            kind: _Flow() for kind in ("変更履歴(変更前)", "フィールド", "ルビ", "属性")
        }
        self._tables: list[_Table] = []
        self._paragraphs: list[_Paragraph] = []
        self._boxes: list[tuple[_Flow, list[_Table]]] = []
        self._seen_boxes: set[str] = set()
        self._removed = self._added = self._ruby = 0
        self._field = ""
        self._count = 0

    def start(self, name: str, attributes: Mapping[str, str]) -> None:
        """An element begins."""
        if name in TEXT:
            self._field = name
        elif name in GLYPHS and self._paragraphs and "val" not in map(local, attributes):
            self._give(GLYPHS[name])
        elif name == "p":
            self._paragraphs.append(_Paragraph())
        elif name == "txbxContent":
            self._boxes.append((self._flow, self._tables))
            self._flow, self._tables = _Flow(), []
        else:
            self._start_rare(name, attributes)

    def _start_rare(self, name: str, attributes: Mapping[str, str]) -> None:
        if name == "tbl":
            self._flush_flow()
            self._tables.append(_Table())
        elif name == "gridSpan" and self._tables:
            value = attribute(attributes, "val")
            self._tables[-1].span = min(int(value), MAX_SPAN) if value.isdigit() else 1
        elif name in REMOVED:
            self._removed += 1
        elif name in ADDED:
            self._added += 1
        elif name == "rt":
            self._ruby += 1
        else:
            self._speak(name, attributes)

    def _speak(self, name: str, attributes: Mapping[str, str]) -> None:
        for key, value in attributes.items():
            if local(key) in SPOKEN or (name in {"alias", "tag", "docVar"} and local(key) == "val"):
                kind = "フィールド" if local(key) == "instr" else "属性"
                self._asides[kind].add(value, f"段落{self._count + 1}")

    def data(self, text: str) -> None:
        """Characters of a run; anything between elements is layout."""
        if self._field and self._paragraphs:
            self._give(text)

    def _give(self, text: str) -> None:
        label = f"段落{self._count + 1}"
        paragraph = self._paragraphs[-1]
        if self._field in {"instrText", "delInstrText"}:
            self._asides["フィールド"].add(text, label)
        elif self._ruby:
            self._asides["ルビ"].add(text, label)
        elif self._removed or self._field == "delText":
            paragraph.before.append(text)
        else:
            paragraph.now.append(text)
            if not self._added:
                paragraph.before.append(text)

    def end(self, name: str) -> None:
        """An element ends."""
        if name in TEXT:
            self._field = ""
        elif name == "p" and self._paragraphs:
            self._end_paragraph(self._paragraphs.pop())
        elif name == "tc" and self._tables:
            self._end_cell(self._tables[-1])
        elif name == "tr" and self._tables:
            table = self._tables[-1]
            table.rows.append("\t".join(table.row).rstrip("\t"))
            table.row = []
        elif name == "tbl" and self._tables:
            self._add_table("\n".join(self._tables.pop().rows))
        elif name == "txbxContent" and self._boxes:
            self._end_box()
        else:
            self._end_rare(name)

    def _end_rare(self, name: str) -> None:
        if name in REMOVED:
            self._removed -= 1
        elif name in ADDED:
            self._added -= 1
        elif name == "rt":
            self._ruby -= 1

    def _end_paragraph(self, paragraph: _Paragraph) -> None:
        self._count += 1
        label = f"段落{self._count}"
        now, before = "".join(paragraph.now), "".join(paragraph.before)
        if now != before:
            self._asides["変更履歴(変更前)"].add(before, label)
        if self._tables:
            self._tables[-1].cell.append(now)
        else:
            self._flow.add(now, label)

    @staticmethod
    def _end_cell(table: _Table) -> None:
        text = " ".join(" ".join(table.cell).split())
        table.row.extend([text, *[""] * (table.span - 1)])
        table.cell, table.span = [], 1

    def _end_box(self) -> None:
        text, marks = self._flow.text(), tuple(self._flow.marks)
        self._flow, self._tables = self._boxes.pop()
        if text not in self._seen_boxes:  # Word writes a box twice: DrawingML and its VML fallback
            self._seen_boxes.add(text)
            self._add("テキストボックス", text, marks)

    def _flush_flow(self) -> None:
        if not self._tables:
            self._add("", self._flow.text(), tuple(self._flow.marks))
            self._flow = _Flow()

    def _add(
        self, kind: str, text: str, marks: tuple[Mark, ...] = (), *, table: bool = False
    ) -> None:
        if text.strip():
            self.pieces.append(Piece(kind, text, marks, table))

    def _add_table(self, text: str) -> None:
        self._add("表", text, cell_marks(text), table=True)

    def finish(self) -> list[Piece]:
        """All pieces, with what a cut-off part left open."""
        while self._boxes:
            self._end_box()
        while self._tables:
            table = self._tables.pop()
            rows = [*table.rows, "\t".join([*table.row, *table.cell])]
            self._add_table("\n".join(rows))
        while self._paragraphs:
            self._end_paragraph(self._paragraphs.pop(0))
        self._flush_flow()
        for kind, flow in self._asides.items():
            self._add(kind, flow.text(), tuple(flow.marks))
        return self.pieces
