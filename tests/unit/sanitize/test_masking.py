"""Masking: every form of a value is covered, the rest stays; what cannot be covered is named."""

from __future__ import annotations

import email
import email.policy
import io
import subprocess
import sys
import time
import zipfile

import openpyxl
import pptx
import pypdfium2 as pdfium
import pytest
from reportlab.pdfgen import canvas

from shared.extract import Limits
from shared.extract.charset import decode
from shared.extract.sniff import sniff
from shared.model import Content, GapCode
from shared.sanitize import Tools, mask, pdf_ink
from tests.unit.sanitize.sanitize_pdf import plain
from tests.unit.sanitize.sanitize_sample import WORDS

VALUE = "999993141590"
COVER = "●" * 12
TOOLS = Tools(sniff=sniff, extract=None, decode=decode)


def masked(data, name="", kind="", values=(VALUE,)):
    return mask(Content(data, name, kind), values, TOOLS, time.monotonic, Limits())


def saved(thing):
    out = io.BytesIO()
    thing.save(out)
    return out.getvalue()


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        (VALUE, COVER),
        ("9999-9314-1590", "●" * 14),
        ("９９９９９３１４１５９０", COVER),
        ("9999 9314　1590", "●" * 14),
        ("番号99999 3141590。", f"番号{'●' * 13}。"),
        ("1" + VALUE[1:], None),
    ],
)
def test_text_in_every_way_of_writing_it(text, wanted):
    done = masked(f"前 {text} 後\n".encode(), "a.txt")
    if wanted is None:
        assert [gap.code for gap in done.gaps] == [GapCode.PARTIAL]
    else:
        assert done.content.data.decode("utf-8-sig") == f"前 {wanted} 後\n"


def test_old_encodings_come_out_as_utf_8():
    done = masked(f"氏名,番号\n見本,{VALUE}\n".encode("cp932"), "名簿.csv")
    assert done.content.data.decode("utf-8-sig") == f"氏名,番号\n見本,{COVER}\n"


def test_page_across_elements_and_in_attributes_but_not_across_blocks():
    page = (
        f"<html><body><p>番号 99999<b>31415</b><i>90</i> です</p><p>99999</p><p>3141590</p>"
        f'<a title="{VALUE}">x</a></body></html>'
    )
    text = masked(page.encode(), "a.html", "text/html").content.data.decode()
    assert "99999<b>" not in text
    assert "<p>99999</p><p>3141590</p>" in text
    assert VALUE not in text
    assert "です" in text


def test_mail_in_body_subject_name_and_attachment():
    made = email.message.EmailMessage()
    made["Subject"], made["From"], made["To"] = f"照会 {VALUE}", "a@x.jp", "b@y.jp"
    made["Message-ID"] = "<999993141590@x.jp>"
    made.set_content(f"番号 {VALUE} です\n")
    made.add_attachment(
        f"{VALUE}\n".encode(), maintype="text", subtype="csv", filename=f"{VALUE}.csv"
    )
    done = masked(made.as_bytes(), "", "message/rfc822")
    read = email.message_from_bytes(done.content.data, policy=email.policy.default)
    assert read["Subject"] == f"照会 {COVER}"
    assert read["Message-ID"] == "<999993141590@x.jp>"
    assert read.get_body().get_content().strip() == f"番号 {COVER} です"
    (attached,) = read.iter_attachments()
    assert attached.get_filename() == f"{COVER}.csv"
    assert VALUE.encode() not in attached.get_payload(decode=True)


def test_workbook_in_strings_numbers_and_formulas():
    book = openpyxl.Workbook()
    sheet = book.active
    sheet["A1"], sheet["A2"], sheet["A3"], sheet["A4"] = f"番号 {VALUE}", int(VALUE), "残る", 5
    read = openpyxl.load_workbook(io.BytesIO(masked(saved(book), "a.xlsx").content.data)).active
    assert [read[f"A{row}"].value for row in range(1, 5)] == [f"番号 {COVER}", COVER, "残る", 5]


def test_slides_across_runs():
    show = pptx.Presentation()
    frame = show.slides.add_slide(show.slide_layouts[5]).shapes.title.text_frame
    for piece in ("99999", "314", "1590", " です"):
        frame.paragraphs[0].add_run().text = piece
    read = pptx.Presentation(io.BytesIO(masked(saved(show), "a.pptx").content.data))
    assert read.slides[0].shapes.title.text_frame.text == f"{COVER} です"


def pdf(turned=0):
    out = io.BytesIO()
    made = canvas.Canvas(out, pagesize=(400, 300))
    made.drawString(50, 200, f"No {VALUE} end")
    if turned:
        made.setPageRotation(turned)
    made.showPage()
    made.drawString(50, 200, "second page")
    made.save()
    return out.getvalue()


@pytest.mark.parametrize("turned", [0, 90, 180])
def test_pdf_becomes_pictures_with_the_value_under_a_black_box(turned):
    done = masked(pdf(turned), "a.pdf")
    document = pdfium.PdfDocument(done.content.data)
    assert len(document) == 2
    assert document[0].get_textpage().count_chars() == 0
    assert VALUE.encode() not in done.content.data
    image = document[0].render(scale=1).to_pil().convert("L")
    spot = {0: (110, 97), 90: (203, 110), 180: (290, 203)}[turned]
    assert image.getpixel(spot) < 40
    outside = {0: (30, 97), 90: (203, 30), 180: (370, 203)}[turned]
    assert image.getpixel(outside) > 200


@pytest.mark.parametrize("drawn", [True, False])
def test_pdf_whose_fonts_this_machine_cannot_draw_has_no_copy(monkeypatch, drawn):
    """Its pages would be pictures without a word; what a document holds itself is always drawn."""
    asked = []
    monkeypatch.setattr(pdf_ink, "draws", lambda each: asked.append(each) or drawn)
    assert [gap.code for gap in masked(pdf(), "a.pdf").gaps] == []
    assert asked == []
    done = masked(plain(), "b.pdf", values=(WORDS[:3],))
    assert [gap.code for gap in done.gaps] == ([] if drawn else [GapCode.PARTIAL])
    assert asked == ["Japan1"]


def test_machine_without_ink_is_found_out():
    """The stand-in font of the readers has no ink: like a machine without Japanese fonts."""
    program = (
        "from shared.extract import pdf_fonts; from shared.sanitize import pdf_ink\n"
        "pdf_fonts.use_stand_in()\n"
        "print([pdf_ink.draws(each) for each in ('Japan1', 'GB1', 'CNS1', 'Korea1')])"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True, timeout=90
    )
    assert done.stdout.strip() == str([False] * 4)


def test_pdf_without_the_value_is_left_as_it_is():
    whole = io.BytesIO()
    with zipfile.ZipFile(whole, "w") as archive:
        archive.writestr("a.pdf", pdf())
        archive.writestr("b.txt", f"{VALUE}")
        archive.writestr("c.txt", "other")
    done = masked(whole.getvalue(), "a.zip")
    with zipfile.ZipFile(io.BytesIO(done.content.data)) as archive:
        assert archive.read("c.txt") == b"other"
        assert VALUE.encode() not in archive.read("b.txt")


@pytest.mark.parametrize(
    "data", [b"", b"%PDF-1.7 broken", b"PK\x03\x04 broken", b"\xd0\xcf\x11\xe0" * 9]
)
def test_what_cannot_be_read_is_named_and_never_raises(data):
    done = masked(data, "a")
    assert done.content is None
    assert done.gaps
