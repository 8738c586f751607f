"""Golden legacy and foreign formats: xlwt, msoffcrypto and odfpy write, or the bytes are made here.

No library here writes .doc, .ppt, .xlsb or Ichitaro files, so those are built from published
structures ([MS-DOC], [MS-PPT], [MS-XLSB], OpenJTD's notes): they show that the structure is
understood, not that real files are.
"""

from __future__ import annotations

import io
import struct
import zipfile

import olefile
import xlwt
from msoffcrypto.format.ooxml import OOXMLFile
from odf import dc
from odf.draw import Frame, Page, TextBox
from odf.office import Annotation
from odf.opendocument import OpenDocumentPresentation, OpenDocumentSpreadsheet, OpenDocumentText
from odf.presentation import Notes
from odf.style import Footer, Header, MasterPage, PageLayout
from odf.table import Table, TableCell, TableRow
from odf.text import H, Note, NoteBody, NoteCitation, P, Span

from tests.unit.extract_files.archive_cases import crc16
from tests.unit.extract_files.cfb_writer import cfb
from tests.unit.extract_files.office_cases import (
    cell_text,
    document_with,
    paragraph,
    saved,
    sheet_with,
)

# Encrypted Office


def locked(build, password):
    def make(number):
        out = io.BytesIO()
        office = OOXMLFile(io.BytesIO(build(number)))
        office.encrypt(password, out)
        return out.getvalue()

    return make


# .xls


def xls_with(fill):
    def build(number):
        book = xlwt.Workbook(encoding="utf-8")
        sheet = book.add_sheet("台帳")
        sheet.write(0, 0, "氏名")
        fill(book, sheet, number)
        return saved(book)

    return build


def xls_text(_, sheet, number):
    sheet.write(6, 1, number)


def xls_number(_, sheet, number):
    sheet.write(6, 1, float(number))


def xls_leading_zero(_, sheet, number):
    sheet.write(6, 1, int(number), xlwt.easyxf(num_format_str="000000000000"))


def xls_boxes(_, sheet, number):
    for column, digit in enumerate(number, start=1):
        sheet.write(6, column, int(digit))


def xls_hidden(book, _, number):
    hidden = book.add_sheet("隠")
    hidden.write(0, 0, number)
    hidden.visibility = 2


def xls_name(book, _, number):
    book.add_sheet(number)


def xls_header(_, sheet, number):
    sheet.header_str = number.encode()


def xls_record(kind, *bodies):
    """A workbook whose stream is followed by records that xlwt cannot write."""

    def build(number):
        book = olefile.OleFileIO(io.BytesIO(xls_with(xls_text)("目印")))
        stream = book.openstream("Workbook").read().rstrip(b"\0") + b"\0\0\0"
        for index, body in enumerate(bodies):
            content = body(number)
            stream += struct.pack("<HH", 0x3C if index else kind, len(content)) + content
        return cfb({"Workbook": stream})

    return build


xls_text_box = xls_record(
    0x1B6,
    lambda number: struct.pack("<HHHIHHI", 0, 0, 0, 0, len(number), 0, 0),
    lambda number: b"\1" + number.encode("utf-16-le"),
)

# .doc


def word_97(parts):
    """A document of pieces (text, index of its length in FibRgLw97), now wide, now narrow."""
    lengths = [0] * 22
    body, table_pieces, positions = bytearray(2048), [], [0]
    for number, (text, index) in enumerate(parts):
        lengths[index] += len(text)
        if number % 2 and text.isascii():
            table_pieces.append(struct.pack("<HIH", 0, (2 * len(body)) | 0x40000000, 0))
            body += text.encode("ascii")
        else:
            table_pieces.append(struct.pack("<HIH", 0, len(body), 0))
            body += text.encode("utf-16-le")
        positions.append(positions[-1] + len(text))
    plc = struct.pack(f"<{len(positions)}I", *positions) + b"".join(table_pieces)
    clx = b"\2" + struct.pack("<I", len(plc)) + plc
    fib = struct.pack("<HH", 0xA5EC, 0xC1) + b"\0" * 6 + struct.pack("<H", 0x200)
    fib = fib.ljust(32, b"\0") + struct.pack("<H", 14) + b"\0" * 28
    fib += struct.pack("<H", 22) + struct.pack("<22i", *lengths)
    fib += struct.pack("<H", 93) + b"\0" * (33 * 8) + struct.pack("<II", 0, len(clx))
    body[: len(fib)] = fib
    return {"WordDocument": bytes(body), "1Table": clx}


