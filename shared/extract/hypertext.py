"""HTML documents and HTML bodies."""

from __future__ import annotations

import re

from shared.extract.charset import readings
from shared.extract.giving import places
from shared.extract.job import Document, Job
from shared.extract.markup import Markup, scan

_META = re.compile(rb"charset\s{0,9}=\s{0,9}[\"']?([A-Za-z0-9_:.\-]{2,40})", re.IGNORECASE)
_TYPE_CHARSET = re.compile(r"charset\s{0,9}=\s{0,9}[\"']?([^\s;\"']{1,40})", re.IGNORECASE)
_HEAD = 2_048


def label_of(media_type: str) -> str:
    """The charset parameter of a media type, or empty."""
    match = _TYPE_CHARSET.search(media_type)
    return match[1] if match else ""


def read(document: Document, job: Job) -> None:
    """Read an HTML file."""
    read_body(document.data, label_of(document.media_type), document.inside("本文"), job)


def read_body(data: bytes, label: str, location: str, job: Job) -> None:
    """Read HTML: what it shows at ``location``, what it holds besides under it."""
    meta = _META.search(data[:_HEAD])
    found = readings(data, label or (meta[1].decode() if meta else ""))
    for place, source in places(location, found, job):
        give(scan(source, job.tick), place, job)


def give(markup: Markup, location: str, job: Job) -> None:
    """The segments of one reading."""
    job.text(location, markup.text, table=markup.table)
    job.text(f"{location} › 隠れた文字", markup.hidden)
    job.text(f"{location} › 属性", markup.attributes)
    job.text(f"{location} › コメント", markup.comments)
    job.text(f"{location} › スクリプト", markup.scripts)
