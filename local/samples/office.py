"""Documents: written with openpyxl, python-docx, reportlab, Pillow and pyzipper."""

from __future__ import annotations

import io
from collections.abc import Sequence

import docx
import openpyxl
import pyzipper
from PIL import Image, ImageDraw
from reportlab.lib.pagesizes import A4
from reportlab.lib.utils import ImageReader
from reportlab.pdfbase import pdfmetrics
from reportlab.pdfbase.cidfonts import UnicodeCIDFont
from reportlab.pdfgen.canvas import Canvas

FONT = "HeiseiKakuGo-W5"
TOP, LEFT, LEADING = 780, 60, 22


def workbook(title: str, rows: Sequence[Sequence[str]]) -> bytes:
    """An ordinary sheet: a header and rows."""
    book = openpyxl.Workbook()
    sheet = book.active
    sheet.title = title
    for row in rows:
        sheet.append(list(row))
    return _saved(book)


def graph_paper(applicant: str, digits: str) -> bytes:
    """方眼紙: narrow columns, merged labels, and one digit in each cell."""
    book = openpyxl.Workbook()
    sheet = book.active
    sheet.title = "申請書"
    for column in range(1, 41):
        letter = openpyxl.utils.get_column_letter(column)
        sheet.column_dimensions[letter].width = 2.6
    sheet["B2"] = "児童手当　認定請求書"
    sheet.merge_cells("B2:Z3")
    sheet["B5"] = "氏名"
    sheet.merge_cells("B5:F5")
    sheet["G5"] = applicant
    sheet.merge_cells("G5:Z5")
    sheet["B7"] = "個人番号"
    sheet.merge_cells("B7:F7")
    for offset, digit in enumerate(digits):
        sheet.cell(row=7, column=7 + offset, value=int(digit))
    return _saved(book)


def _saved(book: openpyxl.Workbook) -> bytes:
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


def document(title: str, paragraphs: Sequence[str], table: Sequence[Sequence[str]] = ()) -> bytes:
    """A Word document with an optional table."""
    made = docx.Document()
    made.add_heading(title, level=1)
    for text in paragraphs:
        made.add_paragraph(text)
    if table:
        grid = made.add_table(rows=0, cols=len(table[0]))
        for row in table:
            cells = grid.add_row().cells
            for cell, text in zip(cells, row, strict=True):
                cell.text = text
    out = io.BytesIO()
    made.save(out)
    return out.getvalue()


def _canvas(out: io.BytesIO, password: str = "") -> Canvas:
    pdfmetrics.registerFont(UnicodeCIDFont(FONT))
    made = Canvas(out, pagesize=A4, encrypt=password or None, invariant=1)
    made.setFont(FONT, 12)
    return made


def pdf(lines: Sequence[str], *, password: str = "") -> bytes:
    """A page of text; with a password it cannot be opened without it."""
    out = io.BytesIO()
    made = _canvas(out, password)
    for index, line in enumerate(lines):
        made.drawString(LEFT, TOP - LEADING * index, line)
    made.save()
    return out.getvalue()


def pdf_form(title: str, fields: Sequence[tuple[str, str, str]]) -> bytes:
    """A form: (label, field name, value), the values in fields and nowhere in the page's text."""
    out = io.BytesIO()
    made = _canvas(out)
    made.drawString(LEFT, TOP, title)
    for index, (label, name, value) in enumerate(fields, start=2):
        height = TOP - LEADING * index * 1.5
        made.drawString(LEFT, height, label)
        made.acroForm.textfield(
            name=name, tooltip=label, value=value, x=LEFT + 140, y=height - 6, width=260, height=20
        )
    made.save()
    return out.getvalue()


def pdf_scan(lines: Sequence[str]) -> bytes:
    """A page that is only a picture, as a scanner makes it."""
    picture = Image.new("L", (1240, 1754), 255)
    pen = ImageDraw.Draw(picture)
    for index, line in enumerate(lines):
        pen.text((120, 140 + 60 * index), line, fill=0, font_size=36)
    out = io.BytesIO()
    made = Canvas(out, pagesize=A4, invariant=1)
    made.drawImage(ImageReader(picture), 0, 0, *A4)
    made.save()
    return out.getvalue()


def password_zip(name: str, data: bytes, password: str) -> bytes:
    """An AES-encrypted ZIP, the first half of PPAP."""
    out = io.BytesIO()
    with pyzipper.AESZipFile(out, "w", encryption=pyzipper.WZ_AES) as archive:
        archive.setpassword(password.encode())
        archive.writestr(name, data)
    return out.getvalue()
