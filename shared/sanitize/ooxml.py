"""Office Open XML: what may stay is listed, everything else goes with all that points to it.

Macros, OLE objects, ActiveX, embedded packages, macro sheets, custom UI, connections and parts of
unknown kind are removed; relationships to the outside too, but for plain hyperlinks; pictures are
re-encoded; a macro-enabled file becomes a plain one (its types and its extension).
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field, replace

from shared.model import GapCode
from shared.sanitize import ooxml_kinds, ooxml_xml
from shared.sanitize.links import is_plain
from shared.sanitize.package import RELATION, Package, source_of, target_of
from shared.sanitize.raster import re_encoded
from shared.sanitize.trees import Element, parsed, written
from shared.sanitize.work import HoldError, Part, Work

# A picture of one clear pixel, which stands where a metafile was.
_PIXEL = bytes.fromhex(
    "89504e470d0a1a0a0000000d4948445200000001000000010804000000b51c0c02"
    "0000000b4944415478da6364f80f00010501012718e3660000000049454e44ae426082"
)
# End of a relationship's type → what goes; others to the outside are external links.
_OUTSIDE: tuple[tuple[str, str], ...] = (
    ("/attachedtemplate", "external_template"),
    ("/oleobject", "ole_object"),
    ("/package", "ole_object"),
    ("/image", "remote_image"),
)
# Relationships that go even inside: what they lead to is code or another document.
_INSIDE = re.compile(
    r"/(?:afchunk|attachedtemplate|control|activexcontrolbinary|ctrlprop|oleobject|package|subdocument"
    r"|vbaproject|wordvbadata|keymapcustomizations|xlmacrosheet|xlintlmacrosheet|dialogsheet"
    r"|externallinkpath|externallink|connections|querytable|extensibility|signature|origin"
    r"|usercustomization|webextension\w*|attachedtoolbars|mailmergesource|mailmergeheadersource"
    r"|recipientdata)$"
)
# Gone without a word: printer settings, and the order of calculation, which Excel makes anew.
_SILENT = re.compile(r"printersettings|calcchain")


@dataclass(slots=True)
class Links:
    """The relationships of one part: what went, and where its hyperlinks lead."""

    removed: set[str] = field(default_factory=set)
    hyperlinks: dict[str, str] = field(default_factory=dict)


def clean(part: Part, work: Work) -> Part:
    """The package without what is active. Raises HoldError for what cannot be separated."""
    package = Package.read(part.data, work)
    if any(kind.endswith("/x-fictionbook") for kind in package.overrides.values()):
        raise HoldError(GapCode.UNSUPPORTED)
    _hold_chunks(package)
    _retype(package, part, work)
    _remove_parts(package, part, work)
    _remove_related(package, part, work)
    _hold_without_main(package)
    for name, root in list(package.relations.items()):
        links = _clean_relations(name, root, package, part, work)
        source = source_of(name)
        if name != "_rels/.rels" and source not in package.parts:
            del package.relations[name]
            continue
        if source in package.parts:
            _scrub(source, links, package, part, work)
        if not len(root):
            del package.relations[name]
    linked = {source_of(name) for name in package.relations}
    for name in package.parts:
        if name not in linked:
            _scrub(name, Links(), package, part, work)
    return _renamed(part.with_data(package.write()))


def _hold_chunks(package: Package) -> None:
    """Other documents that Word merges in: their words would be lost, so it is held."""
    for root in package.relations.values():
        if any(e.get("Type", "").lower().endswith("/afchunk") for e in root.iter(RELATION)):
            raise HoldError(GapCode.UNSUPPORTED)


def _retype(package: Package, part: Part, work: Work) -> None:
    for name in package.parts:
        plain = ooxml_kinds.RETYPED.get(package.type_of(name))
        if plain:
            package.overrides[name.lower()] = plain
            work.removed("macro", part.location)


def _remove_parts(package: Package, part: Part, work: Work) -> None:
    """Parts that may not stay; pictures are written anew."""
    for name, data in list(package.parts.items()):
        work.tick()
        kind = package.type_of(name)
        if ooxml_kinds.is_picture(kind):
            package.parts[name] = re_encoded(data, work)
        elif ooxml_kinds.is_metafile(kind):
            work.removed("metafile", part.location)
            package.parts[name] = _PIXEL
            package.overrides[name.lower()] = "image/png"
        elif not ooxml_kinds.is_kept(kind) or ooxml_kinds.gone(name, ""):
            del package.parts[name]
            if not _SILENT.search(kind + name.lower()):
                work.removed(ooxml_kinds.gone(name, kind) or "unknown_part", part.location)


def _remove_related(package: Package, part: Part, work: Work) -> None:
    """Parts that are called by a relationship what they do not call themselves."""
    for name, root in package.relations.items():
        for relation in root.iter(RELATION):
            kind = relation.get("Type", "").lower()
            target = target_of(name, relation.get("Target", ""))
            if _INSIDE.search(kind) and package.parts.pop(target, None) is not None:
                work.removed(ooxml_kinds.gone(kind, "") or "unknown_part", part.location)


def _hold_without_main(package: Package) -> None:
    """HoldError where the document itself is of a kind that may not stay (add-ins, drawings)."""
    root = package.relations.get("_rels/.rels")
    targets = [] if root is None else list(root.iter(RELATION))
    if not any(
        each.get("Type", "").lower().endswith("/officedocument")
        and target_of("_rels/.rels", each.get("Target", "")) in package.parts
        for each in targets
    ):
        raise HoldError(GapCode.UNSUPPORTED)


def _clean_relations(name: str, root: Element, package: Package, part: Part, work: Work) -> Links:
    """Drop relationships to the outside and to what was removed."""
    links = Links()
    for relation in list(root.iter(RELATION)):
        kind = relation.get("Type", "").lower()
        target = relation.get("Target", "")
        number = relation.get("Id", "")
        if relation.get("TargetMode", "").lower() == "external":
            code = _outside(kind, target, work)
            if kind.endswith("/hyperlink"):
                links.hyperlinks[number] = target
        else:
            code = _inside(kind, target_of(name, target), package)
        if code is None:
            continue
        links.removed.add(number)
        root.remove(relation)
        if code:
            work.removed(code, part.location)
            if code == "signature":
                work.state("office_signature_broken", part.location)
    return links


def _outside(kind: str, target: str, work: Work) -> str | None:
    """The code for a relationship to the outside; None if it stays."""
    if kind.endswith("/hyperlink"):
        if not is_plain(target):
            return "link_removed"
        return None if work.keeps_links else "link_defanged"
    for end, code in _OUTSIDE:
        if kind.endswith(end):
            return code
    return "external_link"


def _inside(kind: str, target: str, package: Package) -> str | None:
    """The code for a relationship inside (empty: its part is counted already); None if it stays."""
    match = _INSIDE.search(kind)
    if match:
        return "signature" if kind.endswith(("/signature", "/origin")) else ""
    if kind.endswith("/hyperlink") or target in package.parts:
        return None
    return ""


def _scrub(name: str, links: Links, package: Package, part: Part, work: Work) -> None:
    """Clean one XML part; it is written anew only if something in it changed."""
    data = package.parts[name]
    kind = package.type_of(name)
    if kind.startswith("image/"):
        return
    work.tick()
    root = parsed(data)
    counts = ooxml_xml.scrub(root, kind, links.removed, links.hyperlinks, work.unseen)
    for code, count in counts.items():
        if code != ooxml_xml.CHANGED:
            work.removed(code, part.location, count)
    encoding = (root.getroottree().docinfo.encoding or "utf-8").lower()
    if counts or encoding not in {"utf-8", "ascii", "us-ascii"}:
        package.parts[name] = written(root)


def _renamed(part: Part) -> Part:
    """With the extension and media type of the plain kind."""
    stem, dot, extension = part.name.rpartition(".")
    plain = ooxml_kinds.RENAMED.get(extension.lower())
    if dot and plain:
        part = replace(part, name=f"{stem}.{plain}")
    if "macroenabled" in part.media_type.lower():
        kind = ooxml_kinds.MEDIA_TYPES.get(part.name.rpartition(".")[2].lower(), "")
        part = replace(part, media_type=kind or "application/octet-stream")
    return part
