"""What is active inside the XML of an Office package, taken out element by element.

After a relationship went, whatever named it must go too, or Office calls the file damaged.
"""

from __future__ import annotations

import re
from collections import Counter
from copy import deepcopy

from lxml import etree

from shared.sanitize import wordfields
from shared.sanitize.links import defanged
from shared.sanitize.trees import Element, drop, local, space, unwrap

CHANGED = ""  # counted where something changed that is no removal of its own
_R = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
_R_STRICT = "http://purl.oclc.org/ooxml/officeDocument/relationships"
_COMPATIBLE = "{http://schemas.openxmlformats.org/markup-compatibility/2006}"
_RELATION_SPACES = frozenset({_R, _R_STRICT})
# Elements that go whatever they say.
_GONE: dict[str, str] = {
    "attachedTemplate": "external_template",
    "mailMerge": "external_link",
    "saveThroughXslt": "external_link",
    "subDoc": "external_link",
    "altChunk": "unknown_part",
    "OLEObject": "ole_object",
    "oleObjects": "ole_object",
    "controls": "activex",
    "control": "activex",
    "externalReferences": "external_link",
    "ddeLink": "dde",
    "oleLink": "ole_object",
    "oleSize": CHANGED,
    "FmlaMacro": "macro_binding",
    "webPublishItems": "external_link",
    "webPublishing": CHANGED,
    "functionGroups": "macro_binding",
    "custShow": CHANGED,
    "macro": "macro_binding",
    "legacyDrawingHF": CHANGED,
}
_KEPT_ANYWAY = frozenset({"legacyDrawingHF", "custShow"})
# Elements of which only the attribute goes.
_ATTRIBUTE_ONLY = frozenset({"blip", "imagedata", "fill", "stroke", "svgBlip", "link"})
_MACRO_ATTRIBUTES = frozenset({"macro", "fmlaMacro", "onAction", "entryMacro", "exitMacro"})
_ACTION = re.compile(
    r"ppaction://(?:macro|program|ole|hlinkfile|hlinkpres|customshow\w*)", re.IGNORECASE
)
_ADDRESS = re.compile(r"\s*(?:[a-z][a-z0-9+.\-]{1,20}:|\\\\|//)", re.IGNORECASE)
_FORMULAS = frozenset({"f", "formula1", "formula2", "formula", "calculatedColumnFormula"})
_FORMULA = re.compile(
    r"\[\d+\]|\||\b(?:WEBSERVICE|FILTERXML|HYPERLINK|CALL|REGISTER(?:\.ID)?|EXEC|RTD|DDE|IMAGE|EVALUATE"
    r"|STOCKHISTORY|FOPEN|FWRITELN?|RUN|URLDOWNLOADTOFILE)\s*\(|https?:|\\\\",
    re.IGNORECASE,
)


def scrub(
    root: Element, kind: str, removed: set[str], hyperlinks: dict[str, str], unseen: list[str]
) -> Counter[str]:
    """Clean one part in place.

    ``removed`` are the ids of relationships that went, ``hyperlinks`` where hyperlinks led.
    Texts that no reader saw are added to ``unseen``. Returns what was removed and how often
    (``CHANGED`` for what is no removal of its own).
    """
    counts: Counter[str] = Counter()
    for node in list(root.iter(etree.ProcessingInstruction)):
        drop(node)
        counts[CHANGED] += 1
    if "wordprocessingml" in kind:
        wordfields.flatten(root, counts, unseen)
    for element in list(root.iter(etree.Element)):
        if element is root or element.getparent() is not None:
            _element(element, removed, hyperlinks, counts)
    if "spreadsheetml" in kind:
        _cells(root, counts)
    _drop_empty_choices(root)
    return counts


def _element(
    element: Element, removed: set[str], hyperlinks: dict[str, str], counts: Counter[str]
) -> None:
    name = local(element.tag)
    if name == "oleObj":
        _preview_instead(element, counts)
        return
    if name in _GONE and name not in _KEPT_ANYWAY and _is_office(element):
        counts[_GONE[name]] += 1
        drop(element)
        return
    if not element.attrib:
        return
    _attributes(element, name, counts)
    for key, value in list(element.attrib.items()):
        if space(key) in _RELATION_SPACES and value in removed:
            counts[CHANGED] += 1
            _without_relation(element, name, key, hyperlinks.get(value, ""))
            return


