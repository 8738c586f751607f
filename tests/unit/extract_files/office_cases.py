"""Golden Office files, each with one number in one named place, by openpyxl and its like."""

from __future__ import annotations

import io
import re
import zipfile

import docx
import openpyxl
import pptx
import xlsxwriter
from docx.oxml import OxmlElement
from docx.oxml.ns import qn
from openpyxl.comments import Comment
from openpyxl.worksheet.datavalidation import DataValidation
from pptx.chart.data import CategoryChartData
from pptx.enum.chart import XL_CHART_TYPE


def rezip(data, changes):
    """The same package with parts replaced or added (``changes``: name → bytes)."""
    out = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(data)) as old, zipfile.ZipFile(out, "w", 8) as new:
        for info in old.infolist():
            if info.filename not in changes:
                new.writestr(info, old.read(info))
        for name, content in changes.items():
            new.writestr(name, content)
    return out.getvalue()


def part(data, name):
    return zipfile.ZipFile(io.BytesIO(data)).read(name)


def edited(data, name, pattern, replacement):
    """One part with the first match of a pattern replaced (which must be there)."""
    text, count = re.subn(pattern, lambda _: replacement, part(data, name).decode(), count=1)
    assert count == 1, f"{pattern} is not in {name}"
    return rezip(data, {name: text.encode()})


def saved(thing):
    out = io.BytesIO()
    thing.save(out)
    return out.getvalue()


# Excel


def sheet_with(fill):
    def build(number):
        book = openpyxl.Workbook()
        fill(book.active, number)
        return saved(book)

    return build


def cell_text(sheet, number):
    sheet["B7"] = number


def cell_number(sheet, number):
    sheet["B7"] = float(number)


def cell_leading_zero(sheet, number):
    sheet["B7"] = int(number)
    sheet["B7"].number_format = "000000000000"


def cell_grouped(sheet, number):
    sheet["B7"] = int(number)
    sheet["B7"].number_format = "0000\\-0000\\-0000"


def boxes(sheet, number):
    for index, digit in enumerate(number):
        sheet.cell(7, 2 + index, int(digit))


def merged_boxes(sheet, number):
    for index, digit in enumerate(number):
        column = 2 + 3 * index
        sheet.cell(7, column, digit)
        sheet.merge_cells(start_row=7, end_row=8, start_column=column, end_column=column + 2)


def hidden_sheet(sheet, number):
    hidden = sheet.parent.create_sheet("隠")
    hidden.sheet_state = "veryHidden"
    hidden["A1"] = number


def sheet_name(sheet, number):
    sheet.title = number


def comment(sheet, number):
    sheet["A1"].comment = Comment(number, "作成者")


def comment_author(sheet, number):
    sheet["A1"].comment = Comment("本文", number)


def header(sheet, number):
    sheet.oddHeader.center.text = number


def formula(sheet, number):
    sheet["B7"] = f'=VLOOKUP("{number}",A1:B2,2)'


def defined_name(sheet, number):
    sheet.parent.defined_names["番号"] = openpyxl.workbook.defined_name.DefinedName(
        "番号", attr_text=f'"{number}"'
    )


def validation(sheet, number):
    rule = DataValidation(type="list", formula1='"a,b"', promptTitle="入力", prompt=number)
    rule.add("B7")
    sheet.add_data_validation(rule)


def hyperlink(sheet, number):
    sheet["B7"] = "表示"
    sheet["B7"].hyperlink = f"https://example.jp/?n={number}"


def book_title(sheet, number):
    sheet.parent.properties.title = number


def custom_property(sheet, number):
    sheet.parent.custom_doc_props.append(
        openpyxl.packaging.custom.StringProperty(name="番号", value=number)
    )


def chart_title(sheet, number):
    sheet["A1"] = 1
    chart = openpyxl.chart.BarChart()
    chart.title = number
    chart.add_data(openpyxl.chart.Reference(sheet, min_col=1, min_row=1))
    sheet.add_chart(chart, "C3")


def far_cell(sheet, number):
    sheet["A1"] = "氏名"
    sheet["XFD1048576"] = number


