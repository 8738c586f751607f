"""A document is what its bytes are, whatever it is called."""

from __future__ import annotations

import bz2
import io
import zipfile

import pytest

from shared.extract import extract
from shared.extract.sniff import sniff
from shared.model import Content, GapCode
from tests.unit.extract_mail.writers import compound_file, msg, typed


def packed(*names: str, comment: bytes = b"") -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.comment = comment
        for name in names:
            archive.writestr(name, "x")
    return buffer.getvalue()


PDF = b"%PDF-1.7\n1 0 obj\n<<>>\nendobj\nstartxref\n0\n%%EOF\n"
UTF16 = "住所,氏名\r\n東京都,山田\r\n"


@pytest.mark.parametrize(
    ("data", "kinds"),
    [
        (PDF, ("pdf",)),
        (packed("a.txt"), ("zip",)),
        (packed("a.txt", comment=b"remark"), ("zip",)),
        (packed("[Content_Types].xml", "word/document.xml"), ("docx",)),
        (packed("[Content_Types].xml", "xl/workbook.xml"), ("xlsx",)),
        (packed("[Content_Types].xml", "xl/workbook.bin"), ("xlsb",)),
        (packed("[Content_Types].xml", "ppt/presentation.xml"), ("pptx",)),
        (packed("mimetype", "content.xml"), ("odf",)),
        (packed("META-INF/MANIFEST.MF", "A.class"), ("zip",)),
        (packed("word/document.xml", "inner.docx"), ("zip",)),
        (compound_file({"WordDocument": b"x"}), ("doc",)),
        (compound_file({"Workbook": b"x"}), ("xls",)),
        (compound_file({"PowerPoint Document": b"x"}), ("ppt",)),
        (compound_file({"EncryptedPackage": b"x", "EncryptionInfo": b"y"}), ("ooxml-encrypted",)),
        (compound_file({"DocumentText": b"x"}), ("jtd",)),
        (compound_file({"Something": b"x"}), ("ole",)),
        (compound_file(msg({})), ("msg",)),
        (compound_file({"WordDocument": b"x", "ObjectPool": {"Workbook": b"x"}}), ("doc",)),
        (compound_file({"WordDocument": b"x", "Workbook": b"x"}), ("doc", "xls")),
        (b"{\\rtf1 x}", ("rtf",)),
        (b"7z\xbc\xaf\x27\x1c\0\4", ("7z",)),
        (b"Rar!\x1a\x07\x01\0", ("rar",)),
        (b"\x19\x24-lh5-\x10\0\0\0", ("lzh",)),
        (b"\x1f\x8b\x08\0", ("gzip",)),
        (bz2.compress(b"x"), ("bzip2",)),
        (b"\xfd7zXZ\0\0", ("xz",)),
        (b"\x28\xb5\x2f\xfd\0", ("zstd",)),
        (b"name".ljust(257, b"\0") + b"ustar\x0000", ("tar",)),
        (b"\x78\x9f\x3e\x22\1\0", ("tnef",)),
        (b"\x89PNG\r\n\x1a\n\0\0", ("image",)),
        (b"MZ\x90\0\3\0\0\0", ("executable",)),
        (b"From: a@b\r\nSubject: x\r\n\r\nx", ("mail",)),
        (b"<!DOCTYPE html><html>", ("html",)),
        (b"  <html><body>x", ("html",)),
        (b"<?xml version='1.0'?><a/>", ("xml",)),
        (b"<svg xmlns='x'/>", ("xml",)),
        (b"BEGIN:VCALENDAR\r\n", ("calendar",)),
        (b"begin:vcard\r\n", ("vcard",)),
        (UTF16.encode("utf-16"), ("text",)),
        (UTF16.encode("utf-16-le"), ("text",)),
        (UTF16.encode("utf-16-be"), ("text",)),
        (UTF16.encode("cp932"), ("text",)),
        (UTF16.encode("euc_jp"), ("text",)),
        (UTF16.encode("iso2022_jp"), ("text",)),
        (bytes(range(256)) * 4, ()),
        (b"", ("text",)),
    ],
)
def test_sniff_names_the_format_by_content(data, kinds):
    assert sniff(data) == kinds