def doc_part(index):
    def build(number):
        return cfb(word_97([("本文の文字。\r", 3), (f"{number}\r", index)]))

    return build


def doc_pieces(number):
    return cfb(word_97([("番号", 3), (number[:5], 3), (number[5:] + "\r", 3)]))


def doc_table(number):
    return cfb(word_97([("氏名\x07番号\x07\x07山田\x07" + number + "\x07\x07", 3)]))


def doc_field(number):
    return cfb(word_97([(f'前\x13 QUOTE "{number}" \x14結果\x15後\r', 3)]))


def doc_old(number):
    text = f"番号 {number}\r".encode("cp932")
    word = bytearray(512)
    word[:4] = struct.pack("<HH", 0xA5DC, 0x65)
    word[24:32] = struct.pack("<II", 512, 512 + len(text))
    return cfb({"WordDocument": bytes(word) + text})


def doc_object(number):
    inner = document_with(paragraph)(number)
    return cfb(word_97([("本文\r", 3)]) | {"ObjectPool/Package": inner})


def doc_native(number):
    payload = f"番号 {number}".encode()
    body = b"\2\0" + b"a.txt\0" + b"C:\\a.txt\0" + b"\0\0\3\0" + struct.pack("<I", 6) + b"a.txt\0"
    body += struct.pack("<I", len(payload)) + payload
    native = struct.pack("<I", len(body)) + body
    return cfb(word_97([("本文\r", 3)]) | {"ObjectPool/\1Ole10Native": native})


# .ppt


def atom(kind, body, version=0, instance=0):
    return struct.pack("<HHI", version | instance << 4, kind, len(body)) + body


def ppt_with(make):
    def build(number):
        inner = atom(0x0FF0, make(number), version=15)
        return cfb({"PowerPoint Document": atom(1000, inner, version=15), "Current User": b"x"})

    return build


ppt_wide = ppt_with(lambda number: atom(0x0FA0, f"番号{number}\r次".encode("utf-16-le")))
ppt_bytes = ppt_with(lambda number: atom(0x0FA8, number.encode()))
ppt_string = ppt_with(lambda number: atom(0x0FBA, number.encode("utf-16-le")))
ppt_object = ppt_with(lambda number: atom(0x1011, cfb({"Package": sheet_with(cell_text)(number)})))

# .xlsb


def brt(kind, body=b""):
    head = bytes([kind]) if kind < 0x80 else bytes([kind & 0x7F | 0x80, kind >> 7])
    size = len(body)
    return head + (bytes([size]) if size < 0x80 else bytes([size & 0x7F | 0x80, size >> 7])) + body


def wide(text):
    return struct.pack("<I", len(text)) + text.encode("utf-16-le")


def xlsb_with(cell):
    def build(number):
        sheet = brt(129) + brt(148, struct.pack("<4I", 6, 6, 1, 1)) + brt(145)
        sheet += (
            brt(0, struct.pack("<IIHBBI", 6, 0, 0, 0, 0, 0)) + cell(number) + brt(146) + brt(130)
        )
        book = (
            brt(131) + brt(143) + brt(156, struct.pack("<II", 0, 1) + wide("rId1") + wide("台帳"))
        )
        book += brt(144) + brt(132)
        office = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
        relation = (
            '<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships">'
            f'<Relationship Id="rId1" Type="{office}/worksheet" Target="worksheets/sheet1.bin"/>'
            "</Relationships>"
        )
        out = io.BytesIO()
        with zipfile.ZipFile(out, "w") as package:
            package.writestr("[Content_Types].xml", "<Types/>")
            package.writestr("xl/workbook.bin", book)
            package.writestr("xl/_rels/workbook.bin.rels", relation)
            package.writestr("xl/worksheets/sheet1.bin", sheet)
            package.writestr("xl/comments1.bin", brt(637, b"\0" + wide(f"注 {number}")))
        return out.getvalue()

    return build


xlsb_text = xlsb_with(lambda number: brt(6, struct.pack("<II", 1, 0) + wide(number)))
xlsb_number = xlsb_with(lambda number: brt(5, struct.pack("<IId", 1, 0, float(number))))

# RTF


def rtf(body):
    return lambda number: (
        b"{\\rtf1\\ansi\\ansicpg932 {\\fonttbl{\\f0\\fcharset128 MS Mincho;}} "
        + body(number)
        + b"\\par }"
    )