def inline_string(number):
    data = sheet_with(cell_text)("目印")
    cell = (
        f'<c r="B7" t="inlineStr"><is><r><t>{number[:5]}</t></r><r><t>{number[5:]}</t></r></is></c>'
    )
    return edited(data, "xl/worksheets/sheet1.xml", r'<c r="B7".*?</c>', cell)


def connection(number):
    xml = f"<connections><dbPr command='SELECT 氏名 FROM t WHERE no = {number}'/></connections>"
    return rezip(sheet_with(cell_text)("目印"), {"xl/connections.xml": xml.encode()})


def rich_shared(number):
    out = io.BytesIO()
    with xlsxwriter.Workbook(out) as book:
        book.add_worksheet().write("B7", "目印")
    data = out.getvalue()
    runs = f"<si><r><t>{number[:5]}</t></r><r><t>{number[5:]}</t></r><rPh><t>カナ</t></rPh></si>"
    return edited(data, "xl/sharedStrings.xml", r"<si>.*?</si>", runs)


def escaped_string(number):
    """Excel shows ``_x0031_`` as 1."""
    data = sheet_with(cell_text)("目印")
    text = "".join(f"_x{ord(digit):04X}_" for digit in number)
    cell = f'<c r="B7" t="inlineStr"><is><t>{text}</t></is></c>'
    return edited(data, "xl/worksheets/sheet1.xml", r'<c r="B7".*?</c>', cell)


def exponent(number):
    data = sheet_with(cell_number)(number)
    raw = f"{number[0]}.{number[1:]}E11"
    return edited(data, "xl/worksheets/sheet1.xml", r"<v>[^<]*</v>", f"<v>{raw}</v>")


def rows_out_of_order(number):
    data = sheet_with(cell_text)("目印")
    rows = (
        f'<row r="9"><c r="A9" t="str"><v>後</v></c></row>'
        f'<row r="2"><c r="B2" t="str"><v>{number}</v></c></row>'
    )
    return edited(data, "xl/worksheets/sheet1.xml", r"<row .*</row>", rows)


def no_references(number):
    data = sheet_with(cell_text)("目印")
    rows = f'<row><c t="str"><v>a</v></c><c t="str"><v>{number}</v></c></row>'
    return edited(data, "xl/worksheets/sheet1.xml", r"<row .*</row>", rows)


# Word


def document_with(fill):
    def build(number):
        document = docx.Document()
        fill(document, number)
        return saved(document)

    return build


def paragraph(document, number):
    document.add_paragraph(number)


def split_runs(document, number):
    paragraph = document.add_paragraph()
    for at in range(0, 12, 3):
        paragraph.add_run(number[at : at + 3]).bold = bool(at % 2)


def word_table(document, number):
    table = document.add_table(2, 2)
    table.cell(1, 1).text = number


def word_boxes(document, number):
    table = document.add_table(1, 12)
    for cell, digit in zip(table.rows[0].cells, number, strict=True):
        cell.text = digit


def nested_table(document, number):
    outer = document.add_table(1, 1)
    outer.cell(0, 0).add_table(1, 1).cell(0, 0).text = number


def word_header(document, number):
    document.sections[0].header.paragraphs[0].text = number


def word_footer(document, number):
    document.sections[0].footer.paragraphs[0].text = number


def word_comment(document, number):
    run = document.add_paragraph("本文").runs[0]
    document.add_comment(run, text=number, author="作成者", initials="作")


def word_author(document, number):
    document.core_properties.author = number


def hidden_text(document, number):
    document.add_paragraph().add_run(number).font.hidden = True


def tracked(tag, text_tag):
    def fill(document, number):
        paragraph = document.add_paragraph("前")
        change = OxmlElement(tag)
        change.set(qn("w:id"), "1")
        change.set(qn("w:author"), "作成者")
        run = OxmlElement("w:r")
        text = OxmlElement(text_tag)
        text.text = number
        run.append(text)
        change.append(run)
        paragraph._p.append(change)

    return fill


