"""An Office Open XML package (ECMA-376 part 2): its parts, relationships and everything left over.

A reader takes the parts it knows; ``Package.finish`` reads all others, so that nothing in the file
is silently skipped: unknown XML as plain text, media and embedded objects as children.
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from shared.extract.job import Document, Job, with_extension
from shared.extract.xmlread import PlainText, Sink, attribute, parse
from shared.extract.ziptools import BROKEN, ENCRYPTED, member_name, open_zip, read_member, salvage
from shared.model import GapCode

XML = (".xml", ".vml", ".rels")
# Formats and fonts: their attributes are settings, not words.
QUIET = (
    "/theme/",
    "styles.xml",
    "styleswitheffects.xml",
    "fonttable.xml",
    "websettings.xml",
    "numbering.xml",
    "[content_types].xml",
)
# A step of a part's name as programs make them (``sheet12.xml``): no word of a person.
_USUAL = re.compile(r"[A-Za-z_\[\]-]{0,40}\d{0,4}(?:\.[A-Za-z][A-Za-z0-9]{0,4}){0,2}")
# A relationship to something outside the file; the words are elsewhere.
ELSEWHERE = (
    "externalLinkPath",
    "attachedTemplate",
    "oleObject",
    "frame",
    "subDocument",
    "aFChunk",
    "image",
)


@dataclass(frozen=True, slots=True)
class Relation:
    """One relationship of a part; ``kind`` is the last word of its type's URI."""

    id: str
    kind: str
    target: str
    external: bool


class _Relations:
    def __init__(self) -> None:
        self.found: list[Relation] = []

    def start(self, name: str, attributes: Mapping[str, str]) -> None:
        if name == "Relationship":
            kind = attribute(attributes, "Type").rsplit("/", 1)[-1]
            external = attribute(attributes, "TargetMode") == "External"
            target = attribute(attributes, "Target")
            self.found.append(Relation(attribute(attributes, "Id"), kind, target, external))

    def data(self, text: str) -> None:
        pass

    def end(self, name: str) -> None:
        pass


class Package:
    """The parts of one file, by lower-case name; each is read at most once."""

    def __init__(self, document: Document, job: Job) -> None:
        self.document = document
        self.job = job
        self._zip = open_zip(document, job)
        self.parts = {
            info.filename.replace("\\", "/").lstrip("/").lower(): info
            for info in self._zip.infolist()
            if not info.is_dir()
        }
        self._taken: set[str] = set()
        names = [member_name(info) for info in self._zip.infolist()]
        given = [name for name in names if not all(map(_USUAL.fullmatch, name.split("/")))]
        job.text(document.inside("部品名"), "\n".join(given))

    def has(self, name: str) -> bool:
        """Whether the part exists and has not been read yet."""
        return name.lower() in self.parts and name.lower() not in self._taken

    def bytes_of(self, name: str, location: str) -> bytes:
        """A part's bytes; of a damaged one what is there, of an encrypted one none: each a gap."""
        name = name.lower()
        self._taken.add(name)
        self.job.member()
        info = self.parts[name]
        if info.flag_bits & ENCRYPTED:
            self.job.gap(GapCode.ENCRYPTED, location)
            return b""
        try:
            return read_member(self._zip, info, self.job)
        except BROKEN:
            self.job.gap(GapCode.MALFORMED, location)
            return salvage(self._zip, info, self.job)

    def parse[S: Sink](self, name: str, location: str, make: Callable[[], S]) -> S:
        """A sink that has received the part's events (none if the part is damaged: a gap)."""
        data = self.bytes_of(name, location)
        return parse(data, self.job, location, make) if data else make()

    def relations(self, part: str) -> dict[str, Relation]:
        """The relationships of a part by id, targets of internal ones as names of parts."""
        folder, _, base = part.rpartition("/")
        name = f"{folder}/_rels/{base}.rels" if folder else f"_rels/{base}.rels"
        if not self.has(name):
            return {}
        found = self.parse(name, self.document.inside("関連"), _Relations).found
        self._report_external(found)
        return {
            one.id: one
            if one.external
            else Relation(one.id, one.kind, self._resolve(folder, one.target), external=False)
            for one in found
        }

    @staticmethod
    def _resolve(folder: str, target: str) -> str:
        joined = target if target.startswith("/") else f"{folder}/{target}"
        return posixpath.normpath(joined).lstrip("/").lower()

    def _report_external(self, relations: list[Relation]) -> None:
        targets = [one.target for one in relations if one.external]
        self.job.text(self.document.inside("リンク先"), "\n".join(targets))
        if any(one.external and one.kind in ELSEWHERE for one in relations):
            self.job.gap(GapCode.EXTERNAL, self.document.inside("リンク先"))

    def finish(self) -> None:
        """Read every part that no reader took."""
        for number, name in enumerate(sorted(self.parts), start=1):
            if name in self._taken or name == "docprops/thumbnail.jpeg":
                continue
            if name.endswith(".rels"):
                folder, _, base = name.removesuffix(".rels").rpartition("/_rels/")
                self.relations(f"{folder}/{base}" if folder else base)
            elif name.endswith(XML):
                self._plain(name, number)
            else:
                self._child(name, number)

    def _plain(self, name: str, number: int) -> None:
        location = self.document.inside(f"部品{number}{_role(name)}")
        data = self.bytes_of(name, location)
        quiet = any(word in f"/{name}" for word in QUIET)
        if data and not (quiet and not _has_text(data)):
            sink = parse(data, self.job, location, _TextOnly if quiet else PlainText)
            self.job.text(location, sink.result())

    def _child(self, name: str, number: int) -> None:
        shown = f"部品{number}"
        location = self.document.inside(with_extension(shown, name))
        data = self.bytes_of(name, location)
        if (
            "printersettings" in name
        ):  # a device's own structure: its words are all there is to read
            self.job.text(location, printable(data))
        elif data:
            self.job.child(self.document, data, "", label=with_extension(shown, name))


