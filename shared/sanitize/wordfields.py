"""Fields of WordprocessingML: those that are listed stay, others become their last result.

A field's kind can be computed by a field inside it (``{ { QUOTE 68 68 69 } … }`` is DDE), so one
whose own words do not begin with a listed kind is flattened with all that is in its instruction.
Source: ECMA-376 part 1, 17.16.
"""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass, field

from lxml import etree

from shared.sanitize.links import defanged
from shared.sanitize.trees import Element, drop, local, space, unwrap

# Kinds that only compute from the document itself.
_KINDS = (
    "= ADVANCE AUTHOR AUTONUM AUTONUMLGL AUTONUMOUT BIBLIOGRAPHY CITATION COMMENTS COMPARE"
    " CREATEDATE DATE DOCPROPERTY DOCVARIABLE EDITTIME EQ FILENAME FILESIZE FORMCHECKBOX"
    " FORMDROPDOWN FORMTEXT GREETINGLINE ADDRESSBLOCK IF INDEX INFO KEYWORDS LASTSAVEDBY"
    " LISTNUM MERGEFIELD MERGEREC MERGESEQ NEXT NEXTIF NOTEREF NUMCHARS NUMPAGES NUMWORDS PAGE"
    " PAGEREF PRINTDATE QUOTE REF REVNUM SAVEDATE SECTION SECTIONPAGES SEQ SET STYLEREF"
    " SUBJECT SYMBOL TA TC TEMPLATE TIME TITLE TOA TOC USERADDRESS USERINITIALS USERNAME XE"
)
KEPT = frozenset(_KINDS.split())
_DDE = re.compile(r"DDE(?:AUTO)?", re.IGNORECASE)
_TARGET = re.compile(r"HYPERLINK\s+(?:\"([^\"]*)\"|([^\s\\]\S*))", re.IGNORECASE)
_LOCAL_LINK = re.compile(r"HYPERLINK\s+\\l\b", re.IGNORECASE)


@dataclass(slots=True)
class Field:
    """A field between its ``begin`` and ``end`` marks."""

    marks: list[Element] = field(default_factory=list)
    instructions: list[Element] = field(default_factory=list)
    inner: list[Field] = field(default_factory=list)
    in_result: bool = False
    end: Element | None = None

    def words(self) -> str:
        """Its own instruction, without that of fields inside."""
        return "".join(each.text or "" for each in self.instructions)


def kind_of(words: str) -> str:
    """The field's kind, upper case."""
    match = re.match(r"\s*([A-Za-z]+|=)", words)
    return match[1].upper() if match else ""


def is_kept(words: str) -> bool:
    """Whether a field with this instruction may stay."""
    return kind_of(words) in KEPT or _LOCAL_LINK.match(words.strip()) is not None


def code_of(words: str) -> str:
    """What it is that goes."""
    if _DDE.search(words):
        return "dde"
    return "link_defanged" if kind_of(words) == "HYPERLINK" else "field"


def shown_target(words: str) -> str:
    """The target of a HYPERLINK field, to be read but not clicked, or empty."""
    match = _TARGET.search(words) if kind_of(words) == "HYPERLINK" else None
    return f" [{defanged(match[1] or match[2] or '')}]" if match else ""


def flatten(root: Element, counts: Counter[str], unseen: list[str]) -> None:
    """Replace fields that may not stay by their results; their instructions go to ``unseen``."""
    for simple in [e for e in root.iter(etree.Element) if local(e.tag) == "fldSimple"]:
        words = next((v for k, v in simple.attrib.items() if local(k) == "instr"), "")
        if not is_kept(words):
            counts[code_of(words)] += 1
            unseen.append(words)
            unwrap(simple)
    for found in _fields(root):
        if not is_kept(found.words()):
            counts[code_of(_all_words(found))] += 1
            unseen += _texts(found)
            _flatten(found)


def _all_words(found: Field) -> str:
    return found.words() + "".join(_all_words(inner) for inner in found.inner)


def _texts(found: Field) -> list[str]:
    own = [found.words(), *(each.text or "" for each in found.instructions)]
    return own + [text for inner in found.inner for text in _texts(inner)]


def _fields(root: Element) -> list[Field]:
    """The outermost fields in instruction zones, and every field in a result."""
    done: list[Field] = []
    stack: list[Field] = []
    for element in root.iter(etree.Element):
        name = local(element.tag)
        if name == "fldChar":
            kind = next((v for k, v in element.attrib.items() if local(k) == "fldCharType"), "")
            _mark(element, kind, stack, done)
        elif name in {"instrText", "delInstrText"}:
            (stack[-1] if stack else _orphan(done)).instructions.append(element)
    return done + stack


def _orphan(done: list[Field]) -> Field:
    """An instruction outside any field: it is looked at as one."""
    found = Field()
    done.append(found)
    return found


def _mark(element: Element, kind: str, stack: list[Field], done: list[Field]) -> None:
    if kind == "begin":
        stack.append(Field([element]))
    elif kind == "separate" and stack:
        stack[-1].marks.append(element)
        stack[-1].in_result = True
    elif kind == "end" and stack:
        ended = stack.pop()
        ended.marks.append(element)
        ended.end = element
        if stack and not stack[-1].in_result:
            stack[-1].inner.append(ended)
        done.append(ended)


def _flatten(found: Field) -> None:
    """Without its marks and instruction; a link's target is shown behind its words."""
    for inner in found.inner:
        _flatten(inner)
    target = shown_target(found.words())
    if target and found.end is not None and found.end.getparent() is not None:
        text = etree.Element(f"{{{space(found.end.tag)}}}t")
        text.text = target
        text.set("{http://www.w3.org/XML/1998/namespace}space", "preserve")
        found.end.addnext(text)
    for element in (*found.marks, *found.instructions):
        if element.getparent() is not None:
            drop(element)
    found.marks.clear()
    found.instructions.clear()