def deletion_inside(document, number):
    """Seen as accepted: the number; in the file a deletion cuts it."""
    paragraph = document.add_paragraph(number[:6])
    tracked("w:del", "w:delText")(_Inside(paragraph), "77")
    paragraph.add_run(number[6:])


class _Inside:
    def __init__(self, paragraph):
        self._paragraph = paragraph

    def add_paragraph(self, _):
        return self._paragraph


def in_body(xml):
    """A document whose body has the given XML, which holds ``%s`` for the number."""

    def build(number):
        data = document_with(paragraph)("目印")
        return edited(data, "word/document.xml", r"<w:p>.*?</w:p>", xml.replace("%s", number))

    return build


SPACES = (
    'xmlns:wps="http://schemas.microsoft.com/office/word/2010/wordprocessingShape" '
    'xmlns:mc="http://schemas.openxmlformats.org/markup-compatibility/2006" '
    'xmlns:v="urn:schemas-microsoft-com:vml"'
)
BOX = "<w:txbxContent><w:p><w:r><w:t>%s</w:t></w:r></w:p></w:txbxContent>"
text_box = in_body(
    f"<w:p {SPACES}><w:r><w:t>前</w:t></w:r><w:r><mc:AlternateContent>"
    f'<mc:Choice Requires="wps"><w:drawing><wps:txbx>{BOX}</wps:txbx></w:drawing></mc:Choice>'
    f"<mc:Fallback><w:pict><v:textbox>{BOX}</v:textbox></w:pict></mc:Fallback>"
    "</mc:AlternateContent></w:r></w:p>"
)
field_code = in_body(
    '<w:p><w:r><w:fldChar w:fldCharType="begin"/></w:r><w:r><w:instrText> QUOTE "%s" </w:instrText>'
    '</w:r><w:r><w:fldChar w:fldCharType="end"/></w:r></w:p>'
)
ruby = in_body(
    "<w:p><w:r><w:ruby><w:rt><w:r><w:t>%s</w:t></w:r></w:rt>"
    "<w:rubyBase><w:r><w:t>字</w:t></w:r></w:rubyBase></w:ruby></w:r></w:p>"
)
content_control = in_body(
    '<w:p><w:sdt><w:sdtPr><w:alias w:val="欄"/></w:sdtPr><w:sdtContent><w:r><w:t>%s</w:t></w:r>'
    "</w:sdtContent></w:sdt></w:p>"
)
alternative = in_body(
    '<w:p xmlns:wp="http://schemas.openxmlformats.org/drawingml/2006/wordprocessingDrawing"><w:r>'
    '<w:drawing><wp:inline><wp:docPr id="1" name="図" descr="%s"/></wp:inline></w:drawing>'
    "</w:r></w:p>"
)
comment_inside = in_body("<w:p><w:r><w:t>%s</w:t></w:r></w:p>")


def xml_comment_inside(number):
    return in_body("<w:p><w:r><w:t>%s</w:t></w:r></w:p>")(f"{number[:4]}<!-- x -->{number[4:]}")


def story_part(kind, root, inner):
    """A document with one more story part and the relationship to it."""

    def build(number):
        data = document_with(paragraph)("本文")
        namespace = "http://schemas.openxmlformats.org/wordprocessingml/2006/main"
        text = f"<w:p><w:r><w:t>{number}</w:t></w:r></w:p>"
        xml = f'<w:{root} xmlns:w="{namespace}">{inner.replace("%s", text)}</w:{root}>'
        office = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
        relation = (
            f'<Relationship Id="rIdX" Type="{office}/{kind}" Target="{kind}.xml"/></Relationships>'
        )
        data = edited(data, "word/_rels/document.xml.rels", r"</Relationships>", relation)
        return rezip(data, {f"word/{kind}.xml": xml.encode()})

    return build


footnote = story_part("footnotes", "footnotes", '<w:footnote w:id="2">%s</w:footnote>')
endnote = story_part("endnotes", "endnotes", '<w:endnote w:id="2">%s</w:endnote>')
doc_var = story_part("settings2", "settings", "%s")


def alt_chunk(number):
    data = document_with(paragraph)("本文")
    html = f"<html><body><p>{number}</p></body></html>"
    return rezip(data, {"word/afchunk.html": html.encode()})


