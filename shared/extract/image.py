"""Pictures: what they say of themselves is read, and what they show is looked at (image_look).

A picture too small for twelve legible digits is no gap. The smallest digits in common use are 5 x 7
pixels, a pixel apart; where fewer than twelve such fit, in as many lines as there is room for and
whichever way the picture is turned, nobody can read a My Number: 1 x 1 (the spies of newsletters),
16 x 16 (icons), 70 x 7. A QR code of that size is decoded all the same.
"""

from __future__ import annotations

import io
import re
from collections.abc import Iterator

from pi_heif import register_heif_opener  # type: ignore[import-untyped]
from PIL import ExifTags, Image, ImageFile

from shared.extract import utf16
from shared.extract.barcode import codes, reduced
from shared.extract.image_look import blank, inside, look
from shared.extract.job import Document, Job
from shared.japanese import decoded
from shared.model import GapCode

DIGITS = 12
PITCH = (6, 8)  # pixels from digit to digit, from line to line
MAX_DECODED = 320_000_000  # bytes: A3 at 600 dots an inch (70 million pixels) in RGB
# Bytes a pixel takes while it is made plain (Pillow holds RGB in four); other modes take more.
HELD = {"1": 2, "L": 1, "P": 5, "RGB": 4, "CMYK": 4, "YCbCr": 4, "I;16": 6}
HELD_ELSE = 9
ENOUGH = 12_000_000  # pixels: more are not looked at, neither for codes nor for words
PAGES = 40  # of a TIFF
FRAMES = 8  # of an animation
_PNG_TEXT = re.compile(rb"(?:tEXt|iTXt)([\x20-\xff]{1,79}\x00[^\x00]{0,65535})")
XMP, XMP_END = b"<x:xmpmeta", b"</x:xmpmeta>"
_TAG = re.compile(r"<[^>]*>")
COMMENT, START_OF_SCAN = 0xFE, 0xDA
EXIF_WORDS = (
    ExifTags.Base.ImageDescription,
    ExifTags.Base.Artist,
    ExifTags.Base.Copyright,
    ExifTags.Base.DocumentName,
    ExifTags.Base.PageName,
    ExifTags.Base.XPTitle,
    ExifTags.Base.XPComment,
    ExifTags.Base.XPAuthor,
    ExifTags.Base.XPKeywords,
    ExifTags.Base.XPSubject,
)
WINDOWS = range(ExifTags.Base.XPTitle, ExifTags.Base.XPSubject + 1)  # in UTF-16
WIDE_MODES = ("I", "F")  # more than eight bits a pixel


register_heif_opener()


def read(document: Document, job: Job) -> None:
    """Read a picture's own words, then look at each of its pages or frames."""
    words = _own_words(document.data)
    try:
        image = _opened(document.data)
        if _fits(image):  # a PNG's is looked for behind its pixels, which are decoded for it
            words += _exif_words(image, document, job)
    except Image.DecompressionBombError:
        job.gap(GapCode.TOO_LARGE, document.location)
        return
    except Exception:  # noqa: BLE001 - decoders raise many things for damaged and unknown kinds
        job.gap(GapCode.IMAGE_ONLY, document.location)
        return
    finally:
        job.text(document.inside("画像の情報"), "\n".join(words))
    with image:
        for location in _frames(image, document, job):
            _frame(image, document, location, job)


def _own_words(data: bytes) -> list[str]:
    words = [
        found[1].replace(b"\0", b" ").decode("utf-8", "replace")
        for found in _PNG_TEXT.finditer(data)
    ]
    words += xmp_words(data)
    return words + (_jpeg_comments(data) if data.startswith(b"\xff\xd8") else [])


def xmp_words(data: bytes) -> list[str]:
    """The texts of the metadata packets in a file (XMP, ISO 16684-1), where they are not packed."""
    words = []
    at = data.find(XMP)
    while at >= 0 and (end := data.find(XMP_END, at)) >= 0:
        words.append(_TAG.sub(" ", data[at:end].decode("utf-8", "replace")))
        at = data.find(XMP, end)
    return words


def _exif_words(image: Image.Image, document: Document, job: Job) -> list[str]:
    """What a camera, a scanner or a person noted (Exif 2.3), and the user's comment."""
    try:
        exif = image.getexif()
        values = [(tag, exif.get(tag)) for tag in EXIF_WORDS]
        comment = exif.get_ifd(ExifTags.IFD.Exif).get(ExifTags.Base.UserComment)
    except Exception:  # noqa: BLE001 - damaged directories raise many things; the picture is read
        job.gap(GapCode.PARTIAL, document.inside("画像の情報"))
        return []
    found = [_exif_text(value, wide=tag in WINDOWS) for tag, value in values]
    if isinstance(comment, bytes):  # eight bytes name the encoding
        found.append(_exif_text(comment[8:], wide=comment.startswith(b"UNICODE")))
    return [text for text in found if text]


def _exif_text(value: object, *, wide: bool) -> str:
    if isinstance(value, str):  # read as Latin-1 by the library
        value = value.encode("latin-1", "replace")
    if not isinstance(value, bytes):
        return ""
    if wide:
        return value.decode(utf16.order(value) or "utf-16-le", "replace").strip("\0")
    return decoded(value).strip("\0 ")


