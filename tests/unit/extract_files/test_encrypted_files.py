"""Encrypted files through given passwords: the right one opens, any other is a named gap."""

from __future__ import annotations

import base64
import io
import struct
import time

import olefile
import pikepdf
import pytest
from reportlab.lib.pdfencrypt import StandardEncryption

from shared.extract import extract
from shared.model import Content, GapCode
from shared.sandbox import Sandbox
from tests.unit.extract_files.cfb_writer import cfb
from tests.unit.extract_files.legacy_cases import xls_text, xls_with
from tests.unit.extract_files.pdf_cases import CASES as PDFS
from tests.unit.extract_files.pdf_cases import drawn, text
from tests.unit.extract_files.rar_cases import built
from tests.unit.extract_files.rc4_writer import (
    doc_locked,
    header_97,
    header_capi,
    key_97,
    key_capi,
    ppt_locked,
    rc4,
)

# "番号 00000001" in a.txt under the password "himitsu", written by 7-Zip 26.02 (-mx=1, AES-256);
# in the second the names are encrypted too (-mhe=on).
SEVEN_ZIP = (
    "N3q8ryccAAQs4UYQIAAAAAAAAABiAAAAAAAAAFAjvd5ujj7KHj+jEcbE5geOZSUgFK9TbeW70CnJ+m/PUFiYjwEEBgAB"
    "CSAABwsBAAIkBvEHARJTD2FkrOP6MbhPj9vQ6iaRKIwhIQEAAQAMEw8ACAoBPMmbAAAABQEZAQARDQBhAC4AdAB4AHQA"
    "AAAUCgEAM3KXMXx83QEVBgEAIICkgQAA"
)
SEVEN_ZIP_NAMES_TOO = (
    "N3q8ryccAASpnC3tkAAAAAAAAAAuAAAAAAAAALWE1DtaiCk9c0EKNACgNcOMWxh4sh3vyStsoOFkaytZkhrK8HiWBKIy"
    "1paF2RMC0K2Oxnk0Nk74hnRz1ZLPMJYJKkIlAAjWkNQMCnlblB0IWs6FIVYToPMNGzt2VwyLahemKgFSv4vpZB8hW2pK"
    "Pc8Zt6f9lZM8ENCUe8unSSEyR5xBcu0Xkaa3uMVxluwqxFM81a4XBiABCXAABwsBAAEkBvEHARJTD4etRq7KTIefR5qb"
    "3mbmtWIMYgoBxfST1QAA"
)


def pdf_rc4(password):
    """A PDF under a password of these bytes, as older Japanese tools write it."""
    lock = StandardEncryption(password, ownerPassword="o", strength=128)
    return drawn(text, encrypt=lock)("00000001")


def pdf_aes_256(password):
    out = io.BytesIO()
    with pikepdf.open(io.BytesIO(PDFS[0][1]("番号 00000001"[3:]))) as pdf:
        pdf.save(out, encryption=pikepdf.Encryption(owner="持ち主", user=password, R=6))
    return out.getvalue()


PLAIN = {0x0809, 0x2F, 0x0194, 0x0195, 0xE1, 0x0196, 0x0138}  # records that stay as they are


def xls_rc4(password):
    """An .xls in the 40-bit RC4 of Excel 97 ([MS-XLS] 2.2.10, [MS-OFFCRYPTO] 2.3.6)."""
    with olefile.OleFileIO(io.BytesIO(xls_with(xls_text)("00000001"))) as ole:
        book = ole.openstream("Workbook").read()
    key = key_97(password)
    filepass = struct.pack("<HHH", 0x2F, 54, 1) + header_97(key)
    (first,) = struct.unpack_from("<H", book, 2)
    plain = book[: first + 4] + filepass + book[first + 4 :]
    at = 0
    while plain[at : at + 2] != b"\0\0":  # the writer has padded its stream
        at += 4 + struct.unpack_from("<H", plain, at + 2)[0]
    plain = plain[:at]
    filler = (-at - 4) % 4
    plain += struct.pack("<HH", 0, filler) + b"\0" * filler  # whole records up to the sector's end
    wide = len(plain) // 1024 + 1
    stream = b"".join(rc4(key(block), b"\0" * 1024) for block in range(wide))
    out = bytearray(plain)
    at = 0
    while at + 4 <= len(plain):
        kind, size = struct.unpack_from("<HH", plain, at)
        start, end = at + 4, at + 4 + size
        if kind == 0x85:  # a sheet's place stays readable, and has moved
            struct.pack_into("<I", out, start, struct.unpack_from("<I", out, start)[0] + 58)
            start += 4
        if kind not in PLAIN:
            out[start:end] = bytes(
                byte ^ stream[place]
                for place, byte in zip(range(start, end), plain[start:end], strict=True)
            )
        at = end
    return cfb({"Workbook": bytes(out)})


