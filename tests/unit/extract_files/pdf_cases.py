"""Golden PDF files by reportlab (and a few bytes by hand), each with one number in one place."""

from __future__ import annotations

import io
import zlib

from reportlab.lib.pdfencrypt import StandardEncryption
from reportlab.pdfbase import pdfmetrics
from reportlab.pdfbase.cidfonts import UnicodeCIDFont
from reportlab.pdfgen import canvas

FONT = "HeiseiMin-W3"
pdfmetrics.registerFont(UnicodeCIDFont(FONT))


def drawn(fill, **options):
    def build(number):
        out = io.BytesIO()
        page = canvas.Canvas(out, **options)
        page.setFont(FONT, 12)
        page.drawString(50, 800, "本文の最初の行です。次の行へ続きます。")
        fill(page, number)
        page.showPage()
        page.save()
        return out.getvalue()

    return build


def text(page, number):
    page.drawString(50, 700, f"個人番号 {number}")


def wide_text(page, number):
    wide = "".join(chr(ord(d) + 0xFEE0) for d in number)
    page.drawString(50, 700, wide)


def second_page(page, number):
    page.showPage()
    page.setFont(FONT, 12)
    page.drawString(50, 700, f"二枚目の本文の最初の行です。番号 {number}")


def spaced(page, number):
    for index, digit in enumerate(number):
        page.drawString(50 + 18 * index, 700, digit)


def field(page, number):
    page.acroForm.textfield(name="kojinbango", value=number, x=50, y=600, width=200, height=20)


def field_name(page, number):
    page.acroForm.textfield(name=f"n{number}", value="v", x=50, y=600, width=200, height=20)


def choice(page, number):
    page.acroForm.choice(
        name="c", value=number, options=[number, "x"], x=50, y=600, width=200, height=20
    )


def note(page, number):
    page.textAnnotation(number, (50, 50, 100, 100))


def outline(page, number):
    page.bookmarkPage("a")
    page.addOutlineEntry(number, "a")


def title(page, number):
    page.setTitle(number)


def invisible(page, number):
    words = page.beginText(50, 500)
    words.setTextRenderMode(3)
    words.textLine(number)
    page.drawText(words)


def white(page, number):
    page.setFillColorRGB(1, 1, 1)
    page.drawString(50, 500, number)


def rotated(page, number):
    page.rotate(90)
    page.drawString(100, -100, number)


def by_hand(objects, trailer=b""):
    """A PDF of numbered objects with a right cross-reference table; object 1 is the catalogue."""
    out = bytearray(b"%PDF-1.7\n")
    places = []
    for index, body in enumerate(objects, start=1):
        places.append(len(out))
        out += b"%d 0 obj\n%b\nendobj\n" % (index, body)
    table = len(out)
    out += b"xref\n0 %d\n0000000000 65535 f \n" % (len(objects) + 1)
    out += b"".join(b"%010d 00000 n \n" % place for place in places)
    out += b"trailer\n<< /Size %d /Root 1 0 R %b >>\nstartxref\n%d\n%%%%EOF\n" % (
        len(objects) + 1,
        trailer,
        table,
    )
    return bytes(out)


def stream(data, extra=b""):
    return b"<< /Length %d %b >>\nstream\n%b\nendstream" % (len(data), extra, data)


PAGES = b"<< /Type /Pages /Kids [3 0 R] /Count 1 >>"


def embedded_file(number):
    content = f"番号 {number}".encode()
    return by_hand(
        [
            b"<< /Type /Catalog /Pages 2 0 R /Names << /EmbeddedFiles 6 0 R >> >>",
            PAGES,
            b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 200 200] >>",
            b"<< /Type /Filespec /F (a.txt) /UF (a.txt) /EF << /F 5 0 R >> >>",
            stream(content, b"/Type /EmbeddedFile /Params << /Size %d >>" % len(content)),
            b"<< /Names [(a.txt) 4 0 R] >>",
        ]
    )


def pinned_file(number):
    content = f"番号 {number}".encode()
    return by_hand(
        [
            b"<< /Type /Catalog /Pages 2 0 R >>",
            PAGES,
            b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 200 200] /Annots [4 0 R] >>",
            b"<< /Type /Annot /Subtype /FileAttachment /Rect [0 0 9 9] /FS 5 0 R >>",
            b"<< /Type /Filespec /F (a.txt) /EF << /F 6 0 R >> >>",
            stream(content, b"/Type /EmbeddedFile /Params << /Size %d >>" % len(content)),
        ]
    )


def xfa(number):
    packet = (
        '<xdp:xdp xmlns:xdp="http://ns.adobe.com/xdp/"><xfa:datasets xmlns:xfa='
        f'"http://www.xfa.org/schema/xfa-data/1.0/"><n>{number}</n></xfa:datasets></xdp:xdp>'
    ).encode()
    return by_hand(
        [
            b"<< /Type /Catalog /Pages 2 0 R /AcroForm << /Fields [] /XFA 4 0 R >> >>",
            PAGES,
            b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 200 200] >>",
            stream(packet),
        ]
    )


def packed_xmp(number):
    return xmp(number, b" /Filter /FlateDecode", zlib.compress)


def xmp(number, more=b"", pack=bytes):
    packet = f"<x:xmpmeta xmlns:x='adobe:ns:meta/'><t>{number}</t></x:xmpmeta>".encode()
    return by_hand(
        [
            b"<< /Type /Catalog /Pages 2 0 R /Metadata 4 0 R >>",
            PAGES,
            b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 200 200] >>",
            stream(pack(packet), b"/Type /Metadata /Subtype /XML" + more),
        ]
    )


def encrypted(**options):
    return drawn(text, encrypt=StandardEncryption("himitsu", ownerPassword="o", **options))


BOX = r"^1ページ!\(\d+,\d+\)-\(\d+,\d+\)mm$"
FIELD = r"^1ページ\(注釈・入力欄\)!注釈・入力欄1\(\d+,\d+\)-\(\d+,\d+\)mm$"

# place in words, builder, expected location, passwords
CASES = [
    ("本文", drawn(text), BOX, ()),
    ("全角数字", drawn(wide_text), BOX, ()),
    ("2 枚目", drawn(second_page), rf"^2{BOX[2:]}", ()),
    ("1 マス 1 字", drawn(spaced), BOX, ()),
    ("見えない文字 (描画モード 3)", drawn(invisible), BOX, ()),
    ("白い文字", drawn(white), BOX, ()),
    ("回転した文字", drawn(rotated), BOX, ()),
    ("フォームの入力欄", drawn(field), FIELD, ()),
    ("フォームの欄名", drawn(field_name), FIELD, ()),
    ("フォームの選択肢", drawn(choice), FIELD, ()),
    ("注釈", drawn(note), FIELD, ()),
    ("しおり", drawn(outline), r"^しおり$", ()),
    ("文書のプロパティ", drawn(title), r"^プロパティ$", ()),
    ("メタデータ (XMP)", xmp, r"^メタデータ$", ()),
    ("圧縮したメタデータ (XMP)", packed_xmp, r"^メタデータ$", ()),
    ("添付ファイル", embedded_file, r"^添付1\.txt › ", ()),
    ("ページに留めた添付ファイル", pinned_file, r"^添付1\.txt › ", ()),
    ("XFA フォームのデータ", xfa, r"^XFA1$", ()),
    ("パスワード付き (RC4 40)", encrypted(strength=40), BOX, ("x", "himitsu")),
    ("パスワード付き (RC4 128)", encrypted(strength=128), BOX, ("himitsu",)),
]