def escaped(text):
    return b"".join(b"\\'%02x" % byte for byte in text.encode("cp932"))


def rtf_unicode(number):
    return b"".join(b"\\u%d?" % (ord(d) + 0xFEE0 - 65536) for d in number)


def rtf_object(number):
    inner = cfb({"Package": document_with(paragraph)(number)})
    head = struct.pack("<III", 0x501, 2, 8) + b"Package\0" + struct.pack("<III", 0, 0, len(inner))
    return b"{\\object{\\*\\objdata " + (head + inner).hex().encode() + b"}{\\result x}}"


# OpenDocument


def odt(fill):
    def build(number):
        document = OpenDocumentText()
        fill(document, number)
        return saved(document)

    return build


def odt_paragraph(document, number):
    line = P(text=number[:5])
    line.addElement(Span(text=number[5:]))
    document.text.addElement(line)


def odt_heading(document, number):
    document.text.addElement(H(outlinelevel=1, text=number))


def odt_table(document, number):
    table = Table(name="表")
    for texts in (("氏名", "番号"), ("山田", number)):
        row = TableRow()
        for text in texts:
            cell = TableCell()
            cell.addElement(P(text=text))
            row.addElement(cell)
        table.addElement(row)
    document.text.addElement(table)


def odt_note(document, number):
    note = Note(noteclass="footnote")
    note.addElement(NoteCitation(text="1"))
    body = NoteBody()
    body.addElement(P(text=number))
    note.addElement(body)
    line = P(text="本文")
    line.addElement(note)
    document.text.addElement(line)


def odt_comment(document, number):
    comment = Annotation()
    comment.addElement(dc.Creator(text="作成者"))
    comment.addElement(P(text=number))
    line = P(text="本文")
    line.addElement(comment)
    document.text.addElement(line)


def odt_title(document, number):
    document.meta.addElement(dc.Title(text=number))


def odt_margin(kind):
    def fill(document, number):
        layout = PageLayout(name="L")
        document.automaticstyles.addElement(layout)
        page = MasterPage(name="Standard", pagelayoutname=layout)
        margin = kind()
        margin.addElement(P(text=number))
        page.addElement(margin)
        document.masterstyles.addElement(page)

    return fill


def ods(fill):
    def build(number):
        document = OpenDocumentSpreadsheet()
        table = Table(name="台帳")
        fill(table, number)
        document.spreadsheet.addElement(table)
        return saved(document)

    return build


def ods_row(table, cells):
    row = TableRow()
    for cell in cells:
        row.addElement(cell)
    table.addElement(row)


def ods_text(table, number):
    cell = TableCell(valuetype="string")
    cell.addElement(P(text=number))
    ods_row(table, [TableCell(numbercolumnsrepeated=3), cell])


def ods_number(table, number):
    cell = TableCell(valuetype="float", value=float(number))
    cell.addElement(P(text="1.23E+11"))
    ods_row(table, [cell])


def ods_boxes(table, number):
    cells = []
    for digit in number:
        cell = TableCell(valuetype="float", value=int(digit))
        cell.addElement(P(text=digit))
        cells.append(cell)
    ods_row(table, cells)


def ods_far(table, number):
    table.addElement(TableRow(numberrowsrepeated=1_048_000))
    ods_text(table, number)


def odp(fill):
    def build(number):
        document = OpenDocumentPresentation()
        layout = PageLayout(name="L")
        document.automaticstyles.addElement(layout)
        master = MasterPage(name="M", pagelayoutname=layout)
        document.masterstyles.addElement(master)
        page = Page(masterpagename=master)
        document.presentation.addElement(page)
        fill(page, number)
        return saved(document)

    return build


def framed(number):
    frame = Frame(width="9cm", height="2cm")
    box = TextBox()
    box.addElement(P(text=number))
    frame.addElement(box)
    return frame


def odp_box(page, number):
    page.addElement(framed(number))


def odp_note(page, number):
    notes = Notes()
    notes.addElement(framed(number))
    page.addElement(notes)


# Ichitaro


def record(kind, *words):
    return [0x1C, kind, len(words) + 6, *words, len(words) + 6, 0, kind, 0x1F]


