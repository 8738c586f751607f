"""HTML to safe HTML: nh3 (ammonia) keeps what is listed here, and links become text.

The words stay, tables and fonts stay; scripts, forms, frames, redirects, plug-ins, anything that is
loaded from outside and every style with a reference go. What the parser made of the page is written
anew, so that no other program can read it differently.
"""

from __future__ import annotations

import html
import re
from collections import Counter
from collections.abc import Callable

import nh3

from shared.model import GapCode
from shared.sanitize.links import PLAIN, defanged
from shared.sanitize.raster import inline
from shared.sanitize.work import HoldError, Part, Work

MOST_TAGS = 200_000
MOST_DEPTH = 2_000

_TAGS = (
    "a abbr address article aside b bdi bdo big blockquote br caption center cite code col"
    " colgroup dd del details dfn div dl dt em figcaption figure font footer h1 h2 h3 h4 h5 h6"
    " header hr i img ins kbd label legend li main mark nav ol p pre q rp rt ruby s samp"
    " section small span strike strong sub summary sup table tbody td tfoot th thead time"
    " title tr tt u ul var wbr"
)
TAGS = frozenset(_TAGS.split())
DROPPED = frozenset({"script", "style", "template"})
_EVERYWHERE = frozenset({"align", "dir", "lang", "style", "title", "valign"})
_BOX = frozenset({"width", "height", "bgcolor", "border"})
_CELL = _BOX | {"colspan", "rowspan", "nowrap", "scope"}
ATTRIBUTES = {
    "*": set(_EVERYWHERE),
    "a": {"href"},
    "col": {"span", "width"},
    "colgroup": {"span", "width"},
    "font": {"color", "face", "size"},
    "hr": {"size", "width"},
    "img": {"src", "alt", "width", "height"},
    "li": {"value"},
    "ol": {"start", "type"},
    "table": {*_BOX, "cellpadding", "cellspacing"},
    "td": set(_CELL),
    "th": set(_CELL),
    "tr": set(_BOX),
}
# Properties that neither load nor lay something over the page.
_STYLES = (
    "background-color border border-bottom border-bottom-color border-bottom-style border-"
    " bottom-width border-collapse border-color border-left border-left-color border-left-"
    " style border-left-width border-right border-right-color border-right-style border-right-"
    " width border-spacing border-style border-top border-top-color border-top-style border-"
    " top-width border-width color direction font font-family font-size font-style font-"
    " variant font-weight height letter-spacing line-height list-style-type margin margin-"
    " bottom margin-left margin-right margin-top max-width min-width padding padding-bottom"
    " padding-left padding-right padding-top table-layout text-align text-decoration text-"
    " indent text-transform vertical-align visibility display white-space width word-break"
    " word-spacing word-wrap writing-mode"
)
STYLES = frozenset(_STYLES.split())
_STYLE_REFERENCE = re.compile(
    r"url\s*\(|expression\s*\(|@import|behavior|-moz-binding|\\", re.IGNORECASE
)
_SPLIT = re.compile(r"(<a(?: [^<>]*)?>|</a>)")
_HREF = re.compile(r' href="([^"]*)"')
_TITLE = re.compile(r"<title[^>]*>(.*?)</title>", re.DOTALL)
_NOSCRIPT = re.compile(r"</?noscript\b[^>]*>", re.IGNORECASE)
_TAG = re.compile(r"<(/?)([A-Za-z][A-Za-z0-9]*)")
_VOID_TAGS = "area base br col embed hr img input link meta param source track wbr"
_VOID = frozenset(_VOID_TAGS.split())
# What the page held, by what it says in its source; the parser decides what goes.
_FOUND: dict[str, re.Pattern[str]] = {
    "script": re.compile(r"<script\b|(?:javascript|vbscript)\s*:", re.IGNORECASE),
    "event_handler": re.compile(r"<[a-z][^<>]*[\s/\"']on[a-z]{3,20}\s*=", re.IGNORECASE),
    "form": re.compile(r"<(?:form|input|button|select|textarea|isindex)\b", re.IGNORECASE),
    "refresh": re.compile(r"<meta\b[^>]*\brefresh\b", re.IGNORECASE),
    "frame": re.compile(
        r"<(?:i?frame|frameset|object|embed|applet|portal|math|svg)\b", re.IGNORECASE
    ),
    "external_resource": re.compile(
        r"<(?:link|base|audio|video|source|bgsound|track|xml|layer)\b|\b(?:background|srcset|poster|"
        r"dynsrc|lowsrc|manifest|archive|xlink:href)\s*=|<\w+:\w+[^<>]*\bsrc\s*=",
        re.IGNORECASE,
    ),
    "style_url": re.compile(r"<style\b", re.IGNORECASE),
}


