"""Covering values in a PDF: its pages become pictures with black boxes, all of its pages.

A picture keeps nothing of what is under a box, and nothing of what a page does not show (other
layers, annotations' texts, metadata).
"""

from __future__ import annotations

import ctypes
import io
from typing import Any

import pypdfium2 as pdfium
from PIL import Image, ImageDraw
from pypdfium2 import raw

from shared.model import GapCode
from shared.sanitize import pdf_ink
from shared.sanitize.covering import Values
from shared.sanitize.work import HoldError, Work

_DPI = 150
_SIDE = 14_400  # points: the largest page that PDF knows
_PIXELS = 40_000_000
_MARGIN = 2  # pixels around a letter

type Box = tuple[float, float, float, float]


def covered(data: bytes, values: Values, work: Work) -> bytes:
    """Pictures of the pages with the values covered; the same bytes if none stands there.

    HoldError where the pages cannot be drawn as they are meant.
    """
    try:
        document = pdfium.PdfDocument(data)
    except pdfium.PdfiumError:
        raise HoldError(GapCode.ENCRYPTED) from None
    try:
        boxes = [_boxes(document[number], values, work) for number in range(len(document))]
        if not any(boxes):
            return data
        pdf_ink.check(data, work)
        pages = [_picture(document[number], each, work) for number, each in enumerate(boxes)]
    finally:
        document.close()
    out = io.BytesIO()
    pages[0].save(out, "PDF", save_all=True, append_images=pages[1:], resolution=_DPI)
    return out.getvalue()


def _boxes(page: Any, values: Values, work: Work) -> list[Box]:
    """The letters to cover, in the page's own points: left, bottom, right, top."""
    work.tick()
    text = page.get_textpage()
    letters = [_letter(text, index) for index in range(text.count_chars())]
    found = {
        index
        for start, end in values.spans("".join(letters))
        for index in range(start, end)
        if not letters[index].isspace()
    }
    return [text.get_charbox(index, loose=True) for index in sorted(found)]


def _letter(text: Any, index: int) -> str:
    code = raw.FPDFText_GetUnicode(text, index)
    return chr(code) if code and not 0xD800 <= code < 0xE000 else "\ufffd"  # noqa: PLR2004 - surrogates


def _picture(page: Any, boxes: list[Box], work: Work) -> Image.Image:
    work.tick()
    width, height = page.get_size()
    if not 0 < width <= _SIDE or not 0 < height <= _SIDE:
        raise HoldError(GapCode.TOO_LARGE)
    scale = _DPI / 72
    if width * height * scale**2 > _PIXELS:
        scale = (_PIXELS / (width * height)) ** 0.5
    image: Image.Image = page.render(scale=scale, may_draw_forms=False).to_pil().convert("RGB")
    work.spend(image.width * image.height // 8)
    draw = ImageDraw.Draw(image)
    for left, bottom, right, top in boxes:
        corners = [_pixel(page, image, x, y) for x, y in ((left, bottom), (right, top))]
        xs, ys = sorted(x for x, _ in corners), sorted(y for _, y in corners)
        draw.rectangle(
            (xs[0] - _MARGIN, ys[0] - _MARGIN, xs[1] + _MARGIN, ys[1] + _MARGIN), fill=(0, 0, 0)
        )
    return image


def _pixel(page: Any, image: Image.Image, x: float, y: float) -> tuple[int, int]:
    """A point of the page as it is shown (turned, cropped) in the picture."""
    across, down = ctypes.c_int(), ctypes.c_int()
    raw.FPDF_PageToDevice(
        page, 0, 0, image.width, image.height, 0, x, y, ctypes.byref(across), ctypes.byref(down)
    )
    return across.value, down.value
