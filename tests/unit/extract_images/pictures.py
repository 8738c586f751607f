"""Pictures made for the tests: cards with a QR code, scans, fax pages, rotated pages, photos.

Numbers are computed by the check digit from stems that begin with 9999 (numbers_made); letters are
drawn with fonts that come with Pillow (Aileron) and reportlab (Bitstream Vera), so that nothing of
the machine is needed. The random generator has a fixed seed a picture.
"""

from __future__ import annotations

import io
import random
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import reportlab
import zxingcpp
from PIL import Image, ImageDraw, ImageEnhance, ImageFilter, ImageFont

from tests.unit.extract_files.numbers_made import my_number

VERA = Path(reportlab.__file__).parent / "fonts"
FONTS = ("", "Vera.ttf", "VeraBd.ttf", "VeraIt.ttf")
PROSE = (
    "This notice was made for a test and concerns nobody.",
    "Counter 3, second floor, city hall of an example town.",
    "Please bring this page when you come to the counter.",
    "The window is open from 8:30 to 17:15 on working days.",
)


@dataclass(frozen=True, slots=True)
class Made:
    """A picture file, and the number in it."""

    name: str
    number: str
    data: bytes


def font(index: int, size: int) -> ImageFont.FreeTypeFont:
    name = FONTS[index % len(FONTS)]
    if name:
        return ImageFont.truetype(str(VERA / name), size)
    found = ImageFont.load_default(size)
    assert isinstance(found, ImageFont.FreeTypeFont)
    return found


def encoded(image: Image.Image, kind: str = "PNG", **options: object) -> bytes:
    out = io.BytesIO()
    image.save(out, kind, **options)
    return out.getvalue()


def grouped(number: str, index: int) -> str:
    """As people write it: in fours with spaces, without, with hyphens."""
    parts = (number[:4], number[4:8], number[8:])
    return (" ", "", "-")[index % 3].join(parts)


# What happens to paper on its way.


def noisy(image: Image.Image, rng: random.Random, strength: int) -> Image.Image:
    grey = image.convert("L")
    noise = Image.frombytes("L", grey.size, rng.randbytes(grey.width * grey.height))
    return Image.blend(grey, noise, strength / 255)


def tilted(image: Image.Image, degrees: float) -> Image.Image:
    return image.rotate(degrees, Image.Resampling.BICUBIC, expand=True, fillcolor="white")


def faint(image: Image.Image, contrast: float) -> Image.Image:
    return ImageEnhance.Contrast(image).enhance(contrast)


def blurred(image: Image.Image, radius: float) -> Image.Image:
    return image.filter(ImageFilter.GaussianBlur(radius))


def faxed(image: Image.Image) -> Image.Image:
    """Group 3 "fine": 204 x 196 dots an inch, black and white only."""
    return image.convert("L").point(lambda value: 255 if value > 140 else 0).convert("1")


