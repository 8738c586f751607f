"""Covering values in Office Open XML: text across runs, attributes, and cells that hold numbers."""

from __future__ import annotations

import io
import re
import zipfile
from collections.abc import Callable, Iterator
from typing import Any

from shared.sanitize.covering import Run, Values, cover_runs
from shared.sanitize.package import read_members
from shared.sanitize.trees import Element, local, parsed, written
from shared.sanitize.work import Work

_GROUPS = frozenset({"p", "si", "is"})  # a paragraph of w: or a:, a string of a workbook
_TEXTS = frozenset({"t", "delText", "instrText"})
_XML = re.compile(r"\.(?:xml|rels|vml)$", re.IGNORECASE)
_TIME = (1980, 1, 1, 0, 0, 0)


def covered(data: bytes, values: Values, work: Work) -> bytes:
    """The package with values covered in every XML part; the same bytes if there are none."""
    members = read_members(data, work)
    changed = False
    for name, content in members.items():
        work.tick()
        if not _XML.search(name):
            continue
        root = parsed(content)
        if _cover(root, values):
            members[name] = written(root)
            changed = True
    if not changed:
        return data
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as package:
        for name, content in members.items():
            package.writestr(zipfile.ZipInfo(name, _TIME), content, zipfile.ZIP_DEFLATED)
    return out.getvalue()


def _cover(root: Element, values: Values) -> bool:
    found = False
    for element in root.iter():
        if local(element.tag) in _GROUPS:
            found |= cover_runs(_runs(element), values)
    for element in root.iter():
        found |= _alone(element, values)
    return found


def _runs(group: Element) -> Iterator[Run]:
    for element in group.iter():
        if local(element.tag) in _TEXTS and element.text:
            yield element.text, _writer(element)


def _writer(element: Any) -> Callable[[str], None]:
    def write(text: str) -> None:
        element.text = text

    return write


def _alone(element: Element, values: Values) -> bool:
    """A text that is in no paragraph, a cell's number, and attributes."""
    found = False
    for name, value in element.attrib.items():
        covered_value = values.covered(value)
        if covered_value != value:
            element.set(name, covered_value)
            found = True
    if not isinstance(element.tag, str) or not element.text or local(element.tag) in _TEXTS:
        return found
    cell = element.getparent() if local(element.tag) == "v" else None
    if cell is not None and cell.get("t") == "s":  # the number of a shared string
        return found
    text = values.covered(element.text)
    if text == element.text:
        return found
    element.text = text
    if cell is not None:
        cell.set("t", "str")
        for formula in [child for child in cell if local(child.tag) == "f"]:
            cell.remove(formula)
    return True