def custom_xml(number):
    return rezip(
        document_with(paragraph)("本文"),
        {"customXml/item9.xml": f"<a><b>{number}</b></a>".encode()},
    )


def embedded_book(number):
    inner = sheet_with(cell_text)(number)
    return rezip(document_with(paragraph)("本文"), {"word/embeddings/Sheet1.xlsx": inner})


def unlisted_part(number):
    xml = f"<x><y>{number}</y></x>".encode()
    return rezip(document_with(paragraph)("本文"), {"word/unknown/deep.xml": xml})


# PowerPoint


def slides_with(fill):
    def build(number):
        show = pptx.Presentation()
        slide = show.slides.add_slide(show.slide_layouts[1])
        fill(slide, number)
        return saved(show)

    return build


def slide_title(slide, number):
    slide.shapes.title.text = number


def slide_body(slide, number):
    slide.placeholders[1].text = number


def slide_box(slide, number):
    slide.shapes.add_textbox(0, 0, 100, 100).text_frame.text = number


def slide_group(slide, number):
    slide.shapes.add_group_shape().shapes.add_textbox(0, 0, 9, 9).text_frame.text = number


def slide_table(slide, number):
    slide.shapes.add_table(2, 2, 0, 0, 100, 100).table.cell(1, 1).text = number


def slide_note(slide, number):
    slide.notes_slide.notes_text_frame.text = number


def slide_alternative(slide, number):
    box = slide.shapes.add_textbox(0, 0, 9, 9)
    box._element.nvSpPr.cNvPr.set("descr", number)


def slide_chart(slide, number):
    data = CategoryChartData()
    data.categories = [number]
    data.add_series("系列", (1,))
    slide.shapes.add_chart(XL_CHART_TYPE.PIE, 0, 0, 99, 99, data)


def slide_hidden(slide, number):
    slide._element.set("show", "0")
    slide.shapes.title.text = number


def slide_layout(slide, number):
    slide.slide_layout.placeholders[0].text = number


