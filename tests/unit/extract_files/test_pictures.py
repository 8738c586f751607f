"""Pictures: what they say is read, what they may show is a gap, what can show nothing is none."""

from __future__ import annotations

import io
import struct
import time

import docx
import pytest
from PIL import Image, PngImagePlugin
from reportlab.lib.utils import ImageReader
from reportlab.pdfgen import canvas

from shared.extract import extract
from shared.model import Content, GapCode
from tests.unit.extract_files.office_cases import saved


def picture(width, height, kind="PNG", **options):
    out = io.BytesIO()
    image = Image.new("RGB", (width, height), "white")
    image.putpixel((width // 2, height // 2), (0, 0, 0))  # ink: a blank picture is no gap
    image.save(out, kind, **options)
    return out.getvalue()


def gaps(data, name="a"):
    found, _ = extract(Content(data, name), clock=time.monotonic)
    return [(gap.code, gap.location) for gap in found.gaps]


def texts(data):
    return [s.text for s in extract(Content(data), clock=time.monotonic)[0].segments]


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "GIF", "BMP"])
def test_picture_is_a_gap_unless_it_is_tiny(kind):
    assert gaps(picture(200, 40, kind)) == [(GapCode.IMAGE_ONLY, "")]
    assert gaps(picture(40, 200, kind)) == [(GapCode.IMAGE_ONLY, "")]
    assert gaps(picture(16, 16, kind)) == []


def test_picture_of_unknown_size_is_a_gap():
    assert gaps(picture(16, 16)[:12]) == [(GapCode.IMAGE_ONLY, "")]


def test_comment_of_a_picture_is_read():
    info = PngImagePlugin.PngInfo()
    info.add_text("Comment", "番号の控え".encode().decode("latin-1"))
    assert any("番号の控え" in text for text in texts(picture(9, 9, pnginfo=info)))
    assert texts(picture(9, 9, "JPEG", comment="番号の控え".encode())) == ["番号の控え"]


def test_picture_in_a_document_is_a_gap_of_its_own():
    document = docx.Document()
    document.add_paragraph("本文")
    document.add_picture(io.BytesIO(picture(300, 200)))
    (gap,) = gaps(saved(document))
    assert gap[0] == GapCode.IMAGE_ONLY
    assert gap[1].startswith("部品")


def page(width, words, pixels=90):
    out = io.BytesIO()
    sheet = canvas.Canvas(out, pagesize=(500, 500))
    sheet.drawImage(ImageReader(io.BytesIO(picture(pixels, pixels))), 0, 0, width, width)
    sheet.drawString(10, 480, words)
    sheet.showPage()
    sheet.save()
    return out.getvalue()


def test_page_is_a_gap_if_a_picture_on_it_may_hold_digits():
    scan = [(GapCode.IMAGE_ONLY, "1ページ")]
    assert gaps(page(480, "- 1 -")) == scan
    assert gaps(page(60, "- 1 -")) == scan
    assert gaps(page(300, "A page with words enough to be read")) == scan
    assert gaps(page(60, "A page with words enough to be read")) == scan
    assert gaps(page(60, "A page with words enough to be read", pixels=16)) == []


def record(kind, body):
    return struct.pack("<II", kind, 8 + len(body)) + body


def metafile(*records):
    head = record(1, b"\0" * 32 + b" EMF" + b"\0" * 44)
    return head + b"".join(records) + record(14, b"\0" * 12)


def words(text, height):
    raw = text.encode("utf-16-le")
    body = b"\0" * 28 + struct.pack("<iiII", 0, height, len(text), 76) + b"\0" * 24 + raw
    return record(84, body + b"\0" * (-len(body) % 4))


def test_metafile_words_are_read_by_line():
    data = metafile(words("12345", 10), words("6789", 10), words("次", 30))
    assert texts(data) == ["123456789\n次"]
    assert gaps(data) == []


def test_metafile_with_a_bitmap_is_a_gap():
    assert gaps(metafile(words("字", 1), record(81, b"\0" * 72))) == [(GapCode.IMAGE_ONLY, "")]
