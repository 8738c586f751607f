"""Scans, fax pages, turned pages and photos: the twelve digits are read, or the gap stays.

The tests that recognise need ``requirements-ocr.txt`` and are skipped by name without it.
"""

from __future__ import annotations

import asyncio
import io
import re
import time

import pytest
from PIL import Image, ImageDraw
from reportlab.lib.utils import ImageReader
from reportlab.pdfgen import canvas

from shared.extract import Limits, extract, image_look, ocr
from shared.extract.ocr_ink import unread
from shared.model import Content, GapCode
from shared.sandbox import Sandbox
from tests.unit.extract_files.numbers_made import my_number
from tests.unit.extract_images.pictures import SCAN_CASES, encoded, font, page, strip

recognises = pytest.mark.skipif(
    ocr.engine() is None, reason="requirements-ocr.txt is not installed"
)
NUMBER = my_number(99_990_000_456)
ON = Limits(ocr=True)
# Kinds whose every picture is read to the end. A photo shows its table's edge, which might be ink.
READ_THROUGHOUT = ("scan", "fax", "100 dpi", "90 degrees", "180 and 270 degrees")


def read(data, limits=ON):
    return extract(Content(data, "a"), clock=time.monotonic, limits=limits)[0]


def has(found, number):
    return any(number in re.sub(r"[ -]", "", segment.text) for segment in found.segments)


@recognises
def test_sixty_of_sixty_four_pictures_give_the_exact_digits():
    missed, unsure = [], []
    for name, number, build in SCAN_CASES:
        found = read(build().data)
        if not has(found, number):
            missed.append(name)
            assert found.gaps, name  # never unread and clean
        if found.gaps and name.startswith(READ_THROUGHOUT):
            unsure.append(name)
    assert len(SCAN_CASES) == 64
    assert len(missed) <= 4, missed
    assert unsure == []


@recognises
def test_scanned_page_of_a_pdf_is_read_and_located():
    out = io.BytesIO()
    sheet = canvas.Canvas(out, pagesize=(595, 842))
    sheet.drawImage(ImageReader(io.BytesIO(encoded(page(NUMBER, 2)))), 0, 0, 595, 842)
    sheet.save()
    found = read(out.getvalue())
    (segment,) = [s for s in found.segments if has_number(s)]
    assert segment.location == "1ページ › OCR"
    at = segment.text.index("Number")
    assert re.fullmatch(r"1ページ › OCR!4行目\(\d+,\d+\)-\(\d+,\d+\)mm", segment.where(at))
    assert found.gaps == ()


def has_number(segment):
    return NUMBER in re.sub(r"[ -]", "", segment.text)


@recognises
def test_words_are_recognised_in_the_sandbox_as_outside_it():
    data = encoded(strip(NUMBER, 1))

    async def isolated():
        sandbox = Sandbox(processes=1, limits=ON)
        try:
            return await sandbox.extract(Content(data, "a"))
        finally:
            sandbox.close()

    assert asyncio.run(isolated()) == read(data)
    assert has(read(data), NUMBER)


@recognises
def test_picture_without_words_stays_a_gap():
    made = Image.effect_noise((600, 400), 90)
    assert GapCode.IMAGE_ONLY in {gap.code for gap in read(encoded(made)).gaps}


@recognises
@pytest.mark.parametrize("size", [8, 10, 12])
def test_small_print_is_read_or_the_page_stays_a_gap(size):
    made = page(my_number(99_990_000_999), 1)
    ImageDraw.Draw(made).text((600, 1500), NUMBER, (90, 90, 90), font(1, size))
    found = read(encoded(made))
    assert has(found, NUMBER) or found.gaps


@recognises
def test_digits_in_boxes_of_a_form_stand_in_one_row():
    made = Image.new("RGB", (1300, 300), "white")
    draw = ImageDraw.Draw(made)
    for index, digit in enumerate(NUMBER):
        draw.rectangle((40 + 100 * index, 90, 130 + 100 * index, 210), outline="black", width=2)
        draw.text((68 + 100 * index, 115), digit, "black", font(1, 60))
    found = read(encoded(made))
    joined = [re.sub(r"\s", "", segment.text) for segment in found.segments]
    assert NUMBER in joined or found.gaps


def test_picture_is_a_gap_where_recognition_is_off():
    data = encoded(strip(NUMBER, 0))
    assert [gap.code for gap in read(data, Limits()).gaps] == [GapCode.IMAGE_ONLY]


def test_picture_is_a_gap_where_the_extra_is_missing(monkeypatch):
    monkeypatch.setattr(ocr, "engine", lambda: None)
    assert [gap.code for gap in read(encoded(strip(NUMBER, 0))).gaps] == [GapCode.IMAGE_ONLY]


def test_guess_is_given_and_leaves_the_gap(monkeypatch):
    line = ocr.Line("1234", 0.5, (50, 50, 400, 90))
    monkeypatch.setattr(ocr, "engine", object)
    monkeypatch.setattr(ocr, "_lines", lambda _image: [line])
    assert not image_look.blank(strip(NUMBER, 0))
    found = read(encoded(strip(NUMBER, 0)))
    assert found.segments[-1].text == "1234"
    assert [gap.code for gap in found.gaps] == [GapCode.IMAGE_ONLY]


@pytest.mark.parametrize(
    ("text", "digits"),
    [
        ("1O3l 5678 9O12", "1031 5678 9012"),
        ("9999-OOO0-1234", "9999-0000-1234"),
        ("99990000l234", "999900001234"),
        ("OISO", "OISO"),
        ("to1O2", "to1O2"),
        ("Book 12", "Book 12"),
        ("SOS", "SOS"),
    ],
)
def test_letters_among_digits_are_digits(text, digits):
    assert ocr.digits(text) == digits


def test_ink_outside_the_boxes_is_seen():
    made = strip(NUMBER, 1)
    both = [(40, 40, 420, 100), (40, 130, 480, 205)]
    assert not unread(made, both)
    assert unread(made, both[:1])
    light = made.convert("L").point(lambda value: 255 - value)
    assert unread(light, both[:1])


def test_ruled_lines_and_dust_are_no_ink():
    made = Image.new("L", (1200, 900), 255)
    draw = ImageDraw.Draw(made)
    for row in range(100, 800, 60):
        draw.line((80, row, 1100, row), 0, 2)
        draw.point([(row + 7, row + 20), (row + 90, row + 31)], 0)
    draw.line((80, 100, 80, 760), 0, 2)
    assert not unread(made, [])
