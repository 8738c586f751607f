"""Names of members and attachments are content: each is scanned, and no location shows one."""

from __future__ import annotations

import base64
import gzip
import io
import struct
import tarfile
import time
import zipfile

import openpyxl
import pikepdf
import pytest
from odf.opendocument import OpenDocumentText
from odf.text import P

from shared.extract import extract
from shared.model import Content
from tests.unit.extract_files.archive_cases import lzh, seven_zip, zipped
from tests.unit.extract_files.cfb_writer import cfb
from tests.unit.extract_files.legacy_cases import locked, rtf, word_97, xls_name, xls_with
from tests.unit.extract_files.numbers_made import my_number
from tests.unit.extract_files.office_cases import (
    cell_text,
    document_with,
    paragraph,
    rezip,
    saved,
    sheet_with,
)
from tests.unit.extract_files.pdf_cases import CASES as PDFS
from tests.unit.extract_files.rar_cases import built, rar_4, rar_5
from tests.unit.extract_mail import writers

NUMBER = my_number(99_990_004_711)
NAME = f"住民票_{NUMBER}.txt"
BOOK = sheet_with(cell_text)("目印")


def tar(kind=tarfile.GNU_FORMAT, encoding="utf-8", name=NAME):
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w", format=kind, encoding=encoding) as archive:
        info = tarfile.TarInfo(name)
        info.size = 1
        archive.addfile(info, io.BytesIO(b"x"))
    return out.getvalue()


def gzip_named():
    """The header keeps the name that the file had, and a remark (RFC 1952 2.3)."""
    plain = gzip.compress(b"x")
    name = NAME.encode("cp932") + b"\0"
    return plain[:3] + b"\x08" + plain[4:10] + name + plain[10:]


def gzip_remark():
    plain = gzip.compress(b"x")
    return plain[:3] + b"\x10" + plain[4:10] + f"控え {NUMBER}".encode() + b"\0" + plain[10:]


def rar_encrypted():
    return built({NAME: b"1" * 99}, password="himitsu")


def zip_locked():
    """An encrypted member: its bytes stay closed, its name does not."""
    data = zipped({NAME: b"x"}, zipfile.ZIP_STORED)
    out = bytearray(data)
    out[6] |= 1
    out[data.index(b"PK\1\2") + 8] |= 1
    return bytes(out)


def pdf_attachment():
    out = io.BytesIO()
    with pikepdf.open(io.BytesIO(PDFS[0][1]("目印"))) as pdf:
        pdf.attachments[NAME] = pikepdf.AttachedFileSpec(pdf, b"x", filename=NAME)
        pdf.save(out)
    return out.getvalue()


def native():
    label = NAME.encode("cp932")
    body = b"\2\0" + label + b"\0C:\\a.txt\0\0\0\3\0" + struct.pack("<I", 6) + b"a.txt\0"
    body += struct.pack("<I", 1) + b"x"
    return cfb(
        word_97([("本文\r", 3)]) | {"Pool/\1Ole10Native": struct.pack("<I", len(body)) + body}
    )


def rtf_package():
    label = NAME.encode("cp932")
    body = b"\2\0" + label + b"\0C:\\a.txt\0\0\0\3\0" + struct.pack("<I", 6) + b"a.txt\0"
    body += struct.pack("<I", 1) + b"x"
    head = struct.pack("<III", 0x501, 2, 8) + b"Package\0" + struct.pack("<III", 0, 0, len(body))
    raw = head + body
    return rtf(lambda _: b"{\\object{\\*\\objdata " + raw.hex().encode() + b"}}")("")


def office_part(data):
    return rezip(data, {f"custom/{NUMBER}.bin": b"\1\2\3"})


def named_sheet():
    book = openpyxl.Workbook()
    book.active.title = NUMBER
    return saved(book)


def odf_part():
    document = OpenDocumentText()
    document.text.addElement(P(text="本文"))
    return rezip(saved(document), {f"Object {NUMBER}/content.xml": b"<a>x</a>"})


def mail(disposition, kind=b"application/octet-stream"):
    return writers.with_attachment(disposition, kind, BOOK)


def mail_in_mail():
    return writers.with_attachment(
        b'attachment; filename="a.eml"', data=mail(f'attachment; filename="{NAME}"'.encode())
    )