# format, place in words, builder, expected location (a pattern that must match somewhere)
CASES = [
    ("xlsx", "セル (文字列)", sheet_with(cell_text), r"^シート1!B7$"),
    ("xlsx", "セル (数値)", sheet_with(cell_number), r"^シート1!B7$"),
    ("xlsx", "セル (指数表記)", exponent, r"^シート1!B7$"),
    (
        "xlsx",
        "セル (先頭の 0 が書式だけにある数値)",
        sheet_with(cell_leading_zero),
        r"^シート1!B7$",
    ),
    ("xlsx", "セル (書式で区切られた数値)", sheet_with(cell_grouped), r"^シート1!B7$"),
    ("xlsx", "インライン文字列", inline_string, r"^シート1!B7$"),
    ("xlsx", "エスケープされた文字 (_x0031_)", escaped_string, r"^シート1!B7$"),
    ("xlsx", "書式が途中で変わる共有文字列", rich_shared, r"^シート1!B7$"),
    ("xlsx", "方眼紙 (1 マス 1 字)", sheet_with(boxes), r"^シート1!B7$"),
    ("xlsx", "方眼紙 (結合セル)", sheet_with(merged_boxes), r"^シート1!B7$"),
    ("xlsx", "順序が逆の行", rows_out_of_order, r"^シート1!B2$"),
    ("xlsx", "番地のないセル", no_references, r"^シート1!B1$"),
    ("xlsx", "最後のセル XFD1048576", sheet_with(far_cell), r"^シート1!XFD1048576$"),
    ("xlsx", "非表示シート", sheet_with(hidden_sheet), r"^シート2!A1$"),
    ("xlsx", "シート名", sheet_with(sheet_name), r"^シート名$"),
    ("xlsx", "コメント", sheet_with(comment), r"コメント"),
    ("xlsx", "コメントの作成者", sheet_with(comment_author), r"コメント"),
    ("xlsx", "ヘッダー", sheet_with(header), r"^シート1\(見出し"),
    ("xlsx", "数式の中の定数", sheet_with(formula), r"^シート1\(数式\)!B7$"),
    ("xlsx", "名前の定義", sheet_with(defined_name), r"^名前の定義$"),
    ("xlsx", "入力規則のメッセージ", sheet_with(validation), r"^シート1\(見出し"),
    ("xlsx", "ハイパーリンク", sheet_with(hyperlink), r"^リンク先$"),
    ("xlsx", "文書のプロパティ", sheet_with(book_title), r"プロパティ"),
    ("xlsx", "ユーザー設定のプロパティ", sheet_with(custom_property), r"プロパティ"),
    ("xlsx", "外部データの接続 (SQL)", connection, r"^部品\d+"),
    ("xlsx", "グラフの題名", sheet_with(chart_title), r"グラフ"),
    ("docx", "本文", document_with(paragraph), r"^本文!段落1$"),
    ("docx", "書式が途中で変わる本文", document_with(split_runs), r"^本文!段落1$"),
    ("docx", "XML コメントで分断された本文", xml_comment_inside, r"^本文!段落1$"),
    ("docx", "隠し文字", document_with(hidden_text), r"^本文"),
    ("docx", "表", document_with(word_table), r"^本文\(表1\)!2行2列$"),
    ("docx", "表 (1 マス 1 字)", document_with(word_boxes), r"^本文\(表1\)!1行1列$"),
    ("docx", "表の中の表", document_with(nested_table), r"^本文\(表"),
    ("docx", "ヘッダー", document_with(word_header), r"^ヘッダー1"),
    ("docx", "フッター", document_with(word_footer), r"^フッター1"),
    ("docx", "脚注", footnote, r"^脚注1"),
    ("docx", "文末脚注", endnote, r"^文末脚注1"),
    ("docx", "コメント", document_with(word_comment), r"^コメント1"),
    ("docx", "変更履歴: 削除", document_with(tracked("w:del", "w:delText")), r"変更履歴"),
    ("docx", "変更履歴: 移動元", document_with(tracked("w:moveFrom", "w:t")), r"変更履歴"),
    ("docx", "変更履歴: 挿入", document_with(tracked("w:ins", "w:t")), r"^本文!段落1$"),
    ("docx", "削除が分断する番号", document_with(deletion_inside), r"^本文!段落1$"),
    ("docx", "テキストボックス", text_box, r"^本文\(テキストボックス1\)"),
    ("docx", "フィールド コード", field_code, r"フィールド"),
    ("docx", "ルビ", ruby, r"ルビ"),
    ("docx", "コンテンツ コントロール", content_control, r"^本文!段落1$"),
    ("docx", "代替テキスト", alternative, r"属性"),
    ("docx", "作成者", document_with(word_author), r"プロパティ"),
    ("docx", "設定 (名前のない部品)", doc_var, r"^部品"),
    ("docx", "altChunk (HTML)", alt_chunk, r"^部品\d+\.html › "),
    ("docx", "カスタム XML", custom_xml, r"カスタムXML"),
    ("docx", "埋め込みブック", embedded_book, r"^部品\d+\.xlsx › シート1!B7$"),
    ("docx", "参照されていない部品", unlisted_part, r"^部品"),
    ("pptx", "題名", slides_with(slide_title), r"^スライド1$"),
    ("pptx", "本文", slides_with(slide_body), r"^スライド1$"),
    ("pptx", "テキストボックス", slides_with(slide_box), r"^スライド1$"),
    ("pptx", "グループの中", slides_with(slide_group), r"^スライド1$"),
    ("pptx", "表", slides_with(slide_table), r"^スライド1\(表1\)!2行2列$"),
    ("pptx", "ノート", slides_with(slide_note), r"^スライド1\(ノート\)$"),
    ("pptx", "代替テキスト", slides_with(slide_alternative), r"^スライド1\(代替テキスト\)$"),
    ("pptx", "グラフの項目", slides_with(slide_chart), r"グラフ|シート1"),
    ("pptx", "非表示スライド", slides_with(slide_hidden), r"^スライド1$"),
    ("pptx", "レイアウト", slides_with(slide_layout), r"^部品"),
]
