"""Excel workbooks (.xlsx, .xlsm, .xltx): sheets as tables, then formulas and all other parts.

Rows are rebuilt in order from shared strings, inline strings and formatted numbers. Hidden sheets
are read like any other. Phonetic guides (furigana) are read, but apart: they would cut the text.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from shared.extract.cells import (
    DATE_FORMATS,
    Grid,
    cell_position,
    date_text,
    formatted,
    is_date_format,
    plain_number,
    unescaped,
)
from shared.extract.job import Document, Job
from shared.extract.ooxml import Package, Relation
from shared.extract.xmlread import attribute
from shared.model import GapCode, Mark

SHEET_KINDS = frozenset(
    {"worksheet", "chartsheet", "dialogsheet", "xlMacrosheet", "xlIntlMacrosheet"}
)
HEADERS = frozenset(
    {f"{when}{what}" for when in ("odd", "even", "first") for what in ("Header", "Footer")}
)


@dataclass(slots=True)
class _Strings:
    """Sink for shared strings: the text of each, and the phonetic guides apart."""

    texts: list[str] = field(default_factory=list)
    guides: list[str] = field(default_factory=list)
    _now: list[str] = field(default_factory=list)
    _in_text: bool = False
    _in_guide: bool = False

    def start(self, name: str, attributes: Mapping[str, str]) -> None:
        del attributes
        if name == "si":
            self._now = []
        elif name == "rPh":
            self._in_guide = True
        elif name == "t":
            self._in_text = True

    def data(self, text: str) -> None:
        if self._in_text:
            (self.guides if self._in_guide else self._now).append(text)

    def end(self, name: str) -> None:
        if name == "si":
            self.texts.append(unescaped("".join(self._now)))
        elif name == "rPh":
            self._in_guide = False
            self.guides.append("\n")
        elif name == "t":
            self._in_text = False


@dataclass(slots=True)
class _Styles:
    """Sink for the styles part: the format code of each cell style."""

    codes: dict[int, str] = field(default_factory=dict)
    formats: list[int] = field(default_factory=list)
    _in_cells: bool = False

    def start(self, name: str, attributes: Mapping[str, str]) -> None:
        if name == "numFmt":
            self.codes[_number(attribute(attributes, "numFmtId"))] = attribute(
                attributes, "formatCode"
            )
        elif name == "cellXfs":
            self._in_cells = True
        elif name == "xf" and self._in_cells:
            self.formats.append(_number(attribute(attributes, "numFmtId")))

    def data(self, text: str) -> None:
        pass

    def end(self, name: str) -> None:
        if name == "cellXfs":
            self._in_cells = False

    def show(self, raw: str, style: str, *, from_1904: bool) -> str:
        """A stored number as its style shows it."""
        index = _number(style)
        identity = self.formats[index] if 0 <= index < len(self.formats) else 0
        code = self.codes.get(identity, "")
        if identity in DATE_FORMATS or (code and is_date_format(code)):
            return date_text(raw, from_1904=from_1904)
        return formatted(raw, code) if code else plain_number(raw)


@dataclass(slots=True)
class _Workbook:
    """Sink for the workbook part: sheets in order, defined names, the date system."""

    sheets: list[tuple[str, str]] = field(default_factory=list)
    names: list[str] = field(default_factory=list)
    from_1904: bool = False
    _in_name: bool = False

    def start(self, name: str, attributes: Mapping[str, str]) -> None:
        if name == "sheet":
            self.sheets.append((attribute(attributes, "name"), attribute(attributes, "id")))
        elif name == "definedName":
            self._in_name = True
            self.names.append(
                f"{attribute(attributes, 'name')} {attribute(attributes, 'comment')} "
            )
        elif name == "workbookPr":
            self.from_1904 = attribute(attributes, "date1904") in {"1", "true"}

    def data(self, text: str) -> None:
        if self._in_name:
            self.names[-1] += text

    def end(self, name: str) -> None:
        if name == "definedName":
            self._in_name = False


class _Sheet:
    """Sink for one worksheet."""

    def __init__(self, strings: list[str], styles: _Styles, *, from_1904: bool) -> None:
        self.grid = Grid()
        self.formulas: list[tuple[str, str]] = []
        self.others: list[str] = []
        self.missing = False
        self._strings = strings
        self._styles = styles
        self._from_1904 = from_1904
        self._row = -1
        self._column = -1
        self._reference = ""
        self._kind = ""
        self._style = ""
        self._texts: dict[str, list[str]] = {}
        self._field = ""
        self._in_guide = False

    def start(self, name: str, attributes: Mapping[str, str]) -> None:
        if name == "row":
            given = attribute(attributes, "r")
            self._row = int(given) - 1 if given.isdigit() else self._row + 1
            self._column = -1
        elif name == "c":
            self._begin_cell(attributes)
        elif name == "rPh":
            self._in_guide = True
        elif name in {"v", "f", "t"} or name in HEADERS:
            self._field = name
        elif name in {"dataValidation", "hyperlink"}:
            self.others.extend(
                attribute(attributes, key)
                for key in (
                    "promptTitle",
                    "prompt",
                    "errorTitle",
                    "error",
                    "display",
                    "tooltip",
                    "location",
                )
            )
        elif name in {"formula1", "formula2", "formula"}:
            self._field = "other"

    def _begin_cell(self, attributes: Mapping[str, str]) -> None:
        self._reference = attribute(attributes, "r")
        position = cell_position(self._reference)
        if position:
            self._row, self._column = position
        else:
            self._column += 1
        self._kind = attribute(attributes, "t")
        self._style = attribute(attributes, "s")
        self._texts = {"v": [], "f": [], "t": []}

    def data(self, text: str) -> None:
        if not self._field or (self._in_guide and self._field == "t"):
            return
        if self._field in self._texts:
            self._texts[self._field].append(text)
        elif text.strip():
            self.others.append(text)

    def end(self, name: str) -> None:
        if name == "c":
            self._end_cell()
            self._texts = {}
        elif name == "rPh":
            self._in_guide = False
        elif name in {"v", "f", "t", "formula", "formula1", "formula2"} or name in HEADERS:
            self._field = ""

    def _end_cell(self) -> None:
        value, formula, inline = ("".join(self._texts.get(key, ())) for key in ("v", "f", "t"))
        self.grid.put(self._row, self._column, self._shown(value))
        self.grid.put(self._row, self._column, unescaped(inline))
        if formula:
            self.formulas.append((self._reference, " ".join(formula.split())))

    def _shown(self, value: str) -> str:
        if self._kind == "s":
            index = _number(value)
            if 0 <= index < len(self._strings):
                return self._strings[index]
            self.missing = True
            return ""
        if self._kind in {"", "n"} and value:
            return self._styles.show(value, self._style, from_1904=self._from_1904)
        return unescaped(value)


def _number(text: str) -> int:
    return int(text) if text.isascii() and text.isdigit() and len(text) < 10 else -1  # noqa: PLR2004 - 32 bits


def read(document: Document, job: Job) -> None:
    """Read a workbook; see the module."""
    package = Package(document, job)
    root = next(
        (one.target for one in package.relations("").values() if one.kind == "officeDocument"), ""
    )
    root = root if package.has(root) else "xl/workbook.xml"
    if not package.has(root):
        job.gap(GapCode.PARTIAL, document.location)
        package.finish()
        return
    workbook = package.parse(root, document.inside("ブック"), _Workbook)
    relations = package.relations(root)
    for name, kind in (
        ("シート名", [name for name, _ in workbook.sheets]),
        ("名前の定義", workbook.names),
    ):
        job.text(document.inside(name), "\n".join(kind))
    strings = _strings(package, relations)
    styles = _styles(package, relations)
    parts = _sheet_parts(package, workbook, relations)
    if len(parts) < len(workbook.sheets):
        job.gap(GapCode.PARTIAL, document.inside("ブック"))
    for number, part in enumerate(parts, start=1):
        sheet = package.parse(
            part,
            document.inside(f"シート{number}"),
            lambda: _Sheet(strings, styles, from_1904=workbook.from_1904),
        )
        _give_sheet(document, job, number, sheet)
        package.relations(part)
    package.finish()


def _part_of(package: Package, relations: Mapping[str, Relation], kind: str, usual: str) -> str:
    found = next((one.target for one in relations.values() if one.kind == kind), "")
    return found if package.has(found) else usual


def _strings(package: Package, relations: Mapping[str, Relation]) -> list[str]:
    part = _part_of(package, relations, "sharedStrings", "xl/sharedstrings.xml")
    if not package.has(part):
        return []
    location = package.document.inside("共有文字列")
    strings = package.parse(part, location, _Strings)
    package.job.text(package.document.inside("ふりがな"), "".join(strings.guides))
    return strings.texts


def _styles(package: Package, relations: Mapping[str, Relation]) -> _Styles:
    part = _part_of(package, relations, "styles", "xl/styles.xml")
    return (
        package.parse(part, package.document.inside("書式"), _Styles)
        if package.has(part)
        else _Styles()
    )


def _sheet_parts(
    package: Package, workbook: _Workbook, relations: Mapping[str, Relation]
) -> list[str]:
    """The sheets' parts in the workbook's order, then sheets that the workbook does not list."""
    by_id = [relations[identity].target for _, identity in workbook.sheets if identity in relations]
    listed = [one.target for one in relations.values() if one.kind in SHEET_KINDS]
    loose = [
        name
        for name in package.parts
        if name.startswith("xl/worksheets/") and name.endswith(".xml")
    ]
    return [part for part in dict.fromkeys((*by_id, *listed, *loose)) if package.has(part)]


def _give_sheet(document: Document, job: Job, number: int, sheet: _Sheet) -> None:
    location = document.inside(f"シート{number}")
    if sheet.missing:
        job.gap(GapCode.PARTIAL, location)
    text, marks = sheet.grid.render()
    job.text(location, text, table=True, marks=marks)
    lines: list[str] = []
    formula_marks: list[Mark] = []
    offset = 0
    for reference, formula in sheet.formulas:
        formula_marks.append(Mark(offset, reference))
        lines.append(formula)
        offset += len(formula) + 1
    job.text(f"{location}(数式)", "\n".join(lines), marks=tuple(formula_marks))
    job.text(f"{location}(見出し・入力規則)", "\n".join(one for one in sheet.others if one))
