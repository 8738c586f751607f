"""Pictures that are too large, too many, broken or too small: each is a gap by name, or none."""

from __future__ import annotations

import io
import struct
import time
import zlib

import pytest
from PIL import Image, ImageDraw

from shared.extract import Limits, extract
from shared.model import Content, GapCode
from tests.unit.extract_files.numbers_made import my_number
from tests.unit.extract_images.pictures import card_back, encoded

NUMBER = my_number(99_990_000_321)


def read(data, **limits):
    return extract(Content(data, "a"), clock=time.monotonic, limits=Limits(**limits))[0]


def gaps(data, **limits):
    return [(gap.code, gap.location) for gap in read(data, **limits).gaps]


def inked(width, height):
    made = Image.new("L", (width, height), 255)
    ImageDraw.Draw(made).line((0, 0, width, height), 0)
    return made


@pytest.mark.parametrize(("width", "height"), [(1, 1), (16, 16), (70, 7), (7, 70), (20, 20)])
def test_picture_too_small_for_twelve_digits_is_no_gap(width, height):
    assert gaps(encoded(inked(width, height))) == []


@pytest.mark.parametrize(("width", "height"), [(71, 7), (7, 71), (23, 23), (32, 32), (300, 100)])
def test_picture_with_room_for_twelve_digits_is_a_gap(width, height):
    assert gaps(encoded(inked(width, height))) == [(GapCode.IMAGE_ONLY, "")]


def test_blank_picture_is_no_gap():
    assert gaps(encoded(Image.new("RGB", (600, 400), "white"))) == []


def test_single_faint_pixel_is_no_blank_picture():
    made = Image.new("L", (600, 400), 255)
    made.putpixel((9, 9), 254)
    assert gaps(encoded(made)) == [(GapCode.IMAGE_ONLY, "")]


def bomb(side, colours=2):
    """A PNG of a few kilobytes that says it is so many pixels a side."""

    def chunk(kind, body):
        tail = struct.pack(">I", zlib.crc32(kind + body))
        return struct.pack(">I", len(body)) + kind + body + tail

    head = struct.pack(">IIBBBBB", side, side, 8, colours, 0, 0, 0)
    rows = zlib.compress(bytes(1_000_000))
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", rows) + chunk(b"IEND", b"")


@pytest.mark.filterwarnings("ignore::PIL.Image.DecompressionBombWarning")
@pytest.mark.parametrize("side", [12_000, 60_000, 2**31 - 1])
def test_image_bomb_is_too_large_and_not_decoded(side):
    assert gaps(bomb(side)) == [(GapCode.TOO_LARGE, "")]


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP", "TIFF", "BMP"])
def test_picture_that_breaks_off_is_partial_and_read_as_far_as_it_goes(kind):
    data = encoded(card_back(NUMBER), kind)
    found = read(data[: len(data) * 2 // 3])
    assert found.gaps
    assert GapCode.PARTIAL in {gap.code for gap in found.gaps} or kind in ("TIFF", "WEBP")
    if kind in ("PNG", "JPEG", "BMP"):
        shown = NUMBER in {segment.text for segment in found.segments}
        assert shown == (kind != "BMP")  # a BMP begins at the bottom


def test_frames_of_an_animation_are_bounded():
    frames = [inked(90, 90 + index) for index in range(20)]
    canvas = [Image.new("L", (120, 120), 255) for _ in frames]
    for ground, frame in zip(canvas, frames, strict=True):
        ground.paste(frame)
    data = encoded(canvas[0], "GIF", save_all=True, append_images=canvas[1:])
    assert set(gaps(data)) == {(GapCode.IMAGE_ONLY, ""), (GapCode.TOO_MANY, "")}


def test_pictures_over_the_bound_stay_gaps():
    pages = [card_back(NUMBER).convert("L") for _ in range(4)]
    data = encoded(pages[0], "TIFF", save_all=True, append_images=pages[1:])
    found = read(data, pictures=2)
    assert [s.location for s in found.segments if s.text == NUMBER] == [
        "1ページ › QR1",
        "2ページ › QR1",
    ]
    assert [gap.location for gap in found.gaps] == [f"{n}ページ" for n in range(1, 5)]


@pytest.mark.filterwarnings("ignore::PIL.Image.DecompressionBombWarning")
def test_wide_page_of_two_colours_is_a_gap():
    made = Image.new("1", (12_000, 9_000), 1)
    made.putpixel((5, 5), 0)
    out = io.BytesIO()
    made.save(out, "TIFF", compression="group4")
    assert gaps(out.getvalue()) == [(GapCode.IMAGE_ONLY, "")]


def test_large_photo_is_decoded_at_a_size_that_is_enough():
    made = Image.new("L", (8_200, 6_000), 255)  # 49 million pixels, as telephones make them
    card = card_back(NUMBER).convert("L")
    made.paste(card.resize((card.width * 4, card.height * 4)), (1_000, 1_000))
    found = read(encoded(made, "JPEG"))
    assert [s.text for s in found.segments if s.location == "QR1"] == [NUMBER]


def test_large_picture_too_faint_to_be_looked_at_is_a_gap():
    made = Image.new("L", (5_000, 5_000), 255)
    made.putpixel((9, 9), 254)
    assert gaps(encoded(made)) == [(GapCode.IMAGE_ONLY, "")]
    made.putpixel((9, 9), 255)
    assert gaps(encoded(made)) == []


@pytest.mark.filterwarnings("ignore::PIL.Image.DecompressionBombWarning")
@pytest.mark.parametrize(("colours", "side"), [(2, 9_100), (4, 6_000), (6, 6_000)])
def test_picture_that_would_not_fit_beside_its_copies_is_too_large(colours, side):
    """RGB, grey and RGB with transparency, as PNG numbers them."""
    assert gaps(bomb(side, colours)) == [(GapCode.TOO_LARGE, "")]
