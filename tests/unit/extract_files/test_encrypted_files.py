"""Encrypted files through given passwords: the right one opens, any other is a named gap."""

from __future__ import annotations

import base64
import hashlib
import io
import struct
import time

import olefile
import pikepdf
import pytest

from shared.extract import extract
from shared.model import Content, GapCode
from tests.unit.extract_files.cfb_writer import cfb
from tests.unit.extract_files.legacy_cases import xls_text, xls_with
from tests.unit.extract_files.pdf_cases import CASES as PDFS

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


def pdf_aes_256(password):
    out = io.BytesIO()
    with pikepdf.open(io.BytesIO(PDFS[0][1]("番号 00000001"[3:]))) as pdf:
        pdf.save(out, encryption=pikepdf.Encryption(owner="持ち主", user=password, R=6))
    return out.getvalue()


def rc4(key, data):
    box, j, out = list(range(256)), 0, bytearray()
    for i in range(256):
        j = (j + box[i] + key[i % len(key)]) & 0xFF
        box[i], box[j] = box[j], box[i]
    i = j = 0
    for byte in data:
        i = (i + 1) & 0xFF
        j = (j + box[i]) & 0xFF
        box[i], box[j] = box[j], box[i]
        out.append(byte ^ box[(box[i] + box[j]) & 0xFF])
    return bytes(out)


PLAIN = {0x0809, 0x2F, 0x0194, 0x0195, 0xE1, 0x0196, 0x0138}  # records that stay as they are


def xls_rc4(password):
    """An .xls in the 40-bit RC4 of Excel 97 ([MS-XLS] 2.2.10, [MS-OFFCRYPTO] 2.3.6)."""
    with olefile.OleFileIO(io.BytesIO(xls_with(xls_text)("00000001"))) as ole:
        book = ole.openstream("Workbook").read()
    salt, verifier = bytes(range(16)), bytes(range(16, 32))
    short = hashlib.md5(password.encode("utf-16-le")).digest()[:5]
    base = hashlib.md5((short + salt) * 16).digest()[:5]

    def key(block):
        return hashlib.md5(base + struct.pack("<I", block)).digest()

    secret = rc4(key(0), verifier + hashlib.md5(verifier).digest())
    filepass = struct.pack("<HHHHH", 0x2F, 54, 1, 1, 1) + salt + secret
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


def test_pdf_under_a_japanese_password_is_read():
    found, _ = extract(Content(pdf_aes_256("秘密")), clock=time.monotonic, passwords=("秘密",))
    assert any("00000001" in segment.text for segment in found.segments)
