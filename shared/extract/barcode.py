"""Bar codes and QR codes: the back of a My Number card holds the twelve digits in one.

By zxing-cpp, always: it needs no extra. A picture is reduced first, since a code of 25 modules
on a card (20 mm) is still 8 pixels a module on an A4 scan of 6 million pixels.
"""

from __future__ import annotations

from math import ceil

import zxingcpp
from PIL import Image

MAX_PIXELS = 6_000_000
STRIP = 512  # rows
MAX_CODES = 50  # a picture
QR = frozenset({"QRCode", "MicroQRCode", "RMQRCode", "QRCodeModel1", "QRCodeModel2"})


def reduced(image: Image.Image, pixels: int) -> Image.Image:
    """The picture with no more than so many pixels."""
    share = (pixels / (image.width * image.height)) ** 0.5
    if share >= 1:
        return image
    width, height = max(1, int(image.width * share)), max(1, int(image.height * share))
    made = Image.new(image.mode, (width, height))
    rows = image.height / height
    # In strips: at once, Pillow would hold the picture, one of half its size and the result.
    for top in range(0, height, STRIP):
        bottom = min(height, top + STRIP)
        low, high = int(top * rows), min(image.height, ceil(bottom * rows))
        strip = image.crop((0, low, image.width, high))
        box = (0, top * rows - low, image.width, min(high, bottom * rows) - low)
        part = strip.resize((width, bottom - top), Image.Resampling.BOX, box=box)
        made.paste(part, (0, top))
    return made


def codes(image: Image.Image) -> list[tuple[str, str]]:
    """Labels (``QR1``, ``バーコード1``) and texts of the codes in a picture."""
    found: list[tuple[str, str]] = []
    counts = {"QR": 0, "バーコード": 0}
    for code in zxingcpp.read_barcodes(reduced(image, MAX_PIXELS).convert("L"))[:MAX_CODES]:
        kind = "QR" if code.format.name in QR else "バーコード"
        counts[kind] += 1
        found.append((f"{kind}{counts[kind]}", code.text))
    return found
