"""Ways around a sanitiser that are known, one by one."""

from __future__ import annotations

import base64
import io
import struct

import openpyxl
import pytest

from shared.model import GapCode
from shared.sanitize import Links
from tests.unit.sanitize.sanitize_mail import EXE, archive, mail
from tests.unit.sanitize.sanitize_office import (
    LINK,
    MS,
    REL,
    Poison,
    atom,
    document,
    field,
    in_body,
    ppt,
    saved_image,
    xlsx_cell,
)
from tests.unit.sanitize.sanitize_pages import page, rtf
from tests.unit.sanitize.sanitize_sample import WORDS, clean, codes, text_of
from tests.unit.sanitize.sanitize_vba import vba_project_bin


def test_vba_that_calls_itself_xml_goes_by_its_relationship():
    poison = Poison(document()).part("word/x.xml", vba_project_bin(), "application/xml")
    poison.relate("word/document.xml", "rIdV", f"{MS}/vbaProject", "x.xml")
    assert codes(clean(poison.data(), "a.docx")) == {"macro"}


def test_relationships_that_only_some_programs_find_hold_the_file():
    poison = Poison(document())
    poison.parts["word/_RELS/document.xml.RELS"] = poison.parts.pop("word/_rels/document.xml.rels")
    assert clean(poison.data(), "a.docx").gaps[0].code is GapCode.AMBIGUOUS


def test_package_of_an_unknown_main_kind_is_held():
    poison = Poison(document()).retype("wordprocessingml.document.main+xml", "addin.main+xml")
    assert clean(poison.data(), "a.docx").gaps[0].code is GapCode.UNSUPPORTED


def test_fields_of_japanese_documents_stay():
    ruby = field(" EQ \\* jc2 \\o\\ad(\\s\\up 9(かな),漢字) ")
    result = clean(in_body(field(" PAGE ") + field(" TOC ") + ruby).data(), "a.docx")
    assert codes(result) == set()


def test_office_link_shows_its_target_or_stays():
    poison = in_body(LINK)
    poison.relate(
        "word/document.xml", "rIdL", f"{REL}/hyperlink", "http://evil.example/a", outside=True
    )
    assert "こちら [hxxp://evil[.]example/a]" in text_of(clean(poison.data(), "a.docx").content)
    assert codes(clean(poison.data(), "a.docx", links=Links.KEEP)) == set()


def test_formula_shared_by_cells_goes_from_all_of_them():
    cells = (
        '<c r="A9"><f t="shared" ref="A9:B9" si="0">[1]S!A1</f><v>7</v></c>'
        '<c r="B9"><f t="shared" si="0"/><v>8</v></c><c r="C9"><f>A1+1</f><v>9</v></c>'
    )
    data = clean(xlsx_cell(cells).data(), "a.xlsx").content.data
    sheet = openpyxl.load_workbook(io.BytesIO(data)).active
    assert [cell.value for cell in sheet[9]] == [7, 8, "=A1+1"]


def test_part_in_utf16_is_read_as_what_it_says():
    poison = in_body(field(' DDEAUTO cmd "/c calc" '))
    text = poison.parts["word/document.xml"].decode().replace("UTF-8", "UTF-16")
    poison.parts["word/document.xml"] = text.encode("utf-16")
    assert codes(clean(poison.data(), "a.docx")) == {"dde"}


def test_rtf_obfuscation_is_read_through():
    for body, code in {
        rb"{\object\objemb{\*\objdata \bin4 AAAA}}": "ole_object",
        rb"{\*\unknown{\object{\*\objdata 0105}}}": "ole_object",
        rb"{\b x\objdata 0105000}": "ole_object",
        rb"{\field{\*\fldinst{\'44DEAUTO cmd}}{\fldrslt a}}": "dde",
        rb"{\field{\*\fldinst{D{\x}DEAUTO cmd}}{\fldrslt a}}": "dde",
        rb"{\*\fldinst {DDEAUTO cmd}}": "field",
    }.items():
        result = clean(rtf(body), "a.rtf")
        assert codes(result) == {code}, body
        assert b"objdata" not in result.content.data
        assert b"DEAUTO" not in result.content.data


def test_text_in_an_attribute_cannot_become_a_tag():
    body = '<a href="http://e/&quot; onmouseover=&quot;alert(1)"><b title="</a>">x</b></a>'
    written = clean(page(body), "a.html").content.data.decode()
    assert '<b title="/a">x</b></span> [hxxp://e/' in written


def test_inline_picture_is_re_encoded_or_goes():
    dirty = saved_image("PNG") + archive([("a.exe", EXE)])
    body = f'<img src="data:image/png;base64,{base64.b64encode(dirty).decode()}">'
    written = clean(page(body), "a.html").content.data.decode()
    data = base64.b64decode(written.partition("base64,")[2].partition('"')[0])
    assert data.startswith(b"\x89PNG")
    assert b"PK\3\4" not in data
    broken = clean(page('<img src="data:image/png;base64,AAAA">'), "a.html")
    assert b"data:" not in broken.content.data


def test_mail_that_speaks_of_scripts_is_no_script():
    head = b"From: a@example.jp\r\nTo: b@example.jp\r\nSubject: x\r\n\r\n"
    data = head + b"powershell -EncodedCommand AAAA\r\nInvoke-WebRequest x\r\n" + WORDS.encode()
    assert clean(data, "", "message/rfc822").content.data == data


def test_mail_inside_a_mail_in_base64_is_cleaned():
    inner = base64.encodebytes(mail(html=page("<script>1</script>")))
    data = (
        b"From: a@example.jp\r\nTo: b@example.jp\r\nMIME-Version: 1.0\r\n"
        b"Content-Type: message/rfc822\r\nContent-Transfer-Encoding: base64\r\n\r\n" + inner
    )
    result = clean(data, "", "message/rfc822")
    assert "script" in codes(result)
    assert WORDS in text_of(result.content)


@pytest.mark.parametrize(
    ("info", "held"),
    [
        (atom(0x0400, struct.pack("<III", 0, 0, 2), 2), False),
        (atom(0x0400, struct.pack("<III", 0, 1, 2), 2), True),
        (atom(0x0400, struct.pack("<III", 9, 0, 2), 2), True),
        (atom(0x0400, struct.pack("<II", 0, 0), 2), True),
        (atom(0x0401, struct.pack("<III", 0, 0, 2), 2), True),
        (b"", True),
    ],
)
def test_presentation_may_say_that_it_has_no_macros(info, held):
    """[MS-PPT] 2.4.10: the record is in harmless files too; anything but its plain form holds."""
    result = clean(ppt(atom(0x03FF, info, 15)), "a.ppt")
    assert (result.content is None) == held
    assert ("macro" in codes(result)) == held