def clean(part: Part, work: Work) -> Part:
    """The safe page, as UTF-8."""
    source = work.tools.decode(part.data, _label(part))
    _within_reason(source)
    work.tick()
    page = safe_page(source, part, work)
    if page != source:
        for code, pattern in _FOUND.items():
            work.removed(code, part.location, sum(1 for _ in pattern.finditer(source)))
    return Part(
        page.encode("utf-8", "replace"),
        part.name,
        "text/html; charset=utf-8" if part.media_type else "",
        part.location,
        part.depth,
    )


def safe_page(source: str, part: Part, work: Work) -> str:
    """A whole page of what is safe in ``source``."""
    seen: Counter[str] = Counter()
    body = nh3.clean(
        _NOSCRIPT.sub("", source),
        tags=set(TAGS),
        clean_content_tags=set(DROPPED),
        attributes=ATTRIBUTES,
        attribute_filter=_filter(seen, work),
        filter_style_properties=set(STYLES),
        url_schemes={"http", "https", "mailto", "tel", "cid", "data", "ftp", "file"},
        url_relative="deny",
        link_rel=None,
    )
    title = " ".join(_TITLE.findall(body))
    body = _with_links_shown(_TITLE.sub("", body), seen, keep=work.keeps_links)
    for code, count in seen.items():
        work.removed(code, part.location, count)
    return (
        '<!DOCTYPE html>\n<html><head><meta charset="utf-8">'
        f"<title>{' '.join(title.split())}</title></head>\n<body>{body.strip()}</body></html>\n"
    )


def _filter(seen: Counter[str], work: Work) -> Callable[[str, str, str], str | None]:
    """Decides on each attribute that the list lets through."""

    def decide(tag: str, name: str, value: str) -> str | None:
        # the writer leaves < and > in values as they are; without them, what looks like a tag in
        # the written page is one
        value = value.replace("<", "").replace(">", "")
        if name == "src":
            found = value if value[:4].lower() == "cid:" else inline(value, work)
            seen["remote_image"] += found is None
            return found
        if name == "style" and _STYLE_REFERENCE.search(value):
            seen["style_url"] += 1
            return None
        return value if tag != "a" or name != "href" else value.strip()

    return decide


def _with_links_shown(body: str, seen: Counter[str], *, keep: bool) -> str:
    """Links as text with their real target behind; ``body`` is what nh3 wrote, so well formed."""
    pieces = _SPLIT.split(body)
    written: list[str] = []
    shown_from, target, kept = 0, "", False
    for number, piece in enumerate(pieces):
        if number % 2 == 0:
            written.append(piece)
        elif piece != "</a>":
            match = _HREF.search(piece)
            target = html.unescape(match[1]) if match else ""
            kept = keep and target.lower().startswith(PLAIN)
            shown_from = len(written)
            written.append(f'<a href="{html.escape(target)}">' if kept else "<span>")
        else:
            text = html.unescape(re.sub(r"<[^>]*>", "", "".join(written[shown_from:]))).strip()
            written.append("</a>" if kept else "</span>")
            following = pieces[number + 1]
            written.append(_shown(target, text, following))
            if target and not kept:
                seen["link_defanged" if target.lower().startswith(PLAIN) else "link_removed"] += 1
    return "".join(written)


def _shown(target: str, text: str, following: str) -> str:
    """The target as text, unless it stands there already; anchors inside the page have none."""
    note = html.escape(f" [{defanged(target)}]", quote=False)
    if not target or target.startswith("#") or text == target or following.startswith(note):
        return ""
    return note


def _label(part: Part) -> str:
    match = re.search(r"charset\s*=\s*[\"']?([^\s;\"']{1,40})", part.media_type, re.IGNORECASE)
    if match:
        return match[1]
    head = re.search(
        rb"charset\s{0,9}=\s{0,9}[\"']?([A-Za-z0-9_:.\-]{2,40})", part.data[:2048], re.IGNORECASE
    )
    return head[1].decode() if head else ""


def _within_reason(source: str) -> None:
    """HoldError for a page that is made to keep a parser busy."""
    depth = deepest = count = 0
    for match in _TAG.finditer(source):
        count += 1
        if match[2].lower() not in _VOID:
            depth = max(0, depth - 1) if match[1] else depth + 1
            deepest = max(deepest, depth)
    if deepest > MOST_DEPTH + count // 2:
        raise HoldError(GapCode.TOO_DEEP)
    if count > MOST_TAGS or source.count("=") > 5 * MOST_TAGS:
        raise HoldError(GapCode.TOO_MANY)
