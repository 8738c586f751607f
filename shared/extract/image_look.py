"""What a picture shows: its codes always, its words where OCR is on, else a gap by name."""

from __future__ import annotations

from PIL import Image

from shared.extract.barcode import codes
from shared.extract.job import SEPARATOR, Job
from shared.extract.place import INCH, box
from shared.model import GapCode, Mark


def inside(location: str, label: str) -> str:
    """The place of something in the picture at ``location`` (empty for the item itself)."""
    return f"{location}{SEPARATOR}{label}" if location else label


def look(image: Image.Image, location: str, job: Job, *, dots: float = 0) -> None:
    """Give what a picture (or a rendered page) shows; what may be unread is ``image_only``.

    A picture of one colour shows nothing, and is no gap. ``dots`` an inch of a rendered page make
    its places boxes in millimetres; those of other pictures are in pixels.
    """
    if blank(image):
        return
    if not job.picture():
        job.gap(GapCode.IMAGE_ONLY, location)
        return
    for label, text in codes(image):
        job.text(inside(location, label), text)
    if not (job.limits.ocr and words(image, location, job, dots=dots)):
        job.gap(GapCode.IMAGE_ONLY, location)


def words(image: Image.Image, location: str, job: Job, *, dots: float = 0) -> bool:
    """Give the recognised text, a row a line, cells of a row apart; whether all was read."""
    from shared.extract import ocr  # noqa: PLC0415 - only where it is switched on

    if ocr.engine() is None:
        return False
    job.tick()
    page = ocr.recognise(image)
    lines: list[str] = []
    marks: list[Mark] = []
    size = 0
    for number, row in enumerate(page.rows, start=1):
        for one in row:
            marks.append(Mark(size, f"{number}行目{_place(one.box, dots)}"))
            size += len(one.text) + 1
        lines.append("\t".join(one.text for one in row))
    job.text(inside(location, "OCR"), "\n".join(lines), marks=tuple(marks))
    return page.clear


def _place(edges: tuple[float, float, float, float], dots: float) -> str:
    """A box of the upright page: millimetres with ``dots``, else its corner in pixels."""
    if dots:
        return box(*(edge / dots * INCH for edge in edges))
    return f"({round(edges[0])},{round(edges[1])})"


def blank(image: Image.Image) -> bool:
    """Whether every pixel is the same."""
    return all(low == high for low, high in _extremes(image))


def _extremes(image: Image.Image) -> list[tuple[float, float]]:
    found = image.getextrema()
    return [found] if isinstance(found[0], int | float) else list(found)
