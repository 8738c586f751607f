"""Codes in pictures are read always: the back of a card, in whatever the picture stands."""

from __future__ import annotations

import io
import time

import docx
import pytest
import zxingcpp
from PIL import Image
from reportlab.lib.utils import ImageReader
from reportlab.pdfgen import canvas

from shared.extract import extract
from shared.model import Content, GapCode
from tests.unit.extract_files.numbers_made import my_number
from tests.unit.extract_images.pictures import CARD_CASES, card_back, encoded

NUMBER = my_number(99_990_000_123)


def read(data, name="a"):
    return extract(Content(data, name), clock=time.monotonic)[0]


def codes(found):
    return {s.location: s.text for s in found.segments if "QR" in s.location}


@pytest.mark.parametrize("build", [c[2] for c in CARD_CASES], ids=[c[0] for c in CARD_CASES])
def test_code_on_the_back_of_a_card_is_read(build):
    made = build()
    found = read(made.data)
    assert codes(found) == {"QR1": made.number}
    # what else the card shows was not read
    assert [(gap.code, gap.location) for gap in found.gaps] == [(GapCode.IMAGE_ONLY, "")]


def test_cards_are_twenty_four():
    assert len({build().data for _, _, build in CARD_CASES}) == 24


def test_code_in_a_word_document_is_read():
    document = docx.Document()
    document.add_picture(io.BytesIO(encoded(card_back(NUMBER))))
    out = io.BytesIO()
    document.save(out)
    ((location, text),) = codes(read(out.getvalue())).items()
    assert text == NUMBER
    assert location.startswith("部品")
    assert location.endswith(".png › QR1")


def test_code_on_a_scanned_page_of_a_pdf_is_read():
    out = io.BytesIO()
    sheet = canvas.Canvas(out)
    sheet.drawString(50, 800, "first page")
    sheet.showPage()
    sheet.drawImage(ImageReader(io.BytesIO(encoded(card_back(NUMBER)))), 60, 400, 243, 153)
    sheet.save()
    found = read(out.getvalue())
    assert codes(found) == {"2ページ › QR1": NUMBER}
    assert [(gap.code, gap.location) for gap in found.gaps] == [(GapCode.IMAGE_ONLY, "2ページ")]


def test_code_on_a_later_page_of_a_fax_is_read():
    blank = Image.new("L", (400, 400), "white")
    pages = [card_back("no number").convert("L"), card_back(NUMBER).convert("L")]
    data = encoded(blank, "TIFF", save_all=True, append_images=pages)
    found = read(data)
    assert codes(found) == {"2ページ › QR1": "no number", "3ページ › QR1": NUMBER}
    assert [gap.location for gap in found.gaps] == ["2ページ", "3ページ"]


@pytest.mark.parametrize("ink", ["black", "white"])
def test_code_on_a_transparent_ground_is_read(ink):
    drawn = zxingcpp.write_barcode_to_image(
        zxingcpp.create_barcode(NUMBER, zxingcpp.BarcodeFormat.QRCode), scale=5
    )
    dark = Image.fromarray(drawn).point(lambda value: 255 - value)
    image = Image.new("RGBA", dark.size, (0, 0, 0, 0))
    image.paste(Image.new("RGBA", dark.size, ink), mask=dark)
    assert codes(read(encoded(image))) == {"QR1": NUMBER}


def test_code_in_sixteen_bits_is_read():
    grey = card_back(NUMBER).convert("L")
    wide = grey.convert("I").point(lambda value: value * 40 + 30_000).convert("I;16")
    assert codes(read(encoded(wide))) == {"QR1": NUMBER}


def test_bar_code_is_told_from_a_qr_code():
    code = zxingcpp.create_barcode(NUMBER, zxingcpp.BarcodeFormat.Code128)
    image = Image.fromarray(zxingcpp.write_barcode_to_image(code, scale=3))
    found = read(encoded(image))
    assert [(s.location, s.text) for s in found.segments if s.text == NUMBER] == [
        ("バーコード1", NUMBER)
    ]
