"""SVG and other XML: an SVG of listed elements and attributes; other XML without instructions.

XML that Office or a browser would run (Word 2003 and Excel 2003 documents, flat packages, pages,
style sheets) is held: its macros and objects are hidden in ways that are not read here.
"""

from __future__ import annotations

import re

from lxml import etree

from shared.model import GapCode
from shared.sanitize.raster import inline
from shared.sanitize.trees import Element, drop, has_doctype, local, parsed, space, written
from shared.sanitize.work import HoldError, Part, Work

SVG = "http://www.w3.org/2000/svg"
_DRAWN = (
    "svg g defs symbol title desc text tspan textPath path rect circle ellipse line polyline"
    " polygon linearGradient radialGradient stop clipPath mask pattern marker use image"
)
_ELEMENTS = frozenset(_DRAWN.split())
_UNWRAPPED = frozenset({"a", "switch"})
_REFERENCE = re.compile(
    r"url\s*\(\s*['\"]?(?!['\"]?#)|expression|@import|javascript:|\\", re.IGNORECASE
)
# Namespaces that some program runs.
_HELD = re.compile(
    r"schemas\.microsoft\.com|urn:schemas-microsoft-com|schemas\.openxmlformats\.org"
    r"|w3\.org/(?:1999/xhtml|1999/XSL|TR/WD-xsl|2002/xforms)|ns\.adobe\.com/xdp|xfa\.org"
    r"|opendocument|mozilla\.org"
)


def clean(part: Part, work: Work) -> Part:
    """The document, written anew."""
    root = parsed(part.data, doctype=True)
    _strip_nodes(root, part, work)
    if local(root.tag) == "svg" and space(root.tag) in {SVG, ""}:
        _clean_svg(root, part, work)
    elif any(_HELD.search(space(e.tag)) for e in root.iter(etree.Element)):
        raise HoldError(GapCode.UNSUPPORTED)
    return part.with_data(written(root))


def _strip_nodes(root: Element, part: Part, work: Work) -> None:
    """Instructions, entity references and the DTD go; comments stay (nobody runs them)."""
    count = 0
    for node in list(root.iter(etree.ProcessingInstruction, etree.Entity)):
        drop(node)
        count += 1
    before = root.getprevious()
    while before is not None:
        count += isinstance(before, etree._ProcessingInstruction)  # noqa: SLF001 - no public name
        before = before.getprevious()
    count += has_doctype(root)
    work.removed("processing", part.location, count)


def _clean_svg(root: Element, part: Part, work: Work) -> None:
    for element in list(root.iter(etree.Element)):
        work.tick()
        name = local(element.tag)
        if element is not root and element.getparent() is None:
            continue
        if name in _UNWRAPPED:
            work.removed("link_removed", part.location, int(name == "a"))
            element.tag = f"{{{SVG}}}g"
            element.attrib.clear()
        elif space(element.tag) not in {SVG, ""} or name not in _ELEMENTS:
            _take_out(element, name, part, work)
            continue
        _clean_attributes(element, part, work)


def _take_out(element: Element, name: str, part: Part, work: Work) -> None:
    """Text inside a foreign object is shown, so it is held rather than lost."""
    if name == "foreignObject" and "".join(element.itertext()).strip():
        raise HoldError(GapCode.UNSUPPORTED, part.location)
    codes = {"script": "script", "style": "style_url", "foreignObject": "frame"}
    work.removed(codes.get(name, "unknown_part"), part.location)
    if name in {"animate", "set"} or not len(element):
        drop(element)
    else:
        for inner in list(element.iter(etree.Element))[1:]:
            inner.getparent().remove(inner)
        drop(element)


def _clean_attributes(element: Element, part: Part, work: Work) -> None:
    for key, value in list(element.attrib.items()):
        name = local(key).lower()
        code = ""
        if name.startswith("on"):
            code = "event_handler"
        elif name in {"href", "src"}:
            picture = inline(value, work) if local(element.tag) == "image" else None
            if picture is not None:
                element.set(key, picture)
            elif not value.startswith("#"):
                code = "external_resource"
        elif name == "base" or _REFERENCE.search(value):
            code = "external_resource"
        if code:
            del element.attrib[key]
            work.removed(code, part.location)
