"""XML and SVG as text: elements are lines; no entity is resolved, whatever it promises."""

from __future__ import annotations

import re
from html import unescape

from shared.extract.charset import readings
from shared.extract.giving import places
from shared.extract.hypertext import embedded, give, label_of
from shared.extract.job import Document, Job
from shared.extract.markup import scan
from shared.model import GapCode

_ENCODING = re.compile(rb"encoding\s{0,9}=\s{0,9}[\"']([A-Za-z0-9_:.\-]{2,40})")
_HEAD = 200
_RUN, _PARAGRAPH_END = "<w:t", "</w:p>"
_TAG = re.compile(r"<[^<>]*>")


def read(document: Document, job: Job) -> None:
    """Read XML; entities that could assemble text are a gap, their definitions are scanned."""
    declared = _ENCODING.search(document.data[:_HEAD])
    label = declared[1].decode() if declared else label_of(document.media_type)
    location = document.inside("本文")
    for place, source in places(location, readings(document.data, label), job):
        give(scan(source, job.tick, xml=True), place, job)
        embedded(source, place, job)
        if _RUN in source:  # a document of Word as one XML file: a number may be cut into runs
            joined = _TAG.sub("", source.replace(_PARAGRAPH_END, "\n"))
            job.text(f"{place}（続けた読み）", unescape(joined))
        if "<!ENTITY" in source:
            job.gap(GapCode.PARTIAL, location)