def photographed(image: Image.Image, rng: random.Random) -> Image.Image:
    """On a darker table, from an angle, in uneven light, slightly out of focus."""
    width, height = image.size
    border = width // 8
    table = Image.new("RGB", (width + 2 * border, height + 2 * border), (96, 84, 70))
    table.paste(image, (border, border))
    wide, high = table.size
    lean = rng.uniform(0.02, 0.05)
    corners = (-lean * wide, 0, 0, high, wide, high * (1 + lean), wide * (1 + lean), -lean * high)
    seen = table.transform(
        (wide, high),
        Image.Transform.QUAD,
        corners,
        Image.Resampling.BICUBIC,
        fillcolor=(96, 84, 70),
    )
    light = Image.linear_gradient("L").resize((wide, high)).rotate(rng.choice((0, 90, 180)))
    light = light.resize((wide, high)).point(lambda value: 130 + value // 2)
    dark = Image.composite(seen, Image.new("RGB", seen.size, (20, 20, 20)), light)
    return noisy(blurred(dark, 0.9), rng, 14)


# What is on the paper.


def card_back(number: str) -> Image.Image:
    """The back of a card: the number, and a QR code that holds it (as the real one does)."""
    card = Image.new("RGB", (1012, 638), (236, 244, 240))  # 85.6 x 54 mm at 300 dots an inch
    draw = ImageDraw.Draw(card)
    draw.text((60, 60), grouped(number, 0), "black", font(1, 44))
    code = zxingcpp.create_barcode(number, zxingcpp.BarcodeFormat.QRCode)
    drawn = Image.fromarray(zxingcpp.write_barcode_to_image(code, scale=6))
    card.paste(drawn.convert("RGB").resize((190, 190), Image.Resampling.NEAREST), (760, 60))
    draw.text((60, 480), "EXAMPLE TOWN", "black", font(1, 30))
    return card


def page(number: str, index: int, dots: int = 200) -> Image.Image:
    """A page of A5 with some lines and the number among them."""
    sheet = Image.new("RGB", (dots * 583 // 100, dots * 827 // 100), "white")
    draw = ImageDraw.Draw(sheet)
    size = dots * (9 + index % 2) // 72
    for line in range(6):
        words = PROSE[(line + index) % len(PROSE)]
        if line == 1 + index % 4:
            words = f"Number: {grouped(number, index)}"
        draw.text((dots // 3, dots + line * size * 2), words, "black", font(index, size))
    return sheet


def strip(number: str, index: int) -> Image.Image:
    """A cut-out: a label and the number, as on a screenshot or the front of a form."""
    image = Image.new("RGB", (900, 260), "white")
    draw = ImageDraw.Draw(image)
    draw.rectangle((20, 20, 880, 240), outline="black", width=3)
    draw.text((50, 50), "Individual number", "black", font(index, 34))
    draw.text((50, 140), grouped(number, index), "black", font(index, 48))
    return image


type Maker = Callable[[str, int, random.Random], bytes]

CARDS: dict[str, Maker] = {
    "plain": lambda n, _i, _r: encoded(card_back(n)),
    "tilt": lambda n, i, _r: encoded(tilted(card_back(n), (-25, 12, 33, 90)[i % 4])),
    "blur": lambda n, i, _r: encoded(blurred(card_back(n), 1.0 + i % 4 / 2)),
    "noise": lambda n, i, r: encoded(noisy(card_back(n), r, 60 + 15 * (i % 4)), "JPEG", quality=60),
    "low contrast": lambda n, i, _r: encoded(faint(card_back(n), 0.15 + i % 4 * 0.05), "WEBP"),
    "photo": lambda n, _i, r: encoded(photographed(card_back(n), r), "JPEG", quality=70),
}

SCANS: dict[str, Maker] = {
    "scan": lambda n, i, r: encoded(
        noisy(tilted(page(n, i), (i - 4) / 4), r, 24), "JPEG", quality=55
    ),
    "fax": lambda n, i, _r: encoded(
        faxed(tilted(page(n, i), (i % 3 - 1) / 2)), "TIFF", compression="group4"
    ),
    "100 dpi": lambda n, i, r: encoded(noisy(page(n, i, 110), r, 12), "JPEG", quality=70),
    "90 degrees": lambda n, i, r: encoded(noisy(page(n, i), r, 16).rotate(90, expand=True)),
    "180 and 270 degrees": lambda n, i, r: encoded(
        noisy(page(n, i), r, 16).rotate((180, 270)[i % 2], expand=True), "JPEG", quality=70
    ),
    "cut-out": lambda n, i, r: encoded(noisy(strip(n, i), r, 20 + i * 4), "JPEG", quality=50),
    "photo": lambda n, i, r: encoded(photographed(strip(n, i), r), "JPEG", quality=60),
    "photo of a page": lambda n, i, r: encoded(photographed(page(n, i), r), "JPEG", quality=60),
}


def make(
    kinds: dict[str, Maker], each: int, start: int
) -> list[tuple[str, str, Callable[[], Made]]]:
    """Id, number and maker of ``each`` pictures a kind."""
    made = []
    for number_of_kind, (kind, maker) in enumerate(kinds.items()):
        for index in range(each):
            serial = start + number_of_kind * each + index
            number = my_number(99_990_000_000 + serial * 7_919)
            name = f"{kind}-{index}"

            def build(maker=maker, number=number, index=index, name=name, serial=serial) -> Made:
                return Made(name, number, maker(number, index, random.Random(serial)))

            made.append((name, number, build))
    return made


CARD_CASES = make(CARDS, 4, 0)
SCAN_CASES = make(SCANS, 8, 100)
