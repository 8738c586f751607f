"""An Office Open XML package as parts, types and relationships; read with limits, written anew."""

from __future__ import annotations

import io
import posixpath
import re
import zipfile
import zlib
from dataclasses import dataclass, field

from shared.model import GapCode
from shared.sanitize.trees import Element, parsed, written
from shared.sanitize.work import SMALL, HoldError, Work

TYPES = "[Content_Types].xml"
_TYPES_NS = "{http://schemas.openxmlformats.org/package/2006/content-types}"
RELATION = "{http://schemas.openxmlformats.org/package/2006/relationships}Relationship"
_ENCRYPTED = 0x1
_TYPES_HEAD = (
    '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n'
    '<Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types">'
    '<Default Extension="rels" '
    'ContentType="application/vnd.openxmlformats-package.relationships+xml"/>'
    '<Default Extension="xml" ContentType="application/xml"/>'
)
_TIME = (1980, 1, 1, 0, 0, 0)
_RELATIONS = re.compile(r"(?:[^/]+/)*_rels/[^/]*\.rels")
BROKEN = (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, OSError, ValueError)


def read_members(data: bytes, work: Work) -> dict[str, bytes]:
    """All members of a ZIP, by name as it stands there.

    Raises HoldError: ``encrypted``, ``malformed``, ``bomb``, ``too_large``, ``too_many``, and
    ``ambiguous`` where a name stands there twice (programs differ in which they take).
    """
    members: dict[str, bytes] = {}
    seen: set[str] = set()
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            for info in archive.infolist():
                work.member()
                if info.flag_bits & _ENCRYPTED:
                    raise HoldError(GapCode.ENCRYPTED)
                folded = info.filename.replace("\\", "/").casefold()
                if folded in seen:
                    raise HoldError(GapCode.AMBIGUOUS)
                seen.add(folded)
                if not info.is_dir():
                    members[info.filename] = unpacked(archive, info, work)
    except BROKEN:
        raise HoldError(GapCode.MALFORMED) from None
    return members


def unpacked(archive: zipfile.ZipFile, info: zipfile.ZipInfo, work: Work) -> bytes:
    """One member, CRC verified, within the budget. Raises HoldError or one of BROKEN."""
    pieces, total = [], 0
    with archive.open(info) as stream:
        while piece := stream.read(1 << 20):
            total += len(piece)
            work.spend(len(piece))
            if total > SMALL and total > info.compress_size * work.limits.ratio:
                raise HoldError(GapCode.BOMB)
            pieces.append(piece)
    return b"".join(pieces)


@dataclass(slots=True)
class Package:
    """The parts (name without leading slash → bytes), and what the package says of each."""

    parts: dict[str, bytes] = field(repr=False)
    defaults: dict[str, str]
    overrides: dict[str, str]
    relations: dict[str, Element] = field(default_factory=dict, repr=False)

    @classmethod
    def read(cls, data: bytes, work: Work) -> Package:
        """Open a package. Raises HoldError as ``read_members``."""
        parts = {name.lstrip("/"): body for name, body in read_members(data, work).items()}
        if TYPES not in parts:
            raise HoldError(GapCode.MALFORMED)
        root = parsed(parts.pop(TYPES))
        defaults = {
            each.get("Extension", "").lower(): each.get("ContentType", "")
            for each in root.iter(f"{_TYPES_NS}Default")
        }
        overrides = {
            each.get("PartName", "").lstrip("/").lower(): each.get("ContentType", "")
            for each in root.iter(f"{_TYPES_NS}Override")
        }
        package = cls(parts, defaults, overrides)
        for name in [n for n in parts if n.lower().endswith(".rels")]:
            if not _RELATIONS.fullmatch(name):
                raise HoldError(GapCode.AMBIGUOUS)  # some programs find it, others do not
            package.relations[name] = parsed(parts.pop(name))
        return package

    def type_of(self, name: str) -> str:
        """The content type of a part, lower case."""
        found = self.overrides.get(name.lower())
        if found is None:
            found = self.defaults.get(name.rpartition(".")[2].lower(), "")
        return found.partition(";")[0].strip().lower()

    def write(self) -> bytes:
        """The package; the same parts give the same bytes."""
        out = io.BytesIO()
        types = {name.lower(): self.type_of(name) for name in self.parts}
        bodies = {TYPES: _types(self.parts, self.overrides, types)}
        bodies |= {name: written(root) for name, root in self.relations.items()}
        bodies |= self.parts
        with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
            for name in (TYPES, *sorted(set(bodies) - {TYPES})):
                info = zipfile.ZipInfo(name, _TIME)
                info.compress_type = zipfile.ZIP_DEFLATED
                archive.writestr(info, bodies[name])
        return out.getvalue()


def _types(parts: dict[str, bytes], overrides: dict[str, str], types: dict[str, str]) -> bytes:
    """``[Content_Types].xml`` with one line a part: nothing is left to a default but rels."""
    lines = [_TYPES_HEAD]
    for name in sorted(parts):
        kind = overrides.get(name.lower(), types[name.lower()])
        lines.append(f'<Override PartName="/{_quoted(name)}" ContentType="{_quoted(kind)}"/>')
    return "".join([*lines, "</Types>"]).encode()


def _quoted(text: str) -> str:
    for plain, entity in (("&", "&amp;"), ("<", "&lt;"), ('"', "&quot;")):
        text = text.replace(plain, entity)
    return text


def source_of(relations: str) -> str:
    """The part whose relationships are in ``word/_rels/document.xml.rels``."""
    folder, _, name = relations.rpartition("/")
    parent = folder.removesuffix("_rels").rstrip("/")
    return posixpath.join(parent, name.removesuffix(".rels")) if name != ".rels" else parent


def target_of(relations: str, target: str) -> str:
    """The part that a relationship means."""
    plain = target.partition("#")[0]
    if plain.startswith("/"):
        return posixpath.normpath(plain).lstrip("/")
    folder = posixpath.dirname(source_of(relations))
    return posixpath.normpath(posixpath.join(folder, plain))