def block_store(text_units, reverse):
    """Units in blocks of 256 bytes, perhaps backwards: only the directory tells the order."""
    text = b"TextV.01" + struct.pack(f">I{len(text_units)}H", len(text_units), *text_units)
    pieces = [text[at : at + 256].ljust(256, b"\0") for at in range(0, len(text), 256)]
    count = len(pieces)
    order = list(range(count))
    if reverse:
        pieces.reverse()
        order.reverse()
    head = b"SsmgV.01" + struct.pack(">III", 1, 256, count) + b"".join(pieces)
    directory = struct.pack(f">IIIII{count}I", 0, 0, len(text), count, count, *order)
    return head + directory + struct.pack(">I", 0)


def units(text):
    return list(struct.unpack(f">{len(text)}H", text.encode("utf-16-be")))


def jtd(number):
    body = record(0x10, 0)
    for line in range(60):
        body += record(0x10, 0) + units(f"第{line}行の文字です。") + [0x0A]
    body += units(number)
    return cfb({"DocumentText": block_store(body, reverse=True), "Font": b"FontV.01"})


def jtd_ruby(number):
    body = [*units("名"), 0x1C, 1, 7, 0, 1, 0x82, 0x1D, *units(number), 0x1E, 5, 0, 1, 0x1F]
    return cfb({"DocumentText": block_store(body + units("字"), reverse=False)})


def jtd_stream(name):
    def build(number):
        body = block_store(units("本文"), reverse=False)
        return cfb({"DocumentText": body, name: block_store(units(number), reverse=False)})

    return build


