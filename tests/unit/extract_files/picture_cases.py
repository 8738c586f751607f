"""Golden pictures: a QR code of the number, in every place that a picture can be put into."""

from __future__ import annotations

import base64
import io
import struct
import zlib

import docx
import openpyxl
import xlwt
import zxingcpp
from odf.draw import Frame
from odf.draw import Image as Drawn
from odf.opendocument import OpenDocumentText
from odf.text import P
from openpyxl.drawing.image import Image as SheetImage
from PIL import Image
from pptx import Presentation
from reportlab.lib.utils import ImageReader
from reportlab.pdfgen import canvas

from shared.model import GapCode
from tests.unit.extract_files.cfb_writer import cfb
from tests.unit.extract_files.legacy_cases import (
    atom,
    block_store,
    rtf,
    units,
    word_97,
    xls_record,
)
from tests.unit.extract_files.office_cases import saved


def qr(number):
    code = zxingcpp.create_barcode(number, zxingcpp.BarcodeFormat.QRCode)
    return Image.fromarray(code.to_image(scale=4)).convert("RGB")


def encoded(number, kind="PNG", **options):
    out = io.BytesIO()
    qr(number).save(out, kind, **options)
    return out.getvalue()


def bitmap(number):
    """A device-independent bitmap, without the head of a file."""
    return encoded(number, "BMP")[14:]


def fax(number):
    """Two pages of a fax (TIFF, group 3), the code on the second."""
    out = io.BytesIO()
    second = qr(number).convert("1")
    first = Image.new("1", second.size, 1)
    first.save(out, "TIFF", compression="group3", save_all=True, append_images=[second])
    return out.getvalue()


def blip(number, kind=0xF01E, instance=0x6E0, body=None):
    """A drawing record of a picture."""
    body = (bytes(17) + encoded(number)) if body is None else body
    return atom(kind, body, instance=instance)


def metafile_blip(number):
    """A compressed Windows metafile of one bitmap."""
    packed = zlib.compress(wmf(number))
    return blip(number, 0xF01B, 0x217, bytes(64) + b"\0\xfe" + packed)


