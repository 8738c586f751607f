"""What a picture shows: its codes always, its words where OCR is on, else a gap by name."""

from __future__ import annotations

from PIL import Image

from shared.extract.barcode import codes
from shared.extract.job import SEPARATOR, Job
from shared.model import GapCode, Mark


def inside(location: str, label: str) -> str:
    """The place of something in the picture at ``location`` (empty for the item itself)."""
    return f"{location}{SEPARATOR}{label}" if location else label


def look(image: Image.Image, location: str, job: Job) -> None:
    """Give what a picture (or a rendered page) shows; what may be unread is ``image_only``.

    A picture of one colour shows nothing, and is no gap.
    """
    if blank(image):
        return
    if not job.picture():
        job.gap(GapCode.IMAGE_ONLY, location)
        return
    for label, text in codes(image):
        job.text(inside(location, label), text)
    if not (job.limits.ocr and words(image, location, job)):
        job.gap(GapCode.IMAGE_ONLY, location)


def words(image: Image.Image, location: str, job: Job) -> bool:
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
        line = "\t".join(one.text for one in row)
        left, top = (round(row[0].box[edge]) for edge in (0, 1))
        marks.append(Mark(size, f"{number}行目({left},{top})"))
        lines.append(line)
        size += len(line) + 1
    job.text(inside(location, "OCR"), "\n".join(lines), marks=tuple(marks))
    return page.clear


def blank(image: Image.Image) -> bool:
    """Whether every pixel is the same."""
    return all(low == high for low, high in _extremes(image))


def _extremes(image: Image.Image) -> list[tuple[float, float]]:
    found = image.getextrema()
    return [found] if isinstance(found[0], int | float) else list(found)
