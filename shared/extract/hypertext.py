"""HTML documents and HTML bodies."""

from __future__ import annotations

import re

from shared.extract.charset import readings
from shared.extract.giving import places
from shared.extract.job import Document, Job
from shared.extract.markup import Markup, scan
from shared.extract.transfer import base64

_META = re.compile(rb"charset\s{0,9}=\s{0,9}[\"']?([A-Za-z0-9_:.\-]{2,40})", re.IGNORECASE)
_TYPE_CHARSET = re.compile(r"charset\s{0,9}=\s{0,9}[\"']?([^\s;\"']{1,40})", re.IGNORECASE)
_DATA = re.compile(
    r"data:[\w.+/-]{0,99}(?:;[\w.-]{1,40}=[\w.-]{1,40}){0,4};base64,((?:[A-Za-z0-9+/=\s]++|%[0-9A-F]{2})++)",
    re.IGNORECASE,
)
_PERCENT = re.compile(r"%([0-9A-Fa-f]{2})")
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
        embedded(source, place, job)


def embedded(source: str, location: str, job: Job) -> None:
    """Read what stands in the markup itself as base64: pictures, mostly (RFC 2397)."""
    if "base64," not in source:
        return
    page = Document(b"", location=location)
    for number, found in enumerate(_DATA.finditer(source), start=1):
        digits = _PERCENT.sub(lambda code: bytes.fromhex(code[1]).decode("latin-1"), found[1])
        data = base64(digits.encode("ascii", "replace"))
        job.spend(len(data))
        job.child(page, data, "", label=f"埋め込み{number}")


def give(markup: Markup, location: str, job: Job) -> None:
    """The segments of one reading."""
    job.text(location, markup.text, table=markup.table)
    job.text(f"{location} › 隠れた文字", markup.hidden)
    job.text(f"{location} › 属性", markup.attributes)
    job.text(f"{location} › コメント", markup.comments)
    job.text(f"{location} › スクリプト", markup.scripts)