def message(name):
    attachment = {
        "__substg1.0_3707001F": name.encode("utf-16-le"),
        "__substg1.0_37010102": BOOK,
    }
    return writers.compound_file(
        writers.msg({(0x1000, 0x1F): "本文".encode("utf-16-le")}, [attachment])
    )


def winmail():
    properties = writers.tnef_properties([(0x3707, 0x1F, NAME.encode("utf-16-le") + b"\0\0")])
    return writers.tnef(
        [
            (1, 0x9007, struct.pack("<II", 932, 0)),
            (2, 0x9002, b"\0" * 14),
            (2, 0x8010, b"A.TXT\0"),
            (2, 0x800F, b"x"),
            (2, 0x9005, properties),
        ]
    )


def uuencoded():
    return writers.mail(f"begin 644 {NAME}\r\n#86)C\r\n`\r\nend\r\n".encode())


def calendar():
    body = base64.b64encode(b"x").decode()
    return (
        "BEGIN:VCALENDAR\r\nBEGIN:VEVENT\r\nSUMMARY:会議\r\n"
        f'ATTACH;FILENAME="{NAME}";ENCODING=BASE64;VALUE=BINARY:{body}\r\n'
        "END:VEVENT\r\nEND:VCALENDAR\r\n"
    ).encode()


MAKERS = {
    "zip": lambda: zipped({NAME: b"x"}),
    "zip, CP932": lambda: zipped({"A" * len(NAME.encode("cp932")): b"x"}).replace(
        b"A" * len(NAME.encode("cp932")), NAME.encode("cp932")
    ),
    "zip in zip": lambda: zipped({"a.zip": zipped({f"{NUMBER}/a.zip": zipped({"b": b"x"})})}),
    "zip, a name for an extension": lambda: zipped({f"a.{NUMBER}": b"x"}),
    "zip, encrypted": zip_locked,
    "zip, unknown member": lambda: zipped({f"{NUMBER}.bin": b"\1\2\3\0"}),
    "7z": lambda: seven_zip({NAME: b"x"}),
    "rar 4": lambda: rar_4({NAME.encode("cp932"): b"x"}),
    "rar 5": lambda: rar_5({NAME: b"x"}),
    "rar, encrypted": rar_encrypted,
    "lzh": lambda: lzh(NAME, b"x"),
    "tar": tar,
    "tar, pax": lambda: tar(tarfile.PAX_FORMAT),
    "tar, CP932": lambda: tar(tarfile.USTAR_FORMAT, "cp932"),
    "tar, long": lambda: tar(name="長い名前/" * 20 + NAME),
    "tar.gz": lambda: gzip.compress(tar()),
    "gz": gzip_named,
    "gz, remark": gzip_remark,
    "docx, part": lambda: office_part(document_with(paragraph)("目印")),
    "xlsx, part": lambda: office_part(BOOK),
    "xlsx, sheet": named_sheet,
    "xls, sheet": lambda: xls_with(xls_name)(NUMBER),
    "odt, part": odf_part,
    "docx, encrypted": lambda: locked(lambda _: office_part(BOOK), "VelvetSweatshop")(""),
    "doc, packed file": native,
    "rtf, packed file": rtf_package,
    "pdf, attachment": pdf_attachment,
    "mail": lambda: mail(f'attachment; filename="{NAME}"'.encode()),
    "mail, SJIS": lambda: mail(b'attachment; filename="' + NAME.encode("cp932") + b'"'),
    "mail, type alone": lambda: mail(b"", f'application/x-a; name="{NAME}"'.encode()),
    "mail in mail": mail_in_mail,
    "mail, zip": lambda: writers.with_attachment(b"attachment", data=zipped({NAME: b"x"})),
    "msg": lambda: message(NAME),
    "winmail.dat": winmail,
    "uuencode": uuencoded,
    "calendar": calendar,
}


@pytest.mark.parametrize("kind", MAKERS)
def test_name_is_scanned_and_in_no_location(kind):
    found, _ = extract(Content(MAKERS[kind](), "a"), clock=time.monotonic)
    assert any(NUMBER in segment.text for segment in found.segments), found
    for segment in found.segments:
        assert NUMBER not in segment.location
        assert not any(NUMBER in mark.label for mark in segment.marks)
        assert NUMBER not in repr(segment)
    for gap in found.gaps:
        assert NUMBER not in gap.location
