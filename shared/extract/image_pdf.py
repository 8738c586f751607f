"""Pages of a PDF as pictures: rendered for codes, and for OCR where it is on."""

from __future__ import annotations

from typing import Any

import pypdfium2 as pdfium
from PIL import Image

from shared.extract.image_look import look
from shared.extract.job import Document, Job
from shared.model import GapCode

MAX_PIXELS = 6_000_000  # A4 at 200 dots an inch has 3.9 million
DOTS = 200  # an inch
POINTS = 72  # an inch


def look_at_pages(pdf: Any, numbers: list[int], document: Document, job: Job) -> None:
    """Look at these pages (from 0); each that is not read throughout is ``image_only``.

    Without OCR the gaps come first, so that they are known if a page takes too long to draw.
    """
    places = [(number, document.inside(f"{number + 1}ページ")) for number in numbers]
    for _, location in () if job.limits.ocr else places:
        job.gap(GapCode.IMAGE_ONLY, location)
    for number, location in places:
        drawn = _rendered(pdf, number) if job.pictures_left else None
        if drawn is None:
            job.gap(GapCode.IMAGE_ONLY, location)
        else:
            image, dots = drawn
            look(image, location, job, dots=dots)


def _rendered(pdf: Any, number: int) -> tuple[Image.Image, float] | None:
    """A page as a picture and its dots an inch, or None if it cannot be drawn."""
    try:
        page = pdf[number]
    except pdfium.PdfiumError:
        return None
    try:
        width, height = page.get_size()
        scale = min(DOTS / POINTS, (MAX_PIXELS / max(1.0, width * height)) ** 0.5)
        image: Image.Image = page.render(scale=scale).to_pil()
        return image.copy(), scale * POINTS  # the bitmap belongs to PDFium
    except (pdfium.PdfiumError, ValueError):
        return None
    finally:
        page.close()
