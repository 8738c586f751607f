"""XML trees, strictly parsed: no entities, no DTD, nothing loaded."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

from lxml import etree

from shared.model import GapCode
from shared.sanitize.work import HoldError

Element = Any  # lxml has no types


def parsed(data: bytes, *, doctype: bool = False) -> Element:
    """The root element.

    Raises HoldError for what is not well formed, and (but for ``doctype``) for a DTD: Office files
    must have none (ECMA-376 part 2, 9.1.4), and it can redefine what follows.
    """
    parser = etree.XMLParser(
        resolve_entities=False, no_network=True, load_dtd=False, huge_tree=False, recover=False
    )
    root: Element
    try:
        root = etree.fromstring(data, parser)
    except (etree.XMLSyntaxError, ValueError):
        raise HoldError(GapCode.MALFORMED) from None
    if not doctype and has_doctype(root):
        raise HoldError(GapCode.MALFORMED)
    return root


def has_doctype(root: Element) -> bool:
    """Whether a DTD stood before the root."""
    return bool(root.getroottree().docinfo.doctype)


def written(root: Element) -> bytes:
    """UTF-8 with a declaration, without DTD and processing instructions around the root."""
    copied: bytes = etree.tostring(
        root, xml_declaration=True, encoding="UTF-8", standalone=True, with_tail=False
    )
    return copied


@lru_cache(maxsize=4_096)
def local(name: object) -> str:
    """The local part of a tag or attribute name; empty for comments and instructions."""
    return name.rpartition("}")[2] if isinstance(name, str) else ""


@lru_cache(maxsize=4_096)
def space(name: object) -> str:
    """The namespace of a tag or attribute name, or empty."""
    return name[1:].partition("}")[0] if isinstance(name, str) and name.startswith("{") else ""


def drop(element: Element) -> None:
    """Remove an element; the text behind it stays."""
    parent = element.getparent()
    if parent is None:
        return
    tail = element.tail
    if tail:
        before = element.getprevious()
        if before is None:
            parent.text = (parent.text or "") + tail
        else:
            before.tail = (before.tail or "") + tail
    parent.remove(element)


def unwrap(element: Element) -> None:
    """Put an element's children in its place."""
    parent = element.getparent()
    if parent is None:
        return
    if element.text and element.text.strip():
        before = element.getprevious()
        if before is None:
            parent.text = (parent.text or "") + element.text
        else:
            before.tail = (before.tail or "") + element.text
    at = parent.index(element)
    for child in reversed(list(element)):
        parent.insert(at, child)
    drop(element)
