"""The masked copy: an item with protected values covered, for places where they may not be.

Text, HTML, Office Open XML, ZIP and mail keep their form; a PDF in which something is covered
becomes pictures of its pages with black boxes. What has another form is left as it is: whoever
asks for a copy reads it back with the detector, and holds it where something is left.
"""

from __future__ import annotations

import base64
import email.header
import io
import re
import zipfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from email.errors import HeaderParseError
from typing import Any

import lxml.html

from shared.model import Content, Gap, GapCode
from shared.sanitize import mask_office, mask_pdf
from shared.sanitize.archive import member_name, safe_name
from shared.sanitize.covering import BREAK, Run, Values, cover_runs
from shared.sanitize.leaves import Leaf, rewritten
from shared.sanitize.package import BROKEN, unpacked
from shared.sanitize.trees import local
from shared.sanitize.values import Budget, Options, Tools
from shared.sanitize.work import HoldError, Part, Work

_TEXTS = frozenset({"text", "csv", "calendar", "vcard", "xml"})
_OFFICE = frozenset({"docx", "xlsx", "pptx"})
_BLOCKS = frozenset(
    {"p", "div", "li", "ul", "ol", "table", "tr", "td", "th", "br", "hr", "pre", "blockquote"}
    | {"h1", "h2", "h3", "h4", "h5", "h6", "body", "head", "title"}
)
_HEADER = re.compile(rb"([!-9;-~]+:[ \t]*)((?:[^\n]|\n[ \t])*)(\n|\Z)")
_STRUCTURAL = (b"content-", b"mime-", b"message-id", b"received", b"dkim-", b"arc-")


@dataclass(frozen=True, slots=True)
class Masked:
    """``content`` is None where it could not be made; ``count`` occurrences were covered."""

    content: Content | None = field(repr=False)
    gaps: tuple[Gap, ...] = ()
    count: int = 0


def mask(
    content: Content,
    values: Sequence[str],
    tools: Tools,
    clock: Callable[[], float],
    limits: Budget,
) -> Masked:
    """Cover ``values`` wherever they stand in the item.

    Never raises for what the bytes hold. A value that was met nowhere is a gap (``partial``): it
    stands in a form that cannot be covered.
    """
    work = Work(tools=tools, options=Options(), limits=limits, clock=clock, dispatch=_as_it_is)
    masking = _Masking(Values(values), work)
    try:
        part = masking.part(Part(content.data, content.name, content.media_type))
    except HoldError as hold:
        return Masked(None, (Gap(hold.code, hold.location),))
    except (MemoryError, RecursionError):
        return Masked(None, (Gap(GapCode.TOO_LARGE, ""),))
    except Exception:  # noqa: BLE001 - hostile input may raise anything; the item is then held
        return Masked(None, (Gap(GapCode.MALFORMED, ""),))
    if masking.values.missing:
        return Masked(None, (Gap(GapCode.PARTIAL, ""),), masking.values.count)
    return Masked(Content(part.data, part.name, part.media_type), (), masking.values.count)


def _as_it_is(part: Part, work: Work) -> tuple[str, Part]:
    del work
    return "", part


