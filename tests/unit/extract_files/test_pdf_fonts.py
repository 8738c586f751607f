"""The font that stands in for Asian ones: an extent for every character, and no ink."""

from __future__ import annotations

import io
import time

import numpy as np
import pypdfium2 as pdfium
import pytest
from PIL import Image, ImageDraw, ImageFont

from shared.extract import extract, pdf
from shared.extract.pdf_fonts import stand_in
from shared.model import Content
from tests.unit.extract_files.pdf_cases import drawn, rotated, spaced, text

NUMBER = "987654321098"


@pytest.mark.parametrize("letter", ["1", "漢", "カ", "１", "한", "\uffee"])
def test_every_character_has_an_extent_and_no_ink(letter):
    font = ImageFont.truetype(io.BytesIO(stand_in()), 100)
    assert font.getbbox(letter) == (0, 0, 100, 100)
    image = Image.new("L", (200, 200), 0)
    ImageDraw.Draw(image).text((20, 20), letter, fill=255, font=font)
    assert image.getextrema() == (0, 0)


@pytest.mark.parametrize("fill", [spaced, rotated, text])
def test_document_without_its_font_is_read_and_drawn_the_same_on_every_machine(fill):
    assert pdf.use_stand_in
    data = drawn(fill)(NUMBER)
    found, _ = extract(Content(data), clock=time.monotonic)
    assert any(NUMBER in one.text.replace(" ", "") for one in found.segments)
    assert found.gaps == ()
    page = pdfium.PdfDocument(data)[0]
    assert np.asarray(page.render(scale=1).to_numpy()).min() == 255  # no letter of any machine's
