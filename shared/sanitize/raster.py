"""Pictures, decoded and written anew by Pillow without anything but their pixels.

JPEG loses a little each time, so a file that has the frame of our own encoder to the byte (no
metadata, our tables, nothing behind its end) and decodes is not written again: else sanitising
twice would change it. The other formats are written without loss.
"""

from __future__ import annotations

import base64
import io
import re
import warnings

from PIL import Image, ImageOps, ImageSequence, UnidentifiedImageError

from shared.model import GapCode
from shared.sanitize.work import HoldError, Part, Work

QUALITY = 90
MOST_FRAMES = 500
_FORMATS = ("JPEG", "PNG", "GIF", "TIFF", "BMP", "WEBP")
_MODES = {"JPEG": ("L", "RGB"), "BMP": ("1", "L", "P", "RGB")}
_INLINE = re.compile(r"data:image/(?:png|jpe?g|gif|webp|bmp);base64,", re.IGNORECASE)
_JPEG_END = b"\xff\xd9"


def clean(part: Part, work: Work) -> Part:
    """The picture, re-encoded in its own format."""
    data = re_encoded(part.data, work)
    work.removed(
        "metadata", part.location, _kinds_of_metadata(part.data) if data != part.data else 0
    )
    return part.with_data(data)


def re_encoded(data: bytes, work: Work) -> bytes:
    """The pixels of ``data`` in its format.

    Raises HoldError: ``bomb`` over the pixels allowed, ``unsupported`` for another format,
    ``malformed`` for what does not decode.
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return _re_encoded(data, work)
    except Image.DecompressionBombError:
        raise HoldError(GapCode.BOMB) from None
    except UnidentifiedImageError:
        raise HoldError(GapCode.UNSUPPORTED) from None
    except (OSError, ValueError, SyntaxError, EOFError, TypeError, KeyError, ArithmeticError):
        raise HoldError(GapCode.MALFORMED) from None


def inline(value: str, work: Work) -> str | None:
    """A ``data:`` picture with its data re-encoded; None for what is none that is known."""
    match = _INLINE.match(value)
    if match is None:
        return None
    try:
        data = re_encoded(base64.b64decode(value[match.end() :]), work)
    except (HoldError, ValueError):
        return None
    return match[0] + base64.b64encode(data).decode()


def _re_encoded(data: bytes, work: Work) -> bytes:
    image = Image.open(io.BytesIO(data), formats=_FORMATS)
    kind = image.format or ""
    frames = getattr(image, "n_frames", 1)
    if image.width * image.height > work.options.pixels:
        raise HoldError(GapCode.BOMB)
    if frames > MOST_FRAMES or image.width * image.height * frames > 4 * work.options.pixels:
        raise HoldError(GapCode.TOO_MANY)
    image.load()
    if kind == "JPEG" and _is_ours(data, image):
        return data
    out = io.BytesIO()
    if frames > 1 and kind in {"GIF", "TIFF", "WEBP", "PNG"}:
        _save_frames(image, kind, out, work)
    else:
        _save(image, kind, out)
    return out.getvalue()


def _save(image: Image.Image, kind: str, out: io.BytesIO) -> None:
    _bare(_upright(image), kind).save(out, kind, **_settings(kind, image))


def _save_frames(image: Image.Image, kind: str, out: io.BytesIO, work: Work) -> None:
    """All frames with their times."""
    frames, times = [], []
    for frame in ImageSequence.Iterator(image):
        work.tick()
        frames.append(_bare(frame, kind))
        times.append(int(frame.info.get("duration", 100) or 100))
    settings = _settings(kind, image)
    if kind != "TIFF":
        settings |= {"duration": times, "loop": int(image.info.get("loop", 1) or 0)}
    if kind == "GIF":
        settings["disposal"] = 2
    frames[0].save(out, kind, save_all=True, append_images=frames[1:], **settings)


def _upright(image: Image.Image) -> Image.Image:
    """Turned as its orientation says, which goes with the metadata."""
    return ImageOps.exif_transpose(image) or image


def _bare(image: Image.Image, kind: str) -> Image.Image:
    """A copy without anything but pixels (and palette), in a mode that the format writes."""
    if image.info.get("transparency") is not None or image.mode in {"PA", "La", "RGBa"}:
        image = image.convert("RGBA")
    modes = _MODES.get(kind)
    if (modes and image.mode not in modes) or image.mode in {"CMYK", "YCbCr", "LAB", "HSV"}:
        image = image.convert("RGB")
    if kind == "WEBP" and image.mode not in {"RGB", "RGBA"}:
        image = image.convert("RGBA" if "A" in image.mode else "RGB")
    bare = image.copy()
    bare.info = {}
    getattr(bare, "getexif", dict)().clear()
    return bare


def _settings(kind: str, image: Image.Image) -> dict[str, object]:
    if kind == "JPEG":
        return {"quality": QUALITY, "subsampling": 0, "optimize": False}
    if kind == "WEBP":
        return {"lossless": True, "quality": 50}
    if kind == "TIFF":
        return {"compression": "group4" if image.mode == "1" else "tiff_adobe_deflate"}
    return {}


def _is_ours(data: bytes, image: Image.Image) -> bool:
    """Whether a JPEG has the frame that ``_save`` writes, so that nothing is left to remove."""
    if image.mode not in _MODES["JPEG"] or not data.endswith(_JPEG_END):
        return False
    model = io.BytesIO()
    Image.new(image.mode, image.size).save(model, "JPEG", **_settings("JPEG", image))
    head, found = _head(model.getvalue()), _head(data)
    scan = data[len(found) : -2]
    return head == found and scan.count(b"\xff") == scan.count(b"\xff\x00")


def _head(data: bytes) -> bytes:
    """Everything up to the compressed data: tables, frame and scan header."""
    at = 2
    while at + 4 <= len(data) and data[at] == 0xFF:  # noqa: PLR2004 - a JPEG marker
        length = int.from_bytes(data[at + 2 : at + 4])
        marker = data[at + 1]
        at += 2 + length
        if marker == 0xDA:  # noqa: PLR2004 - start of scan
            break
    return data[:at]


def _kinds_of_metadata(data: bytes) -> int:
    """How many kinds of metadata the file names: EXIF, XMP, ICC, text, IPTC."""
    marks: tuple[bytes, ...] = (
        b"Exif\0\0",
        b"eXIf",
        b"ns.adobe.com/xap",
        b"ICC_PROFILE",
        b"iCCP",
        b"tEXt",
    )
    marks += (b"iTXt", b"zTXt", b"Photoshop 3.0", b"EXIF")
    return sum(mark in data for mark in marks)