class _Masking:
    def __init__(self, values: Values, work: Work) -> None:
        self.values = values
        self._work = work

    def part(self, part: Part, charset: str = "") -> Part:
        """A part of any kind, the same one where there is nothing to cover."""
        work = self._work
        work.member()
        if part.depth > work.limits.depth:
            raise HoldError(GapCode.TOO_DEEP, part.location)
        name = self.values.covered(part.name)
        kinds = work.tools.sniff(part.data, part.name, part.media_type)
        data = self._data(part, kinds[0] if kinds else "", charset)
        return (
            part if (name, data) == (part.name, part.data) else replace(part, name=name, data=data)
        )

    def _data(self, part: Part, kind: str, charset: str) -> bytes:
        if kind == "mail":
            return self._mail(part)
        if kind == "zip":
            return self._zip(part)
        if kind == "html":
            return self._page(part.data, charset)
        if kind in _OFFICE:
            return mask_office.covered(part.data, self.values, self._work)
        if kind == "pdf":
            return mask_pdf.covered(part.data, self.values, self._work)
        return self._text(part.data, charset) if kind in _TEXTS else part.data

    def _text(self, data: bytes, charset: str) -> bytes:
        text = self._work.tools.decode(data, charset)
        covered = self.values.covered(text)
        return data if covered == text else covered.encode("utf-8-sig" if not charset else "utf-8")

    def _page(self, data: bytes, charset: str) -> bytes:
        text = self._work.tools.decode(data, charset)
        page = lxml.html.document_fromstring(text.encode(), parser=_parser())
        found = cover_runs(_runs(page), self.values)
        for element in page.iter():
            for name, value in element.attrib.items():
                covered = self.values.covered(value)
                if covered != value:
                    element.set(name, covered)
                    found = True
        if not found:
            return data
        written: bytes = lxml.html.tostring(page, encoding="utf-8", doctype="<!DOCTYPE html>")
        return written

    def _mail(self, part: Part) -> bytes:
        def change(leaf: Leaf) -> Leaf:
            if not leaf.data:
                return leaf
            inner = Part(leaf.data, leaf.name, leaf.kind, leaf.location, part.depth + 1)
            if leaf.attached or leaf.kind == "message/rfc822":
                done = self.part(inner, leaf.charset)
            else:
                kind = "html" if leaf.kind == "text/html" else "text"
                done = inner.with_data(self._data(inner, kind, leaf.charset or "us-ascii"))
            if done == inner:
                return leaf
            text = leaf.kind.startswith("text/") and done.data != leaf.data
            said = "utf-8" if text else leaf.charset
            return replace(leaf, data=done.data, name=done.name, charset=said)

        data = rewritten(part.data, change, part.location)
        head, blank, body = data.partition(b"\r\n\r\n" if b"\r\n\r\n" in data else b"\n\n")
        return self._headers(head) + blank + body

    def _headers(self, head: bytes) -> bytes:
        def change(match: re.Match[bytes]) -> bytes:
            if match[1].lower().startswith(_STRUCTURAL):
                return match[0]
            raw = match[2].rstrip(b"\r")
            text = _decoded(raw, self._work)
            covered = self.values.covered(text)
            if covered == text:
                return match[0]
            word = base64.b64encode(covered.encode())
            end = b"\r" if match[2].endswith(b"\r") else b""
            return match[1] + b"=?utf-8?B?" + word + b"?=" + end + match[3]

        return _HEADER.sub(change, head)

    def _zip(self, part: Part) -> bytes:
        out, changed = io.BytesIO(), False
        try:
            with (
                zipfile.ZipFile(io.BytesIO(part.data)) as archive,
                zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as copy,
            ):
                for number, info in enumerate(archive.infolist(), 1):
                    if info.is_dir():
                        continue
                    name = safe_name(member_name(info))
                    data = unpacked(archive, info, self._work)
                    base = name.rpartition("/")[2]
                    where = part.inside(f"メンバー{number}")
                    inner = Part(data, base, "", where, part.depth + 1)
                    done = self.part(inner)
                    folder = self.values.covered(name[: len(name) - len(base)])
                    changed = changed or done != inner or not name.startswith(folder)
                    copy.writestr(zipfile.ZipInfo(folder + done.name, info.date_time), done.data)
        except BROKEN:
            raise HoldError(GapCode.MALFORMED, part.location) from None
        return out.getvalue() if changed else part.data


def _parser() -> Any:
    return lxml.html.HTMLParser(encoding="utf-8", no_network=True, huge_tree=False)


def _runs(page: Any) -> Iterator[Run]:
    """The text nodes in order, blocks kept apart."""

    def write(element: Any, where: str) -> Callable[[str], None]:
        return lambda text: setattr(element, where, text)

    def walk(element: Any) -> Iterator[Run]:
        apart = local(element.tag) in _BLOCKS
        if apart:
            yield BREAK, _nowhere
        if element.text:
            yield element.text, write(element, "text")
        for child in element:
            yield from walk(child)
            if child.tail:
                yield child.tail, write(child, "tail")
        if apart:
            yield BREAK, _nowhere

    yield from walk(page)


def _decoded(raw: bytes, work: Work) -> str:
    text = work.tools.decode(re.sub(rb"\r?\n[ \t]", b" ", raw), "")
    pieces = []
    try:
        for piece, charset in email.header.decode_header(text):
            if isinstance(piece, str):
                pieces.append(piece)
            else:
                pieces.append(piece.decode(charset or "utf-8", "replace"))
    except (LookupError, ValueError, HeaderParseError):
        return text
    return "".join(pieces)


def _nowhere(text: str) -> None:
    """A break is not written."""
    del text