FILES = {
    "7z (AES-256)": lambda: base64.b64decode(SEVEN_ZIP),
    "7z (AES-256, names too)": lambda: base64.b64decode(SEVEN_ZIP_NAMES_TOO),
    "pdf (AES-256)": lambda: pdf_aes_256("himitsu"),
    "xls (RC4)": lambda: xls_rc4("himitsu"),
    "doc (RC4)": lambda: doc_locked("himitsu", key_97, header_97)("00000001"),
    "doc (CryptoAPI)": lambda: doc_locked("himitsu", key_capi, header_capi)("00000001"),
    "ppt (CryptoAPI)": lambda: ppt_locked("himitsu")("00000001"),
}


@pytest.mark.parametrize("kind", FILES)
def test_given_password_opens_and_any_other_is_encrypted(kind):
    data = FILES[kind]()
    for passwords in ((), ("x", "違う")):
        found, _ = extract(Content(data), clock=time.monotonic, passwords=passwords)
        assert [gap.code for gap in found.gaps] == [GapCode.ENCRYPTED]
        assert not any("00000001" in segment.text for segment in found.segments)
    found, _ = extract(Content(data), clock=time.monotonic, passwords=("x", "himitsu"))
    assert found.gaps == ()
    assert any("00000001" in segment.text for segment in found.segments)


@pytest.mark.parametrize(
    "build",
    [
        lambda: pdf_aes_256("秘密"),
        lambda: pdf_rc4("秘密".encode("cp932")),
        lambda: pdf_rc4("秘密".encode()),
        lambda: pdf_rc4("clé".encode("latin-1")),
    ],
    ids=["AES-256, UTF-8", "RC4, CP932", "RC4, UTF-8", "RC4, PDFDocEncoding"],
)
def test_pdf_under_a_password_of_other_letters_is_read(build):
    wrong = ("x", "密秘", "ключ")
    found, _ = extract(Content(build()), clock=time.monotonic, passwords=wrong)
    assert [gap.code for gap in found.gaps] == [GapCode.ENCRYPTED]
    found, _ = extract(Content(build()), clock=time.monotonic, passwords=(*wrong, "秘密", "clé"))
    assert found.gaps == ()
    assert any("00000001" in segment.text for segment in found.segments)


async def test_sandbox_that_writes_no_file_opens_them_too():
    """The library decrypts the older Office formats in a file, unless it is kept from it."""
    sandbox = Sandbox(processes=1)
    try:
        for kind, build in FILES.items():
            found = await sandbox.extract(Content(build()), ("himitsu",))
            assert found.gaps == (), kind
            assert any("00000001" in segment.text for segment in found.segments), kind
    finally:
        sandbox.close()


RARS = [
    ("rar15", {}),
    ("rar20", {"solid": True}),
    ("rar30", {}),
    ("rar30", {"solid": True}),
    ("rar30", {"encrypt_headers": True}),
    ("rar40", {"encrypt_headers": True}),
    ("rar50", {"solid": True}),
    ("rar50", {"encrypt_headers": True}),
    ("rar70", {}),
]
"""Generations and ways; those before 5 cannot tell a wrong password from damage."""


@pytest.mark.parametrize(("kind", "options"), RARS, ids=str)
def test_rar_of_every_generation_opens_after_wrong_passwords(kind, options):
    members = {"a.txt": "番号 00000001".encode() * 9, "b.txt": b"x" * 500}
    data = Content(built(members, format=kind, password="秘密", **options), "a.rar")
    wrong = ["違う", *(f"falsch-{number}" for number in range(9))]
    found, _ = extract(data, clock=time.monotonic, passwords=(*wrong, "秘密"))
    assert found.gaps == ()
    assert any("00000001" in segment.text for segment in found.segments)
    closed, _ = extract(data, clock=time.monotonic, passwords=wrong)
    assert {gap.code for gap in closed.gaps} == {GapCode.ENCRYPTED}