_BETWEEN = re.compile(rb">[^<]")
_WIDE = re.compile(rb"(?:[\x20-\x7e]\x00){4,}")
_NARROW = re.compile(rb"[\x20-\x7e]{6,}")


_KANA_KANJI = re.compile(rb"(?:[\x20-\x7e]\x00|[\x00-\xff][\x30\x4e-\x9f]|[\x00-\xef]\xff){3,}")


def wide_words(data: bytes) -> str:
    """The runs of UTF-16LE Japanese and ASCII in binary data, a line each."""
    return "\n".join(run.decode("utf-16-le", "replace") for run in _KANA_KANJI.findall(data))


def printable(data: bytes) -> str:
    """The runs of ASCII in binary data, wide and narrow, a line each."""
    wide = [run.decode("utf-16-le") for run in _WIDE.findall(data)]
    return "\n".join((*wide, *(run.decode("ascii") for run in _NARROW.findall(data))))


def _has_text(data: bytes) -> bool:
    """Whether XML may hold text between its tags: big style sheets are then not parsed.

    Without space, each tag ends where the next begins or the data ends. A comment, a CDATA section,
    a document type, UTF-16 or a ``>`` in an attribute count as text, to be safe.
    """
    dense = data.translate(None, b" \t\r\n")
    return b"\0" in dense or b"<!" in dense or b">" not in dense or bool(_BETWEEN.search(dense))


class _TextOnly(PlainText):
    """Plain text without attributes."""

    def start(self, name: str, attributes: Mapping[str, str]) -> None:
        """Settings do not speak."""


ROLES = {
    "docprops": "(プロパティ)",
    "comment": "(コメント)",
    "person": "(作成者)",
    "customxml": "(カスタムXML)",
    "chart": "(グラフ)",
    "diagram": "(図)",
    "drawing": "(図形)",
    "pivot": "(ピボット)",
    "externallink": "(外部参照)",
    "notes": "(ノート)",
    "glossary": "(文書パーツ)",
}


def _role(name: str) -> str:
    return next((role for word, role in ROLES.items() if word in name), "")