def wmf(number):
    drawn = struct.pack("<IHhhhhhhhh", 0xCC0020, 0, 9, 9, 0, 0, 9, 9, 0, 0) + bitmap(number)
    drawn += b"\0" * (len(drawn) % 2)
    row = struct.pack("<IH", 3 + len(drawn) // 2, 0x0F43) + drawn
    return struct.pack("<HHHIHIH", 1, 9, 0x300, 0, 0, 0, 0) + row + struct.pack("<IH", 3, 0)


def wmf_words(number):
    halves = b"".join(
        struct.pack("<IHhhhH", 7 + 3, 0x0A32, 20, left, 6, 0) + part.encode()
        for left, part in ((10, number[:6]), (70, number[6:]))
    )
    return struct.pack("<HHHIHIH", 1, 9, 0x300, 0, 0, 0, 0) + halves + struct.pack("<IH", 3, 0)


def emf(number):
    image = bitmap(number)
    head, pixels = image[:40], image[40:]
    body = bytes(40) + struct.pack("<IIII", 80, len(head), 80 + len(head), len(pixels))
    body = (body + bytes(16) + head + pixels).ljust(-(-len(image) // 4) * 4 + 72, b"\0")
    first = struct.pack("<II", 1, 88) + bytes(32) + b" EMF" + bytes(44)
    return first + struct.pack("<II", 81, 8 + len(body)) + body + struct.pack("<II", 14, 20)


def doc(stream, record):
    def build(number):
        streams = word_97([("本文\r", 3)])
        streams[stream] = streams.get(stream, b"") + bytes(68) + record(number)
        return cfb(streams)

    return build


def ppt(number):
    text = atom(1000, atom(0x0FA0, "字".encode("utf-16-le")), version=15)
    other = blip(number, 0xF01D, 0x46B, bytes(33) + encoded("1", "JPEG"))
    return cfb(
        {"PowerPoint Document": text, "Current User": b"x", "Pictures": other + blip(number)}
    )


def xls_old(number):
    book = xlwt.Workbook()
    book.add_sheet("a").insert_bitmap_data(encoded(number, "BMP"), 1, 1)
    return saved(book)


xls_group = xls_record(
    0xEB,
    lambda number: struct.pack("<HHI", 0xF, 0xF000, 44) + bytes(44) + blip(number)[:99],
    lambda number: blip(number)[99:],
)


def jtd_picture(number):
    body = block_store(units("本文"), reverse=False)
    return cfb({"DocumentText": body, "FigureData1": encoded(number, "JPEG")})


def rtf_picture(word, body):
    return rtf(lambda number: b"{\\*\\shppict{\\pict\\%b\\picw9 %b}}" % (word, body(number)))


def docx_picture(number):
    document = docx.Document()
    document.add_picture(io.BytesIO(encoded(number)))
    return saved(document)


def xlsx_picture(number):
    book = openpyxl.Workbook()
    book.active.add_image(SheetImage(io.BytesIO(encoded(number))), "A1")
    return saved(book)


def pptx_picture(number):
    show = Presentation()
    slide = show.slides.add_slide(show.slide_layouts[6])
    slide.shapes.add_picture(io.BytesIO(encoded(number)), 0, 0)
    return saved(show)


def odt_picture(number):
    document = OpenDocumentText()
    frame = Frame(width="3cm", height="3cm", anchortype="paragraph")
    place = document.addPicture("a.png", "image/png", encoded(number))
    frame.addElement(Drawn(href=place))
    line = P()
    line.addElement(frame)
    document.text.addElement(line)
    return saved(document)


def pdf_picture(number):
    out = io.BytesIO()
    page = canvas.Canvas(out)
    page.drawImage(ImageReader(io.BytesIO(encoded(number))), 50, 600, 90, 90)
    page.showPage()
    page.save()
    return out.getvalue()


def in_markup(opening, closing):
    return lambda number: (
        opening + b"data:image/png;base64," + base64.b64encode(encoded(number)) + closing
    )


html = in_markup(b"<html><body><p>a</p><img alt=b src='", b"'></body></html>")
svg = in_markup(b"<svg xmlns='http://www.w3.org/2000/svg'><image href='", b"'/></svg>")
vcard = in_markup(b"BEGIN:VCARD\r\nFN:a\r\nPHOTO:", b"\r\nEND:VCARD\r\n")

PLACE = "画像の QR コード"
LEFT = (GapCode.IMAGE_ONLY,)  # what else a picture shows stays unread without OCR
CASES = [
    (*row, (), LEFT)
    for row in (
        ("docx", PLACE, docx_picture, r"^部品\d+\.png › QR1$"),
        ("xlsx", PLACE, xlsx_picture, r"^部品\d+\.png › QR1$"),
        ("pptx", PLACE, pptx_picture, r"^部品\d+\.png › QR1$"),
        ("odt", PLACE, odt_picture, r"^部品\d+\.png › QR1$"),
        ("doc", f"{PLACE} (行内)", doc("Data", blip), r"^画像1 › QR1$"),
        ("doc", f"{PLACE} (浮動)", doc("WordDocument", blip), r"^画像1 › QR1$"),
        (
            "doc",
            f"{PLACE} (圧縮メタファイル)",
            doc("Data", metafile_blip),
            r"^画像1 › 画像1 › QR1$",
        ),
        ("xls", PLACE, xls_group, r"^画像1 › QR1$"),
        ("xls", f"{PLACE} (旧形式)", xls_old, r"^画像1 › QR1$"),
        ("jtd", PLACE, jtd_picture, r"^その他2\.?\w* › QR1$"),
        ("ppt", PLACE, ppt, r"^画像2 › QR1$"),
        ("rtf", PLACE, rtf_picture(b"pngblip", lambda n: encoded(n).hex().encode()), r"^画像1 › "),
        (
            "rtf",
            f"{PLACE} (16 進でないもの)",
            rtf_picture(
                b"jpegblip", lambda n: b"\\bin%d " % len(encoded(n, "JPEG")) + encoded(n, "JPEG")
            ),
            r"^画像1 › ",
        ),
        (
            "rtf",
            f"{PLACE} (DIB)",
            rtf_picture(b"dibitmap0", lambda n: bitmap(n).hex().encode()),
            r"^画像1 › ",
        ),
        ("pdf", PLACE, pdf_picture, r"^1ページ › QR1$"),
        ("html", f"{PLACE} (data:)", html, r"^本文 › 埋め込み1 › QR1$"),
        ("svg", f"{PLACE} (data:)", svg, r"^本文 › 埋め込み1 › QR1$"),
        ("vcf", f"{PLACE} (data:)", vcard, r" › QR1$"),
        ("emf", PLACE, emf, r"^画像1 › QR1$"),
        ("wmf", PLACE, wmf, r"^画像1 › QR1$"),
        ("wmf", "文字", wmf_words, r"^文字$"),
        ("png", PLACE, encoded, r"^QR1$"),
        *(
            (kind.lower(), PLACE, lambda n, kind=kind: encoded(n, kind), r"^QR1$")
            for kind in ("JPEG", "GIF", "BMP", "WEBP", "AVIF", "JPEG2000", "ICO")
        ),
        ("tif", f"{PLACE} (ファクス 2 ページ目)", fax, r"^2ページ › QR1$"),
    )
]
