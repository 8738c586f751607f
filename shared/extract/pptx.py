"""PowerPoint presentations (.pptx, .pptm, .ppsx): slides in order with tables, notes, all parts.

Hidden slides are read like any other; so are masters and layouts, among the parts left over.
"""

from __future__ import annotations

from collections.abc import Mapping

from shared.extract.job import Document, Job
from shared.extract.ooxml import Package
from shared.extract.wordtext import cell_marks
from shared.extract.xmlread import SPOKEN, local, squeeze
from shared.model import GapCode


class _Order:
    """Sink for the presentation part: the slides' relationship ids in order."""

    def __init__(self) -> None:
        self.ids: list[str] = []

    def start(self, name: str, attributes: Mapping[str, str]) -> None:
        if name == "sldId":
            # The attribute ``id`` without a namespace is the slide's number.
            self.ids.extend(v for k, v in attributes.items() if k.endswith("}id"))

    def data(self, text: str) -> None:
        pass

    def end(self, name: str) -> None:
        pass


class _Slide:
    """Sink for a slide: paragraphs as lines, tables apart, alternative texts apart."""

    def __init__(self) -> None:
        self.lines: list[str] = []
        self.tables: list[str] = []
        self.spoken: list[str] = []
        self._line: list[str] = []
        self._rows: list[list[str]] | None = None
        self._in_text = False

    def start(self, name: str, attributes: Mapping[str, str]) -> None:
        if name in {"t", "text"}:
            self._in_text = True
        elif name == "br":
            self._line.append("\n")
        elif name == "tbl":
            self._rows = []
        elif name == "tr" and self._rows is not None:
            self._rows.append([])
        elif name == "tc" and self._rows:
            self._rows[-1].append("")
        self.spoken.extend(v for k, v in attributes.items() if local(k) in SPOKEN)

    def data(self, text: str) -> None:
        if self._in_text:
            self._line.append(text)

    def end(self, name: str) -> None:
        if name in {"t", "text"}:
            self._in_text = False
        if name in {"p", "text"}:
            self._end_line("".join(self._line))
            self._line = []
        elif name == "tbl" and self._rows is not None:
            self.tables.append("\n".join("\t".join(row).rstrip("\t") for row in self._rows))
            self._rows = None

    def _end_line(self, line: str) -> None:
        if self._rows and self._rows[-1]:
            self._rows[-1][-1] = f"{self._rows[-1][-1]} {' '.join(line.split())}".strip()
        else:
            self.lines.append(line)


def read(document: Document, job: Job) -> None:
    """Read a presentation; see the module."""
    package = Package(document, job)
    root = next(
        (one.target for one in package.relations("").values() if one.kind == "officeDocument"), ""
    )
    root = root if package.has(root) else "ppt/presentation.xml"
    if package.has(root):
        for number, part in enumerate(_slides(package, root), start=1):
            _slide(package, part, f"スライド{number}")
    else:
        job.gap(GapCode.PARTIAL, document.location)
    package.finish()


def _slides(package: Package, root: str) -> list[str]:
    """The slides' parts in order, then slides that the presentation does not list."""
    order = package.parse(root, package.document.inside("構成"), _Order).ids
    relations = package.relations(root)
    listed = [relations[identity].target for identity in order if identity in relations]
    loose = [
        name for name in package.parts if name.startswith("ppt/slides/") and name.endswith(".xml")
    ]
    found = [part for part in dict.fromkeys((*listed, *loose)) if package.has(part)]
    if len(found) < len(order):
        package.job.gap(GapCode.PARTIAL, package.document.inside("構成"))
    return found


def _slide(package: Package, part: str, label: str) -> None:
    _give(package, part, label)
    for relation in package.relations(part).values():
        if relation.kind == "notesSlide" and package.has(relation.target):
            _give(package, relation.target, f"{label}(ノート)")
        elif relation.kind == "comments" and package.has(relation.target):
            _give(package, relation.target, f"{label}(コメント)")


def _give(package: Package, part: str, label: str) -> None:
    location = package.document.inside(label)
    slide = package.parse(part, location, _Slide)
    package.job.text(location, squeeze("\n".join(slide.lines)))
    for number, table in enumerate(slide.tables, start=1):
        package.job.text(f"{location}(表{number})", table, table=True, marks=cell_marks(table))
    package.job.text(f"{location}(代替テキスト)", squeeze("\n".join(slide.spoken)))
