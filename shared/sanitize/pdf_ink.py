"""Whether this machine can draw the Asian fonts that a PDF names but does not hold.

PDFium then takes a font of the machine's. Where there is none (servers rarely have Japanese fonts)
it draws nothing and says nothing: a page made into a picture would lose its words in silence.
"""

from __future__ import annotations

import io
from collections.abc import Iterator
from functools import cache
from typing import Any

import pikepdf
import pypdfium2 as pdfium
from pikepdf import Array, Dictionary, Name

from shared.model import GapCode
from shared.sanitize.work import HoldError, Work

# Character collection → a way to write one of its letters (PDF 32000-1, 9.7.5.2), and the letter.
_LETTERS = {
    "Japan1": ("UniJIS-UCS2-H", b"<3042>"),
    "GB1": ("UniGB-UCS2-H", b"<4E2D>"),
    "CNS1": ("UniCNS-UCS2-H", b"<4E2D>"),
    "Korea1": ("UniKS-UCS2-H", b"<AC00>"),
}
_FILES = ("/FontFile", "/FontFile2", "/FontFile3")
_WHITE = 255


def check(data: bytes, work: Work) -> None:
    """HoldError ``partial`` where words of this document could not be drawn here."""
    try:
        with pikepdf.open(io.BytesIO(data)) as document:
            named = set(_collections(document, work))
    except pikepdf.PdfError:
        raise HoldError(GapCode.MALFORMED) from None
    if not all(draws(each) for each in named):
        raise HoldError(GapCode.PARTIAL)


def _collections(document: pikepdf.Pdf, work: Work) -> Iterator[str]:
    """Of composite fonts that are named and not held."""
    for thing in document.objects:
        work.tick()
        if not isinstance(thing, Dictionary) or thing.get("/Subtype") != Name.Type0:
            continue
        below: Any = thing.get("/DescendantFonts")
        font = below[0] if isinstance(below, Array) and len(below) else None
        if not isinstance(font, Dictionary):
            continue
        descriptor: Any = font.get("/FontDescriptor")
        if isinstance(descriptor, Dictionary) and any(key in descriptor for key in _FILES):
            continue
        system: Any = font.get("/CIDSystemInfo")
        ordering = str(system.get("/Ordering", "")) if isinstance(system, Dictionary) else ""
        # Others (Identity) do not say which letters they have: taken for Japanese.
        yield ordering if ordering in _LETTERS else "Japan1"


@cache
def draws(collection: str) -> bool:
    """Whether a letter of this collection leaves ink; found out by drawing one."""
    encoding, letter = _LETTERS[collection]
    with pikepdf.new() as probe:
        page = probe.add_blank_page(page_size=(60, 60))
        below = Dictionary(
            Type=Name.Font,
            Subtype=Name.CIDFontType0,
            BaseFont=Name.Unknown,
            CIDSystemInfo=Dictionary(
                Registry=pikepdf.String("Adobe"), Ordering=pikepdf.String(collection), Supplement=1
            ),
            FontDescriptor=Dictionary(
                Type=Name.FontDescriptor,
                FontName=Name.Unknown,
                Flags=4,
                FontBBox=Array([0, -200, 1000, 900]),
                ItalicAngle=0,
                Ascent=800,
                Descent=-200,
                CapHeight=700,
                StemV=80,
            ),
        )
        font = Dictionary(
            Type=Name.Font,
            Subtype=Name.Type0,
            BaseFont=Name.Unknown,
            Encoding=Name(f"/{encoding}"),
            DescendantFonts=Array([probe.make_indirect(below)]),
        )
        page.Resources = Dictionary(Font=Dictionary(F=probe.make_indirect(font)))
        page.Contents = probe.make_stream(b"BT /F 40 Tf 10 10 Td " + letter + b" Tj ET")
        out = io.BytesIO()
        probe.save(out)
    with pdfium.PdfDocument(out.getvalue()) as document:
        drawn: bytes = document[0].render(scale=1).to_pil().convert("L").tobytes()
    return min(drawn) < _WHITE
