"""What an Office file holds elsewhere or behind a password is named, and nothing else is."""

from __future__ import annotations

import io
import struct
import time
import zipfile

import pytest

from shared.extract import extract
from shared.model import Content, GapCode
from tests.unit.extract_files.archive_cases import zipped
from tests.unit.extract_files.legacy_cases import cfb, locked, word_97, xls_record
from tests.unit.extract_files.office_cases import (
    cell_text,
    deletion_inside,
    document_with,
    edited,
    paragraph,
    rezip,
    sheet_with,
)

OFFICE = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"


def read(data, passwords=()):
    return extract(Content(data), clock=time.monotonic, passwords=passwords)[0]


def codes(data, passwords=()):
    return {gap.code for gap in read(data, passwords).gaps}


def linked(kind):
    relation = (
        f'<Relationship Id="rIdX" Type="{OFFICE}/{kind}" TargetMode="External" '
        'Target="https://example.jp/x"/></Relationships>'
    )
    data = document_with(paragraph)("本文")
    return edited(data, "word/_rels/document.xml.rels", r"</Relationships>", relation)


@pytest.mark.parametrize("kind", ["attachedTemplate", "oleObject", "image", "subDocument"])
def test_content_elsewhere_is_an_external_gap(kind):
    assert codes(linked(kind)) == {GapCode.EXTERNAL}


def test_hyperlink_is_text_and_no_gap():
    found = read(linked("hyperlink"))
    assert "https://example.jp/x" in [segment.text for segment in found.segments]
    assert found.gaps == ()


def test_clean_files_have_no_gap():
    assert codes(document_with(paragraph)("本文")) == set()
    assert codes(sheet_with(cell_text)("本文")) == set()


def test_encrypted_office_without_its_password_is_encrypted():
    data = locked(document_with(paragraph), "himitsu")("1")
    assert codes(data) == {GapCode.ENCRYPTED}
    assert codes(data, ("違う", "x")) == {GapCode.ENCRYPTED}


def test_encrypted_legacy_files_are_encrypted():
    word = word_97([("本文", 3)])
    word["WordDocument"] = (
        word["WordDocument"][:10] + struct.pack("<H", 0x300) + word["WordDocument"][12:]
    )
    assert codes(cfb(word)) == {GapCode.ENCRYPTED}
    assert codes(xls_record(0x2F, lambda _: b"\0" * 6)("")) == {GapCode.ENCRYPTED}


def test_encrypted_open_document_is_encrypted():
    data = zipped(
        {
            "mimetype": b"application/vnd.oasis.opendocument.text",
            "META-INF/manifest.xml": b"<manifest><encryption-data/></manifest>",
            "content.xml": b"\x93\x11",
        }
    )
    assert codes(data) == {GapCode.ENCRYPTED}


def test_missing_main_part_is_partial_and_the_rest_is_read():
    data = document_with(paragraph)("本文")
    relation = "<Relationships/>"
    bare = rezip(data, {"_rels/.rels": relation.encode(), "word/document.xml": b"<x/>"})
    found = read(bare)
    assert not any(segment.text == "本文" for segment in found.segments)
    assert read(data).gaps == ()


def test_missing_shared_string_is_partial():
    data = sheet_with(cell_text)("目印")
    cell = '<c r="B7" t="s"><v>999</v></c>'
    data = edited(data, "xl/worksheets/sheet1.xml", r'<c r="B7".*?</c>', cell)
    assert codes(data) == {GapCode.PARTIAL}


def test_part_that_only_a_lenient_parser_reads_is_partial_and_read():
    data = edited(
        document_with(paragraph)("前の文字"), "word/document.xml", r"</w:body>", "<w:p>&bad;"
    )
    found = read(data)
    assert {gap.code for gap in found.gaps} == {GapCode.PARTIAL}
    assert "前の文字" in [segment.text for segment in found.segments]


def test_deletion_inside_a_number_leaves_both_readings():
    found = read(document_with(deletion_inside)("123456789012"))
    texts = [segment.text for segment in found.segments]
    assert "123456789012" in texts
    assert "12345677789012" in texts


def broken(data, part):
    """The directory's CRC of a part changed, and nothing else."""
    damaged = bytearray(data)
    row = data.index(part.encode(), data.index(b"PK\x01\x02")) - 46
    damaged[row + 16] ^= 1
    return bytes(damaged)


def test_part_with_a_wrong_checksum_is_read_and_named():
    found = read(broken(document_with(paragraph)("目印の段落"), "word/document.xml"))
    assert [(gap.code, gap.location) for gap in found.gaps] == [(GapCode.MALFORMED, "本文")]
    assert "目印の段落" in [segment.text for segment in found.segments]


def test_part_that_breaks_off_is_read_as_far_as_it_goes():
    text = "".join(f"番号{n}" for n in range(4_000))
    data = bytearray(document_with(paragraph)(text))
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        info = archive.getinfo("word/document.xml")
    middle = info.header_offset + info.compress_size * 2 // 3
    data[middle : middle + 40] = b"\xff" * 40
    found = read(bytes(data))
    assert {gap.code for gap in found.gaps} == {GapCode.MALFORMED, GapCode.PARTIAL}
    assert any("番号1000" in segment.text for segment in found.segments)


def test_part_with_a_document_type_is_read_and_named():
    xml = (
        '<!DOCTYPE w [<!ENTITY a "b">]><w:document xmlns:w="http://schemas.openxmlformats.org/'
        'wordprocessingml/2006/main"><w:body><w:p><w:r><w:t>目印</w:t></w:r></w:p></w:body>'
        "</w:document>"
    )
    found = read(rezip(document_with(paragraph)("x"), {"word/document.xml": xml.encode()}))
    assert GapCode.MALFORMED in {gap.code for gap in found.gaps}
    assert "目印" in [segment.text for segment in found.segments]