def _drop_empty_choices(root: Element) -> None:
    """Alternatives of which nothing is left."""
    for element in list(root.iter(f"{_COMPATIBLE}AlternateContent")):
        if not any(len(choice) for choice in element):
            drop(element)


def _is_office(element: Element) -> bool:
    """Not somebody's own data (customXml) that happens to use the same word."""
    return bool(re.search(r"openxmlformats|microsoft|purl\.oclc", space(element.tag)))


def _attributes(element: Element, name: str, counts: Counter[str]) -> None:
    """Macro bindings, actions of slides, and addresses in VML."""
    for key, value in list(element.attrib.items()):
        plain = local(key)
        if plain in _MACRO_ATTRIBUTES and value:
            code = "macro_binding"
        elif plain == "action" and _ACTION.match(value):
            code = "macro_binding" if "macro" in value.lower() else "link_removed"
            element.attrib.pop(f"{{{_R}}}id", None)
        elif space(element.tag) == "urn:schemas-microsoft-com:vml" and plain in {"src", "href"}:
            code = "link_removed" if plain == "href" else "remote_image"
            if not _ADDRESS.match(value):
                continue
        else:
            continue
        counts[code] += 1
        if name == "hlinkClick" and plain == "action":
            drop(element)
            return
        element.attrib.pop(key)


def _without_relation(element: Element, name: str, key: str, target: str) -> None:
    """An element whose relationship went."""
    if name in _ATTRIBUTE_ONLY:
        del element.attrib[key]
    elif name == "hyperlink" and len(element):  # Word: the words stay, the target is shown
        if target:
            element.append(_word_run(element, target))
        unwrap(element)
    elif name in {"hlinkClick", "hlinkHover", "hlinkMouseOver"}:
        _slide_link(element, target)
    elif element.getparent() is not None:
        drop(element)


def _word_run(element: Element, target: str) -> Element:
    """A run of text with the disabled target."""
    prefix = f"{{{space(element.tag)}}}"
    run = etree.Element(f"{prefix}r")
    text = etree.SubElement(run, f"{prefix}t")
    text.text = f" [{defanged(target)}]"
    text.set("{http://www.w3.org/XML/1998/namespace}space", "preserve")
    return run


def _slide_link(element: Element, target: str) -> None:
    """PowerPoint: behind the run of a linked text the target is shown."""
    properties = element.getparent()
    run = properties.getparent() if properties is not None else None
    if target and local(element.tag) == "hlinkClick" and run is not None and local(run.tag) == "r":
        shown = deepcopy(run)
        for each in list(shown):
            if local(each.tag) == "rPr":
                for child in list(each):
                    each.remove(child)
            elif local(each.tag) == "t":
                each.text = f" [{defanged(target)}]"
        shown.tail = None
        run.addnext(shown)
    drop(element)


def _preview_instead(element: Element, counts: Counter[str]) -> None:
    """A slide's object becomes the picture that stands for it."""
    frame = element
    while frame is not None and local(frame.tag) != "graphicFrame":
        frame = frame.getparent()
    if frame is None or frame.getparent() is None:
        drop(element)
        counts["ole_object"] += 1
        return
    pictures = [each for each in frame.iter(etree.Element) if local(each.tag) == "pic"]
    if pictures:
        picture = deepcopy(pictures[-1])
        picture.tail = frame.tail
        frame.getparent().replace(frame, picture)
    else:
        drop(frame)
    counts["ole_object"] += 1


def _cells(root: Element, counts: Counter[str]) -> None:
    """Formulas that reach out are replaced by their last result."""
    shared: set[str] = set()
    for element in list(root.iter(etree.Element)):
        name = local(element.tag)
        text = element.text or ""
        if name in _FORMULAS:
            number = element.get("si", "") if element.get("t") == "shared" else ""
            if _FORMULA.search(text) or (not text and number in shared):
                shared.add(number or "none")  # the cells that share it hold its number alone
                counts["formula"] += 1
                drop(element)
        elif name == "definedName" and (_is_macro_name(element) or _FORMULA.search(text)):
            counts["macro_binding" if _is_macro_name(element) else "formula"] += 1
            drop(element)
        elif name == "definedNames" and not len(element):
            drop(element)


def _is_macro_name(element: Element) -> bool:
    flags = ("xlm", "function", "vbProcedure")
    name = element.get("name", "").lower().removeprefix("_xlnm.")
    return any(element.get(flag) in {"1", "true"} for flag in flags) or name.startswith("auto_")