def lh5(content):
    """LHA level-1 member, ``-lh5-``, literals only: each block gives every byte an 8-bit code."""
    bits = ""
    for at in range(0, len(content), 60_000):
        block = content[at : at + 60_000]
        bits += f"{len(block):016b}" + "00000" + "01010" + f"{256:09b}" + "0000" + "0000"
        bits += "".join(f"{byte:08b}" for byte in block)
    bits += "0" * (-len(bits) % 8)
    packed = int(bits, 2).to_bytes(len(bits) // 8, "big")
    head = b"-lh5-" + struct.pack("<III", len(packed), len(content), 0) + b"\x20\x01\x00"
    head += struct.pack("<H", crc16(content)) + b"M\0\0"
    return bytes([len(head), sum(head) & 0xFF]) + head + packed + b"\0"


def jtdc(number):
    return cfb({"JSCompDocument": b"\x26\0JustCompressedDocument" + lh5(jtd(number))})


# format, place in words, builder, expected location, passwords
CASES = [
    (
        "docx",
        "暗号化された文書",
        locked(document_with(paragraph), "himitsu"),
        r"^本文!段落1$",
        ("x", "himitsu"),
    ),
    (
        "xlsx",
        "暗号化 (既定のパスワード VelvetSweatshop)",
        locked(sheet_with(cell_text), "VelvetSweatshop"),
        r"^シート1!B7$",
        (),
    ),
    ("xls", "セル (文字列)", xls_with(xls_text), r"^シート1!B7$", ()),
    ("xls", "セル (数値)", xls_with(xls_number), r"^シート1!B7$", ()),
    (
        "xls",
        "セル (先頭の 0 が書式だけにある数値)",
        xls_with(xls_leading_zero),
        r"^シート1!B7$",
        (),
    ),
    ("xls", "方眼紙 (1 マス 1 字)", xls_with(xls_boxes), r"^シート1!B7$", ()),
    ("xls", "非表示シート", xls_with(xls_hidden), r"^シート2!A1$", ()),
    ("xls", "シート名", xls_with(xls_name), r"^シート名$", ()),
    ("xls", "ヘッダー", xls_with(xls_header), r"^ヘッダー$", ()),
    ("xls", "テキストボックス", xls_text_box, r"^テキストボックス$", ()),
    ("doc", "本文", doc_part(3), r"^本文$", ()),
    ("doc", "断片に分かれた番号", doc_pieces, r"^本文$", ()),
    ("doc", "表", doc_table, r"^本文$", ()),
    ("doc", "フィールド コード", doc_field, r"^本文\(フィールド\)$", ()),
    ("doc", "脚注", doc_part(4), r"^脚注$", ()),
    ("doc", "ヘッダー", doc_part(5), r"^ヘッダー・フッター$", ()),
    ("doc", "コメント", doc_part(7), r"^コメント$", ()),
    ("doc", "文末脚注", doc_part(8), r"^文末脚注$", ()),
    ("doc", "テキストボックス", doc_part(9), r"^テキストボックス$", ()),
    ("doc", "Word 95 の本文", doc_old, r"^本文$", ()),
    ("doc", "埋め込み文書", doc_object, r"^埋め込み1 › オブジェクト\d+ › 本文", ()),
    (
        "doc",
        "埋め込みファイル (Ole10Native)",
        doc_native,
        r"^埋め込み1 › オブジェクト\d+\.txt › ",
        (),
    ),
    ("ppt", "文字列 (UTF-16)", ppt_wide, r"^スライド$", ()),
    ("ppt", "文字列 (1 バイト)", ppt_bytes, r"^スライド$", ()),
    ("ppt", "CString", ppt_string, r"^スライド$", ()),
    ("ppt", "埋め込みブック", ppt_object, r"^オブジェクト1 › .*シート1!B7$", ()),
    ("xlsb", "セル (文字列)", xlsb_text, r"^シート1!B7$", ()),
    ("xlsb", "セル (数値)", xlsb_number, r"^シート1!B7$", ()),
    ("xlsb", "コメント", xlsb_with(lambda _: b""), r"^部品", ()),
    ("rtf", "本文", rtf(lambda n: escaped("番号 ") + n.encode()), r"^本文$", ()),
    (
        "rtf",
        "本文 (エスケープのない CP932)",
        rtf(lambda n: "番号 ".encode("cp932") + n.encode()),
        r"^本文$",
        (),
    ),
    ("rtf", "全角数字 (\\u)", rtf(rtf_unicode), r"^本文$", ()),
    ("rtf", "ヘッダー", rtf(lambda n: b"{\\header " + n.encode() + b"}x"), r"^ヘッダー$", ()),
    ("rtf", "脚注", rtf(lambda n: b"x{\\footnote " + n.encode() + b"}"), r"^脚注$", ()),
    (
        "rtf",
        "コメント",
        rtf(lambda n: b"x{\\*\\annotation " + n.encode() + b"}"),
        r"^コメント$",
        (),
    ),
    (
        "rtf",
        "文書のプロパティ",
        rtf(lambda n: b"{\\info{\\title " + n.encode() + b"}}x"),
        r"^プロパティ$",
        (),
    ),
    (
        "rtf",
        "テキストボックス",
        rtf(lambda n: b"x{\\shp{\\*\\shpinst{\\shptxt " + n.encode() + b"}}}"),
        r"^テキストボックス$",
        (),
    ),
    (
        "rtf",
        "フィールド コード",
        rtf(lambda n: b'x{\\field{\\*\\fldinst QUOTE "' + n.encode() + b'"}{\\fldrslt y}}'),
        r"フィールド",
        (),
    ),
    ("rtf", "埋め込み文書", rtf(rtf_object), r"^オブジェクト1 › .*本文", ()),
    ("odt", "本文", odt(odt_paragraph), r"^本文$", ()),
    ("odt", "見出し", odt(odt_heading), r"^本文$", ()),
    ("odt", "表", odt(odt_table), r"^表1!B2$", ()),
    ("odt", "脚注", odt(odt_note), r"^注$", ()),
    ("odt", "コメント", odt(odt_comment), r"^コメント$", ()),
    ("odt", "文書のプロパティ", odt(odt_title), r"^プロパティ", ()),
    ("odt", "ヘッダー", odt(odt_margin(Header)), r"^ヘッダー・フッター", ()),
    ("odt", "フッター", odt(odt_margin(Footer)), r"^ヘッダー・フッター", ()),
    ("ods", "セル (文字列)", ods(ods_text), r"^シート1!D1$", ()),
    ("ods", "セル (指数で表示される数値)", ods(ods_number), r"^シート1!A1$", ()),
    ("ods", "方眼紙 (1 マス 1 字)", ods(ods_boxes), r"^シート1!A1$", ()),
    ("ods", "遠くのセル", ods(ods_far), r"^シート1!D1048001$", ()),
    ("odp", "テキストボックス", odp(odp_box), r"^テキストボックス$", ()),
    ("odp", "ノート", odp(odp_note), r"テキストボックス|ノート", ()),
    ("jtd", "本文 (ブロックが逆順)", jtd, r"^本文$", ()),
    ("jtdc", "圧縮された文書の本文", jtdc, r"^本文$", ()),
    ("jtd", "ルビ", jtd_ruby, r"^本文$", ()),
    ("jtd", "テキストボックス", jtd_stream("LayoutBoxText"), r"^テキストボックス$", ()),
    ("jtd", "ヘッダー", jtd_stream("Header"), r"^ヘッダー$", ()),
    ("jtd", "脚注", jtd_stream("Footnote"), r"^脚注$", ()),
]