@pytest.mark.parametrize("name", ["a.txt", "a.pdf", "a.csv", "a.eml"])
def test_sniff_signature_wins_over_the_name(name):
    assert sniff(packed("[Content_Types].xml", "xl/workbook.xml"), name) == ("xlsx",)


def test_sniff_table_is_told_by_name_or_type_alone():
    data = UTF16.encode("cp932")
    assert sniff(data, "表.CSV") == ("csv",)
    assert sniff(data, "", "text/csv; charset=shift_jis") == ("csv",)


@pytest.mark.parametrize(
    ("data", "kinds"),
    [
        (PDF + packed("a.txt"), {"pdf", "zip"}),
        (b"\xff\xd8\xff\xe0" + packed("a.txt"), {"image", "zip"}),
        (b"MZ\x90\0\3" + packed("a.txt"), {"executable", "zip"}),
        (b"some words\r\n" + PDF, {"text", "pdf"}),
        (b"GIF89a" + packed("[Content_Types].xml", "word/document.xml"), {"image", "docx"}),
    ],
)
def test_sniff_polyglot_is_both(data, kinds):
    assert set(sniff(data)) == kinds


def test_polyglot_members_are_read_though_the_front_is_a_picture():
    data = b"\xff\xd8\xff\xe0" + packed("a.txt")
    extraction, _ = extract(Content(data), clock=lambda: 0.0)
    assert any(segment.text == "x" for segment in extraction.segments)
    assert {GapCode.IMAGE_ONLY, GapCode.AMBIGUOUS} <= {gap.code for gap in extraction.gaps}


def test_body_that_is_a_file_is_read_as_the_file():
    data = typed(packed("a.txt"), "utf-8", "base64")
    extraction, _ = extract(Content(data), clock=lambda: 0.0)
    assert any(segment.text == "x" for segment in extraction.segments)


def test_unknown_bytes_are_a_gap():
    extraction, _ = extract(Content(bytes(range(256)) * 4), clock=lambda: 0.0)
    assert [gap.code for gap in extraction.gaps] == [GapCode.UNKNOWN_FORMAT]


@pytest.mark.parametrize("text", ["MZ世代の番号", "BM広報", "GIF89aの話", "ID3という規格"])
def test_text_that_begins_like_a_signature_is_text(text):
    assert sniff(text.encode()) == ("text",)
    assert sniff(text.encode("cp932")) == ("text",)


def test_text_that_no_encoding_fits_is_a_gap_beside_what_was_read():
    extraction, _ = extract(Content(b"0123 " + b"\x80\xff\xfd\xa0" * 20), clock=lambda: 0.0)
    assert GapCode.PARTIAL in {gap.code for gap in extraction.gaps}
    assert "0123" in extraction.segments[0].text


def test_list_saved_as_text_is_a_table():
    extraction, _ = extract(Content("氏名\t番号\n山田\t0123\n".encode()), clock=lambda: 0.0)
    assert extraction.segments[0].table


def test_table_rows_are_marked_and_quoted_cells_keep_their_content():
    data = '氏名,備考\r\n"山田, 花子","一行目\n二行目"\r\n鈴木,"開いたまま'.encode("cp932")
    extraction, _ = extract(Content(data, "一覧.csv"), clock=lambda: 0.0)
    (segment,) = [s for s in extraction.segments if s.table]
    assert segment.text.split("\n") == [
        "氏名\t備考",
        "山田, 花子\t一行目 二行目",
        "鈴木\t開いたまま",
    ]
    assert segment.where(segment.text.index("鈴木")) == "表!3行"


@pytest.mark.parametrize("number", [0, 2, 0xFFFFFFF0])
def test_compound_file_with_a_looping_table_is_named_and_ends(number):
    data = bytearray(compound_file({"WordDocument": b"x" * 5000}))
    data[68:72] = number.to_bytes(4, "little")  # the first sector of the table's own chain
    data[72:76] = b"\xff\xff\xff\x7f"
    assert sniff(bytes(data)) == ("doc",)