def legible(width: int, height: int) -> bool:
    """Whether twelve digits may be read in a picture of so many pixels (module)."""
    return any(
        ((across + 1) // PITCH[0]) * ((down + 1) // PITCH[1]) >= DIGITS
        for across, down in ((width, height), (height, width))
    )


def _frames(image: Image.Image, document: Document, job: Job) -> Iterator[str]:
    """Turn to each page or frame, giving its place; what is over the bound is a gap."""
    pages = image.format == "TIFF"
    several = pages and _turn(image, 1) is not None
    bound = PAGES if pages else FRAMES
    for index in range(bound + 1):
        turned = _turn(image, index)
        if turned is None:
            return
        location = document.inside(f"{index + 1}ページ") if several else document.location
        if not turned:
            job.gap(GapCode.PARTIAL, location)
            return
        if index == bound:
            job.gap(GapCode.TOO_MANY, document.location)
            return
        yield location


def _turn(image: Image.Image, index: int) -> bool | None:
    """Turn to a frame: whether it could be; None behind the last."""
    try:
        image.seek(index)
    except EOFError:
        return None if index else False
    except Exception:  # noqa: BLE001 - decoders raise many things for damaged frames
        return False
    return True


def _opened(data: bytes) -> Image.Image:
    """The picture; a JPEG of which a half (a quarter) a side is enough is decoded at that size."""
    image = Image.open(io.BytesIO(data))
    if image.width * image.height >= 4 * ENOUGH:
        image.draft(None, (image.width // 2, image.height // 2))
    return image


def _fits(image: Image.Image) -> bool:
    held = HELD.get(image.mode, HELD_ELSE)
    if image.mode == "P" and image.has_transparency_data:
        held = HELD_ELSE
    return image.width * image.height * held <= MAX_DECODED


def _frame(image: Image.Image, document: Document, location: str, job: Job) -> None:
    if not _fits(image):
        job.gap(GapCode.TOO_LARGE, location)
        return
    try:
        image.load()
        shown = image
    except MemoryError:
        raise
    except Exception:  # noqa: BLE001 - decoders raise many things where the data ends too early
        job.gap(GapCode.PARTIAL, location)
        rest = _rest(document.data)
        if rest is None:
            job.gap(GapCode.IMAGE_ONLY, location)
            return
        shown = rest
    plain = _plain(shown)
    if not legible(*shown.size):
        for label, text in codes(plain):
            job.text(inside(location, label), text)
    elif plain.size != shown.size and blank(plain) and not blank(shown):
        job.gap(GapCode.IMAGE_ONLY, location)  # too faint to outlive the reduction
    else:
        look(plain, location, job)


def _rest(data: bytes) -> Image.Image | None:
    """What is there of a picture that breaks off (of its first page)."""
    ImageFile.LOAD_TRUNCATED_IMAGES = True
    try:
        with _opened(data) as image:
            image.load()
            return image
    except MemoryError:
        raise
    except Exception:  # noqa: BLE001 - nothing of it can be decoded
        return None
    finally:
        ImageFile.LOAD_TRUNCATED_IMAGES = False


def _plain(image: Image.Image) -> Image.Image:
    """Eight bits, grey or RGB, of ENOUGH pixels at most; what is not transparent stands out.

    It is reduced as early as it can be, so that a large picture is not held twice.
    """
    if image.mode.startswith(WIDE_MODES):
        return _eight_bits(reduced(image.convert("F"), ENOUGH))
    if image.has_transparency_data:
        return _on_ground(reduced(_as(image, "RGBA"), ENOUGH))
    if image.mode in ("1", "L"):
        return reduced(_as(image, "L"), ENOUGH)
    direct = image.mode in HELD and image.mode != "P"  # a palette's indices have no mean
    return _as(reduced(image if direct else image.convert("RGB"), ENOUGH), "RGB")


def _as(image: Image.Image, mode: str) -> Image.Image:
    """In this mode; itself if it is (Pillow would copy it)."""
    return image if image.mode == mode else image.convert(mode)


def _eight_bits(wide: Image.Image) -> Image.Image:
    """The own range of brightness of a picture of mode F as 0 to 255."""
    low, high = (float(edge) for edge in wide.getextrema())  # type: ignore[arg-type] # one band has two numbers
    scale = 255 / (high - low) if high > low else 0.0
    return wide.point(lambda value: value * scale - low * scale).convert("L")


def _on_ground(image: Image.Image) -> Image.Image:
    """Dark ink on white, light ink on black."""
    alpha = image.getchannel("A")
    drawn = image.convert("L").resize((64, 64), Image.Resampling.BOX)
    weight = alpha.resize((64, 64), Image.Resampling.BOX)
    pairs = list(zip(drawn.tobytes(), weight.tobytes(), strict=True))
    total = sum(weight for _, weight in pairs) or 1
    light = sum(value * weight for value, weight in pairs) / total > 127  # noqa: PLR2004 - half of 255
    opaque = alpha.getextrema() == (255, 255)
    ground = Image.new("RGB", image.size, "black" if light and not opaque else "white")
    ground.paste(image, mask=alpha)
    return ground


def _jpeg_comments(data: bytes) -> list[str]:
    at = 2
    comments: list[str] = []
    while at + 4 <= len(data) and data[at] == 0xFF:  # noqa: PLR2004 - every marker begins so
        marker = data[at + 1]
        size = int.from_bytes(data[at + 2 : at + 4])
        if marker == COMMENT:
            comments.append(data[at + 4 : at + 2 + size].decode("utf-8", "replace"))
        elif marker == START_OF_SCAN:
            break
        at += 2 + max(2, size)
    return comments
